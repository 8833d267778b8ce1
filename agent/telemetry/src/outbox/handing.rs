//! What goes out next, and what is found damaged on the way.
//!
//! | | order |
//! |---|---|
//! | always | everything on lane `dr`, the oldest first: what is missing is said before what follows it |
//! | fresh | by lane, the oldest first |
//! | backlog | by lane, in the lane's order |
//!
//! Invariants: only what is on the disk is handed out, only once until the next rewind, and never what is
//! settled; a message that can no longer be read is named in a drop record before its successors go out.

use super::{Outbox, Sealed};
use crate::lane::{Lane, Order};
use crate::segments::{ReadError, Record};

/// After so many failures in a row a segment counts as damaged.
const STRIKES: u8 = 3;
/// So many damaged places are passed over in one call.
const MOST_DAMAGED: u32 = 16;

/// Which messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Fresh,
    Backlog,
}

/// What became of looking for the next one.
enum Next {
    Found(Record),
    Settled,
    Nothing,
    Damaged,
}

impl Outbox {
    /// The next message that was committed since the last rewind; before it, what is missing.
    pub fn next_fresh(&mut self) -> Option<Sealed> {
        self.next(Which::Fresh)
    }

    /// The next message that was kept before; before it, what is missing.
    pub fn next_backlog(&mut self) -> Option<Sealed> {
        self.next(Which::Backlog)
    }

    /// Nothing was handed out: at every connection.
    pub fn rewind(&mut self) {
        self.stores.values_mut().for_each(super::Store::rewind);
    }

    /// Whether something was handed out since the last rewind that is not acknowledged.
    #[must_use]
    pub fn awaits_ack(&self) -> bool {
        let mut stores = self.stores.values();
        stores.any(|store| store.awaits(&self.ledger))
    }

    fn next(&mut self, which: Which) -> Option<Sealed> {
        let drops = [(Lane::Drops, Which::Backlog), (Lane::Drops, Which::Fresh)];
        let rest = Lane::KEPT.into_iter().filter(|lane| *lane != Lane::Drops);
        let places = drops.into_iter().chain(rest.map(|lane| (lane, which)));
        let mut damaged = 0;
        for (lane, which) in places {
            // A disk that says something else each time must not keep us here for ever.
            while damaged < MOST_DAMAGED {
                match self.look(lane, which) {
                    Next::Found(record) => {
                        let Record {
                            stamp,
                            class,
                            bytes,
                        } = record;
                        return Some(self.sealed(class, stamp, bytes));
                    }
                    Next::Settled => {}
                    Next::Nothing => break,
                    Next::Damaged => {
                        damaged += 1;
                        if let Some(explained) = self.next_explanation() {
                            return Some(explained);
                        }
                    }
                }
            }
        }
        None
    }

    /// Names what was just found damaged; the record of that, where it could be committed.
    fn next_explanation(&mut self) -> Option<Sealed> {
        // What fails here is tried again by `commit`.
        self.explain().ok()?;
        loop {
            match self.look(Lane::Drops, Which::Fresh) {
                Next::Found(record) => {
                    let Record {
                        stamp,
                        class,
                        bytes,
                    } = record;
                    return Some(self.sealed(class, stamp, bytes));
                }
                Next::Settled => {}
                Next::Nothing | Next::Damaged => return None,
            }
        }
    }

    fn look(&mut self, lane: Lane, which: Which) -> Next {
        let Some(store) = self.stores.get_mut(&lane) else {
            return Next::Nothing;
        };
        let disk = &mut *self.disk;
        let is_backward = which == Which::Backlog && lane.order() == Order::NewestFirst;
        let found = match which {
            Which::Fresh => store.log.forwards(disk, store.fresh),
            Which::Backlog if is_backward => store.log.backwards(disk, store.backlog),
            Which::Backlog => store.log.forwards(disk, store.backlog),
        };
        match found {
            Ok(None) => Next::Nothing,
            // The boundary may lie in a segment that is gone: then the next one is fresh.
            Ok(Some((_, place)))
                if which == Which::Backlog && !is_backward && place > store.boundary =>
            {
                Next::Nothing
            }
            Ok(Some((record, place))) => {
                store.strikes = 0;
                match which {
                    Which::Fresh => store.fresh = place,
                    Which::Backlog => store.backlog = place,
                }
                let (epoch, number) = (record.stamp.epoch, record.stamp.number);
                if self.ledger.is_settled((epoch, lane), number) {
                    return Next::Settled;
                }
                let handed = store.handed.entry(epoch).or_default();
                handed.insert(number, number);
                Next::Found(record)
            }
            Err(ReadError::Disk { .. }) if store.strikes + 1 < STRIKES => {
                store.strikes += 1;
                Next::Nothing
            }
            Err(ReadError::Changed { segment } | ReadError::Disk { segment, .. }) => {
                store.strikes = 0;
                store.log.reread(disk, segment);
                self.suspects.insert(lane);
                Next::Damaged
            }
        }
    }
}
