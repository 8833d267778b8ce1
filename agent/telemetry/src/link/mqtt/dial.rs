//! TCP to a broker: each of its addresses in turn, none for too long.

use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::link::Endpoint;

/// How long one address may take, so that a dead one leaves time for the next.
const EACH: Duration = Duration::from_secs(6);

/// Connects to the first address that accepts.
///
/// The library's own way would put an IPv6 address before a colon without brackets, and hold small packets
/// back (Nagle).
pub(super) async fn dial(endpoint: Endpoint) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in lookup_host((endpoint.host.as_str(), endpoint.port)).await? {
        match timeout(EACH, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
