//! The WebSocket between the agent and its own PIN page, `GET /pin/events` on the PIN listener.
//!
//! The page belongs to the agent, is served from the agent's own origin, and talks to nobody else.
//! ```text
//! page  -> register                       agent -> pairing(code) ... paired   or   paired at once
//! agent -> ask                            page  -> secret | decline
//! agent -> show, ink                       page  -> act
//! agent -> idle                           whenever no question is open
//! ```

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::item::{Act, InkSample, ToShow};
use crate::secret::SecretText;

/// What the page says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum ScreenMessage {
    /// The first message. Without a key the screen is new and must be paired.
    Register {
        /// The key that `paired` gave earlier.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<SecretText>,
    },
    /// The citizen typed the PIN.
    Secret {
        /// The job.
        job: String,
        /// The question.
        ask: u32,
        /// Digits, ASCII.
        value: SecretText,
    },
    /// The citizen declined.
    Decline {
        /// The job.
        job: String,
        /// The question.
        ask: u32,
    },
    /// What the citizen did with the document that is shown.
    Act {
        /// The job.
        job: String,
        /// What.
        act: Act,
    },
}

/// What the agent says to the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum ScreenInstruction {
    /// Show this code until staff have entered it at the counter.
    Pairing {
        /// Six digits.
        code: String,
    },
    /// Show a page of a document that is to be signed.
    Show {
        /// The job.
        job: String,
        /// The word that the clerk's page shows too.
        word: String,
        /// The page.
        page: Box<ToShow>,
    },
    /// Draw what the pen did, where a tablet feels it and not this page.
    Ink {
        /// The job.
        job: String,
        /// The samples.
        samples: Vec<InkSample>,
    },
    /// The screen belongs to a counter.
    Paired {
        /// To be kept by the page and sent with the next `register`; absent where the page has it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<SecretText>,
        /// The counter.
        counter: String,
    },
    /// Nothing is asked.
    Idle {
        /// Why the last question closed: `entered`, `cancelled`, `wrong`, or absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<String>,
    },
    /// Ask the citizen for the PIN.
    Ask {
        /// The job.
        job: String,
        /// The question.
        ask: u32,
        /// The word that the clerk's page shows too.
        word: String,
        /// Tries left.
        // Renamed by hand, because the schema generator overlooks `rename_all_fields`.
        #[serde(rename = "triesLeft")]
        tries_left: u8,
        /// Whether the one try left may be spent, as staff allowed.
        #[serde(rename = "lastTry")]
        last_try: bool,
        /// Which digit each key carries, from the top left, row by row, the tenth at the bottom.
        keys: Vec<u8>,
    },
}
