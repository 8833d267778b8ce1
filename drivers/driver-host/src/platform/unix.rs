//! Linux.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use rustix::{
    io::fcntl_dupfd_cloexec,
    process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit},
    stdio::{dup2_stdout, stderr, stdin, stdout},
};
use smartcard::ServiceDoor;

use super::Pipes;

/// Descriptors below belong to the standard streams.
const ABOVE_STANDARD: i32 = 3;

/// Takes the protocol's pipes away from the standard streams.
///
/// Whatever a chatty C library prints goes to the log instead of into the protocol; and the input is
/// read without the standard library's buffer, which would keep PINs that nobody erases.
pub(crate) fn protocol_pipes() -> io::Result<Pipes> {
    let from_agent = fcntl_dupfd_cloexec(stdin(), ABOVE_STANDARD)?;
    let to_agent = fcntl_dupfd_cloexec(stdout(), ABOVE_STANDARD)?;
    dup2_stdout(stderr())?;
    Ok(Pipes {
        from_agent: File::from(from_agent),
        to_agent: File::from(to_agent),
    })
}

/// No core dump and no debugger of the same user: this process holds PINs and citizens' data.
pub(crate) fn keep_memory_private() -> io::Result<()> {
    setrlimit(
        Resource::Core,
        Rlimit {
            current: Some(0),
            maximum: Some(0),
        },
    )?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Creates a file that only this user may read.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Where the PC/SC service appears.
#[expect(
    clippy::disallowed_methods,
    reason = "libpcsclite takes its socket from this variable and from nowhere else; \
              whoever waits for the service must look at the same place"
)]
pub(crate) fn service_door() -> ServiceDoor {
    std::env::var_os("PCSCLITE_CSOCK_NAME").map_or_else(ServiceDoor::usual, ServiceDoor::at)
}

/// Who types on the desktop; `None` where there is none to type on.
#[cfg(target_os = "linux")]
pub(crate) fn typist(desktop: &str, font: &str) -> Option<Box<dyn keystroke::Typist + Send>> {
    let font = std::fs::read(font)
        .map_err(|error| tracing::warn!(%error, font, "the banner has no font"))
        .ok()?;
    let typist = keystroke::platform::X11Typist::new(desktop, font)
        .map_err(|error| tracing::debug!(%error, desktop, "no desktop can be typed on"))
        .ok()?;
    Some(Box::new(typist))
}

/// Only X11 has a typist, and only Linux is asked for it.
#[cfg(not(target_os = "linux"))]
pub(crate) fn typist(_display: &str, _font: &str) -> Option<Box<dyn keystroke::Typist + Send>> {
    None
}
