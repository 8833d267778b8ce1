//! Where a driver reaches a device: a TCP port or a pseudo-terminal, and the connections there.
//!
//! A [`Port`] has one thread that takes connections. On a printer or a serial device they are served one
//! after the other, as the real ones do; a network scanner serves several at once.
//! Pulling the cable ends the thread and closes the port, so that a connection is refused and a device
//! file is gone; putting it back opens the same port again.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::platform;
use crate::shared::Shared;

/// A driver that does not read for this long loses what is sent to it.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);

/// How a device is attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Attach {
    /// By a TCP port on loopback; zero lets the system choose.
    Tcp(u16),
    /// By this TCP address, which must be one of the loopback.
    TcpAt(SocketAddr),
    /// By a pseudo-terminal, Linux only. The link, if any, is a symbolic link that always points to it,
    /// as those of `/dev/serial/by-id` do.
    Pty(Option<PathBuf>),
}

/// Where a device is to be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Address {
    /// A TCP address.
    Tcp(SocketAddr),
    /// A device file.
    Pty(PathBuf),
}

/// Where a device is, held for it while its cable is out: somebody else would get its port otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Spot {
    pub(crate) address: Address,
    _held: Option<Arc<TcpListener>>,
}

/// One connection with a driver.
#[derive(Debug, Clone)]
pub(crate) struct Line(Arc<Inner>);

#[derive(Debug)]
enum Inner {
    Tcp(TcpStream),
    Pty(platform::Pty),
}

impl Line {
    /// Waits for bytes; zero of them mean that the connection ended.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match &*self.0 {
            Inner::Tcp(stream) => (&*stream).read(buffer),
            Inner::Pty(pty) => pty.read(buffer),
        }
    }

    /// Sends everything, or fails.
    pub(crate) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match &*self.0 {
            Inner::Tcp(stream) => (&*stream).write_all(bytes),
            Inner::Pty(pty) => pty.write(bytes, WRITE_TIMEOUT),
        }
    }

    /// The address of this side, where there is one.
    pub(crate) fn local_address(&self) -> Option<SocketAddr> {
        match &*self.0 {
            Inner::Tcp(stream) => stream.local_addr().ok(),
            Inner::Pty(_) => None,
        }
    }

    /// Ends the connection; whoever reads from it is woken.
    pub(crate) fn close(&self) {
        match &*self.0 {
            Inner::Tcp(stream) => {
                if let Err(error) = stream.shutdown(Shutdown::Both) {
                    // The driver was quicker and has closed it.
                    tracing::trace!(%error, "the connection was closed already");
                }
            }
            Inner::Pty(pty) => pty.close(),
        }
    }
}

/// Serves one connection; `Break` means that the cable was pulled meanwhile.
pub(crate) type Serve = Arc<dyn Fn(Line) -> ControlFlow<()> + Send + Sync>;

/// A place to connect to, while the cable is in.
pub(crate) struct Port {
    spot: Spot,
    inside: Arc<Inside>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Inside {
    stopping: AtomicBool,
    lines: Shared<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    open: Vec<(u64, Line)>,
    next: u64,
}

impl Spot {
    fn hold(wanted: SocketAddr) -> io::Result<Self> {
        let held = platform::hold(wanted)?.map(Arc::new);
        let address = match &held {
            Some(held) => held.local_addr()?,
            None => wanted,
        };
        Ok(Self {
            address: Address::Tcp(address),
            _held: held,
        })
    }
}

impl Port {
    /// Opens the port. `before` is where it was before the cable was pulled.
    pub(crate) fn open(
        attach: &Attach,
        before: Option<&Spot>,
        at_once: usize,
        serve: Serve,
    ) -> io::Result<Self> {
        let inside = Arc::new(Inside::default());
        let wanted = match attach {
            Attach::Tcp(port) => Some((Ipv4Addr::LOCALHOST, *port).into()),
            Attach::TcpAt(address) => Some(*address),
            Attach::Pty(_) => None,
        };
        match attach {
            Attach::Tcp(_) | Attach::TcpAt(_) => {
                let wanted = wanted.filter(|address| address.ip().is_loopback());
                let spot = match before {
                    Some(spot) => spot.clone(),
                    None => Spot::hold(wanted.ok_or(io::ErrorKind::InvalidInput)?)?,
                };
                let Address::Tcp(address) = spot.address else {
                    return Err(io::ErrorKind::InvalidInput.into());
                };
                let listener = TcpListener::bind(address)?;
                let spot = Spot {
                    address: Address::Tcp(listener.local_addr()?),
                    ..spot
                };
                let thread = spawn({
                    let inside = Arc::clone(&inside);
                    move || accept(&listener, &inside, &serve, at_once)
                })?;
                Ok(Self {
                    spot,
                    inside,
                    thread: Some(thread),
                })
            }
            Attach::Pty(link) => {
                let first = platform::Pty::open(link.as_deref())?;
                let address = Address::Pty(link.clone().unwrap_or_else(|| first.path()));
                let thread = spawn({
                    let (inside, link) = (Arc::clone(&inside), link.clone());
                    move || terminals(first, link, &inside, &serve)
                })?;
                let spot = Spot {
                    address,
                    _held: None,
                };
                Ok(Self {
                    spot,
                    inside,
                    thread: Some(thread),
                })
            }
        }
    }

