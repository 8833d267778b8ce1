//! The one thread that writes what must be on the disk, so that the loop never waits for it.
//!
//! The core hands out no result before its record is written (`Effect::AppendAudit` ->
//! `Input::Recorded`), so an fsync delays one job and blocks nothing else.
//! Invariant: records are written in the order of their effects, each reported exactly once.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use agent_core::effect::{AuditEntry, Pairing};
use agent_core::ids::AuditTicket;
use commands::step::AuditRecord;
use device_api::Clock;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::calibrations::Kept;
use crate::input::{Desk, Input};
use crate::state_dir::StateDir;
use crate::stored;

/// The stack of a thread that formats one record and writes it.
const STACK: usize = 256 * 1024;

/// Where records go. The audit log implements it; tests can fail in its place.
pub trait Ledger: Send + fmt::Debug {
    /// Writes a record and waits until it is on the disk.
    ///
    /// # Errors
    /// It is not on the disk.
    fn append(&mut self, entry: &AuditEntry, unix_millis: u64) -> Result<(), LedgerFailure>;

    /// Writes what became of an order of an operator, and waits until it is on the disk.
    ///
    /// # Errors
    /// It is not on the disk.
    fn note(&mut self, record: &AuditRecord, unix_millis: u64) -> Result<(), LedgerFailure>;

    /// Finishes what no record waits for. Called when there is nothing else to write.
    ///
    /// # Errors
    /// It is tried again with the next record.
    fn settle(&mut self) -> Result<(), LedgerFailure>;
}

/// Why a record is not on the disk.
pub type LedgerFailure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug)]
enum Order {
    Append {
        ticket: AuditTicket,
        entry: Box<AuditEntry>,
    },
    Note {
        record: Box<AuditRecord>,
        written: oneshot::Sender<bool>,
    },
    StorePairings {
        pairings: Vec<Pairing>,
    },
    StoreCalibrations {
        kept: BTreeMap<String, Kept>,
    },
    End,
}

/// The way in for records of commands, which another thread writes.
#[derive(Debug, Clone)]
pub struct Scribe(mpsc::Sender<Order>);

impl Scribe {
    /// Writes a record; whether it is on the disk.
    pub async fn note(&self, record: AuditRecord) -> bool {
        let (written, heard) = oneshot::channel();
        let record = Box::new(record);
        self.0.send(Order::Note { record, written }).is_ok() && heard.await.unwrap_or(false)
    }
}

/// Orders for the thread.
#[derive(Debug)]
pub struct Recorder {
    orders: mpsc::Sender<Order>,
    thread: JoinHandle<()>,
    ended: oneshot::Receiver<()>,
}

/// What the thread works with.
#[derive(Debug)]
pub struct Writing {
    /// Where records go.
    pub ledger: Box<dyn Ledger>,
    /// Where pairings and calibrations go.
    pub dir: Arc<StateDir>,
    /// The time of records.
    pub clock: Arc<dyn Clock>,
}

impl Recorder {
    /// Starts the thread; it reports to `desk`.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(writing: Writing, desk: Desk) -> std::io::Result<Self> {
        let (orders, received) = mpsc::channel();
        let (ends, ended) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                // Dropped when the thread ends, however it ends.
                let _ends: oneshot::Sender<()> = ends;
                write(writing, &received, &desk);
            })?;
        Ok(Self {
            orders,
            thread,
            ended,
        })
    }

    /// Writes a record.
    pub fn append(&self, ticket: AuditTicket, entry: Box<AuditEntry>) {
        self.order(Order::Append { ticket, entry });
    }

    /// Replaces the stored pairings.
    pub fn store_pairings(&self, pairings: Vec<Pairing>) {
        self.order(Order::StorePairings { pairings });
    }

    /// Replaces the stored calibrations of tablets.
    pub fn store_calibrations(&self, kept: BTreeMap<String, Kept>) {
        self.order(Order::StoreCalibrations { kept });
    }

    /// The way in for records of commands.
    #[must_use]
    pub fn scribe(&self) -> Scribe {
        Scribe(self.orders.clone())
    }

    /// Waits until everything that was ordered is written, or until its time is over: a disk that hangs
    /// keeps its records, and must not keep the agent.
    pub async fn finish(self, within: Duration) {
        // A scribe may still be held, so that the queue does not close by itself.
        let (Ok(()) | Err(_)) = self.orders.send(Order::End);
        drop(self.orders);
        if timeout(within, self.ended).await.is_err() {
            tracing::error!("the disk does not take the last records; ended without them");
        } else if self.thread.join().is_err() {
            tracing::error!("the recorder ended badly");
        }
    }

    fn order(&self, order: Order) {
        // A recorder that has ended reports nothing, and the core then hands out nothing.
        if self.orders.send(order).is_err() {
            tracing::error!("the recorder has ended; nothing is recorded any more");
        }
    }
}

