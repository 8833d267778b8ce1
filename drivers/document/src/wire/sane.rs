//! The SANE network protocol, version 3.
//!
//! Source: the SANE standard 1.06, clause 5 "Network Protocol"; the width and order of every field was
//! compared with what `saned` 1.2.1 sends.
//! A message has no length of its own, so a decoder says [`Incomplete`](crate::wire::WireError::Incomplete) until all has come.
//!
//! | module | has |
//! |---|---|
//! | [`words`] | words, strings and arrays |
//! | [`request`] | what a client asks |
//! | [`reply`] | what the server answers |
//! | [`option`] | what can be set, and to what |
//! | [`records`] | the data connection |

pub mod option;
pub mod records;
pub mod reply;
pub mod request;
pub mod words;

/// The port of the control connection (IANA: sane-port).
pub const PORT: u16 = 6566;

/// Version 1.0, network protocol 3.
pub const VERSION: u32 = 0x0100_0003;

/// What became of a request: the standard's `SANE_Status`, clause 4.2.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Done.
    Good,
    /// The backend cannot do this.
    Unsupported,
    /// Cancelled.
    Cancelled,
    /// Somebody else uses the scanner.
    DeviceBusy,
    /// A value or the state does not allow it.
    Inval,
    /// No more data.
    Eof,
    /// Paper jam.
    Jammed,
    /// The feeder is empty.
    NoDocs,
    /// The cover is open.
    CoverOpen,
    /// Communication with the scanner failed.
    IoError,
    /// The server lacks memory.
    NoMem,
    /// Not allowed.
    AccessDenied,
    /// A number that the standard does not know.
    Unknown(u32),
}

impl Status {
    /// The status of this number.
    #[must_use]
    pub const fn from_word(word: u32) -> Self {
        match word {
            0 => Self::Good,
            1 => Self::Unsupported,
            2 => Self::Cancelled,
            3 => Self::DeviceBusy,
            4 => Self::Inval,
            5 => Self::Eof,
            6 => Self::Jammed,
            7 => Self::NoDocs,
            8 => Self::CoverOpen,
            9 => Self::IoError,
            10 => Self::NoMem,
            11 => Self::AccessDenied,
            other => Self::Unknown(other),
        }
    }
}
