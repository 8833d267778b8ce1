//! A TCP connection that obeys a patience: deadlines on every call, and an end from another thread.
//!
//! Invariant: every wait ends by data, by the deadline, by silence or by [`Patience::stop`], which shuts
//! the socket down under whoever waits.
//!
//! The crate `link` is not used: a scan needs connections that come and go within one job, to a host that
//! may be a name, and at whose end the half that is still open matters.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use device_api::patience::WhenStopped;
use device_api::{Patience, Stop};

use crate::ScanError;

/// How long an attempt to connect lives on where nobody waits for it any more.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection to a scanner or its server.
pub(crate) struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    patience: Patience,
    silence: Duration,
    _awake: WhenStopped,
}

impl Connection {
    /// Connects to `host`, a name or an address.
    pub(crate) fn open(
        (host, port): (&str, u16),
        patience: &Patience,
        silence: Duration,
    ) -> Result<Self, ScanError> {
        const ATTEMPTED: &str = "connecting";
        let host = host.to_owned();
        Self::connect(patience, silence, ATTEMPTED, move || {
            let mut last = io::Error::from(io::ErrorKind::HostUnreachable);
            for address in (host.as_str(), port).to_socket_addrs()? {
                match TcpStream::connect_timeout(&address, CONNECT) {
                    Ok(stream) => return Ok(stream),
                    Err(error) => last = error,
                }
            }
            Err(last)
        })
    }

    /// Connects to another port of the same machine.
    pub(crate) fn beside(&self, port: u16) -> Result<Self, ScanError> {
        let mut address = self.peer;
        address.set_port(port);
        Self::connect(
            &self.patience,
            self.silence,
            "connecting for the picture",
            move || TcpStream::connect_timeout(&address, CONNECT),
        )
    }

    /// Connecting and resolving names cannot be interrupted, so a thread of its own does it.
    fn connect(
        patience: &Patience,
        silence: Duration,
        attempted: &'static str,
        work: impl FnOnce() -> io::Result<TcpStream> + Send + 'static,
    ) -> Result<Self, ScanError> {
        let (result, outcome) = mpsc::channel();
        let stopped = result.clone();
        let io = |source| ScanError::of_io(source, attempted);
        let _awake = patience.when_stopped(move || {
            // Nobody listens where the connection stands already.
            drop(stopped.send(None));
        });
        let left = wait(patience, silence, attempted)?;
        thread::Builder::new()
            .name("document-connect".to_owned())
            .spawn(move || drop(result.send(Some(work()))))
            .map_err(io)?;
        let stream = match outcome.recv_timeout(left) {
            Ok(Some(stream)) => stream.map_err(io)?,
            Ok(None) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                wait(patience, silence, attempted)?;
                return Err(ScanError::Hung { attempted });
            }
        };
        let awake = {
            let stream = stream.try_clone().map_err(io)?;
            patience.when_stopped(move || {
                // A connection that is gone already needs no end.
                drop(stream.shutdown(Shutdown::Both));
            })
        };
        stream.set_nodelay(true).map_err(io)?;
        Ok(Self {
            peer: stream.peer_addr().map_err(io)?,
            stream,
            patience: patience.clone(),
            silence,
            _awake: awake,
        })
    }

    /// Reads what there is, at least one byte; zero at the end.
    pub(crate) fn read(
        &mut self,
        into: &mut [u8],
        attempted: &'static str,
    ) -> Result<usize, ScanError> {
        loop {
            let left = wait(&self.patience, self.silence, attempted)?;
            let outcome = self
                .stream
                .set_read_timeout(Some(left))
                .and_then(|()| self.stream.read(into));
            if let Some(count) = self.outcome(outcome, attempted)? {
                return Ok(count);
            }
        }
    }

    /// Writes everything.
    pub(crate) fn write(
        &mut self,
        mut bytes: &[u8],
        attempted: &'static str,
    ) -> Result<(), ScanError> {
        while !bytes.is_empty() {
            let left = wait(&self.patience, self.silence, attempted)?;
            let outcome = self
                .stream
                .set_write_timeout(Some(left))
                .and_then(|()| self.stream.write(bytes));
            let written = self.outcome(outcome, attempted)?.unwrap_or(0);
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }

    /// A stop shows as any error, or as the end; so it is looked for first. Nothing where a signal ended the
    /// call, as one does where the machine was suspended (`signal(7)`, sockets with a timeout).
    fn outcome(
        &self,
        outcome: io::Result<usize>,
        attempted: &'static str,
    ) -> Result<Option<usize>, ScanError> {
        check(&self.patience, attempted)?;
        match outcome {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
            Err(error) => Err(ScanError::of_io(error, attempted)),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

/// Whether to go on.
pub(crate) fn check(patience: &Patience, attempted: &'static str) -> Result<(), ScanError> {
    patience
        .check()
        .map_err(|stop| ScanError::Stopped { attempted, stop })
}

/// How long to wait for the next sign of life.
fn wait(
    patience: &Patience,
    silence: Duration,
    attempted: &'static str,
) -> Result<Duration, ScanError> {
    check(patience, attempted)?;
    let left = patience.deadline().remaining(patience.clock().now());
    left.map(|left| left.min(silence))
        .ok_or(ScanError::Stopped {
            attempted,
            stop: Stop::Deadline,
        })
}

/// Lets `span` pass, as a server asked for that is not ready; wakes up when stopped.
pub(crate) fn pause(
    patience: &Patience,
    span: Duration,
    attempted: &'static str,
) -> Result<(), ScanError> {
    let (stopped, awake) = mpsc::channel();
    let _awake = patience.when_stopped(move || {
        // Nobody listens where the pause is over.
        stopped.send(()).unwrap_or_default();
    });
    let left = wait(patience, span, attempted)?;
    match awake.recv_timeout(left) {
        Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
            check(patience, attempted)
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::TcpListener;
    use std::process::Command;
    use std::sync::Arc;

    use device_api::{Clock, Deadline, SystemClock};

    use super::*;

    /// Stopping and continuing a process ends what waits at a socket with a timeout (`signal(7)`).
    #[test]
    fn a_machine_that_was_suspended_costs_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let script = "kill -STOP $PPID
                until grep -q 'State:.T' /proc/$PPID/status; do :; done
                kill -CONT $PPID";
            for _ in 0..8 {
                assert!(
                    Command::new("sh")
                        .args(["-c", script])
                        .status()
                        .unwrap()
                        .success()
                );
                stream.write_all(b"x").unwrap();
            }
        });
        let clock = Arc::new(SystemClock::new());
        let deadline = Deadline::at(clock.now().plus(Duration::from_secs(20)));
        let patience = Patience::new(clock, deadline);
        let silence = Duration::from_secs(20);
        let mut connection = Connection::open(("127.0.0.1", port), &patience, silence).unwrap();
        for _ in 0..8 {
            assert_eq!(connection.read(&mut [0], "reading").unwrap(), 1);
        }
        server.join().unwrap();
    }
}
