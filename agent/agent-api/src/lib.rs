//! The versioned wire types of the agent's local API, version 1.
//!
//! These types are the whole serialisable surface of the agent towards pages and native clients.
//! They carry no rules: what may happen is decided in `agent-core`, how it is refused in `agentd`.
//!
//! | module | speaks of |
//! |---|---|
//! | [`hello`] | who answers, and the proof of it |
//! | [`error`] | the one shape of every refusal |
//! | [`token`] | the claims of a counter token, and nonces |
//! | [`device`] | devices and their state |
//! | [`lease`] | exclusive use |
//! | [`job`] | what is asked, how it goes, what comes out |
//! | [`scan`], [`signature`], [`ticket`], [`document`], [`desk`] | what the jobs of each class of device take and give |
//! | [`item`] | what comes of a job before its end |
//! | [`screen`] | the citizen's PIN screen |
//! | [`event`] | the WebSocket of the counter application |
//! | [`pin_screen`] | the WebSocket of the PIN screen |
//!
//! Reading refuses unknown fields everywhere, so that a misspelt option is an error and not ignored.

pub mod desk;
pub mod device;
pub mod document;
pub mod error;
pub mod event;
pub mod hello;
pub mod item;
pub mod job;
pub mod lease;
pub mod pin_screen;
pub mod scan;
pub mod screen;
pub mod secret;
pub mod signature;
pub mod ticket;
pub mod token;

/// The version of the API, as in the path prefix `/v1`.
pub const API_VERSION: u32 = 1;

/// The header that every request with an effect carries, so that a browser must ask before sending it.
pub const REQUEST_HEADER: &str = "x-madoguchi";
