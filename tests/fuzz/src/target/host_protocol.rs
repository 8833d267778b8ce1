//! Lines between the agent and a driver host.
//!
//! Promise: a line is a message or an error; a message that was read is written back as a line that reads as
//! the same message, and no line is longer than the protocol allows.

use std::{fmt::Debug, ops::Deref};

use host_protocol::{
    AgentMessage, DecodeError, EncodeError, HostMessage, MAX_LINE, decode, encode,
};

/// A line from the agent, as a driver host reads it.
pub fn agent_line(line: &[u8]) {
    round_trip(line, decode::<AgentMessage>, encode::<AgentMessage>);
}

/// A line from a driver host, as the agent reads it.
pub fn host_line(line: &[u8]) {
    round_trip(line, decode::<HostMessage>, encode::<HostMessage>);
}

fn round_trip<M, Line>(
    line: &[u8],
    read: impl Fn(&[u8]) -> Result<M, DecodeError>,
    write: impl Fn(&M) -> Result<Line, EncodeError>,
) where
    M: PartialEq + Debug,
    Line: Deref<Target = Vec<u8>>,
{
    let Ok(message) = read(line) else { return };
    match write(&message) {
        Ok(written) => {
            assert!(
                written.len() <= MAX_LINE + 1,
                "a line of {} bytes",
                written.len()
            );
            assert_eq!(
                read(&written),
                Ok(message),
                "a message changed by being written"
            );
        }
        // Control characters grow by being escaped.
        Err(EncodeError::TooLong { .. }) => {}
        Err(EncodeError::Inexpressible) => unreachable!("what was read from JSON is expressible"),
    }
}
