//! Documents in memory: what pages hand in for a job, and what jobs make for pages.
//!
//! Invariants: a document is used once, by its owner; what a page handed in never comes out again, what a
//! job made can only be taken with the rights of that job; each is erased when its time is over; their
//! number and their length are bounded.

use std::time::Duration;

use device_api::{FaultCode, Moment};

use crate::access::{Owner, Scope};
use crate::event::NewDocument;
use crate::ids::DocumentId;
use crate::sealed::Sealed;

/// Time for which a document is kept.
pub const DOCUMENT_LIFE: Duration = Duration::from_secs(600);

/// How many documents one owner can have.
const MAX_PER_OWNER: usize = 16;

/// How many bytes all documents together can have.
const MAX_BYTES: u64 = 192 * 1024 * 1024;

/// All documents, oldest first.
#[derive(Debug)]
pub(crate) struct Documents<R> {
    kept: Vec<Kept<R>>,
}

#[derive(Debug)]
struct Kept<R> {
    document: NewDocument<R>,
    owner: Owner,
    purpose: Purpose,
    erase_at: Moment,
}

/// What a document is kept for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Purpose {
    /// A job uses it up.
    Job,
    /// A page with these rights takes it.
    Page(Vec<Scope>),
}

impl<R> Documents<R> {
    pub(crate) const fn new() -> Self {
        Self { kept: Vec::new() }
    }

    /// Keeps a document that a page handed in, for a job.
    pub(crate) fn keep_for_job(
        &mut self,
        document: NewDocument<R>,
        owner: Owner,
        now: Moment,
    ) -> Result<(), FaultCode> {
        let of_owner = self.kept.iter().filter(|kept| kept.owner == owner).count();
        let bytes: u64 = self
            .kept
            .iter()
            .map(|kept| kept.document.facts.length)
            .sum();
        let room = bytes.saturating_add(document.facts.length) <= MAX_BYTES;
        if of_owner >= MAX_PER_OWNER || !room {
            return Err(FaultCode::DoorTooMany);
        }
        self.keep((document, owner, Purpose::Job), now);
        Ok(())
    }

    /// Keeps what a job made, for its owner. What was asked for is never refused for want of room: what is
    /// kept of the same owner gives way, oldest first.
    pub(crate) fn keep_for_page(
        &mut self,
        document: NewDocument<R>,
        (owner, scopes): (Owner, Vec<Scope>),
        now: Moment,
    ) {
        while self.kept.iter().filter(|kept| kept.owner == owner).count() >= MAX_PER_OWNER {
            let Some(oldest) = self.kept.iter().position(|kept| kept.owner == owner) else {
                break;
            };
            self.kept.remove(oldest);
        }
        self.keep((document, owner, Purpose::Page(scopes)), now);
    }

    fn keep(&mut self, (document, owner, purpose): (NewDocument<R>, Owner, Purpose), now: Moment) {
        self.kept.push(Kept {
            document,
            owner,
            purpose,
            erase_at: now.plus(DOCUMENT_LIFE),
        });
    }

    /// Whether all of these wait for a job of this owner, none of them named twice.
    pub(crate) fn wait_for(&self, ids: &[DocumentId], owner: &Owner) -> bool {
        let waits = |id: &DocumentId| {
            let twice = ids.iter().filter(|other| *other == id).count() > 1;
            let kept = self.kept.iter().find(|kept| kept.document.id == *id);
            !twice && kept.is_some_and(|kept| kept.owner == *owner && kept.purpose == Purpose::Job)
        };
        ids.iter().all(waits)
    }

    /// Uses documents up, in the order of `ids`.
    pub(crate) fn use_up(&mut self, ids: &[DocumentId]) -> Vec<Sealed<R>> {
        let places = ids.iter().filter_map(|id| {
            let place = self.kept.iter().position(|kept| kept.document.id == *id)?;
            Some(self.kept.remove(place).document.content)
        });
        places.collect()
    }

    /// What it takes to take a document; `None` where this owner has no such thing to take.
    pub(crate) fn rights_to_take(&self, id: &DocumentId, owner: &Owner) -> Option<&[Scope]> {
        let kept = self.kept.iter().find(|kept| kept.document.id == *id)?;
        match &kept.purpose {
            Purpose::Page(scopes) if kept.owner == *owner => Some(scopes),
            Purpose::Page(_) | Purpose::Job => None,
        }
    }

    /// Hands a document out, once.
    pub(crate) fn take(&mut self, id: &DocumentId) -> Option<NewDocument<R>> {
        let place = self.kept.iter().position(|kept| kept.document.id == *id)?;
        Some(self.kept.remove(place).document)
    }

    /// Erases what is over.
    pub(crate) fn expire(&mut self, now: Moment) {
        self.kept.retain(|kept| kept.erase_at > now);
    }

    pub(crate) fn next_wakeup(&self) -> Option<Moment> {
        self.kept.iter().map(|kept| kept.erase_at).min()
    }
}
