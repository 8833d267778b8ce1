//! The WebSocket of the counter application, `GET /v1/events`.
//!
//! The client's first message is `hello`; until `welcome` nothing else is said.
//! Events carry a sequence number that rises by one for each event *of this agent run*; a client that
//! reconnects names the last one it saw, and gets what it missed, or `missed` where that is too long ago
//! or of another run, and then asks for the present state by REST.
//! No event carries anything that was read from a card with a secret, or scanned, or signed; an `item`
//! does, and is no event: it is said once and kept nowhere.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::device::DeviceList;
use crate::error::ErrorBody;
use crate::item::{Act, Item};
use crate::job::Job;
use crate::lease::Lease;
use crate::screen::PinScreenList;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum ClientMessage {
    /// The first message.
    Hello {
        /// The counter token.
        token: String,
        /// After a reconnect: the last position seen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<Position>,
    },
    /// Replaces the token before it expires.
    Token {
        /// The new counter token, for the same staff member, counter and origin.
        token: String,
    },
    /// An `item` has been taken over; the next code may follow.
    Received {
        /// The job.
        job: String,
        /// The number of the item.
        n: u32,
    },
    /// What the citizen did on a page of the application that shows a document to be signed
    /// (`surface`: `application`).
    Act {
        /// The job.
        job: String,
        /// What.
        act: Act,
    },
}

/// A place in the agent's stream of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Position {
    /// The run of the agent; another run counts anew.
    pub run: String,
    /// The sequence number.
    pub seq: u64,
}

/// What the agent says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum ServerMessage {
    /// The client is known; leases can be bound to the session.
    Welcome {
        /// The session, for `LeaseRequest.session`.
        session: String,
        /// Where the stream stands; with `missed`, everything up to here must be asked for.
        position: Position,
        /// Whether events between `after` and here are lost to this client.
        missed: bool,
    },
    /// Something happened.
    Event {
        /// The sequence number.
        seq: u64,
        /// What happened.
        event: Event,
    },
    /// Something came of a job before its end. It has no sequence number, is said once, to the session to
    /// which the job's lease is bound, and is not kept for a reconnect.
    Item {
        /// The job.
        job: String,
        /// Counted from 1 in each job.
        n: u32,
        /// What.
        item: Box<Item>,
    },
    /// The connection ends for this reason.
    Refused {
        /// Why.
        error: ErrorBody,
    },
}

/// What happened. Each event carries the whole present state of its subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Event {
    /// A device or the card service changed.
    Devices {
        /// All devices that the client may see.
        devices: DeviceList,
    },
    /// A lease of this client changed.
    Lease {
        /// The lease.
        lease: Lease,
    },
    /// A lease of this client has ended.
    LeaseEnded {
        /// The lease.
        id: String,
    },
    /// A job of this client changed.
    Job {
        /// The job.
        job: Box<Job>,
    },
    /// A PIN screen of this client's counter was paired, unpaired, connected or lost.
    PinScreens {
        /// The screens of the counter.
        screens: PinScreenList,
    },
}
