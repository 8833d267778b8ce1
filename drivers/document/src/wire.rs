//! Codecs of what scanners say. No I/O: bytes in, values out, and back.
//!
//! Invariant: whatever the bytes, nothing here panics, and nothing is allocated that the bytes themselves
//! do not fill.
//!
//! | module | speaks |
//! |---|---|
//! | [`sane`] | the SANE network protocol, control connection and picture data |
//! | [`escl`] | eSCL: capabilities, status and settings in XML |
//! | [`http`] | the part of HTTP/1.1 (RFC 9112) that eSCL needs |

pub mod escl;
pub mod http;
pub mod sane;

use thiserror::Error;

/// Why bytes are not what they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WireError {
    /// The bytes end in the middle; more may come.
    #[error("the message is incomplete")]
    Incomplete,
    /// A count is larger than anything that a scanner has reason to send.
    #[error("{what} exceeds {limit}")]
    Beyond {
        /// What was counted.
        what: &'static str,
        /// The most that is accepted.
        limit: usize,
    },
    /// The bytes cannot be such a thing.
    #[error("malformed {what}")]
    Malformed {
        /// What was expected.
        what: &'static str,
    },
}

/// Shorthand for the commonest complaint.
pub(crate) const fn malformed(what: &'static str) -> WireError {
    WireError::Malformed { what }
}

#[cfg(test)]
mod tests;
