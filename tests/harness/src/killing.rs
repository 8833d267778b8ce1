//! Orders to kill the private card service, from the simulator's fault `serviceKilled`.
//!
//! The simulator does not know the service's process and sends a datagram; a thread here takes it, kills the
//! service as a crash would, and starts it again.
//!
//! Invariant: the thread has ended when a [`KillOrders`] is dropped.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context as _;

/// What the simulator sends.
const KILL: &[u8] = b"kill";

/// What ends the thread; only this process sends it.
const END: &[u8] = b"end";

/// Takes orders until it is dropped.
#[derive(Debug)]
pub(crate) struct KillOrders {
    socket: PathBuf,
    failure: Arc<Mutex<Option<anyhow::Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl KillOrders {
    /// Takes orders at a socket in `folder`; each calls `crash`.
    pub(crate) fn take(
        folder: &Path,
        mut crash: impl FnMut() -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let socket = folder.join("owner");
        let orders = UnixDatagram::bind(&socket)
            .with_context(|| format!("cannot listen at {}", socket.display()))?;
        let failure = Arc::new(Mutex::new(None));
        let thread = std::thread::Builder::new().name("pcscd owner".to_owned());
        let thread = thread.spawn({
            let failure = Arc::clone(&failure);
            move || {
                if let Err(error) = obey(&orders, &mut crash) {
                    *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        })?;
        Ok(Self {
            socket,
            failure,
            thread: Some(thread),
        })
    }

    /// Where orders are taken.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    /// Fails where an order could not be carried out; no further one is taken then.
    pub(crate) fn failure(&self) -> anyhow::Result<()> {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take().map_or(Ok(()), Err)
    }
}

impl Drop for KillOrders {
    fn drop(&mut self) {
        // Where the thread has ended by a failure, nobody listens and there is nobody to tell.
        let told = UnixDatagram::unbound().and_then(|sender| sender.send_to(END, &self.socket));
        if let Some(thread) = self.thread.take()
            && (told.is_ok() || thread.is_finished())
        {
            let _ended = thread.join();
        }
    }
}

fn obey(
    orders: &UnixDatagram,
    crash: &mut impl FnMut() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut order = [0; 16];
    loop {
        let length = orders.recv(&mut order).context("cannot take orders")?;
        match order.get(..length) {
            Some(KILL) => crash().context("the card service did not come back")?,
            Some(END) => return Ok(()),
            _ => {}
        }
    }
}
