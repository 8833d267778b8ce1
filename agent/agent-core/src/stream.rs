//! The stream of events towards counter applications.
//!
//! Every event has a number; the newest [`KEPT`] are kept, so that a client that lost its connection
//! gets what it missed.
//! Invariants: numbers rise by one; a client gets an event only where it may see it at that moment;
//! nothing personal is in any event, so keeping them leaks nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use device_api::{DeviceClass, FaultCode, Moment};

use crate::access::{Access, Caller, Owner, Scope};
use crate::effect::{CardService, DeviceListView, Happening};
use crate::ids::{Origin, SessionId, SessionLink};

/// How many events are kept for replay.
const KEPT: usize = 512;

/// How many sessions there can be.
const MAX_SESSIONS: usize = 64;

/// How many of them one origin can have.
const MAX_PER_ORIGIN: usize = 16;

/// A place in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The run of the agent.
    pub run: String,
    /// The sequence number.
    pub seq: u64,
}

/// Who may see an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Whoever may see devices of the classes that changed; each sees only those granted to it, and hears
    /// nothing of a change that it may not see.
    DeviceViewers(BTreeSet<DeviceClass>),
    /// The owner of a lease or job, with the rights that it took to have it.
    Owner(Owner, Vec<Scope>),
    /// Everybody at one counter of one application who may pair screens or read cards there.
    Counter(Origin, String),
}

/// The sessions and what they have been told.
#[derive(Debug)]
pub(crate) struct Stream {
    run: String,
    last: u64,
    kept: VecDeque<(u64, Audience, Happening)>,
    sessions: BTreeMap<SessionLink, Session>,
}

#[derive(Debug)]
struct Session {
    id: SessionId,
    caller: Caller,
}

/// An event for one session.
pub(crate) type Delivery = (SessionLink, u64, Happening);

impl Stream {
    pub(crate) fn new(run: String) -> Self {
        Self {
            run,
            last: 0,
            kept: VecDeque::new(),
            sessions: BTreeMap::new(),
        }
    }

    /// Adds a session.
    pub(crate) fn open(
        &mut self,
        link: SessionLink,
        id: SessionId,
        caller: Caller,
    ) -> Result<(), FaultCode> {
        let same_origin = self
            .sessions
            .values()
            .filter(|open| open.caller.owner.origin == caller.owner.origin)
            .count();
        if self.sessions.len() >= MAX_SESSIONS || same_origin >= MAX_PER_ORIGIN {
            return Err(FaultCode::DoorTooMany);
        }
        self.sessions.insert(link, Session { id, caller });
        Ok(())
    }

    /// Replaces a session's token by one of the same person at the same place.
    pub(crate) fn renew(&mut self, link: SessionLink, caller: Caller) -> Result<(), FaultCode> {
        match self.sessions.get_mut(&link) {
            Some(session) if session.caller.owner == caller.owner => {
                session.caller = caller;
                Ok(())
            }
            Some(_) | None => Err(FaultCode::DoorToken),
        }
    }

    /// Forgets a session; false where it was not known.
    pub(crate) fn close(&mut self, link: SessionLink) -> bool {
        self.sessions.remove(&link).is_some()
    }

    /// Whether this session is known.
    pub(crate) fn is_open(&self, link: SessionLink) -> bool {
        self.sessions.contains_key(&link)
    }

    /// The connection of a session of this owner.
    pub(crate) fn link_of(&self, id: &SessionId, owner: &Owner) -> Option<SessionLink> {
        let mut open = self.sessions.iter();
        open.find(|(_, session)| session.id == *id && session.caller.owner == *owner)
            .map(|(link, _)| *link)
    }

    /// The caller behind a session.
    pub(crate) fn caller_of(&self, link: SessionLink) -> Option<&Caller> {
        self.sessions.get(&link).map(|session| &session.caller)
    }

    /// The sessions whose token has expired.
    pub(crate) fn expired(&self, now: Moment) -> Vec<SessionLink> {
        let over = |session: &Session| session.caller.until.is_some_and(|until| until <= now);
        self.sessions
            .iter()
            .filter(|(_, session)| over(session))
            .map(|(link, _)| *link)
            .collect()
    }

    pub(crate) fn next_wakeup(&self) -> Option<Moment> {
        self.sessions
            .values()
            .filter_map(|session| session.caller.until)
            .min()
    }

    /// Where the stream stands.
    pub(crate) fn position(&self) -> Position {
        Position {
            run: self.run.clone(),
            seq: self.last,
        }
    }

    /// Numbers an event, keeps it, and gives it to those who may see it.
    pub(crate) fn publish(
        &mut self,
        audience: Audience,
        happening: Happening,
        access: &Access,
    ) -> Vec<Delivery> {
        self.last += 1;
        let links = self.sessions.iter();
        let told = links
            .filter_map(|(link, session)| {
                let seen = visible(&audience, &happening, &session.caller, access)?;
                Some((*link, self.last, seen))
            })
            .collect();
        if self.kept.len() >= KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back((self.last, audience, happening));
        told
    }

    /// What a session missed after a position; `None` where that is not known any more.
    pub(crate) fn replay(
        &self,
        link: SessionLink,
        after: &Position,
        access: &Access,
    ) -> Option<Vec<Delivery>> {
        let oldest = self.kept.front().map_or(self.last + 1, |(seq, ..)| *seq);
        if after.run != self.run || after.seq > self.last || after.seq + 1 < oldest {
            return None;
        }
        let session = self.sessions.get(&link)?;
        let since = self.kept.iter().filter(|(seq, ..)| *seq > after.seq);
        let missed = since.filter_map(|(seq, audience, happening)| {
            Some((
                link,
                *seq,
                visible(audience, happening, &session.caller, access)?,
            ))
        });
        Some(missed.collect())
    }
}

/// The event as this caller may see it, if at all.
fn visible(
    audience: &Audience,
    happening: &Happening,
    caller: &Caller,
    access: &Access,
) -> Option<Happening> {
    match (audience, happening) {
        (Audience::DeviceViewers(changed), Happening::Devices(list)) => {
            let may_see = |class: DeviceClass| access.permits(caller, Scope::to_see(class));
            if !changed.iter().any(|class| may_see(*class)) {
                return None;
            }
            let cards = may_see(DeviceClass::CardReader);
            let devices = list
                .devices
                .iter()
                .filter(|device| may_see(device.class))
                .cloned()
                .collect();
            Some(Happening::Devices(DeviceListView {
                devices,
                card_service: if cards {
                    list.card_service
                } else {
                    CardService::Unused
                },
            }))
        }
        (Audience::DeviceViewers(_), _) => None,
        (Audience::Owner(owner, scopes), _) => {
            let permitted = scopes.iter().all(|scope| access.permits(caller, *scope));
            (caller.owner == *owner && permitted).then(|| happening.clone())
        }
        (Audience::Counter(origin, counter), _) => {
            let here = caller.owner.origin == *origin && caller.owner.counter == *counter;
            let concerned = access.permits(caller, Scope::PairPinScreen)
                || access.permits(caller, Scope::SeeCardReaders)
                || access.permits(caller, Scope::SeeSignatureTablets);
            (here && concerned).then(|| happening.clone())
        }
    }
}
