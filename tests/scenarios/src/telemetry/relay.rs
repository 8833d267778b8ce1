//! A network between a client and a broker that can be cut, fall silent and be slow.
//!
//! It passes bytes on and understands none, so that TLS goes through it untouched.
//! A silent relay keeps connections open and passes nothing on, as a network does whose far side is gone;
//! what was sent meanwhile comes when it speaks again.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::ensure;
use harness::Patience;

/// A running relay. Dropping it ends it.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    silent: bool,
    delay: Duration,
    ended: bool,
    open: Vec<TcpStream>,
    accepted: u64,
}

impl Relay {
    /// Begins to pass connections on to `target`.
    ///
    /// # Errors
    /// When there is no port or no thread to be had.
    pub fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = std::thread::Builder::new()
            .name("relay".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || accept(&listener, target, &shared)
            })?;
        Ok(Self {
            address,
            shared,
            accepting: Some(accepting),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every connection; new ones are passed on.
    pub fn cut(&self) {
        for stream in self.shared.lock().open.drain(..) {
            close(&stream);
        }
        self.shared.changed.notify_all();
    }

    /// Passes nothing on any more, or again.
    pub fn set_silent(&self, silent: bool) {
        self.shared.lock().silent = silent;
        self.shared.changed.notify_all();
    }

    /// Holds everything back for so long.
    pub fn set_delay(&self, delay: Duration) {
        self.shared.lock().delay = delay;
    }

    /// How many connections there have been.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.shared.lock().accepted
    }

    /// Waits until there have been more connections than so many.
    ///
    /// # Errors
    /// When there are no more in time.
    pub fn await_more_than(&self, accepted: u64, patience: Patience) -> anyhow::Result<()> {
        let left = patience.left("a connection")?;
        let state = self.shared.lock();
        let few = |state: &mut State| state.accepted <= accepted;
        let waited = self.shared.changed.wait_timeout_while(state, left, few);
        let (_state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        ensure!(!waited.timed_out(), "no connection after {accepted}");
        Ok(())
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.cut();
        // Wakes the thread, which then sees that it is to end.
        let woken = TcpStream::connect(self.address);
        if let Some(thread) = self.accepting.take()
            && woken.is_ok()
        {
            let _ended = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as the network wants; whether it still runs.
    fn pass(&self) -> bool {
        let state = self.lock();
        let delay = state.delay;
        let slow = self
            .changed
            .wait_timeout_while(state, delay, |state| !state.ended && !state.delay.is_zero());
        let (state, _) = slow.unwrap_or_else(PoisonError::into_inner);
        let silent = self
            .changed
            .wait_while(state, |state| state.silent && !state.ended);
        !silent.unwrap_or_else(PoisonError::into_inner).ended
    }
}

fn accept(listener: &TcpListener, target: SocketAddr, shared: &Arc<Shared>) {
    for client in listener.incoming() {
        if shared.lock().ended {
            return;
        }
        // A client that is not served sees its connection end, as with a broker that is away.
        let (Ok(()) | Err(_)) = client.and_then(|client| serve(client, target, shared));
    }
}

fn serve(client: TcpStream, target: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
    let broker = TcpStream::connect(target)?;
    client.set_nodelay(true)?;
    broker.set_nodelay(true)?;
    let mut state = shared.lock();
    state.accepted += 1;
    state.open.push(client.try_clone()?);
    state.open.push(broker.try_clone()?);
    drop(state);
    shared.changed.notify_all();
    for (from, to) in [(client.try_clone()?, broker.try_clone()?), (broker, client)] {
        let shared = Arc::clone(shared);
        // The thread ends with its connection; nobody waits for it.
        let _thread = std::thread::Builder::new()
            .name("relay copy".to_owned())
            .spawn(move || copy(&from, &to, &shared))?;
    }
    Ok(())
}

fn copy(mut from: &TcpStream, mut to: &TcpStream, shared: &Shared) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(length) = from.read(&mut buffer)
        && length > 0
        && shared.pass()
        && let Some(bytes) = buffer.get(..length)
        && to.write_all(bytes).is_ok()
    {}
    close(from);
    close(to);
}

fn close(stream: &TcpStream) {
    // It may be closed already.
    let (Ok(()) | Err(_)) = stream.shutdown(Shutdown::Both);
}
