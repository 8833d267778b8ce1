//! Exclusive use of devices.
//!
//! ```text
//! take -> waiting -> granted(fence) -> ended by release, expiry or the end of its session
//! ```
//! Each device has one queue, first come first served; its front holds the device.
//! Invariants: at most one lease of a device is granted; a fence is never given twice and rises with
//! every grant; queues are bounded, for each device and for each owner; who renews cannot keep others
//! waiting for ever.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use device_api::{DeviceId, FaultCode, Moment};

use crate::access::Owner;
use crate::effect::{LeaseView, Place};
use crate::ids::{LeaseId, SessionLink};

/// The shortest life that can be asked for.
pub(crate) const MIN_TTL: Duration = Duration::from_secs(1);

/// The longest life that can be asked for.
pub(crate) const MAX_TTL: Duration = Duration::from_secs(600);

/// How long a device can be held by renewals while others wait for it: as long as one unrenewed lease.
const MAX_HOLD: Duration = MAX_TTL;

/// The longest queue of a device, its holder included.
const MAX_QUEUE: usize = 32;

/// How many places one owner may have in one queue, so that a page in a loop cannot shut others out.
const MAX_PER_OWNER: usize = 4;

/// All leases.
#[derive(Debug)]
pub(crate) struct Leases {
    queues: BTreeMap<DeviceId, VecDeque<Lease>>,
    next_fence: u64,
    changes: Vec<LeaseChange>,
}

/// One lease.
#[derive(Debug)]
struct Lease {
    id: LeaseId,
    owner: Owner,
    session: Option<SessionLink>,
    ttl: Duration,
    until: Moment,
    /// The fence, and since when the device is its.
    granted: Option<(u64, Moment)>,
}

/// Something that its owner must be told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LeaseChange {
    /// It was granted, or fewer are before it.
    Moved(LeaseId, Owner),
    /// It is gone.
    Ended(LeaseId, Owner, DeviceId, LeaseEnd),
}

/// Why a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseEnd {
    /// Its owner gave it back.
    Released,
    /// Its time was over.
    Expired,
    /// Its session ended.
    SessionGone,
}

impl Leases {
    pub(crate) fn new(first_fence: u64) -> Self {
        Self {
            queues: BTreeMap::new(),
            next_fence: first_fence,
            changes: Vec::new(),
        }
    }

    /// Puts a new lease at the end of a device's queue.
    pub(crate) fn take(
        &mut self,
        device: &DeviceId,
        request: NewLease,
        now: Moment,
    ) -> Result<(), FaultCode> {
        let queue = self.queues.entry(device.clone()).or_default();
        let owned = queue
            .iter()
            .filter(|lease| lease.owner == request.owner)
            .count();
        if queue.len() >= MAX_QUEUE || owned >= MAX_PER_OWNER {
            return Err(FaultCode::DoorTooMany);
        }
        queue.push_back(Lease {
            id: request.id,
            owner: request.owner,
            session: request.session,
            ttl: request.ttl,
            until: now.plus(request.ttl),
            granted: None,
        });
        self.grant_fronts(now);
        Ok(())
    }

    /// Gives a lease more time; false where others wait and it would hold the device for too long.
    ///
    /// Its present time is its own even then.
    pub(crate) fn renew(&mut self, id: &LeaseId, ttl: Duration, now: Moment) -> bool {
        for queue in self.queues.values_mut() {
            let waited_for = queue.len() > 1;
            let Some(lease) = queue.iter_mut().find(|lease| lease.id == *id) else {
                continue;
            };
            let until = now.plus(ttl);
            let last = lease.granted.map(|(_, since)| since.plus(MAX_HOLD));
            let too_long = last.is_some_and(|last| until > last && until > lease.until);
            if waited_for && too_long {
                return false;
            }
            lease.ttl = ttl;
            lease.until = until;
        }
        true
    }

    /// The session to which a lease is bound.
    pub(crate) fn session_of(&self, id: &LeaseId) -> Option<SessionLink> {
        let mut leases = self.queues.values().flatten();
        leases.find(|lease| lease.id == *id)?.session
    }

