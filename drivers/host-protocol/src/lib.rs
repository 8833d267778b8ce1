//! The protocol between the agent and a driver host, version 1.
//!
//! A driver host is a child process of the agent that serves devices; it may be killed at any moment.
//! The two exchange JSON objects, one a line, UTF-8, each line at most [`MAX_LINE`] bytes: the agent
//! writes to the host's standard input and reads its standard output.
//! Standard error is the host's log, and carries no protocol.
//! The protocol is small so that a vendor can speak it from any language; `docs/protocol/driver-host.md`
//! is its specification.
//!
//! ```text
//! host  -> hello                     once, first
//! agent -> welcome                   once, chooses the version
//! host  -> devices                   whenever the list or a state changes: always the whole list
//! agent -> start(id)                 host -> accepted(id)
//!                                    host -> progress(id) ...
//! agent -> part(id, attachment) ...  what the task names as an attachment
//!                                    host -> ask(id, n)      agent -> answer(id, n)
//!                                    host -> part(id, attachment) ...
//!                                    host -> item(id, n)     agent -> received(id, n)
//! agent -> act(id)                   what the citizen did on the screen that the agent shows
//! agent -> cancel(id)                at any time
//!                                    host -> finished(id)    exactly once for each start
//! agent -> ping(n)                   host -> pong(n)
//! end of input                       host ends its jobs, releases its devices and exits with 0
//! ```
//!
//! Invariants: a job has exactly one `finished`; a secret travels once and only towards the host;
//! nothing in `devices`, `progress` or a fault's `detail` says anything about a citizen.

mod bytes;
mod desk;
mod frame;
mod item;
mod lines;
mod message;
mod paper;
mod pen;
mod scan;
mod secret_text;
pub mod settings;
mod ticket;
mod work;

pub use bytes::SecretBytes;
pub use desk::{CharacterNotice, HandedOver, Named, Typed};

pub use frame::{DecodeError, EncodeError, MAX_LINE, decode, encode};
pub use item::{Act, Item};
pub use lines::{Line, LineReader};
pub use message::{
    AgentMessage, Answer, Capabilities, DeviceDescription, DeviceState, HostFault, HostMessage,
    HostName, Make, Outcome, Pen, Question, ServiceState, Step,
};
pub use paper::{
    Attachment, Colour, DocumentFormat, PageFacts, ScanOrder, ScannedDocument, Source,
};
pub use pen::{
    Area, Calibration, InkDevice, InkSample, SampleClock, ShownPage, SignOrder, Signature, ToShow,
};
pub use scan::{Gs1Element, PreApplication, Scan, ScanCount, TextRule};
pub use secret_text::SecretText;
pub use ticket::{
    Align, Confidence, PrintedTicket, StoredTicket, TicketElement, TicketState, UnknownReason,
};
pub use work::{
    AttributeName, Attributes, Authenticity, CardFacts, Credential, Field, NoticeKind, Product,
    Reading, Task, TextNotice, Verdict,
};

/// The version of the protocol that this crate speaks.
pub const PROTOCOL_VERSION: u32 = 1;
