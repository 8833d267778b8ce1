//! Linux and its kin: socket with peer credentials, modes, signals, readiness to systemd.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{DumpableBehavior, Resource, Rlimit};
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether native clients have a door of their own on this system.
pub const HAS_NATIVE_DOOR: bool = true;

/// The listener of the native door.
pub type NativeListener = UnixListener;

/// Where state is kept unless configured otherwise.
#[must_use]
pub fn default_state_dir() -> PathBuf {
    PathBuf::from("/var/lib/madoguchi")
}

/// Keeps the memory of this process out of core dumps and away from other processes of the same user.
///
/// # Errors
/// The system refuses; the caller logs it and goes on.
pub fn harden_process() -> io::Result<()> {
    rustix::process::setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Makes a folder that only its owner can read, where it is not there yet.
///
/// # Errors
/// It cannot be made.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What is wrong with the folder's owner and mode, if anything.
#[must_use]
pub fn faults_of_state_dir(path: &Path) -> Option<String> {
    let meta = std::fs::metadata(path).ok()?;
    let own = rustix::process::geteuid().as_raw();
    if meta.uid() != own {
        return Some(format!(
            "it belongs to user {} and the agent runs as user {own}",
            meta.uid()
        ));
    }
    // Reading is harmless: every file in it is readable by its owner alone.
    let writable = meta.mode() & 0o022;
    (writable != 0).then(|| {
        format!(
            "other users may write to it (mode {:04o}); 0700 is right",
            meta.mode() & 0o7777
        )
    })
}

/// Options that make a new file which only its owner can read; an existing file is an error.
#[must_use]
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options
}

/// Asks the system to start the machine anew.
///
/// # Errors
/// The system does not take the order.
pub fn reboot() -> io::Result<()> {
    let status = std::process::Command::new("systemctl")
        .args(["reboot"])
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// Makes renames in a folder survive a power cut.
///
/// # Errors
/// The folder cannot be synced.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Puts a child into its own process group, so that a signal at the terminal reaches the agent alone.
pub fn own_process_group(command: &mut tokio::process::Command) {
    command.process_group(0);
}

/// Opens the native door with mode 0660, replacing a socket that nobody listens on.
///
/// # Errors
/// Another agent listens there, or the path cannot be used.
pub fn listen_native(path: &Path) -> io::Result<NativeListener> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another program listens on this socket",
        ));
    }
    match std::fs::symlink_metadata(path) {
        Ok(meta) if std::os::unix::fs::FileTypeExt::is_socket(&meta.file_type()) => {
            std::fs::remove_file(path)?;
        }
        Ok(_) => {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "something else has this name",
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// Takes the socket away. One that stays is replaced at the next start.
pub fn close_native(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::debug!(%error, "the native door was not removed");
    }
}

/// Waits for a native client; tells whose process it is, as the kernel knows.
///
/// # Errors
/// The connection failed before its peer could be told.
pub async fn accept_native(listener: &NativeListener) -> io::Result<(UnixStream, u32)> {
    let (stream, _address) = listener.accept().await?;
    let uid = stream.peer_cred()?.uid();
    Ok((stream, uid))
}

/// Where pcscd listens: the place that Debian compiles in, unless its own variable names another.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "libpcsclite takes its socket from this variable; the doctor looks where it looks"
)]
pub fn card_service_socket() -> Option<PathBuf> {
    let named = std::env::var_os("PCSCLITE_CSOCK_NAME").map(PathBuf::from);
    Some(named.unwrap_or_else(|| PathBuf::from("/run/pcscd/pcscd.comm")))
}

/// The name of a process, where the system tells.
#[must_use]
pub fn process_name(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().to_owned())
}

/// Which process listens on a port, where this user may know: the socket's inode from `/proc/net`, then
/// the process that holds it (proc(5)).
#[must_use]
pub fn owner_of_port(address: SocketAddr) -> Option<String> {
    let inode = listening_inode(address.port())?;
    let target = format!("socket:[{inode}]");
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Ok(descriptors) = std::fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = descriptors
            .flatten()
            .filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok())
            .any(|link| link.as_os_str() == target.as_str());
        if holds {
            let name = process_name(pid).unwrap_or_default();
            return Some(format!("{name} (process {pid})"));
        }
    }
    None
}

