//! Bytes on their way, with what may be told of them.

use std::fmt;

use zeroize::Zeroizing;

/// What may be told of a frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensitivity {
    /// May stand in a recording and in the log at trace level.
    Plain,
    /// Of or about a citizen: erased when dropped, never written down.
    Personal,
}

/// Bytes that a link sends or received.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    bytes: Zeroizing<Vec<u8>>,
    sensitivity: Sensitivity,
}

impl Frame {
    /// Bytes that may be written down, such as a command.
    #[must_use]
    pub fn plain(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: Zeroizing::new(bytes.into()),
            sensitivity: Sensitivity::Plain,
        }
    }

    /// Bytes of or about a citizen. Everything that a link receives is such until a driver knows better.
    #[must_use]
    pub fn personal(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: Zeroizing::new(bytes.into()),
            sensitivity: Sensitivity::Personal,
        }
    }

    /// Other bytes of the same sensitivity, such as a part of these.
    #[must_use]
    pub fn with_bytes(&self, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: Zeroizing::new(bytes.into()),
            sensitivity: self.sensitivity,
        }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What may be told of them.
    #[must_use]
    pub const fn sensitivity(&self) -> Sensitivity {
        self.sensitivity
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Frame({:?}, {} bytes)",
            self.sensitivity,
            self.bytes.len()
        )
    }
}
