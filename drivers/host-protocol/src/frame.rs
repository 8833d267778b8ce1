//! One message, one line.

use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use zeroize::Zeroizing;

/// The longest line, in bytes and without its newline, that either side accepts.
pub const MAX_LINE: usize = 256 * 1024;

/// A line that is no message. Never carries the line: it can hold a PIN.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum DecodeError {
    /// The line is longer than [`MAX_LINE`].
    #[error("line of {length} bytes is longer than {MAX_LINE}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The line is not a JSON object of a known message.
    #[error("not a message of this protocol (column {column})")]
    Malformed {
        /// The column at which reading stopped.
        column: usize,
    },
}

/// A message that cannot become a line.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum EncodeError {
    /// The message is longer than [`MAX_LINE`].
    #[error("message of {length} bytes is longer than {MAX_LINE}")]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// The message cannot be expressed in JSON.
    #[error("message cannot be expressed in JSON")]
    Inexpressible,
}

/// Reads one line, with or without its newline.
///
/// # Errors
/// See [`DecodeError`]. The caller goes on with the next line.
pub fn decode<M: DeserializeOwned>(line: &[u8]) -> Result<M, DecodeError> {
    if line.len() > MAX_LINE + 1 {
        return Err(DecodeError::TooLong { length: line.len() });
    }
    serde_json::from_slice(line).map_err(|error| DecodeError::Malformed {
        column: error.column(),
    })
}

/// Writes one message as a line that ends in a newline; the buffer is erased when dropped.
///
/// # Errors
/// See [`EncodeError`].
pub fn encode<M: Serialize>(message: &M) -> Result<Zeroizing<Vec<u8>>, EncodeError> {
    // Room for any ordinary message, so that no unerased copy is left behind by growing.
    let mut line = Zeroizing::new(Vec::with_capacity(16 * 1024));
    serde_json::to_writer(&mut *line, message).map_err(|_error| EncodeError::Inexpressible)?;
    if line.len() > MAX_LINE {
        return Err(EncodeError::TooLong { length: line.len() });
    }
    line.push(b'\n');
    Ok(line)
}
