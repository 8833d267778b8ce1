//! One slot of the virtual reader: puts a card down, lifts it, disturbs it, counts what it receives.
//!
//! One thread belongs to a slot. It waits while the slot is empty, connects to the reader while a card
//! lies there (backing off only while the connection is refused, that is, while the PC/SC service is
//! down), and serves the conversation.
//!
//! Invariant: a card is served by at most one thread; [`Slot::lift`] returns when that thread has let go.
//! Its tests, against a reader made of a plain socket, are in `tests/slot.rs`.

use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use crate::apdu::CommandApdu;
use crate::card::{Power, SharedCard};
use crate::counters::{Counters, Exchange};
use crate::fault::{Fault, FaultPlan, Kind, PlanError};
use crate::injector::{Firing, Injector};
use crate::service::ServiceOwner;
use crate::session::Session;
use crate::wire::Wire;

/// Longest wait for the reader's side to accept; on loopback it accepts or refuses at once.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(250);
/// First and longest pause between refused connections.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A slot of the virtual reader.
#[derive(Debug)]
pub struct Slot {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What a slot shows to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotState {
    /// Where the reader listens.
    pub reader: SocketAddr,
    /// The name under which the card was put down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// How it stands with the reader.
    pub link: Link,
}

/// How a slot stands with its reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Link {
    /// No card lies there.
    #[default]
    Empty,
    /// A card lies there, but the reader's side is not to be reached.
    Waiting,
    /// A card lies there and the reader sees it.
    Connected,
}

/// Why a card cannot be put down.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InsertError {
    /// There is one already.
    #[error("the card {0:?} already lies there")]
    Occupied(String),
}

impl Slot {
    /// A slot of the reader that listens at `address`.
    ///
    /// # Errors
    ///
    /// When the operating system grants no thread.
    pub fn start(address: SocketAddr) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new()
            .name(format!("slot {}", address.port()))
            .spawn({
                let shared = Arc::clone(&shared);
                move || run(&shared, address)
            })?;
        Ok(Self {
            address,
            shared,
            thread: Some(thread),
        })
    }

    /// Puts a card down. The reader sees it as soon as it looks.
    ///
    /// # Errors
    ///
    /// When a card lies there already.
    pub fn insert(&self, name: &str, card: SharedCard) -> Result<(), InsertError> {
        // After a fault has lifted a card, its thread needs a moment to let go of it.
        let mut state = self
            .shared
            .wait_while(|state| state.card.is_none() && state.serving);
        if let Some(inserted) = &state.card {
            return Err(InsertError::Occupied(inserted.name.clone()));
        }
        state.card = Some(Inserted {
            name: name.to_owned(),
            card,
        });
        state.link = Link::Waiting;
        state.counters.insertions += 1;
        state.injector.inserted();
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Lifts the card, whatever it is doing. Returns the name of the card that lay there.
    ///
    /// Blocks until the slot's thread has let go of the card, a few milliseconds as a rule.
    pub fn lift(&self) -> Option<String> {
        let name = self.shared.lock().lift();
        self.shared.changed.notify_all();
        drop(
            self.shared
                .wait_while(|state| state.serving && state.card.is_none()),
        );
        name
    }

    /// Names who kills the PC/SC service where a fault says so.
    pub fn set_service_owner(&self, owner: ServiceOwner) {
        self.shared.lock().service_owner = Some(owner);
    }

    /// Replaces the faults.
    ///
    /// # Errors
    ///
    /// When the plan cannot be carried out, or kills a service whose owner is unknown; the old one stays.
    pub fn plan_faults(&self, plan: FaultPlan) -> Result<(), PlanError> {
        let kills = |fault: &Fault| fault.kind == Kind::ServiceKilled;
        let killing = plan.faults.iter().position(kills);
        let injector = Injector::new(plan)?;
        let mut state = self.shared.lock();
        if let (Some(index), None) = (killing, &state.service_owner) {
            return Err(PlanError::NoServiceOwner { index });
        }
        state.injector = injector;
        Ok(())
    }

    /// The faults that are not over yet.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.shared.lock().injector.remaining()
    }

    /// Sets how long the card takes for each command.
    pub fn set_delay(&self, delay: Duration) {
        self.shared.lock().delay = delay;
    }

    /// Forgets what was counted.
    pub fn reset_counters(&self) {
        self.shared.lock().counters = Counters::default();
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.lock().counters.clone()
    }

    /// The latest exchanges, oldest first.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.shared.lock().counters.exchanges().cloned().collect()
    }

    /// What lies there and how it stands with the reader.
    #[must_use]
    pub fn state(&self) -> SlotState {
        self.shared.lock().view(self.address)
    }

    /// Waits until `wanted` holds, for `patience` at most. Returns the state at the end.
    #[must_use]
    pub fn wait_for(&self, wanted: impl Fn(&SlotState) -> bool, patience: Duration) -> SlotState {
        let state = self.shared.lock();
        let (state, _) = self
            .shared
            .changed
            .wait_timeout_while(state, patience, |state| !wanted(&state.view(self.address)))
            .unwrap_or_else(PoisonError::into_inner);
        state.view(self.address)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.stopping = true;
            state.lift();
        }
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(reader = %self.address, "the slot's thread panicked");
        }
    }
}

