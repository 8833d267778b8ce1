//! The thread that takes messages in, and what leads to it and from it.
//!
//! ```text
//! a source (task): broker -> Inlet ==bounded==> worker (thread): Intake -> disk
//!                  broker <- Receipt, Outgoing <--------'
//! ```
//! A source that waits for [`Inlet::give`] reads no more from its broker, so that memory is bounded.
//! Where the database fails, the batch is kept and tried again: nothing is acknowledged meanwhile, neither to
//! the device nor to the broker.
//! A broker is told of every message that was judged, whatever the verdict: what is refused would be refused
//! again, and what must come again (`Verdict::NotNow`) the device sends again, because nothing but our signed
//! acknowledgement frees it.

use std::sync::Arc;

use device_api::Clock;
use tokio::sync::{mpsc, watch};

use crate::acks::Outgoing;
use crate::intake::{Delivery, Intake, tally};
use crate::presence::Arrival;

/// The most messages in one batch.
const BATCH: usize = 2048;
/// How many messages wait for the thread.
const WAITING: usize = 2 * BATCH;
/// Every so many looks old evidence is deleted: once an hour.
const LOOKS_BETWEEN_PRUNINGS: u32 = 3600;

/// Where a source puts what arrives.
#[derive(Debug, Clone)]
pub struct Inlet {
    wakes: mpsc::Sender<Wake>,
    clock: Arc<dyn Clock>,
}

/// Something that arrived, as a source has it.
#[derive(Debug)]
pub struct Incoming {
    /// Where it was published, with slashes.
    pub topic: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether the broker had kept it from before, so that it proves no life now.
    pub retained: bool,
    /// To whom is told that it is judged, where the broker wants to know.
    pub receipt: Option<Receipt>,
}

/// Tells, when a message is judged and what follows from it is on the disk.
#[derive(Debug)]
pub struct Receipt {
    number: u64,
    through: watch::Sender<u64>,
}

/// The receipts of one queue of messages in one connection.
#[derive(Debug)]
pub struct Receipts {
    sender: watch::Sender<u64>,
    through: watch::Receiver<u64>,
}

/// What goes back to devices.
pub type Outlet = mpsc::UnboundedReceiver<Outgoing>;

/// The half of the channel that the thread has.
#[derive(Debug)]
pub struct Worker {
    wakes: mpsc::Receiver<Wake>,
    outgoing: mpsc::UnboundedSender<Outgoing>,
    waiting: Vec<Delivery>,
    receipts: Vec<Receipt>,
    looks: u32,
}

/// How long evidence is kept.
#[derive(Debug, Clone, Copy)]
pub struct Keeping {
    /// Days.
    pub days: u32,
    /// Days, for signs of life.
    pub signs_days: u32,
}

#[derive(Debug)]
enum Wake {
    Arrived(Delivery, Option<Receipt>),
    Resumed,
    Look,
}

/// The two ends.
#[must_use]
pub fn channel(clock: Arc<dyn Clock>) -> (Inlet, Outlet, Worker) {
    let (to_worker, wakes) = mpsc::channel(WAITING);
    let (outgoing, outlet) = mpsc::unbounded_channel();
    let inlet = Inlet {
        wakes: to_worker,
        clock,
    };
    let worker = Worker {
        wakes,
        outgoing,
        waiting: Vec::new(),
        receipts: Vec::new(),
        looks: 0,
    };
    (inlet, outlet, worker)
}

impl Inlet {
    /// Hands over what arrived; waits while too much waits already. `false` where nobody takes it any more.
    pub async fn give(&self, incoming: Incoming) -> bool {
        let delivery = Delivery {
            topic: incoming.topic,
            bytes: incoming.bytes,
            arrival: Arrival {
                at: self.clock.now(),
                unix_millis: self.clock.unix_millis(),
                retained: incoming.retained,
            },
        };
        let wake = Wake::Arrived(delivery, incoming.receipt);
        self.wakes.send(wake).await.is_ok()
    }

    /// Says that the broker can be heard from now on, and could not be before.
    pub async fn resume(&self) -> bool {
        self.wakes.send(Wake::Resumed).await.is_ok()
    }

    /// Asks to look who has fallen silent, and to tell what is due; to be called once a second.
    pub async fn look(&self) -> bool {
        self.wakes.send(Wake::Look).await.is_ok()
    }
}

