//! The citizens' PIN screens: pairing, and who may be asked.
//!
//! ```text
//! connected -> shows a code -> staff enter it at their counter -> paired -> asked
//! connected with the key of a pairing  ---------------------------^
//! ```
//! A public page can open a window on the agent's PIN page, but it cannot read the code in that window,
//! and without staff who enter the code the window is asked nothing.
//! Invariants: a code names one screen and lives [`CODE_LIFE`]; wrong codes are counted for each counter
//! and for each shown code; a screen gets questions of its own counter only, one at a time.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use device_api::{FaultCode, Moment};

use crate::access::Owner;
use crate::effect::{Pairing, PinScreenView};
use crate::ids::{JobId, Origin, ScreenId, ScreenLink};

/// Time for which a code is shown before another replaces it.
const CODE_LIFE: Duration = Duration::from_secs(300);

/// Wrong codes from one counter within [`CODE_LIFE`], until it must wait.
const MAX_WRONG_PER_COUNTER: usize = 5;

/// Wrong codes from anywhere that a shown code outlives. With six digits and this many guesses for each
/// code, a guesser is right once in 100,000 codes.
const MAX_WRONG_PER_CODE: u32 = 10;

/// How many pairings are kept.
const MAX_PAIRINGS: usize = 64;

/// How many screens one counter can have.
const MAX_PER_COUNTER: usize = 4;

/// How many connections there can be.
const MAX_LINKS: usize = 32;

/// How many of the wrong codes of all counters are remembered.
const MAX_REMEMBERED: usize = 256;

/// All PIN screens.
#[derive(Debug)]
pub(crate) struct Screens {
    pairings: Vec<Pairing>,
    links: BTreeMap<ScreenLink, Link>,
    wrong: VecDeque<(Moment, Origin, String)>,
}

#[derive(Debug)]
enum Link {
    Unpaired {
        code: String,
        until: Moment,
        wrong: u32,
    },
    Paired {
        screen: ScreenId,
        asked: Option<(JobId, u32)>,
    },
}

/// What a page that registered is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Registered {
    /// A screen of this counter; an older connection of the same screen must close.
    Paired {
        counter: String,
        replaced: Option<ScreenLink>,
    },
    /// A new screen, which shows a code.
    Unpaired,
    /// It spoke out of turn, or there are too many.
    Refused,
}

impl Screens {
    pub(crate) const fn new(pairings: Vec<Pairing>) -> Self {
        Self {
            pairings,
            links: BTreeMap::new(),
            wrong: VecDeque::new(),
        }
    }

    /// Takes in the first word of a page.
    pub(crate) fn register(&mut self, link: ScreenLink, digest: Option<[u8; 32]>) -> Registered {
        if self.links.contains_key(&link) || self.links.len() >= MAX_LINKS {
            return Registered::Refused;
        }
        // Digests may be compared byte by byte: how long that takes says nothing about the key.
        let known =
            digest.and_then(|digest| self.pairings.iter().find(|known| known.digest == digest));
        let Some(pairing) = known else {
            return Registered::Unpaired;
        };
        let (screen, counter) = (pairing.screen.clone(), pairing.counter.clone());
        let replaced = self.link_of(&screen);
        if let Some(older) = replaced {
            self.links.remove(&older);
        }
        self.links.insert(
            link,
            Link::Paired {
                screen,
                asked: None,
            },
        );
        Registered::Paired { counter, replaced }
    }

    /// Gives a screen a code that no other screen shows; false where `code` is taken.
    pub(crate) fn show_code(&mut self, link: ScreenLink, code: &str, now: Moment) -> bool {
        let taken = self
            .links
            .values()
            .any(|other| matches!(other, Link::Unpaired { code: shown, .. } if shown == code));
        if taken || matches!(self.links.get(&link), Some(Link::Paired { .. })) {
            return false;
        }
        let until = now.plus(CODE_LIFE);
        self.links.insert(
            link,
            Link::Unpaired {
                code: code.to_owned(),
                until,
                wrong: 0,
            },
        );
        true
    }

    /// The screens whose code is too old or was guessed at too often.
    pub(crate) fn stale_codes(&self, now: Moment) -> Vec<ScreenLink> {
        let stale = |link: &Link| match link {
            Link::Unpaired { until, wrong, .. } => *until <= now || *wrong >= MAX_WRONG_PER_CODE,
            Link::Paired { .. } => false,
        };
        self.links
            .iter()
            .filter(|(_, link)| stale(link))
            .map(|(link, _)| *link)
            .collect()
    }

    /// The screen that shows `code`.
    ///
    /// # Errors
    /// `DoorNotFound` for a wrong code, which is counted; `DoorTooMany` after too many of them.
    pub(crate) fn guess(
        &mut self,
        code: &str,
        owner: &Owner,
        now: Moment,
    ) -> Result<ScreenLink, FaultCode> {
        self.wrong.retain(|(at, ..)| now.since(*at) < CODE_LIFE);
        let ours = |(_, origin, counter): &&(Moment, Origin, String)| {
            *origin == owner.origin && *counter == owner.counter
        };
        if self.wrong.iter().filter(ours).count() >= MAX_WRONG_PER_COUNTER {
            return Err(FaultCode::DoorTooMany);
        }
        let shows =
            |link: &Link| matches!(link, Link::Unpaired { code: shown, .. } if shown == code);
        if let Some((link, _)) = self.links.iter().find(|(_, link)| shows(link)) {
            return Ok(*link);
        }
        if self.wrong.len() >= MAX_REMEMBERED {
            self.wrong.pop_front();
        }
        self.wrong
            .push_back((now, owner.origin.clone(), owner.counter.clone()));
        for link in self.links.values_mut() {
            if let Link::Unpaired { wrong, .. } = link {
                *wrong = wrong.saturating_add(1);
            }
        }
        Err(FaultCode::DoorNotFound)
    }

