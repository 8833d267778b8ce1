//! The stream of events towards counter applications.

/// A place in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The run of the agent.
    pub run: String,
    /// The sequence number.
    pub seq: u64,
}
