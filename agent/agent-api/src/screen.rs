//! The citizen's PIN screen, as the counter application sees it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Pairs a screen with the counter of the caller's token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PairRequest {
    /// The six digits that the screen shows.
    pub code: String,
}

/// The PIN screens that are paired with the caller's counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinScreenList {
    /// The screens.
    pub screens: Vec<PinScreen>,
    /// Where the screen's page is served, such as `http://127.0.0.1:21711/`.
    pub address: String,
}

/// One PIN screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PinScreen {
    /// The screen.
    pub id: String,
    /// Whether its page is connected now.
    pub connected: bool,
}
