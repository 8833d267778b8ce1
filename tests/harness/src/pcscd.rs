//! A PC/SC service of our own, with virtual readers and nothing else.
//!
//! The real `pcscd` runs in a private mount namespace: it finds a `/run` of its own, so it neither sees
//! nor disturbs a service that already runs on the machine, and an empty driver folder, so it leaves
//! the machine's real readers alone.
//! The private `/run` is an ordinary folder outside, so clients and this harness reach the socket by its
//! path (`PCSCLITE_CSOCK_NAME`), and readiness is seen by `inotify`.
//!
//! Provenance of the details, as seen with pcscd 1.9.9 and vpcd 0.8 of Debian 12:
//! - A reader stanza has two slots, on two neighbouring TCP ports; the driver keeps its state in a static
//!   array by slot, so two stanzas that share a library file alias each other. Each gets a copy.
//! - `pcscd` opens the readers first, then its socket, and sets the socket's mode after `listen`.
//! - vpcd listens on every interface. The ports stay in the machine's network namespace, because
//!   the simulated cards connect from there; whoever reaches them can put a simulated card, no more.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::killing::KillOrders;
use crate::ports::PortPair;
use crate::watch::FolderWatch;
use crate::{Patience, Process};

const VPCD_LIBRARY: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";

/// Where the driver folder of `pcscd` is; it is hidden from ours.
const DRIVER_FOLDER: &str = "/usr/lib/pcsc/drivers";

/// Room in `sockaddr_un` for a path and its terminator.
const LONGEST_SOCKET_PATH: usize = 107;

/// How long a start or an orderly end may take; either takes some ten milliseconds.
const START_OR_END: u64 = 10;

/// A running `pcscd` of our own.
#[derive(Debug)]
pub struct PrivatePcscd {
    // Before the folder, in which its socket is.
    orders: KillOrders,
    service: Arc<Mutex<Service>>,
    ports: Vec<PortPair>,
    slots: usize,
    folder: TempDir,
}

/// The process and what starts it; shared with whoever takes orders to kill it.
#[derive(Debug)]
struct Service {
    process: Option<Process>,
    folder: PathBuf,
}

impl PrivatePcscd {
    /// Starts a service with `slots` virtual readers, 1 to 16 and rounded up to an even number, and
    /// returns when it answers.
    ///
    /// # Errors
    /// When a package is missing (the text names the command that provides it), when this user may
    /// not create a mount namespace, or when the service does not come up.
    pub fn start(slots: usize) -> anyhow::Result<Self> {
        if !(1..=16).contains(&slots) {
            bail!("pcscd serves 1 to 16 slots, not {slots}");
        }
        if !Path::new(VPCD_LIBRARY).exists() {
            bail!(
                "{VPCD_LIBRARY} is missing; \
                 apt-get install --no-install-recommends pcscd vsmartcard-vpcd"
            );
        }
        let folder = tempfile::Builder::new()
            .prefix("madoguchi-pcscd-")
            .tempdir()?;
        let slots = slots.next_multiple_of(2);
        let ports = write_configuration(folder.path(), slots)?;
        let mut service = Service {
            process: None,
            folder: folder.path().to_owned(),
        };
        service.start_process()?;
        let service = Arc::new(Mutex::new(service));
        let ordered = Arc::clone(&service);
        let orders = KillOrders::take(folder.path(), move || lock(&ordered).crash())?;
        Ok(Self {
            orders,
            service,
            ports,
            slots,
            folder,
        })
    }

    /// The socket, for `PCSCLITE_CSOCK_NAME` of clients.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        run_folder(self.folder.path()).join("pcscd.comm")
    }

    /// The socket that takes the order to kill the service as a crash would, and start it again.
    #[must_use]
    pub fn owner(&self) -> &Path {
        self.orders.socket()
    }

    /// The names of the readers, in the order of [`PrivatePcscd::ports`].
    #[must_use]
    pub fn readers(&self) -> Vec<String> {
        let name = |slot| format!("{} 00 {:02X}", stanza_name(slot / 2), slot % 2);
        (0..self.slots).map(name).collect()
    }

    /// The TCP ports at which the readers wait for a card.
    #[must_use]
    pub fn ports(&self) -> Vec<u16> {
        self.ports
            .iter()
            .flat_map(|pair| [pair.first(), pair.first() + 1])
            .collect()
    }

    /// The process id, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        lock(&self.service).process.as_ref().map(Process::id)
    }

    /// Ends the service as a crash would: at once, its socket file left behind.
    ///
    /// # Errors
    /// When it cannot be reaped.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        lock(&self.service).kill()
    }

    /// Ends the service in order.
    ///
    /// # Errors
    /// When it does not end in time, or did not come back after an order to kill it.
    pub fn stop(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.orders.failure()?;
        let Some(mut process) = lock(&self.service).process.take() else {
            return Ok(None);
        };
        process.terminate(Patience::seconds(START_OR_END)).map(Some)
    }

    /// Starts the service again after [`PrivatePcscd::kill`] or [`PrivatePcscd::stop`]: the same
    /// socket, readers and ports.
    ///
    /// # Errors
    /// When it runs already, or does not come up.
    pub fn start_again(&mut self) -> anyhow::Result<()> {
        lock(&self.service).start_again()
    }
}

