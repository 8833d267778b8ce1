//! Tickets and receipts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::secret::SecretText;

/// One thing on a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum TicketElement {
    /// Text; long lines are broken.
    Text {
        /// The text.
        text: SecretText,
        /// Height of a character in tenths of a millimetre, 20 to 400.
        size: u32,
        /// Whether it is bold.
        #[serde(default)]
        bold: bool,
        /// Where it stands.
        #[serde(default)]
        align: Align,
    },
    /// The number, as large as fits.
    Number {
        /// The number.
        text: SecretText,
    },
    /// A line across the paper.
    Rule {},
    /// Empty paper.
    Space {
        /// In tenths of a millimetre.
        height: u32,
    },
    /// A QR code, error correction level M.
    Qr {
        /// What it says.
        text: SecretText,
        /// Width of a module in tenths of a millimetre, 2 to 20.
        module: u32,
    },
    /// A picture that was handed in by `POST /v1/documents`, a PNG; it is made black and white.
    Picture {
        /// The document; this job uses it up.
        document: String,
    },
}

/// Where text stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Align {
    /// At the left.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right.
    Right,
}

/// What became of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrintedTicket {
    /// The ticket.
    pub ticket: String,
    /// Whether it is printed.
    pub state: TicketState,
    /// How the printer proved that its paper came out; absent where a person said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// How many papers have been ordered from the printer: without the mark 再発行, and with it.
    pub papers: [u32; 2],
}

/// Whether a ticket is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum TicketState {
    /// Its paper came out.
    Printed,
    /// Nobody knows.
    Unknown,
}

/// How a printer proves that paper came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Confidence {
    /// The printer answered the number of the job, which it does after its last line.
    Confirmed,
    /// The printer was well before and after; it has no such answer.
    Presumed,
}

/// A ticket of which nobody knows whether it came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnknownTicket {
    /// The ticket.
    pub ticket: String,
    /// Why nobody knows.
    pub reason: UnknownReason,
    /// When it was ordered, in milliseconds since 1970-01-01T00:00:00Z.
    pub ordered_at: u64,
}

/// Why nobody knows whether a ticket came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum UnknownReason {
    /// Nothing had been sent when the program ended: no paper can have come out.
    NeverSent,
    /// The program or the power ended in the middle.
    Interrupted,
    /// The printer did not answer any more.
    Silent,
    /// The printer reported an error in the middle.
    PrinterError,
}
