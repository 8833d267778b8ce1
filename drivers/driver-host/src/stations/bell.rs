//! Wakes threads that wait on their device when the agent has said something for a job.
//!
//! Any job of the family rings it, so whoever is woken looks whether it was meant.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use link::Interrupter;

/// Rung for every job of a family.
#[derive(Clone, Default)]
pub(crate) struct Bell(Arc<Mutex<Ropes>>);

#[derive(Default)]
struct Ropes {
    next: u64,
    tied: Vec<(u64, Interrupter)>,
}

impl Bell {
    /// Has `interrupter` called at every ring, for as long as the guard lives.
    #[must_use]
    pub(crate) fn tie(&self, interrupter: Interrupter) -> Tied {
        let mut ropes = self.ropes();
        let number = ropes.next;
        ropes.next += 1;
        ropes.tied.push((number, interrupter));
        drop(ropes);
        Tied {
            bell: self.clone(),
            number,
        }
    }

    /// Wakes everybody who waits.
    pub(crate) fn ring(&self) {
        let tied = self.ropes().tied.clone();
        for (_, interrupter) in tied {
            interrupter.interrupt();
        }
    }

    fn ropes(&self) -> MutexGuard<'_, Ropes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}

/// Keeps an interrupter tied; see [`Bell::tie`].
#[derive(Debug)]
pub(crate) struct Tied {
    bell: Bell,
    number: u64,
}

impl Drop for Tied {
    fn drop(&mut self) {
        let mut ropes = self.bell.ropes();
        ropes.tied.retain(|(number, _)| *number != self.number);
    }
}