impl Service {
    fn crash(&mut self) -> anyhow::Result<()> {
        // A test that has ended it already keeps it down.
        if self.process.is_none() {
            return Ok(());
        }
        self.kill()?;
        self.start_again()
    }

    fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    fn start_again(&mut self) -> anyhow::Result<()> {
        if self.process.is_some() {
            bail!("the service runs already");
        }
        // What a crash leaves behind would make the new service refuse to start.
        for name in ["pcscd.comm", "pcscd.pid"] {
            let left = run_folder(&self.folder).join(name);
            if left.exists() {
                fs::remove_file(&left)
                    .with_context(|| format!("cannot remove {}", left.display()))?;
            }
        }
        self.start_process()
    }

    fn start_process(&mut self) -> anyhow::Result<()> {
        let folder = self.folder.as_path();
        let watch = FolderWatch::begin(&run_folder(folder))?;
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !rustix::process::geteuid().is_root() {
            command.arg("--map-root-user");
        }
        // The folders arrive as arguments, so that no path is ever read as shell text.
        let script = "mount --bind \"$1\" /run && mount -t tmpfs tmpfs \"$2\" && shift 2 && exec pcscd \"$@\"";
        command.args(["sh", "-ec", script, "sh"]);
        command.arg(folder.join("run")).arg(DRIVER_FOLDER);
        command
            .args(["--foreground", "--config"])
            .arg(folder.join("readers"));
        if help_lists("--disable-polkit")? {
            command.arg("--disable-polkit");
        }
        let mut process = Process::start("pcscd", &mut command, &folder.join("pcscd.log"))?;
        let socket = run_folder(folder).join("pcscd.comm");
        watch
            .wait_for(&mut process, Patience::seconds(START_OR_END), || {
                Ok(UnixStream::connect(&socket).is_ok().then_some(()))
            })
            .context("the private pcscd did not come up")?;
        self.process = Some(process);
        Ok(())
    }
}

impl Drop for PrivatePcscd {
    fn drop(&mut self) {
        // An orderly end first, so that pcscd releases its readers; dropping the process kills it else.
        let _stopped = self.stop();
    }
}

fn run_folder(folder: &Path) -> PathBuf {
    folder.join("run/pcscd")
}

fn lock(service: &Mutex<Service>) -> MutexGuard<'_, Service> {
    service.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes the readers' stanzas and returns the ports that they listen on.
fn write_configuration(folder: &Path, slots: usize) -> anyhow::Result<Vec<PortPair>> {
    let readers = folder.join("readers");
    fs::create_dir_all(&readers)?;
    fs::create_dir_all(run_folder(folder))?;
    let socket = run_folder(folder).join("pcscd.comm");
    if socket.as_os_str().len() > LONGEST_SOCKET_PATH {
        bail!(
            "{} is too long for a socket; choose a shorter TMPDIR",
            socket.display()
        );
    }
    let mut ports = Vec::new();
    for stanza in 0..slots / 2 {
        let library = folder.join(format!("vpcd-{stanza}.so"));
        fs::copy(VPCD_LIBRARY, &library)?;
        let pair = PortPair::reserve()?;
        let port = pair.first();
        let (name, library) = (stanza_name(stanza), library.display());
        let text = format!(
            "FRIENDLYNAME \"{name}\"\nDEVICENAME /dev/null:{port:#06x}\n\
             LIBPATH {library}\nCHANNELID {port:#06x}\n"
        );
        fs::write(readers.join(format!("{stanza}")), text)?;
        ports.push(pair);
    }
    Ok(ports)
}

/// pcscd numbers the readers of one driver library, so equal names of two stanzas would stay equal.
fn stanza_name(stanza: usize) -> String {
    if stanza == 0 {
        "Virtual PCD".to_owned()
    } else {
        format!("Virtual PCD {}", stanza + 1)
    }
}

fn help_lists(option: &str) -> anyhow::Result<bool> {
    let help = Command::new("pcscd").arg("--help").output().context(
        "cannot run pcscd; apt-get install --no-install-recommends pcscd vsmartcard-vpcd",
    )?;
    Ok(String::from_utf8_lossy(&help.stdout).contains(option))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_killed_service_comes_back_at_the_same_socket_and_ports() -> anyhow::Result<()> {
        let mut service = PrivatePcscd::start(3)?;
        let (socket, ports) = (service.socket(), service.ports());
        assert_eq!(ports.len(), 4);
        UnixStream::connect(&socket)?;
        service.kill()?;
        assert!(UnixStream::connect(&socket).is_err());
        service.start_again()?;
        UnixStream::connect(&socket)?;
        assert_eq!(service.ports(), ports);
        for port in ports {
            std::net::TcpStream::connect(("127.0.0.1", port))?;
        }
        Ok(())
    }

    #[test]
    fn two_services_do_not_disturb_each_other() -> anyhow::Result<()> {
        let mut first = PrivatePcscd::start(1)?;
        let second = PrivatePcscd::start(2)?;
        assert_ne!(first.socket(), second.socket());
        first.stop()?;
        UnixStream::connect(second.socket())?;
        Ok(())
    }

    #[test]
    fn an_orderly_end_leaves_no_socket() -> anyhow::Result<()> {
        let mut service = PrivatePcscd::start(1)?;
        let status = service.stop()?;
        assert!(status.is_some_and(|status| status.success()));
        assert!(!service.socket().exists());
        Ok(())
    }
}
