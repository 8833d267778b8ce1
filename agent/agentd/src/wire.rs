//! Whole connections as bytes: all that a peer sends, from connecting to closing, and all that it is answered.
//!
//! For fuzz targets, which have neither a socket nor a runtime of their own: here the real HTTP server, door,
//! routes and event streams run over a pipe in memory, without a core behind them.
//! Calls that reach the place of the core are counted and refused, streams that are opened are counted and
//! kept.
//! Invariant: one input gives one answer, because one thread does everything and nothing waits for time.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use device_api::Clock;
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::yield_now;

use crate::config::Config;
use crate::door::{Door, Entrance};
use crate::identity::{Identity, IdentityError};
use crate::input::{Desk, Input};
use crate::routes::{self, Office};
use crate::server::{ApiService, converse};
use crate::state_dir::{StateDir, StateDirError};

/// Bytes that the pipe holds before either side waits for the other.
const PIPE: usize = 64 * 1024;

/// How often everything that is ready gets its turn before the peer closes its side: a request passes two
/// tasks on its way to the core's place and back, and a stream one more.
const TURNS: usize = 16;

/// An agent without sockets and core.
#[derive(Debug)]
pub struct WireAgent {
    config: Config,
    clock: Arc<dyn Clock>,
    router: Router<Arc<Office>>,
    identity: Identity,
    runtime: Runtime,
}

/// Where the peer comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// At the loopback port, where anybody can.
    Loopback,
    /// At the native door, as this user.
    Native(u32),
}

/// What came of a connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// All bytes that the peer was sent.
    pub bytes: Vec<u8>,
    /// Calls that reached the core's place.
    pub calls: usize,
    /// Event streams that were opened.
    pub streams: usize,
}

/// There can be no such agent.
#[derive(Debug, Error)]
pub enum WireError {
    /// The folder cannot be used.
    #[error("cannot use the state folder")]
    State(#[from] StateDirError),
    /// The key cannot be made.
    #[error("cannot make the agent's key")]
    Identity(#[from] IdentityError),
    /// The operating system gives no runtime.
    #[error("cannot make a runtime")]
    Runtime(#[source] std::io::Error),
}

impl WireAgent {
    /// An agent that listens at the address of `config`, as far as its door knows.
    ///
    /// The folder `state` is used during this call only.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn open(config: Config, state: &Path, clock: Arc<dyn Clock>) -> Result<Self, WireError> {
        let dir = StateDir::open(state)?;
        let random = ring::rand::SystemRandom::new();
        let identity = Identity::open(config.agent_id.clone(), &dir, &random)?;
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            config,
            clock,
            router: routes::router().0,
            identity,
            runtime: runtime.map_err(WireError::Runtime)?,
        })
    }

    /// Answers a peer that sends these bytes and closes; blocks for the milliseconds that it takes.
    ///
    /// Every connection finds an agent on which nobody has spent anything of any limit.
    #[must_use]
    pub fn answer(&self, peer: Peer, sent: &[u8]) -> Answered {
        self.runtime.block_on(self.connection(peer, sent))
    }

    async fn connection(&self, peer: Peer, sent: &[u8]) -> Answered {
        let (desk, inputs) = Desk::open();
        let door = Arc::new(Door::new(
            &self.config,
            self.config.listen,
            Arc::clone(&self.clock),
        ));
        let entrance = match peer {
            Peer::Loopback => Entrance::Loopback(door.limits().connection(None)),
            Peer::Native(uid) => match Arc::new(Semaphore::new(1)).try_acquire_owned() {
                Ok(seat) => Entrance::Native {
                    uid,
                    seat: Arc::new(seat),
                },
                Err(_taken) => return Answered::default(),
            },
        };
        let office = Office {
            desk,
            door: Arc::clone(&door),
            identity: self.identity.clone(),
            pin_address: format!("http://{}/", self.config.pin_listen),
        };
        let router = self.router.clone().with_state(Arc::new(office));
        let service = ApiService::new(door, router, "wire");
        let answer = move |request| {
            let (service, entrance) = (service.clone(), entrance.clone());
            async move { service.answer(request, &entrance).await }
        };
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let (_goes_on, stop) = watch::channel(false);
        // What stands in the core's place ends when the last handler has let go of the desk.
        let ((), bytes, (calls, streams)) = tokio::join!(
            converse(theirs, answer, stop),
            talk(ours, sent),
            place_of_the_core(inputs)
        );
        Answered {
            bytes,
            calls,
            streams,
        }
    }
}

