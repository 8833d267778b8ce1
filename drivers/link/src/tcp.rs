//! Bytes over TCP: printers on port 9100, and simulators.
//!
//! A device whose plug is pulled says no farewell. On Linux its link is gone half a minute later at the
//! latest, because the kernel asks after it; on Windows only when something is sent.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use device_api::{Clock, Deadline};

use crate::platform::Pipe;
use crate::{Frame, Interrupter, Link, LinkError};

/// Connects to `address`; blocks until it answers, at the longest until `deadline`.
///
/// # Errors
/// [`LinkError::TimedOut`] at the deadline, [`LinkError::Gone`] where nobody listens there.
pub fn connect(
    address: SocketAddr,
    deadline: Deadline,
    clock: Arc<dyn Clock>,
) -> Result<TcpLink, LinkError> {
    let left = deadline.remaining(clock.now()).ok_or(LinkError::TimedOut)?;
    let failed = |source| LinkError::of_connecting("connecting", source);
    let stream = TcpStream::connect_timeout(&address, left).map_err(failed)?;
    // Commands are short and their answers awaited: Nagle's algorithm would hold them back.
    stream.set_nodelay(true).map_err(failed)?;
    TcpLink::over(stream, clock)
}

/// A link over one TCP connection.
#[derive(Debug)]
pub struct TcpLink(Pipe);

impl TcpLink {
    /// A link over a connection that exists, such as one that a device opened to us.
    ///
    /// # Errors
    /// [`LinkError::Io`] where the operating system gives nothing to wait with.
    pub fn over(stream: TcpStream, clock: Arc<dyn Clock>) -> Result<Self, LinkError> {
        let name = stream
            .peer_addr()
            .map_or_else(|_| "tcp".to_owned(), |peer| format!("tcp {peer}"));
        Ok(Self(Pipe::over_tcp(stream, name, clock)?))
    }
}

impl Link for TcpLink {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.0.send(frame, deadline)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.0.receive(deadline)
    }

    fn interrupter(&self) -> Interrupter {
        self.0.interrupter()
    }
}
