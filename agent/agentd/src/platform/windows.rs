//! Windows: no native door yet, no modes, no service manager that wants to be told.
//!
//! The state folder's protection is its inherited access list, which the installer sets.

use std::convert::Infallible;
use std::fs::OpenOptions;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether native clients have a door of their own on this system.
pub const HAS_NATIVE_DOOR: bool = false;

/// The listener of the native door: there is none.
pub type NativeListener = Infallible;

/// Where state is kept unless configured otherwise.
#[must_use]
pub fn default_state_dir() -> PathBuf {
    PathBuf::from(r"C:\ProgramData\Madoguchi")
}

/// Nothing to do: Windows writes no core files of a service unless told to.
///
/// # Errors
/// Never.
pub fn harden_process() -> io::Result<()> {
    Ok(())
}

/// Makes a folder where it is not there yet; it inherits its parent's access list.
///
/// # Errors
/// It cannot be made.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Modes do not exist here.
#[must_use]
pub fn faults_of_state_dir(_path: &Path) -> Option<String> {
    None
}

/// Options that make a new file; an existing file is an error.
#[must_use]
pub fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    options
}

/// Renames are durable here without it.
///
/// # Errors
/// Never.
pub fn sync_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Asks the system to start the machine anew.
///
/// # Errors
/// The system does not take the order.
pub fn reboot() -> io::Result<()> {
    let status = std::process::Command::new("shutdown")
        .args(["/r", "/t", "0"])
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

/// Keeps a signal at the console away from the child (`CREATE_NEW_PROCESS_GROUP`).
pub fn own_process_group(command: &mut tokio::process::Command) {
    command.creation_flags(0x0000_0200);
}

/// Cannot be called with success: the configuration refuses the native door here.
///
/// # Errors
/// Always.
pub fn listen_native(_path: &Path) -> io::Result<NativeListener> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// There is nothing to take away.
pub fn close_native(_path: &Path) {}

/// Cannot be called: there is no listener.
///
/// # Errors
/// Never.
pub async fn accept_native(listener: &NativeListener) -> io::Result<(tokio::net::TcpStream, u32)> {
    match *listener {}
}

/// The service has no socket here.
#[must_use]
pub fn card_service_socket() -> Option<PathBuf> {
    None
}

/// Not told here.
#[must_use]
pub fn process_name(_pid: u32) -> Option<String> {
    None
}

/// Not told here.
#[must_use]
pub fn owner_of_port(_address: SocketAddr) -> Option<String> {
    None
}

/// The signals that end the agent.
#[derive(Debug)]
pub struct Termination {
    close: tokio::signal::windows::CtrlC,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

impl Termination {
    /// Listens from now on.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            close: tokio::signal::windows::ctrl_c()?,
            shutdown: tokio::signal::windows::ctrl_shutdown()?,
        })
    }

    /// Waits for the first of them.
    pub async fn wait(&mut self) {
        tokio::select! {
            _received = self.close.recv() => {}
            _received = self.shutdown.recv() => {}
        }
    }
}

/// No service manager wants to be told.
#[derive(Debug)]
pub struct Readiness;

impl Readiness {
    /// There is nothing to find.
    #[must_use]
    pub fn from_service_manager() -> Self {
        Self
    }

    /// Nobody to tell.
    pub fn ready(&self) {}

    /// Nobody to tell.
    pub fn stopping(&self) {}
}

/// Bytes of the disk that holds a folder: not known here.
///
/// # Errors
/// Always.
pub fn disk_of(_folder: &Path) -> io::Result<(u64, u64)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Not known here.
#[must_use]
pub fn clock_error_bound() -> Option<Duration> {
    None
}

/// Not known here, so no.
#[must_use]
pub fn clock_is_synchronised() -> bool {
    false
}