    /// Ends a lease that its owner gives back.
    pub(crate) fn release(&mut self, id: &LeaseId, now: Moment) {
        self.end_where(LeaseEnd::Released, now, |lease| lease.id == *id);
    }

    /// Ends the leases of a session that is gone.
    pub(crate) fn session_gone(&mut self, session: SessionLink, now: Moment) {
        self.end_where(LeaseEnd::SessionGone, now, |lease| {
            lease.session == Some(session)
        });
    }

    /// Ends the leases whose time is over.
    pub(crate) fn expire(&mut self, now: Moment) {
        self.end_where(LeaseEnd::Expired, now, |lease| lease.until <= now);
    }

    /// What owners must be told, in order.
    pub(crate) fn drain_changes(&mut self) -> Vec<LeaseChange> {
        std::mem::take(&mut self.changes)
    }

    /// The device and fence of a granted lease of this owner.
    pub(crate) fn held(&self, id: &LeaseId, owner: &Owner) -> Option<(&DeviceId, u64)> {
        self.queues.iter().find_map(|(device, queue)| {
            let holder = queue
                .front()
                .filter(|lease| lease.id == *id && lease.owner == *owner)?;
            Some((device, holder.granted?.0))
        })
    }

    /// A lease as its owner sees it; `None` where it is not this owner's.
    pub(crate) fn view(&self, id: &LeaseId, owner: &Owner, now: Moment) -> Option<LeaseView> {
        self.views(owner, now).find(|view| view.id == *id)
    }

    /// All leases of an owner.
    pub(crate) fn views(&self, owner: &Owner, now: Moment) -> impl Iterator<Item = LeaseView> {
        self.queues.iter().flat_map(move |(device, queue)| {
            queue
                .iter()
                .enumerate()
                .filter(move |(_, lease)| lease.owner == *owner)
                .map(move |(ahead, lease)| LeaseView {
                    id: lease.id.clone(),
                    device: device.clone(),
                    place: place_of(lease, ahead),
                    expires_in: lease.until.since(now),
                })
        })
    }

    pub(crate) fn next_wakeup(&self) -> Option<Moment> {
        self.queues
            .values()
            .flatten()
            .map(|lease| lease.until)
            .min()
    }

    fn end_where(&mut self, end: LeaseEnd, now: Moment, over: impl Fn(&Lease) -> bool) {
        for (device, queue) in &mut self.queues {
            let mut gap = false;
            let mut kept = VecDeque::with_capacity(queue.len());
            for lease in queue.drain(..) {
                if over(&lease) {
                    gap = true;
                    let device = device.clone();
                    self.changes
                        .push(LeaseChange::Ended(lease.id, lease.owner, device, end));
                    continue;
                }
                if gap {
                    self.changes
                        .push(LeaseChange::Moved(lease.id.clone(), lease.owner.clone()));
                }
                kept.push_back(lease);
            }
            *queue = kept;
        }
        self.queues.retain(|_, queue| !queue.is_empty());
        self.grant_fronts(now);
    }

    /// The front of each queue holds the device; its time begins anew when it comes to the front.
    fn grant_fronts(&mut self, now: Moment) {
        for queue in self.queues.values_mut() {
            if let Some(front) = queue.front_mut()
                && front.granted.is_none()
            {
                front.granted = Some((self.next_fence, now));
                front.until = now.plus(front.ttl);
                self.next_fence += 1;
                let moved = LeaseChange::Moved(front.id.clone(), front.owner.clone());
                if !self.changes.contains(&moved) {
                    self.changes.push(moved);
                }
            }
        }
    }
}

/// Where a lease stands that has so many before it.
fn place_of(lease: &Lease, ahead: usize) -> Place {
    match lease.granted {
        Some((fence, _)) => Place::Granted { fence },
        None => Place::Waiting {
            ahead: u32::try_from(ahead).unwrap_or(u32::MAX),
        },
    }
}

/// A lease that is asked for.
#[derive(Debug)]
pub(crate) struct NewLease {
    /// Its name.
    pub(crate) id: LeaseId,
    /// Who asks.
    pub(crate) owner: Owner,
    /// The session whose end also ends it.
    pub(crate) session: Option<SessionLink>,
    /// How long it lasts unless renewed.
    pub(crate) ttl: Duration,
}
