//! Answers of the card and the status words it uses.
//!
//! The words are those of ISO/IEC 7816-4, 5.6 and JICSAP, table 3; which case gets which word was
//! measured by `myna-card` unless the place that uses it says otherwise.

/// A status word SW1 SW2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u16);

impl Status {
    pub(crate) const OK: Self = Self(0x9000);
    /// End of file reached before the expected number of bytes.
    pub(crate) const END_OF_FILE: Self = Self(0x6282);
    /// Writing to memory failed.
    pub(crate) const MEMORY_FAILURE: Self = Self(0x6581);
    pub(crate) const WRONG_LENGTH: Self = Self(0x6700);
    pub(crate) const CHANNEL_NOT_SUPPORTED: Self = Self(0x6881);
    pub(crate) const SECURE_MESSAGING_NOT_SUPPORTED: Self = Self(0x6882);
    /// The command does not fit the structure of the file.
    pub(crate) const FILE_STRUCTURE: Self = Self(0x6981);
    pub(crate) const SECURITY_STATUS: Self = Self(0x6982);
    pub(crate) const BLOCKED: Self = Self(0x6984);
    pub(crate) const CONDITIONS_OF_USE: Self = Self(0x6985);
    pub(crate) const NO_CURRENT_FILE: Self = Self(0x6986);
    pub(crate) const FUNCTION_NOT_SUPPORTED: Self = Self(0x6A81);
    pub(crate) const NOT_FOUND: Self = Self(0x6A82);
    pub(crate) const RECORD_NOT_FOUND: Self = Self(0x6A83);
    pub(crate) const WRONG_PARAMETERS: Self = Self(0x6A86);
    pub(crate) const REFERENCE_NOT_FOUND: Self = Self(0x6A88);
    pub(crate) const WRONG_OFFSET: Self = Self(0x6B00);
    pub(crate) const UNKNOWN_INSTRUCTION: Self = Self(0x6D00);
    pub(crate) const UNKNOWN_CLASS: Self = Self(0x6E00);
    pub(crate) const NO_DIAGNOSIS: Self = Self(0x6F00);

    /// A mismatch with this many tries left, or the answer to the question how many are left.
    pub(crate) const fn tries_left(tries: u8) -> Self {
        let low = if tries > 15 { 15 } else { tries };
        Self(u16::from_be_bytes([0x63, 0xC0 | low]))
    }
}

/// Data and status word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    data: Vec<u8>,
    status: Status,
}

impl Answer {
    /// Success without data.
    pub(crate) const fn done() -> Self {
        Self {
            data: Vec::new(),
            status: Status::OK,
        }
    }

    /// Success with data.
    pub(crate) const fn with(data: Vec<u8>) -> Self {
        Self {
            data,
            status: Status::OK,
        }
    }

    /// Data that end before what was expected.
    pub(crate) const fn cut_short(data: Vec<u8>) -> Self {
        Self {
            data,
            status: Status::END_OF_FILE,
        }
    }

    /// As it goes over the wire.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let mut bytes = self.data;
        bytes.extend_from_slice(&self.status.0.to_be_bytes());
        bytes
    }
}

impl From<Status> for Answer {
    fn from(status: Status) -> Self {
        Self {
            data: Vec::new(),
            status,
        }
    }
}
