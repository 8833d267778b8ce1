//! What the core carries closed: everything of or about a citizen that passes through the agent.
//!
//! Invariant: no `Debug` shows content, and bytes are erased when dropped.

use std::fmt;

use agent_api::item::Item;
use agent_api::job::JobResult;
use agent_api::signature::SigningOrder;
use host_protocol::{Act, Task};
use zeroize::Zeroizing;

/// One closed thing.
pub enum Parcel {
    /// What came out of a job, for the one who asked.
    Result(Box<JobResult>),
    /// What a driver host is to do, as a page asked for it.
    Assignment(Box<Assignment>),
    /// A document.
    Content(Content),
    /// What came of a job before its end.
    Item(Box<Item>),
    /// What a citizen did.
    Act(Box<Act>),
}

/// What a driver host is to do.
#[derive(Debug)]
pub struct Assignment {
    /// The task; its attachments are numbered from 1 in the order of the order's documents, and get their
    /// type and length when the documents are at hand.
    pub task: Task,
    /// For a signature: what is to be made of it.
    pub signing: Option<SigningOrder>,
}

/// A document in memory.
#[derive(Clone)]
pub struct Content {
    /// What it is, such as `application/pdf`.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Content({}, {} bytes)",
            self.media_type,
            self.bytes.len()
        )
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Result(_) => "Parcel::Result(..)",
            Self::Assignment(_) => "Parcel::Assignment(..)",
            Self::Content(_) => "Parcel::Content(..)",
            Self::Item(_) => "Parcel::Item(..)",
            Self::Act(_) => "Parcel::Act(..)",
        })
    }
}
