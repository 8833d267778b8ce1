//! The wire between the virtual reader `vpcd` and a card, which is the TCP client.
//!
//! Every message in both directions is a `u16` length, big-endian, and that many bytes.
//! From the reader, one byte is a control message (00 off, 01 on, 02 reset, 04 answer to reset wanted)
//! and more than one byte is a command APDU; only the last two are answered.
//! Source: documentation and source text of the open-source project vsmartcard.
//!
//! Invariant: an answer is never empty, because the reader would wait for its zero bytes for ever.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use thiserror::Error;

use crate::platform;

/// A message from the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Power removed.
    PowerOff,
    /// Power applied.
    PowerOn,
    /// Warm reset.
    Reset,
    /// The reader wants the answer to reset; it also asks in order to see whether a card is there.
    AtrWanted,
    /// A command APDU.
    Command(Vec<u8>),
}

/// Why the wire cannot be used any more.
#[derive(Debug, Error)]
pub enum WireError {
    /// The other side closed the connection, or it broke.
    #[error("the connection to the reader ended")]
    Ended(#[source] io::Error),
    /// The reader sent something that the protocol does not know.
    #[error("the reader sent an unknown control message {0:02X}")]
    UnknownControl(u8),
    /// The reader sent a message without content.
    #[error("the reader sent an empty message")]
    Empty,
}

/// One connection to a slot of the virtual reader.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: TcpStream,
}

impl Wire {
    pub(crate) const fn new(stream: TcpStream) -> Self {
        Self { stream }
    }

    /// Waits for the next message.
    pub(crate) fn receive(&mut self) -> Result<Message, WireError> {
        let mut length = [0; 2];
        self.read(&mut length)?;
        let mut payload = vec![0; usize::from(u16::from_be_bytes(length))];
        self.read(&mut payload)?;
        match payload.as_slice() {
            [] => Err(WireError::Empty),
            [0] => Ok(Message::PowerOff),
            [1] => Ok(Message::PowerOn),
            [2] => Ok(Message::Reset),
            [4] => Ok(Message::AtrWanted),
            [other] => Err(WireError::UnknownControl(*other)),
            _ => Ok(Message::Command(payload)),
        }
    }

    /// Answers in one write, because the reader's other side would wait for the second one.
    pub(crate) fn answer(&mut self, answer: &[u8]) -> Result<(), WireError> {
        let whole = u16::try_from(answer.len())
            .ok()
            .filter(|length| *length > 0);
        // Neither nothing nor more than the length field can say: such an answer is a card's mistake.
        let (length, answer) = match whole {
            Some(length) => (length, answer),
            None => (2, &[0x6F, 0x00][..]),
        };
        let mut message = Vec::with_capacity(answer.len() + 2);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(answer);
        self.stream.write_all(&message).map_err(WireError::Ended)
    }

    /// Swallows whatever comes without answering, until the connection ends: a card that hangs.
    pub(crate) fn hang(&mut self) {
        let mut ignored = [0; 256];
        while matches!(self.stream.read(&mut ignored), Ok(length) if length > 0) {}
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<(), WireError> {
        self.stream.read_exact(buffer).map_err(WireError::Ended)?;
        platform::acknowledge_now(&self.stream);
        Ok(())
    }
}
