//! What surrounds a reader's thread: everything that it shares with the watcher and its supervisor.

use std::sync::Arc;

use device_api::Clock;

use crate::{activity::Activity, board::Board, watcher::Refresher};

/// What a reader's thread shares with the others.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Where the watcher hangs what it sees.
    pub board: Arc<Board>,
    /// Makes the watcher look again.
    pub refresher: Refresher,
    /// Where this reader's thread says what it is doing.
    pub activity: Arc<Activity>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}