impl Receipts {
    /// Receipts of which none is given.
    #[must_use]
    pub fn new() -> Self {
        let (sender, through) = watch::channel(0);
        Self { sender, through }
    }

    /// The receipt of a message; numbers begin at 1 and grow with each, in the order of [`Inlet::give`].
    #[must_use]
    pub fn receipt(&self, number: u64) -> Receipt {
        Receipt {
            number,
            through: self.sender.clone(),
        }
    }

    /// Waits until more is judged, and says through which number all is.
    ///
    /// Dropping the future loses nothing.
    pub async fn settled(&mut self) -> u64 {
        // It cannot be closed, because one sender is here.
        let (Ok(()) | Err(_)) = self.through.changed().await;
        *self.through.borrow_and_update()
    }
}

impl Default for Receipts {
    fn default() -> Self {
        Self::new()
    }
}

impl Receipt {
    fn settle(self) {
        self.through.send_if_modified(|through| {
            let more = *through < self.number;
            *through = self.number.max(*through);
            more
        });
    }
}

impl Worker {
    /// Takes in what arrives until every inlet is gone.
    pub fn run(mut self, mut intake: Intake, keeping: Keeping) {
        while let Some(first) = self.wakes.blocking_recv() {
            let mut look = self.sort(first, &mut intake);
            while self.waiting.len() < BATCH
                && let Ok(next) = self.wakes.try_recv()
            {
                look |= self.sort(next, &mut intake);
            }
            self.take(&mut intake);
            if look {
                self.look(&mut intake, keeping);
                self.order(&intake);
            }
            self.tell(&mut intake);
        }
        self.take(&mut intake);
    }

    /// Whether it is time to look.
    fn sort(&mut self, wake: Wake, intake: &mut Intake) -> bool {
        match wake {
            Wake::Arrived(delivery, receipt) => {
                self.waiting.push(delivery);
                self.receipts.extend(receipt);
                false
            }
            Wake::Resumed => {
                intake.resume();
                false
            }
            Wake::Look => true,
        }
    }

    fn take(&mut self, intake: &mut Intake) {
        if self.waiting.is_empty() {
            return;
        }
        match intake.take(&self.waiting) {
            Ok(verdicts) => {
                tracing::debug!(verdicts = ?tally(&verdicts), "batch taken in");
                self.waiting.clear();
                self.receipts.drain(..).for_each(Receipt::settle);
            }
            // The next message, or the next look within a second, tries again.
            Err(error) => tracing::error!(error = chain(&error), "the batch was not stored"),
        }
    }

    fn look(&mut self, intake: &mut Intake, keeping: Keeping) {
        if let Err(error) = intake.look() {
            tracing::error!(error = chain(&error), "presence was not stored");
        }
        self.looks += 1;
        if self.looks >= LOOKS_BETWEEN_PRUNINGS {
            self.looks = 0;
            match intake.prune(keeping.days, keeping.signs_days) {
                Ok(count) => tracing::info!(count, "old evidence deleted"),
                Err(error) => tracing::error!(error = chain(&error), "old evidence stays"),
            }
        }
    }

    fn tell(&self, intake: &mut Intake) {
        match intake.acknowledgements() {
            Ok(all) => {
                for one in all {
                    // Where the source has gone, devices are told by the next one.
                    let (Ok(()) | Err(_)) = self.outgoing.send(one);
                }
            }
            Err(error) => tracing::error!(error = chain(&error), "devices are not told"),
        }
    }

    /// What is lost here is sent again in the next session, or after a minute without an answer.
    fn order(&self, intake: &Intake) {
        match intake.orders() {
            Ok(all) => {
                for one in all {
                    tracing::info!(topic = one.topic, "a command is sent");
                    let (Ok(()) | Err(_)) = self.outgoing.send(one);
                }
            }
            Err(error) => tracing::error!(error = chain(&error), "commands are not sent"),
        }
    }
}

/// An error with all that caused it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn receipts_tell_through_which_number_all_is_judged() {
        let mut receipts = Receipts::new();
        let [first, second, third] = [1, 2, 3].map(|number| receipts.receipt(number));
        first.settle();
        second.settle();
        assert_eq!(receipts.settled().await, 2);
        let nothing = tokio::time::timeout(std::time::Duration::ZERO, receipts.settled()).await;
        assert!(nothing.is_err());
        third.settle();
        assert_eq!(receipts.settled().await, 3);
    }
}