/// What the slot's handle and its thread share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    card: Option<Inserted>,
    /// Whether the thread holds a card; for a moment longer than `card` after a lift.
    serving: bool,
    link: Link,
    connection: Option<TcpStream>,
    stopping: bool,
    delay: Duration,
    injector: Injector,
    counters: Counters,
    service_owner: Option<ServiceOwner>,
}

#[derive(Debug)]
struct Inserted {
    name: String,
    card: SharedCard,
}

impl State {
    fn lift(&mut self) -> Option<String> {
        let name = self.card.take().map(|inserted| inserted.name);
        self.link = Link::Empty;
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.shutdown(Shutdown::Both)
        {
            // The reader was quicker and has closed it.
            tracing::debug!(%error, "the connection was closed already");
        }
        name
    }

    fn view(&self, reader: SocketAddr) -> SlotState {
        let card = self.card.as_ref().map(|inserted| inserted.name.clone());
        SlotState {
            reader,
            card,
            link: self.link,
        }
    }
}

impl Shared {
    /// What strikes this command, and how long the card takes for it.
    pub(crate) fn command(&self, command: &CommandApdu) -> (Firing, Duration) {
        let mut state = self.lock();
        (state.injector.command(command), state.delay)
    }

    pub(crate) fn power_on(&self) -> Vec<Kind> {
        let mut state = self.lock();
        let kinds = state.injector.power_on();
        state.counters.power_ons += 1;
        state.counters.faults += kinds.iter().map(|_| 1).sum::<u64>();
        kinds
    }

    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.injector.reset();
        state.counters.resets += 1;
    }

    pub(crate) fn garbage(&self) -> Vec<u8> {
        self.lock().injector.garbage()
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Counters)) {
        count(&mut self.lock().counters);
    }

    /// Lets time pass while the card lies there. Returns whether it still does.
    pub(crate) fn pause(&self, span: Duration) -> bool {
        if span.is_zero() {
            return true;
        }
        let state = self.lock();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, span, |state| state.card.is_some())
            .unwrap_or_else(PoisonError::into_inner);
        state.card.is_some()
    }

    pub(crate) fn lifted_by_fault(&self) {
        self.lock().lift();
        self.changed.notify_all();
    }

    /// Asks the service's owner, without holding the lock: the owner may take a moment.
    pub(crate) fn kill_service(&self) -> std::io::Result<()> {
        let owner = self.lock().service_owner.clone();
        owner.map_or(Ok(()), |owner| owner.kill())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed
            .wait_while(self.lock(), |state| condition(state))
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a card; `None` when the slot ends.
    fn next_card(&self) -> Option<SharedCard> {
        let mut state = self.wait_while(|state| state.card.is_none() && !state.stopping);
        if state.stopping {
            return None;
        }
        state.serving = true;
        state
            .card
            .as_ref()
            .map(|inserted| Arc::clone(&inserted.card))
    }

    fn is_present(&self) -> bool {
        self.lock().card.is_some()
    }

    /// Notes the connection, unless the card was lifted meanwhile.
    fn connected(&self, stream: &TcpStream) -> std::io::Result<bool> {
        let second_handle = stream.try_clone()?;
        let mut state = self.lock();
        if state.card.is_none() {
            return Ok(false);
        }
        state.connection = Some(second_handle);
        state.link = Link::Connected;
        self.changed.notify_all();
        Ok(true)
    }

    fn disconnected(&self) {
        let mut state = self.lock();
        state.connection = None;
        if state.card.is_some() {
            state.link = Link::Waiting;
        }
        self.changed.notify_all();
    }

    fn let_go(&self) {
        self.lock().serving = false;
        self.changed.notify_all();
    }
}

/// The slot's thread.
fn run(shared: &Shared, address: SocketAddr) {
    while let Some(card) = shared.next_card() {
        let mut pause = FIRST_PAUSE;
        while shared.is_present() {
            if serve(shared, &card, address) {
                pause = FIRST_PAUSE;
            } else {
                shared.pause(pause);
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        shared.let_go();
    }
}

/// Serves one connection. Returns whether the reader said anything.
fn serve(shared: &Shared, card: &SharedCard, address: SocketAddr) -> bool {
    let connected = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).and_then(|stream| {
        stream.set_nodelay(true)?;
        let present = shared.connected(&stream)?;
        Ok(present.then_some(stream))
    });
    match connected {
        Ok(Some(stream)) => {
            let heard = Session::new(shared, card, Wire::new(stream)).converse();
            card.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .power(Power::Off);
            shared.disconnected();
            heard
        }
        Ok(None) => true,
        Err(error) => {
            tracing::trace!(%address, %error, "the reader cannot be reached");
            false
        }
    }
}
