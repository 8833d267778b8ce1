//! What depends on the operating system: acknowledging TCP segments at once.

use std::net::TcpStream;

/// Asks the kernel to acknowledge what has just been received without waiting.
///
/// Debian's vpcd sends a message in two segments and leaves Nagle's algorithm on, so the second one
/// waits for the acknowledgement of the first: 44 ms per command unless it comes at once.
/// The option is not sticky and has to be set after every read.
#[cfg(target_os = "linux")]
pub(crate) fn acknowledge_now(stream: &TcpStream) {
    if let Err(error) = rustix::net::sockopt::set_tcp_quickack(stream, true) {
        tracing::trace!(%error, "cannot ask for a quick acknowledgement");
    }
}

/// Other systems have no such option; commands work, at the pace of delayed acknowledgements.
#[cfg(not(target_os = "linux"))]
pub(crate) fn acknowledge_now(_stream: &TcpStream) {}
