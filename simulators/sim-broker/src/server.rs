//! Sockets and threads around the core: one thread accepts, two serve each connection.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;

use crate::core::{ConnectionId, Core, Output};
use crate::counts::Counts;
use crate::pipe::Pipe;
use crate::wire;

/// Enough for what a connection does; a test may have a thousand of them.
const STACK: usize = 256 * 1024;

/// What all threads share.
#[derive(Debug)]
pub(crate) struct Server {
    inner: Mutex<Inner>,
    changed: Condvar,
    tls: Option<Arc<ServerConfig>>,
    stopping: AtomicBool,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Inner {
    core: Core,
    pipes: BTreeMap<ConnectionId, Arc<Pipe>>,
    last: ConnectionId,
}

impl Server {
    pub(crate) fn new(core: Core, tls: Option<Arc<ServerConfig>>) -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::new(Inner {
                core,
                pipes: BTreeMap::new(),
                last: 0,
            }),
            changed: Condvar::new(),
            tls,
            stopping: AtomicBool::new(false),
            threads: Mutex::default(),
        })
    }

    /// Accepts until it is stopped.
    pub(crate) fn listen(self: &Arc<Self>, listener: TcpListener) -> io::Result<()> {
        let server = Arc::clone(self);
        self.spawn(move || {
            for stream in listener.incoming() {
                if server.stopping.load(Ordering::SeqCst) {
                    break;
                }
                let served = stream.and_then(|stream| server.serve(stream));
                if let Err(error) = served {
                    tracing::warn!(%error, "a connection was not accepted");
                }
            }
        })
    }

    fn serve(self: &Arc<Self>, stream: TcpStream) -> io::Result<()> {
        let (pipe, writing) = Pipe::new(stream, self.tls.as_ref())?;
        let id = self.with(|inner| {
            inner.last += 1;
            inner.pipes.insert(inner.last, Arc::clone(&pipe));
            inner.core.opened(inner.last);
            inner.last
        });
        // It may have come while `stop` was already closing all others.
        if self.stopping.load(Ordering::SeqCst) {
            pipe.shut_down();
        }
        let writer = Arc::clone(&pipe);
        self.spawn(move || writer.write(&writing))?;
        let server = Arc::clone(self);
        self.spawn(move || {
            if let Err(error) = server.read(id, &pipe) {
                tracing::debug!(%error, id, "a connection ended");
            }
            server.with(|inner| {
                inner.core.gone(id);
                if let Some(pipe) = inner.pipes.remove(&id) {
                    pipe.close();
                }
            });
        })
    }

    fn read(self: &Arc<Self>, id: ConnectionId, pipe: &Arc<Pipe>) -> io::Result<()> {
        let mut buffer = Vec::new();
        loop {
            if pipe.is_silent() {
                pipe.wait_for_end();
                return Ok(());
            }
            match pipe.receive() {
                Ok(Some(bytes)) if !pipe.is_silent() => buffer.extend(bytes),
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if pipe.is_silent() => tracing::trace!(%error, id, "silent"),
                Err(error) => return Err(error),
            }
            if !self.packets(id, &mut buffer) {
                return Ok(());
            }
        }
    }

    /// Handles what is complete; whether the connection goes on.
    fn packets(self: &Arc<Self>, id: ConnectionId, buffer: &mut Vec<u8>) -> bool {
        loop {
            match wire::decode(buffer) {
                Ok(None) => return true,
                Ok(Some((packet, length))) => {
                    buffer.drain(..length.min(buffer.len()));
                    let farewell = packet == wire::Packet::Disconnect;
                    self.with(|inner| inner.core.handle(id, packet));
                    if farewell {
                        return false;
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, id, "no packet");
                    self.with(|inner| inner.core.malformed(id));
                    return false;
                }
            }
        }
    }

    /// Does something with the core, and then what the core wants done.
    pub(crate) fn control<T>(self: &Arc<Self>, work: impl FnOnce(&mut Core) -> T) -> T {
        self.with(|inner| work(&mut inner.core))
    }

    fn with<T>(self: &Arc<Self>, work: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.lock();
        let result = work(&mut inner);
        for output in inner.core.outputs() {
            self.perform(&inner, output);
        }
        drop(inner);
        self.changed.notify_all();
        result
    }

    fn perform(self: &Arc<Self>, inner: &Inner, output: Output) {
        let pipe = |id: &ConnectionId| inner.pipes.get(id);
        match output {
            Output::Send(id, bytes) => {
                if let Some(pipe) = pipe(&id) {
                    pipe.send(&bytes);
                }
            }
            Output::AcknowledgeLate(id, number, millis) => {
                if let Some(pipe) = pipe(&id) {
                    let (server, pipe) = (Arc::clone(self), Arc::clone(pipe));
                    let late = self.spawn(move || {
                        if pipe.outlives(Duration::from_millis(millis)) {
                            server.control(|core| core.acknowledge(id, number));
                        }
                    });
                    if let Err(error) = late {
                        tracing::warn!(%error, "no late acknowledgement");
                    }
                }
            }
            Output::KeepAlive(id, seconds) => {
                if let Some(pipe) = pipe(&id) {
                    pipe.keep_alive(seconds);
                }
            }
            Output::GoSilent(id) => {
                if let Some(pipe) = pipe(&id) {
                    pipe.go_silent();
                }
            }
            Output::Close(id) => {
                if let Some(pipe) = pipe(&id) {
                    pipe.close();
                }
            }
        }
    }

    /// Waits until the counts are as wanted, at most so long; whether they are.
    pub(crate) fn wait(&self, patience: Duration, wanted: impl Fn(&Counts) -> bool) -> bool {
        let inner = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(inner, patience, |inner| !wanted(inner.core.counts()))
            .unwrap_or_else(PoisonError::into_inner);
        !waited.1.timed_out()
    }

    /// Ends every thread and waits for it.
    pub(crate) fn stop(self: &Arc<Self>, address: SocketAddr) {
        if self.stopping.swap(true, Ordering::SeqCst) {
            return;
        }
        // It wakes the thread that accepts.
        drop(TcpStream::connect(address));
        let pipes: Vec<_> = self.lock().pipes.values().map(Arc::clone).collect();
        for pipe in pipes {
            pipe.shut_down();
        }
        loop {
            let threads = std::mem::take(&mut *self.threads());
            if threads.is_empty() {
                return;
            }
            for thread in threads {
                // A thread that panicked has said so already.
                drop(thread.join());
            }
        }
    }

    fn spawn(&self, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = Builder::new()
            .name("sim-broker".to_owned())
            .stack_size(STACK)
            .spawn(work)?;
        let mut threads = self.threads();
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