    pub(crate) fn spot(&self) -> Spot {
        self.spot.clone()
    }

    /// Whether a fault has pulled the cable.
    pub(crate) fn is_closed(&self) -> bool {
        self.inside.stopping()
    }
}

impl Drop for Port {
    /// Closes the port and all connections, and waits until their threads have ended.
    fn drop(&mut self) {
        self.inside.stopping.store(true, Ordering::SeqCst);
        self.inside.close_all();
        if let Address::Tcp(address) = &self.spot.address
            && let Err(error) = TcpStream::connect_timeout(address, WRITE_TIMEOUT)
        {
            tracing::trace!(%error, "the port was closed already");
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a port's thread panicked");
        }
    }
}

impl std::fmt::Debug for Port {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Port({:?})", self.spot.address)
    }
}

impl Inside {
    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    fn close_all(&self) {
        for (_, line) in &self.lines.lock().open {
            line.close();
        }
    }

    fn entered(&self, line: &Line) -> u64 {
        self.lines.change(|lines| {
            lines.next += 1;
            lines.open.push((lines.next, line.clone()));
            lines.next
        })
    }

    fn left(&self, number: u64) {
        self.lines
            .change(|lines| lines.open.retain(|(other, _)| *other != number));
    }

    /// Serves `line`, unless the port is closing.
    fn serve(&self, line: Line, number: u64, serve: &Serve) {
        let flow = if self.stopping() {
            ControlFlow::Break(())
        } else {
            serve(line.clone())
        };
        line.close();
        self.left(number);
        if flow.is_break() {
            self.stopping.store(true, Ordering::SeqCst);
        }
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("sim port".to_owned())
        .spawn(work)
}

fn accept(listener: &TcpListener, inside: &Arc<Inside>, serve: &Serve, at_once: usize) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    while !inside.stopping() {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection was gone before it was taken");
                continue;
            }
        };
        let set = stream.set_nodelay(true);
        if set
            .and_then(|()| stream.set_write_timeout(Some(WRITE_TIMEOUT)))
            .is_err()
        {
            continue;
        }
        let line = Line(Arc::new(Inner::Tcp(stream)));
        let number = inside.entered(&line);
        if at_once == 1 {
            inside.serve(line, number, serve);
            continue;
        }
        drop(inside.lines.wait_while(|lines| lines.open.len() > at_once));
        threads.retain(|thread| !thread.is_finished());
        let (worker, serve) = (Arc::clone(inside), Arc::clone(serve));
        match spawn(move || worker.serve(line, number, &serve)) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                tracing::warn!(%error, "no thread for a connection");
                inside.left(number);
            }
        }
    }
    platform::stop_listening(listener);
    inside.close_all();
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a connection's thread panicked");
        }
    }
}

/// Serves one terminal after the other: a new one where a fault ended the connection.
fn terminals(first: platform::Pty, link: Option<PathBuf>, inside: &Arc<Inside>, serve: &Serve) {
    let mut next = Some(first);
    while let Some(pty) = next.take() {
        let line = Line(Arc::new(Inner::Pty(pty)));
        let number = inside.entered(&line);
        inside.serve(line, number, serve);
        if inside.stopping() {
            return;
        }
        match platform::Pty::open(link.as_deref()) {
            Ok(pty) => next = Some(pty),
            Err(error) => tracing::warn!(%error, "no further terminal"),
        }
    }
}
