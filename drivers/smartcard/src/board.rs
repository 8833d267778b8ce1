//! What is known of the service and its readers, and how to wait for it to change.
//!
//! The watcher's thread writes the [`Board`], everybody else reads it or waits on it.
//! Waiting is one condition variable: a change of a reader, an answer from a person and a cancellation
//! all wake the same way, so nothing is missed between looking and waiting, and nobody polls.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use device_api::{Clock, Deadline};

/// Everything the watcher saw at its last look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The PC/SC service.
    pub service: Service,
    /// All its readers, in its order.
    pub readers: Vec<ReaderSight>,
}

/// The state of the PC/SC service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The watcher has not looked yet.
    Unknown,
    /// It answers.
    Up,
    /// It does not run, or does not answer.
    Down,
    /// It answers, and refuses to serve this user.
    Denied,
}

/// One reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderSight {
    /// The name by which the service knows it.
    pub name: String,
    /// What stands on it.
    pub state: ReaderCondition,
    /// Counts insertions and removals since the reader appeared, modulo 65536.
    pub events: u32,
    /// Whether a PIN can be typed on it; not before it was asked, so a moment after it appeared.
    pub has_keys: bool,
}

/// What stands on a reader, and whether it can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderCondition {
    /// Ready, without card.
    Empty,
    /// Ready, with a card.
    Present,
    /// There is a card, and it does not answer to power.
    Mute,
    /// Another program holds it exclusively.
    InUse,
    /// The service lists it and cannot reach it.
    Unavailable,
}

impl Sighting {
    /// Nothing is known.
    #[must_use]
    pub const fn nothing() -> Self {
        Self {
            service: Service::Unknown,
            readers: Vec::new(),
        }
    }

    /// The reader of that name, if it is there.
    #[must_use]
    pub fn reader(&self, name: &str) -> Option<&ReaderSight> {
        self.readers.iter().find(|reader| reader.name == name)
    }
}

/// The shared place where the last [`Sighting`] hangs.
#[derive(Debug)]
pub struct Board {
    notice: Mutex<Notice>,
    changed: Condvar,
}

#[derive(Debug)]
struct Notice {
    sighting: Arc<Sighting>,
    /// How many looks the watcher took, including those that found nothing new.
    looks: u64,
}

impl Board {
    /// An empty board.
    #[must_use]
    pub fn new() -> Self {
        let sighting = Arc::new(Sighting::nothing());
        Self {
            notice: Mutex::new(Notice { sighting, looks: 0 }),
            changed: Condvar::new(),
        }
    }

    /// Puts up what was just seen and wakes all who wait. Returns whether it differs from before.
    pub fn put(&self, sighting: Sighting) -> bool {
        let mut notice = self.lock();
        let differs = *notice.sighting != sighting;
        if differs {
            notice.sighting = Arc::new(sighting);
        }
        notice.looks = notice.looks.wrapping_add(1);
        drop(notice);
        self.changed.notify_all();
        differs
    }

    /// What was seen last.
    #[must_use]
    pub fn sighting(&self) -> Arc<Sighting> {
        Arc::clone(&self.lock().sighting)
    }

    /// How many looks the watcher has taken.
    pub(crate) fn looks(&self) -> u64 {
        self.lock().looks
    }

    /// Wakes all who wait, because something that they look at beside the board has changed.
    pub fn nudge(&self) {
        // Taking the lock makes sure that nobody stands between looking and waiting.
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Waits until `probe` finds something, or until the deadline.
    ///
    /// `probe` runs under the board's lock at once and after every change; it must be quick and must not
    /// touch the board.
    pub fn wait_until<T>(
        &self,
        clock: &dyn Clock,
        deadline: Deadline,
        mut probe: impl FnMut(&Sighting) -> Option<T>,
    ) -> Option<T> {
        let mut notice = self.lock();
        loop {
            if let Some(found) = probe(&notice.sighting) {
                return Some(found);
            }
            let left = deadline.remaining(clock.now())?;
            notice = self.pause(notice, left);
        }
    }

    /// Waits until the watcher has looked again after `looks`, at most for `span`.
    pub(crate) fn wait_for_look(&self, looks: u64, span: Duration) -> bool {
        let notice = self.lock();
        let (notice, _timeout) = self
            .changed
            .wait_timeout_while(notice, span, |notice| notice.looks == looks)
            .unwrap_or_else(PoisonError::into_inner);
        notice.looks != looks
    }

    fn pause<'a>(&self, notice: MutexGuard<'a, Notice>, span: Duration) -> MutexGuard<'a, Notice> {
        self.changed
            .wait_timeout(notice, span)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    fn lock(&self) -> MutexGuard<'_, Notice> {
        // The board holds plain values that are replaced whole: a panic elsewhere cannot leave one half
        // written, so a poisoned lock is as good as any.
        self.notice.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Board {
    fn default() -> Self {
        Self::new()
    }
}