/// The peer's side. Reading goes on while it writes, so neither side can wait for the other for ever.
async fn talk(pipe: DuplexStream, sent: &[u8]) -> Vec<u8> {
    let (mut reader, mut writer) = tokio::io::split(pipe);
    let mut bytes = Vec::new();
    let write = async {
        // An agent that has closed already takes nothing more.
        if writer.write_all(sent).await.is_ok() {
            for _ in 0..TURNS {
                yield_now().await;
            }
        }
        let _closed_already = writer.shutdown().await;
    };
    let ((), read) = tokio::join!(write, reader.read_to_end(&mut bytes));
    tracing::trace!(?read, "a connection ended");
    bytes
}

/// Counts what arrives: calls are dropped, which refuses them, and streams kept, so that they stay open.
async fn place_of_the_core(mut inputs: mpsc::Receiver<Input>) -> (usize, usize) {
    let (mut calls, mut streams) = (0, Vec::new());
    while let Some(input) = inputs.recv().await {
        match input {
            Input::Request { .. } => calls += 1,
            Input::SessionOpened { out, .. } => streams.push(out),
            Input::SessionRenewed { .. }
            | Input::SessionSaid { .. }
            | Input::SessionClosed { .. }
            | Input::Sealed { .. }
            | Input::ScreenOpened { .. }
            | Input::ScreenSaid { .. }
            | Input::ScreenClosed { .. }
            | Input::HostSaid { .. }
            | Input::HostGarbled { .. }
            | Input::HostExited { .. }
            | Input::Recorded { .. }
            | Input::RestartHost { .. }
            | Input::Recalibrate { .. }
            | Input::Lock { .. }
            | Input::Terminate => {}
        }
    }
    (calls, streams.len())
}

#[cfg(test)]
mod tests {
    use device_api::SystemClock;

    use super::*;

    const NATIVE: &str = "[[grant]]\norigin = \"unix:7\"\noperations = []\n";
    const STREAM: &[u8] = b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
        Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    /// `{"type":"hello","token":""}` as one masked text frame; the mask is zero.
    const HELLO_FRAME: &[u8] = b"\x81\x9b\0\0\0\0{\"type\":\"hello\",\"token\":\"\"}";

    fn agent() -> WireAgent {
        let state = tempfile::tempdir().unwrap();
        let config = Config::parse(NATIVE, Path::new("agent.toml")).unwrap();
        WireAgent::open(config, state.path(), Arc::new(SystemClock::new())).unwrap()
    }

    #[test]
    fn bytes_are_answered_as_on_a_socket() {
        let agent = agent();
        let call = b"GET /v1/devices HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let native = agent.answer(Peer::Native(7), call);
        assert!(native.bytes.starts_with(b"HTTP/1.1 503 "), "{native:?}");
        assert_eq!((native.calls, native.streams), (1, 0));
        let page = agent.answer(Peer::Loopback, call);
        assert!(page.bytes.starts_with(b"HTTP/1.1 421 "), "{page:?}");
        assert_eq!(page.calls, 0);
        let nonsense = agent.answer(Peer::Loopback, b"\x16\x03\x01\r\n\r\n");
        assert!(nonsense.bytes.starts_with(b"HTTP/1.1 400 "));
    }

    #[test]
    fn a_stream_is_opened_and_what_follows_is_heard() {
        let agent = agent();
        let opened = agent.answer(Peer::Native(7), &[STREAM, HELLO_FRAME].concat());
        assert!(opened.bytes.starts_with(b"HTTP/1.1 101 "), "{opened:?}");
        assert_eq!(opened.streams, 1);
        let again = [STREAM, HELLO_FRAME, HELLO_FRAME].concat();
        let refused = agent.answer(Peer::Native(7), &again).bytes;
        let text = String::from_utf8_lossy(&refused);
        assert!(text.contains("DOR-CONFLICT"), "{text}");
    }
}
