//! One thread that watches the PC/SC service, its readers and their cards, by waiting for events.
//!
//! ```text
//!          service answers                      a reader or a card changed
//! waiting -----------------> watching ---------------------------> watching
//!    ^     (platform signal)    |   look, put up on the board, wait again
//!    |______ service lost ______|
//! ```
//!
//! The thread owns its own context and blocks in `SCardGetStatusChange` without timeout.
//! After `NoService` or `CommError` a context is dead for ever, whatever it says of its validity, so a new
//! one is made; while there is no service, the platform's own signal is waited for.
//!
//! Limits of the service that shape this file: it does not announce that another program begins
//! exclusive use, only that it ends ([`Refresher::look_again`] fills the gap); pcscd 1.9 counts readers
//! when a wait begins, so each look lists them anew.

use std::{
    collections::BTreeMap,
    ffi::{CStr, CString},
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::Duration,
};

use pcsc::{Error, State};

use crate::{
    backend::{Connector as _, Known, PcscConnector, WatchLink, Watching, establish},
    board::{Board, ReaderCondition, ReaderSight, Service, Sighting},
    fault::{Meaning, meaning},
    keypad,
    platform::{ServiceDoor, Signal},
};

/// What happens at each change.
pub type OnChange = Box<dyn FnMut(&Sighting) + Send>;

/// How long to look more closely after the platform's signal, each span twice the one before.
///
/// A socket exists before its service listens, by microseconds on an idle machine; the spans add up to
/// 2.5 seconds, after which only the next signal wakes us.
const SETTLING: [Duration; 8] = [
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(80),
    Duration::from_millis(160),
    Duration::from_millis(320),
    Duration::from_millis(640),
    Duration::from_millis(1280),
];

/// Starts the watcher's thread; it lives as long as the process.
///
/// `door` is where the service appears; `on_change` runs on the watcher's thread at every change, with
/// the first one as soon as it is known whether the service runs.
///
/// # Errors
/// When the operating system starts no thread.
pub fn watch(board: Arc<Board>, door: ServiceDoor, on_change: OnChange) -> io::Result<Refresher> {
    let refresher = Refresher {
        shared: Arc::new(Shared::default()),
        board: Arc::clone(&board),
    };
    let (to_ask, unasked) = mpsc::channel();
    let watcher = Watcher {
        board,
        door,
        on_change,
        shared: Arc::clone(&refresher.shared),
        to_ask,
    };
    let asking = refresher.clone();
    thread::Builder::new()
        .name("card-keys".to_owned())
        .spawn(move || asking.ask_for_keys(&unasked))?;
    thread::Builder::new()
        .name("card-watcher".to_owned())
        .spawn(move || watcher.run())?;
    Ok(refresher)
}

/// Makes the watcher look again.
#[derive(Clone)]
pub struct Refresher {
    shared: Arc<Shared>,
    board: Arc<Board>,
}

#[derive(Default)]
struct Shared {
    /// The context in which the watcher waits.
    waiting: Mutex<Option<pcsc::Context>>,
    /// Whether what the watcher knows is to be forgotten at its next look.
    forget: AtomicBool,
    /// The readers that are there: whether they have keys, `None` while they are being asked.
    keys: Mutex<BTreeMap<CString, Option<bool>>>,
}

impl Refresher {
    /// Has the watcher look at everything anew, and waits until it has.
    pub fn look_again(&self) {
        /// A cancellation that comes just before the wait begins is lost, so it is repeated until seen.
        const SEEN_WITHIN: Duration = Duration::from_millis(5);
        const ATTEMPTS: u32 = 40;
        let looks = self.board.looks();
        self.shared.forget.store(true, Ordering::SeqCst);
        for _attempt in 0..ATTEMPTS {
            let Some(context) = self.shared.context() else {
                return;
            };
            if let Err(error) = context.cancel() {
                tracing::debug!(%error, "the watcher could not be woken");
                return;
            }
            if self.board.wait_for_look(looks, SEEN_WITHIN) {
                return;
            }
        }
    }

    /// Asks each new reader once whether it has keys, on a thread of its own: a reader may be slow to answer,
    /// and its card in another program's hands.
    fn ask_for_keys(&self, unasked: &Receiver<CString>) {
        while let Ok(name) = unasked.recv() {
            let has_keys = has_keys(&name);
            if self.shared.answered(&name, has_keys) && has_keys {
                self.look_again();
            }
        }
    }

    /// For tests and tools that work without a watcher.
    #[cfg(test)]
    pub(crate) fn idle(board: Arc<Board>) -> Self {
        Self {
            shared: Arc::new(Shared::default()),
            board,
        }
    }
}

impl fmt::Debug for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refresher")
    }
}

impl Shared {
    fn context(&self) -> Option<pcsc::Context> {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Keeps the answers of the readers that are there, and tells which have not been asked yet.
    fn keep_keys(&self, names: &[CString]) -> Vec<CString> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|name, _| names.contains(name));
        let mut new = Vec::new();
        for name in names {
            if !keys.contains_key(name) {
                keys.insert(name.clone(), None);
                new.push(name.clone());
            }
        }
        new
    }

    /// Whether the reader that answered is still there.
    fn answered(&self, name: &CStr, has_keys: bool) -> bool {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(answer) = keys.get_mut(name) else {
            return false;
        };
        *answer = Some(has_keys);
        true
    }

    fn has_keys(&self, name: &CStr) -> bool {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(name).copied().flatten().unwrap_or(false)
    }

    fn set_context(&self, context: Option<pcsc::Context>) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = context;
    }
}

