//! The core: one state, one way in, one way out.

use device_api::Moment;

use crate::access::{Access, Grants};
use crate::chance::Chance;
use crate::effect::{Effect, Pairing};
use crate::event::Event;

/// What the core is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How many driver hosts there are: `HostId(0)` to `HostId(hosts - 1)`.
    pub hosts: u16,
    /// What each origin may do.
    pub grants: Grants,
    /// The first fence of this run; must be above every fence of every earlier run.
    pub first_fence: u64,
    /// The pairings that the last `Effect::StorePairings` stored.
    pub pairings: Vec<Pairing>,
}

/// Decides everything, does nothing.
#[derive(Debug)]
pub struct Core<R> {
    access: Access,
    chance: Box<dyn Chance>,
    out: Vec<Effect<R>>,
}

impl<R> Core<R> {
    /// A core in which nothing has happened yet.
    #[must_use]
    pub fn new(config: Config, chance: Box<dyn Chance>) -> Self {
        Self {
            access: Access::new(config.grants),
            chance,
            out: Vec::new(),
        }
    }

    /// Takes in what happened at `now` and tells what to do, in order.
    ///
    /// `now` never goes back. Timers that are due at `now` are served first.
    pub fn handle(&mut self, _event: Event<R>, _now: Moment) -> Vec<Effect<R>> {
        std::mem::take(&mut self.out)
    }

    /// When `Event::Woken` is next needed; `None` while nothing waits for time.
    #[must_use]
    pub fn next_wakeup(&self) -> Option<Moment> {
        None
    }
}