fn write(mut writing: Writing, orders: &mpsc::Receiver<Order>, desk: &Desk) {
    while let Some(order) = next(&mut writing, orders) {
        match order {
            Order::Append { ticket, entry } => {
                let written = writing.ledger.append(&entry, writing.clock.unix_millis());
                if let Err(error) = &written {
                    tracing::error!(error, job = %entry.job, "a record was not written");
                }
                // Nobody listens any more while the agent ends; the record is written all the same.
                let _heard = desk.tell_blocking(Input::Recorded {
                    ticket,
                    written: written.is_ok(),
                });
            }
            Order::Note { record, written } => {
                let noted = writing.ledger.note(&record, writing.clock.unix_millis());
                if let Err(error) = &noted {
                    tracing::error!(error, "a record of a command was not written");
                }
                // Whoever waited may have ended.
                let (Ok(()) | Err(_)) = written.send(noted.is_ok());
            }
            Order::End => return,
            Order::StorePairings { pairings } => {
                if let Err(error) = stored::write_pairings(&writing.dir, &pairings) {
                    tracing::error!(%error, "pairings are lost at the next start");
                }
            }
            Order::StoreCalibrations { kept } => {
                if let Err(error) = stored::write_calibrations(&writing.dir, &kept) {
                    tracing::error!(%error, "how tablets are calibrated was not stored, and is as before at the next start");
                }
            }
        }
    }
}

/// Takes the next order; settles the ledger before waiting for one.
fn next(writing: &mut Writing, orders: &mpsc::Receiver<Order>) -> Option<Order> {
    if let Ok(order) = orders.try_recv() {
        return Some(order);
    }
    if let Err(error) = writing.ledger.settle() {
        tracing::warn!(error, "the audit log is not settled");
    }
    orders.recv().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use agent_core::effect::AuditEntry;
    use commands::step::AuditRecord;
    use device_api::SystemClock;

    use super::{Desk, Ledger, LedgerFailure, Recorder, StateDir, Writing};

    /// A disk that hangs until the test lets go.
    #[derive(Debug)]
    struct Hung(mpsc::Receiver<()>);

    impl Ledger for Hung {
        fn append(&mut self, _entry: &AuditEntry, _unix_millis: u64) -> Result<(), LedgerFailure> {
            Ok(())
        }

        fn note(&mut self, _record: &AuditRecord, _unix_millis: u64) -> Result<(), LedgerFailure> {
            Ok(())
        }

        fn settle(&mut self) -> Result<(), LedgerFailure> {
            let _let_go = self.0.recv();
            Ok(())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_disk_that_hangs_does_not_keep_the_agent_from_ending() {
        let folder = tempfile::tempdir().unwrap();
        let (let_go, hung) = mpsc::channel();
        let writing = Writing {
            ledger: Box::new(Hung(hung)),
            dir: Arc::new(StateDir::open(folder.path()).unwrap()),
            clock: Arc::new(SystemClock::new()),
        };
        let (desk, _inputs) = Desk::open();
        let recorder = Recorder::start(writing, desk).unwrap();
        recorder.finish(Duration::from_millis(350)).await;
        drop(let_go);
    }
}