fn listening_inode(port: u16) -> Option<String> {
    const LISTEN: &str = "0A";
    let local = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .find_map(|table| {
            let table = std::fs::read_to_string(table).ok()?;
            table.lines().skip(1).find_map(|line| {
                let mut columns = line.split_whitespace().skip(1);
                let matches = columns.next()?.ends_with(&local);
                let _remote = columns.next()?;
                let listens = columns.next()? == LISTEN;
                // Queues, timer, retransmissions, user and timeout stand before the inode.
                let inode = columns.nth(5)?;
                (matches && listens).then(|| inode.to_owned())
            })
        })
}

/// The signals that end the agent.
#[derive(Debug)]
pub struct Termination {
    terminate: Signal,
    interrupt: Signal,
}

impl Termination {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the first of them.
    pub async fn wait(&mut self) {
        tokio::select! {
            _received = self.terminate.recv() => {}
            _received = self.interrupt.recv() => {}
        }
    }
}

/// Tells the service manager how the agent stands (`sd_notify(3)`), where there is one.
#[derive(Debug)]
pub struct Readiness {
    socket: Option<PathBuf>,
}

impl Readiness {
    /// Finds the service manager's socket. Called once, by the composition root.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "sd_notify(3) names its socket in the environment only"
    )]
    pub fn from_service_manager() -> Self {
        Self {
            socket: std::env::var_os("NOTIFY_SOCKET").map(PathBuf::from),
        }
    }

    /// Says that the agent answers.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// Says that the agent ends.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, state: &str) {
        let Some(path) = &self.socket else { return };
        if let Err(error) = send_datagram(path, state.as_bytes()) {
            tracing::warn!(%error, state, "the service manager was not told");
        }
    }
}

fn send_datagram(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;

    let socket = UnixDatagram::unbound()?;
    // A leading @ names an abstract socket (systemd in containers).
    let address = match path.as_os_str().as_bytes().split_first() {
        #[cfg(target_os = "linux")]
        Some((b'@', name)) => {
            use std::os::linux::net::SocketAddrExt as _;
            std::os::unix::net::SocketAddr::from_abstract_name(name)?
        }
        _ => std::os::unix::net::SocketAddr::from_pathname(path)?,
    };
    socket.send_to_addr(bytes, &address).map(|_sent| ())
}

/// Bytes of the disk that holds a folder: in all, and free for this user.
///
/// # Errors
/// The folder cannot be looked at.
pub fn disk_of(folder: &Path) -> io::Result<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder)?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Ok((bytes(disk.f_blocks), bytes(disk.f_bavail)))
}

/// The most by which the clock may be wrong, as the kernel keeps account of it for every program that sets
/// the clock; it grows from one correction to the next. `None` where the kernel does not tell.
///
/// `maxerror` of adjtimex(2) is in microseconds whatever `STA_NANO` says of other fields.
#[must_use]
#[expect(
    unsafe_code,
    reason = "the kernel tells it by adjtimex(2) alone, which no safe library offers for reading"
)]
pub fn clock_error_bound() -> Option<Duration> {
    let mut answer = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: the kernel writes no more than the structure, which lives until the call returns. No bit of
    // `modes` is set, so that nothing is changed, and nobody needs a right for it.
    let state = unsafe { libc::adjtimex(answer.as_mut_ptr()) };
    if state < 0 {
        return None;
    }
    // SAFETY: all fields are integers, which were zero before the kernel wrote to them.
    let answer = unsafe { answer.assume_init() };
    u64::try_from(answer.maxerror)
        .ok()
        .map(Duration::from_micros)
}

/// Whether systemd-timesyncd has synchronised the clock since the machine was started.
///
/// It leaves this file once it has: `systemd-timesyncd.service(8)`.
#[must_use]
pub fn clock_is_synchronised() -> bool {
    Path::new("/run/systemd/timesync/synchronized").exists()
}