struct Watcher {
    board: Arc<Board>,
    door: ServiceDoor,
    on_change: OnChange,
    shared: Arc<Shared>,
    /// Readers that have to be asked whether they have keys.
    to_ask: Sender<CString>,
}

impl Watcher {
    fn run(mut self) {
        loop {
            let context = self.reach_service();
            self.shared.set_context(Some(context.clone()));
            let ended = self.watch_readers(&WatchLink { context });
            self.shared.set_context(None);
            tracing::warn!(error = %ended, "smart-card service lost");
        }
    }

    /// Waits for the service, for as long as it takes.
    fn reach_service(&mut self) -> pcsc::Context {
        if let Ok(context) = establish() {
            return context;
        }
        let mut settling = [].iter();
        loop {
            // The signal is armed before the attempt: a service that appears in between is not missed.
            let signal = self.door.arm();
            match establish() {
                Ok(context) => return context,
                Err(error) => self.put(Sighting {
                    service: unreachable_as(error),
                    readers: Vec::new(),
                }),
            }
            match signal.wait(settling.next().copied()) {
                Signal::Sign => settling = SETTLING.iter(),
                Signal::Quiet => {}
            }
        }
    }

    /// Watches until the service is lost.
    fn watch_readers(&mut self, service: &dyn Watching) -> Error {
        // One that was asked while the service ended has told nothing.
        self.shared.keep_keys(&[]);
        let mut known = vec![Known::unaware(pcsc::PNP_NOTIFICATION().to_owned())];
        loop {
            match self.look(service, &mut known) {
                Ok(()) => {}
                Err(error) if may_go_on(error) => {}
                Err(error) => return error,
            }
        }
    }

    /// One look: what is there, put up, and waiting until it is no longer true.
    fn look(&mut self, service: &dyn Watching, known: &mut Vec<Known>) -> Result<(), Error> {
        if self.shared.forget.swap(false, Ordering::SeqCst) {
            known.truncate(1);
        }
        let names = service.readers()?;
        keep_in_step(known, &names);
        for name in self.shared.keep_keys(&names) {
            // Who asks lives as long as the process; without them, no reader has keys.
            let _nobody_asks = self.to_ask.send(name);
        }
        if known
            .iter()
            .skip(1)
            .all(|reader| reader.state != State::UNAWARE)
        {
            self.put(sighting(known, &self.shared));
        }
        service.wait_change(known)
    }

    fn put(&mut self, sighting: Sighting) {
        let before = self.board.sighting();
        if before.service != sighting.service {
            tracing::info!(service = ?sighting.service, "smart-card service");
        }
        if self.board.put(sighting) {
            (self.on_change)(&self.board.sighting());
        }
    }
}

fn unreachable_as(error: Error) -> Service {
    if meaning(error) == Meaning::Denied {
        Service::Denied
    } else {
        Service::Down
    }
}

/// Errors of a wait after which the same context still works.
fn may_go_on(error: Error) -> bool {
    // A reader that vanished between listing and waiting, or a wait that somebody cut short.
    matches!(meaning(error), Meaning::Reader | Meaning::Cancelled)
}

/// Brings the list of known readers in step with the names that the service lists.
///
/// The first entry is the pseudo reader that announces plugged and pulled readers; its event count
/// is the number of readers that we know of.
fn keep_in_step(known: &mut Vec<Known>, names: &[CString]) {
    let Some((announcer, readers)) = known.split_first() else {
        return;
    };
    let mut next = Vec::with_capacity(names.len() + 1);
    let count = u32::try_from(names.len()).unwrap_or(u32::MAX);
    next.push(Known {
        name: announcer.name.clone(),
        state: State::UNAWARE,
        events: count,
    });
    for name in names {
        let before = readers.iter().find(|reader| reader.name == *name);
        // A reader that was unknown to the service in between starts anew.
        let before = before.filter(|reader| !reader.state.contains(State::UNKNOWN));
        next.push(
            before
                .cloned()
                .unwrap_or_else(|| Known::unaware(name.clone())),
        );
    }
    *known = next;
}

/// Asks a reader whether a PIN can be typed on it; one that does not say has no keys.
fn has_keys(reader: &CStr) -> bool {
    let features = PcscConnector
        .establish()
        .and_then(|service| service.features(reader));
    match features {
        Ok(features) => keypad::verify_code(&features).is_some(),
        Err(error) => {
            tracing::debug!(?reader, %error, "reader does not tell its features");
            false
        }
    }
}

fn sighting(known: &[Known], shared: &Shared) -> Sighting {
    let readers = known
        .iter()
        .skip(1)
        .map(|reader| ReaderSight {
            name: reader.name.to_string_lossy().into_owned(),
            state: condition(reader.state),
            events: reader.events,
            has_keys: shared.has_keys(&reader.name),
        })
        .collect();
    Sighting {
        service: Service::Up,
        readers,
    }
}

/// Reads a state word. Shared use by others is no hindrance, so it does not show.
fn condition(state: State) -> ReaderCondition {
    if state.contains(State::UNAVAILABLE) || state.contains(State::UNKNOWN) {
        ReaderCondition::Unavailable
    } else if state.contains(State::EXCLUSIVE) {
        ReaderCondition::InUse
    } else if state.contains(State::MUTE) {
        ReaderCondition::Mute
    } else if state.contains(State::PRESENT) {
        ReaderCondition::Present
    } else {
        ReaderCondition::Empty
    }
}

#[cfg(test)]
mod tests;
