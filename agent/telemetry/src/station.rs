//! The running side of telemetry: takes reports, keeps them, and carries them to a broker for as long as
//! the agent lives.
//!
//! ```text
//! Reporter --reports--> Station: outbox (disk) -> pump ----> link (broker)
//!                          |                                      |
//!                          '-- Happening: connected, ack, command <-'
//! ```
//! One task does everything in turn, on a thread of its own, because writing to the disk blocks.
//! Reports that wait together are synced together.
//! Invariants: a report is confirmed only once it is on the disk; a link that fails costs a connection and
//! nothing of what is kept.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use device_api::Clock;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::down::Ack;
use crate::envelope::EnvelopeError;
use crate::link::{BackoffLimits, Connection, Connector, LinkFailure};
use crate::message::Message;
use crate::message::machine::TimeQuality;
use crate::message::presence::{Challenge, LaneMark, LeavingReason};
use crate::name::{DeviceName, Digest, Word};
use crate::outbox::{AcceptError, Outbox};
use crate::signer::VerifyingKey;

mod work;

pub use work::Station;

/// What a station is told once.
#[derive(Debug)]
pub struct Profile {
    /// Who speaks.
    pub name: DeviceName,
    /// The agent's version.
    pub version: Word,
    /// The operating system.
    pub platform: Word,
    /// The SHA-256 of the configuration that is in force.
    pub configuration: Digest,
    /// Time between two beats.
    pub beat: Duration,
    /// Whose acknowledgements count.
    pub monitors: Vec<VerifyingKey>,
    /// How the broker is reached; will and subscriptions are set for each connection.
    pub connection: Connection,
    /// How long to wait between attempts.
    pub backoff: BackoffLimits,
}

/// Something for a station to do.
#[derive(Debug)]
enum Order {
    Report {
        message: Box<Message>,
        kept: oneshot::Sender<Result<(), NotKept>>,
    },
    Quality(TimeQuality),
    Marks(oneshot::Sender<Vec<LaneMark>>),
    Leave {
        reason: LeavingReason,
        gone: oneshot::Sender<()>,
    },
}

/// A report is not on the disk, and will not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotKept {
    /// Too many reports wait.
    #[error("too many reports wait for the disk")]
    Busy,
    /// The station has ended.
    #[error("nothing is reported any more")]
    Ended,
    /// It cannot be sealed or written.
    #[error("the report cannot be kept")]
    Store(#[source] AcceptError),
}

/// What a station tells the agent.
#[derive(Debug)]
pub enum Happening {
    /// A session with a broker has begun.
    Connected {
        /// Its number.
        session: u64,
    },
    /// A connection has ended, or did not come about.
    Disconnected(LinkFailure),
    /// A beat has gone out; whoever repeats its challenge in a command has heard it.
    Beat(Challenge),
    /// The monitor has everything up to the marks.
    Acknowledged(Ack),
    /// Something about a command has arrived, and is not verified yet.
    Command {
        /// The topic that it arrived at.
        topic: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Something arrived that is not of this protocol, or is signed by nobody who may say it.
    Rejected(Rejected),
    /// The store could not be tidied; it is tried again.
    Untidy(String),
}

/// Why something that arrived was not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Rejected {
    /// It arrived at a topic that is none of this device.
    #[error("it arrived at a topic that is none of this device")]
    Topic,
    /// It is no envelope.
    #[error("it is no envelope")]
    Envelope(#[source] EnvelopeError),
    /// No monitor signed it.
    #[error("no monitor signed it")]
    Signature,
    /// It says nothing that is understood.
    #[error("it says nothing that is understood")]
    Content,
    /// It says that the monitor has what was never sent.
    #[error("it says that the monitor has what was never sent")]
    Ahead,
}

/// The handle through which the agent reports.
#[derive(Debug, Clone)]
pub struct Reporter {
    orders: mpsc::Sender<Order>,
}

impl Reporter {
    /// Hands a report over; the receiver hears when it is on the disk, which may be long after, while the disk
    /// is full.
    ///
    /// Does not wait.
    ///
    /// # Errors
    /// [`NotKept::Busy`] and [`NotKept::Ended`]; the report is not taken then.
    pub fn report(
        &self,
        message: Message,
    ) -> Result<oneshot::Receiver<Result<(), NotKept>>, NotKept> {
        let (kept, heard) = oneshot::channel();
        let order = Order::Report {
            message: Box::new(message),
            kept,
        };
        self.give(order)?;
        Ok(heard)
    }

    /// Says how good the clock is from now on.
    ///
    /// # Errors
    /// As [`Self::report`].
    pub fn set_quality(&self, quality: TimeQuality) -> Result<(), NotKept> {
        self.give(Order::Quality(quality))
    }

    /// How far each lane has come; the receiver hears.
    ///
    /// # Errors
    /// As [`Self::report`].
    pub fn marks(&self) -> Result<oneshot::Receiver<Vec<LaneMark>>, NotKept> {
        let (told, heard) = oneshot::channel();
        self.give(Order::Marks(told))?;
        Ok(heard)
    }

    /// Says farewell and ends the station; waits until it has ended, at most a few seconds.
    pub async fn leave(&self, reason: LeavingReason) {
        let (gone, heard) = oneshot::channel();
        if self
            .orders
            .send(Order::Leave { reason, gone })
            .await
            .is_ok()
        {
            let (Ok(()) | Err(_)) = heard.await;
        }
    }

    fn give(&self, order: Order) -> Result<(), NotKept> {
        self.orders
            .try_send(order)
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => NotKept::Busy,
                mpsc::error::TrySendError::Closed(_) => NotKept::Ended,
            })
    }
}

/// What a station works with.
pub struct Means {
    /// What is kept.
    pub outbox: Outbox,
    /// Where links come from.
    pub connector: Box<dyn Connector>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for challenges and waits.
    pub random: Arc<dyn ring::rand::SecureRandom + Send + Sync>,
}

impl fmt::Debug for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Means").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
