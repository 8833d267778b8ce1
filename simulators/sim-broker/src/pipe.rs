//! One connection's bytes, plain or in TLS.
//!
//! One thread reads and one writes; whoever has something to send leaves it in the writer's queue, so that a
//! client that does not read delays nobody else.
//! TLS records are made under a lock and queued under the same lock, so that they leave in their order.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection};

/// How long a client may take no bytes before its connection is given up.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

enum Job {
    Bytes(Vec<u8>),
    Close,
}

#[derive(Debug, Default, Clone, Copy)]
struct Condition {
    silent: bool,
    closed: bool,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Pipe {
    stream: TcpStream,
    tls: Option<Mutex<ServerConnection>>,
    jobs: Sender<Job>,
    condition: Mutex<Condition>,
    changed: Condvar,
}

/// What the writing thread is given.
pub(crate) struct Writing(Receiver<Job>);

impl Pipe {
    pub(crate) fn new(
        stream: TcpStream,
        tls: Option<&Arc<ServerConfig>>,
    ) -> io::Result<(Arc<Self>, Writing)> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
        let tls = tls
            .map(|config| ServerConnection::new(Arc::clone(config)))
            .transpose()
            .map_err(io::Error::other)?
            .map(Mutex::new);
        let (jobs, queue) = channel();
        let pipe = Self {
            stream,
            tls,
            jobs,
            condition: Mutex::default(),
            changed: Condvar::new(),
        };
        Ok((Arc::new(pipe), Writing(queue)))
    }

    /// Queues what is to be sent; a silent or closed connection swallows it.
    pub(crate) fn send(&self, plain: &[u8]) {
        if self.condition().silent {
            return;
        }
        match &self.tls {
            None => self.queue(plain.to_vec()),
            Some(tls) => {
                let mut tls = tls.lock().unwrap_or_else(PoisonError::into_inner);
                // It takes everything: no limit of its buffer is set.
                if tls.writer().write_all(plain).is_ok() {
                    self.flush_tls(&mut tls);
                }
            }
        }
    }

    /// Waits for bytes of the client and gives what they say; nothing means that it is over.
    pub(crate) fn receive(&self) -> io::Result<Option<Vec<u8>>> {
        let mut raw = [0; 16 * 1024];
        let length = (&self.stream).read(&mut raw)?;
        let Some(raw) = raw.get(..length).filter(|raw| !raw.is_empty()) else {
            return Ok(None);
        };
        match &self.tls {
            None => Ok(Some(raw.to_vec())),
            Some(tls) => {
                let mut tls = tls.lock().unwrap_or_else(PoisonError::into_inner);
                let plain = decrypt(&mut tls, raw);
                // Also when it failed: the client is told why.
                self.flush_tls(&mut tls);
                plain.map(Some)
            }
        }
    }

    /// Without a packet for one and a half times as long, the client is gone [MQTT-3.1.2-24].
    pub(crate) fn keep_alive(&self, seconds: u16) {
        let span = Duration::from_secs(u64::from(seconds)) * 3 / 2;
        if let Err(error) = self.stream.set_read_timeout(Some(span)) {
            tracing::debug!(%error, "no keep-alive");
        }
    }

    pub(crate) fn go_silent(&self) {
        self.condition().silent = true;
    }

    /// Whether nothing is to be read any more; waits for the end then.
    pub(crate) fn is_silent(&self) -> bool {
        self.condition().silent
    }

    pub(crate) fn wait_for_end(&self) {
        let condition = self.condition();
        drop(
            self.changed
                .wait_while(condition, |condition| !condition.closed),
        );
    }

    /// Whether the connection was still there when the time was over.
    pub(crate) fn outlives(&self, span: Duration) -> bool {
        let condition = self.condition();
        self.changed
            .wait_timeout_while(condition, span, |condition| !condition.closed)
            .map_or_else(|poisoned| poisoned.into_inner().1, |(_, waited)| waited)
            .timed_out()
    }

    /// Ends it after what is queued.
    pub(crate) fn close(&self) {
        self.condition().closed = true;
        self.changed.notify_all();
        // The writing thread is gone only when the connection is over.
        drop(self.jobs.send(Job::Close));
        if self.is_silent() {
            self.shut_down();
        }
    }

    /// Ends it at once.
    pub(crate) fn shut_down(&self) {
        self.condition().closed = true;
        self.changed.notify_all();
        drop(self.jobs.send(Job::Close));
        // It fails when the client was faster.
        drop(self.stream.shutdown(Shutdown::Both));
    }

    /// The writing thread's work.
    pub(crate) fn write(&self, writing: &Writing) {
        for job in &writing.0 {
            match job {
                Job::Bytes(bytes) => {
                    if (&self.stream).write_all(&bytes).is_err() {
                        break;
                    }
                }
                Job::Close => break,
            }
        }
        self.shut_down();
    }

    fn flush_tls(&self, tls: &mut ServerConnection) {
        let mut bytes = Vec::new();
        while tls.wants_write() {
            if tls.write_tls(&mut bytes).is_err() {
                break;
            }
        }
        if !bytes.is_empty() {
            self.queue(bytes);
        }
    }

    fn queue(&self, bytes: Vec<u8>) {
        // The writing thread is gone only when the connection is over.
        drop(self.jobs.send(Job::Bytes(bytes)));
    }

    fn condition(&self) -> MutexGuard<'_, Condition> {
        self.condition
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn decrypt(tls: &mut ServerConnection, mut raw: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    while !raw.is_empty() {
        if tls.read_tls(&mut raw)? == 0 {
            break;
        }
        let state = tls.process_new_packets().map_err(io::Error::other)?;
        let mut part = vec![0; state.plaintext_bytes_to_read()];
        tls.reader().read_exact(&mut part)?;
        plain.append(&mut part);
    }
    Ok(plain)
}
