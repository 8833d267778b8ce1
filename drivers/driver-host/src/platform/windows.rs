//! Windows.

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::io::AsHandle,
    path::Path,
};

use smartcard::ServiceDoor;

use super::Pipes;

/// Takes handles of our own on the protocol's pipes; the input is read without a buffer that is never
/// erased.
pub(crate) fn protocol_pipes() -> io::Result<Pipes> {
    let from_agent = io::stdin().as_handle().try_clone_to_owned()?;
    let to_agent = io::stdout().as_handle().try_clone_to_owned()?;
    Ok(Pipes {
        from_agent: File::from(from_agent),
        to_agent: File::from(to_agent),
    })
}

/// Windows writes crash dumps only where the machine is configured to, and not for this process.
pub(crate) const fn keep_memory_private() -> io::Result<()> {
    Ok(())
}

/// Creates a file; its folder's access list says who may read it.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Where the PC/SC service appears.
pub(crate) const fn service_door() -> ServiceDoor {
    ServiceDoor::usual()
}

/// Windows has no typist.
pub(crate) fn typist(_display: &str, _font: &str) -> Option<Box<dyn keystroke::Typist + Send>> {
    None
}
