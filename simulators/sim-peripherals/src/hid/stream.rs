//! HID over a stream of bytes: how a simulated HID device is reached where there is no kernel for it.
//!
//! Written from the description at the head of `drivers/link/src/hid_stream.rs` alone.
//! A message is one byte of kind, two bytes of length (big-endian), and that many bytes. Reports carry
//! their report id as the first byte where the descriptor has ids.
//!
//! | kind | from | content |
//! |---|---|---|
//! | `D` | device, once, first | the report descriptor |
//! | `I` | device | an input report |
//! | `O` | host | an output report; not answered |
//! | `G` | host | the id of a feature report that is wanted |
//! | `S` | host | a feature report |
//! | `A` | device, to `G` and `S`, in order | the report, or nothing |
//! | `R` | device, instead of `A` | nothing: there is no such report |

use std::io;

use crate::line::Line;

/// What a host asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    /// For a feature report.
    Get(u8),
    /// To take a feature report.
    Set(Vec<u8>),
    /// To take an output report.
    Output(Vec<u8>),
}

/// What the device says at first.
pub(crate) fn descriptor(descriptor: &[u8]) -> Vec<u8> {
    message(b'D', descriptor)
}

/// An input report.
pub(crate) fn input(report: &[u8]) -> Vec<u8> {
    message(b'I', report)
}

/// The answer to [`Request::Get`].
pub(crate) fn feature(report: Option<&[u8]>) -> Vec<u8> {
    report.map_or_else(|| message(b'R', &[]), |report| message(b'A', report))
}

/// The answer to [`Request::Set`].
pub(crate) fn taken(taken: bool) -> Vec<u8> {
    message(if taken { b'A' } else { b'R' }, &[])
}

/// Waits for the next request; none at the end of the connection.
pub(crate) fn request(line: &Line) -> io::Result<Option<Request>> {
    let mut head = [0; 3];
    if !fill(line, &mut head)? {
        return Ok(None);
    }
    let [kind, high, low] = head;
    let mut content = vec![0; usize::from(u16::from_be_bytes([high, low]))];
    if !fill(line, &mut content)? {
        return Ok(None);
    }
    match (kind, content.as_slice()) {
        (b'G', [id]) => Ok(Some(Request::Get(*id))),
        (b'S', [_, ..]) => Ok(Some(Request::Set(content))),
        (b'O', [_, ..]) => Ok(Some(Request::Output(content))),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Fills the buffer; `false` where the connection ends before.
fn fill(line: &Line, mut buffer: &mut [u8]) -> io::Result<bool> {
    while !buffer.is_empty() {
        let length = line.read(buffer)?;
        if length == 0 {
            return Ok(false);
        }
        buffer = buffer.get_mut(length..).unwrap_or_default();
    }
    Ok(true)
}

/// No report of a HID device is longer than 65,535 bytes; what were longer would be cut.
fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap_or(u16::MAX);
    let mut message = vec![kind];
    message.extend_from_slice(&length.to_be_bytes());
    message.extend(content.iter().take(usize::from(length)));
    message
}
