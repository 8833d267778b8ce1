//! The card service's owner, asked to kill it: one datagram to the owner's socket.
//!
//! Whoever started the service owns it (the harness of tests and demonstration), knows its process, and
//! starts it again; this program never guesses at a process id.

use std::path::PathBuf;

use sim_kit::ServiceOwner;

/// The order; the owner ignores everything else.
#[cfg(unix)]
const KILL: &[u8] = b"kill";

/// The owner who listens at `socket`.
#[cfg(unix)]
pub(crate) fn owner_at(socket: PathBuf) -> ServiceOwner {
    use std::os::unix::net::UnixDatagram;

    ServiceOwner::new(move || UnixDatagram::unbound()?.send_to(KILL, &socket).map(drop))
}

/// There is no such socket on this operating system, and the order fails.
#[cfg(not(unix))]
pub(crate) fn owner_at(_socket: PathBuf) -> ServiceOwner {
    ServiceOwner::new(|| Err(std::io::ErrorKind::Unsupported.into()))
}
