//! Jobs since the last such message: how many of each task, how they ended, how long they took.
//!
//! Never what was read, printed or signed, never for whom and by whom.

use serde::{Deserialize, Serialize};

use crate::name::Word;

/// Jobs since the last such message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobCounts {
    /// Over how many seconds.
    pub seconds: u32,
    /// For each task and outcome that came.
    pub jobs: Vec<JobCount>,
}

/// Jobs of one task with one outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobCount {
    /// The task, such as `printTicket`.
    pub task: Word,
    /// How they ended.
    pub outcome: JobOutcome,
    /// The fault, where they failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Word>,
    /// How many.
    pub count: u64,
    /// How long they took together, in milliseconds.
    pub total_millis: u64,
    /// How long the longest took, in milliseconds.
    pub longest_millis: u64,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum JobOutcome {
    /// It did what it should.
    Done,
    /// It failed.
    Failed,
    /// Somebody ended it.
    Cancelled,
}