    /// Whether a counter can have one screen more.
    pub(crate) fn has_room(&self, owner: &Owner) -> bool {
        self.pairings.len() < MAX_PAIRINGS && self.of_counter(owner).count() < MAX_PER_COUNTER
    }

    /// Pairs a screen.
    pub(crate) fn pair(&mut self, link: ScreenLink, pairing: Pairing) {
        self.links.insert(
            link,
            Link::Paired {
                screen: pairing.screen.clone(),
                asked: None,
            },
        );
        self.pairings.push(pairing);
    }

    /// Ends a pairing of this counter; gives the connection to close, or `None` inside where the screen is
    /// not connected.
    pub(crate) fn unpair(
        &mut self,
        screen: &ScreenId,
        owner: &Owner,
    ) -> Result<Option<ScreenLink>, FaultCode> {
        let place = self.pairings.iter().position(|pairing| {
            pairing.screen == *screen
                && pairing.origin == owner.origin
                && pairing.counter == owner.counter
        });
        self.pairings.remove(place.ok_or(FaultCode::DoorNotFound)?);
        let link = self.link_of(screen);
        if let Some(link) = link {
            self.links.remove(&link);
        }
        Ok(link)
    }

    /// Forgets a connection; gives the screen's place where it was paired.
    pub(crate) fn close(&mut self, link: ScreenLink) -> Option<Pairing> {
        match self.links.remove(&link)? {
            Link::Unpaired { .. } => None,
            Link::Paired { screen, .. } => self.pairing(&screen).cloned(),
        }
    }

    /// The pairing behind a connection.
    pub(crate) fn pairing_of(&self, link: ScreenLink) -> Option<&Pairing> {
        match self.links.get(&link)? {
            Link::Unpaired { .. } => None,
            Link::Paired { screen, .. } => self.pairing(screen),
        }
    }

    /// A connected screen of this counter that is asked nothing; only `only` where that is given.
    pub(crate) fn free(&self, owner: &Owner, only: Option<&ScreenId>) -> Option<ScreenLink> {
        let fits = |link: &Link| match link {
            Link::Paired {
                screen,
                asked: None,
            } => {
                only.is_none_or(|wanted| wanted == screen)
                    && self
                        .of_counter(owner)
                        .any(|pairing| pairing.screen == *screen)
            }
            Link::Paired { .. } | Link::Unpaired { .. } => false,
        };
        // The newest connection is the one that somebody has just opened.
        self.links
            .iter()
            .rev()
            .find(|(_, link)| fits(link))
            .map(|(link, _)| *link)
    }

    /// Whether a screen of this counter is connected.
    pub(crate) fn reachable(&self, owner: &Owner) -> bool {
        self.of_counter(owner)
            .any(|pairing| self.link_of(&pairing.screen).is_some())
    }

    /// Notes what a screen is asked now, if anything; false where it is no paired screen.
    pub(crate) fn set_asked(&mut self, link: ScreenLink, now_asked: Option<(JobId, u32)>) -> bool {
        match self.links.get_mut(&link) {
            Some(Link::Paired { asked, .. }) => {
                *asked = now_asked;
                true
            }
            Some(Link::Unpaired { .. }) | None => false,
        }
    }

    /// Whether a screen is asked exactly this.
    pub(crate) fn is_asked(&self, link: ScreenLink, job: &JobId, ask: u32) -> bool {
        matches!(self.links.get(&link),
            Some(Link::Paired { asked: Some((asked_job, asked)), .. }) if asked_job == job && *asked == ask)
    }

    /// Whether a screen is connected and asked nothing.
    pub(crate) fn is_idle(&self, link: ScreenLink) -> bool {
        matches!(
            self.links.get(&link),
            Some(Link::Paired { asked: None, .. })
        )
    }

    /// The screens of a counter.
    pub(crate) fn views(&self, origin: &Origin, counter: &str) -> Vec<PinScreenView> {
        let here = |pairing: &&Pairing| pairing.origin == *origin && pairing.counter == counter;
        let view = |pairing: &Pairing| PinScreenView {
            id: pairing.screen.clone(),
            connected: self.link_of(&pairing.screen).is_some(),
        };
        self.pairings.iter().filter(here).map(view).collect()
    }

    /// All pairings, to be stored.
    pub(crate) fn pairings(&self) -> Vec<Pairing> {
        self.pairings.clone()
    }

    pub(crate) fn next_wakeup(&self) -> Option<Moment> {
        let due = |link: &Link| match link {
            Link::Unpaired { until, .. } => Some(*until),
            Link::Paired { .. } => None,
        };
        self.links.values().filter_map(due).min()
    }

    fn of_counter(&self, owner: &Owner) -> impl Iterator<Item = &Pairing> {
        self.pairings
            .iter()
            .filter(|pairing| pairing.origin == owner.origin && pairing.counter == owner.counter)
    }

    fn pairing(&self, screen: &ScreenId) -> Option<&Pairing> {
        self.pairings
            .iter()
            .find(|pairing| pairing.screen == *screen)
    }

    fn link_of(&self, wanted: &ScreenId) -> Option<ScreenLink> {
        let of_screen =
            |link: &Link| matches!(link, Link::Paired { screen, .. } if screen == wanted);
        self.links
            .iter()
            .find(|(_, link)| of_screen(link))
            .map(|(link, _)| *link)
    }
}
