//! The one shape of every refusal and every failed job.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What went wrong, for the program and for people. Codes: `docs/errors.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorBody {
    /// The stable code, such as `CRD-REMOVED`.
    pub code: String,
    /// The layer that failed: `door`, `agent`, `service`, `device`, `card`, `pin`, `content` or `person`.
    pub layer: String,
    /// One sentence: what happened.
    pub message: Bilingual,
    /// One sentence: what to do next.
    pub next: Bilingual,
    /// Whether doing the same again can help: `now`, `later` or `never`.
    pub retry: String,
    /// Finds the agent's own log of this request or job.
    pub request_id: String,
    /// For faults of a PIN: how many tries the card has left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tries_left: Option<u8>,
    /// For refused input: which part is wrong, in words that repeat none of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One sentence in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}
