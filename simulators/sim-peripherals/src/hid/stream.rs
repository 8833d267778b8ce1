//! HID over a stream of bytes: how a simulated HID device is reached where there is no kernel for it.
//!
//! A message is its kind (one byte), the length of what follows (two bytes, big-endian), and that.
//! Reports carry their report id as the first byte where the descriptor has ids, as in `hidraw`.
//!
//! | kind | from | content |
//! |---|---|---|
//! | 00 hello | device, first | version 01, vendor and product id (big-endian), name, NUL, serial, NUL, report descriptor |
//! | 01 input | device | an input report |
//! | 02 feature | device | the feature report that was asked for |
//! | 03 done | device | nothing: the report was taken |
//! | 04 refused | device | nothing: the device stalls the request |
//! | 11 get | host | a report id: answered by 02 or 04 |
//! | 12 set | host | a feature report: answered by 03 or 04 |
//! | 13 output | host | an output report: answered by 03 or 04 |
//!
//! Input reports may come between a request and its answer; answers come in the order of requests.

use std::io;

use crate::hid::HidIdentity;
use crate::line::Line;

const HELLO: u8 = 0x00;
const INPUT: u8 = 0x01;
const FEATURE: u8 = 0x02;
const DONE: u8 = 0x03;
const REFUSED: u8 = 0x04;
const GET: u8 = 0x11;
const SET: u8 = 0x12;
const OUTPUT: u8 = 0x13;

const VERSION: u8 = 1;

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
pub(crate) fn hello(identity: &HidIdentity, descriptor: &[u8]) -> Vec<u8> {
    let mut content = vec![VERSION];
    content.extend_from_slice(&identity.vendor.to_be_bytes());
    content.extend_from_slice(&identity.product.to_be_bytes());
    for text in [&identity.name, &identity.serial] {
        content.extend(text.bytes().filter(|byte| *byte != 0));
        content.push(0);
    }
    content.extend_from_slice(descriptor);
    message(HELLO, &content)
}

/// An input report.
pub(crate) fn input(report: &[u8]) -> Vec<u8> {
    message(INPUT, report)
}

/// The answer to [`Request::Get`].
pub(crate) fn feature(report: Option<&[u8]>) -> Vec<u8> {
    report.map_or_else(|| message(REFUSED, &[]), |report| message(FEATURE, report))
}

/// The answer to [`Request::Set`] and [`Request::Output`].
pub(crate) fn taken(taken: bool) -> Vec<u8> {
    message(if taken { DONE } else { REFUSED }, &[])
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
        (GET, [id]) => Ok(Some(Request::Get(*id))),
        (SET, [_, ..]) => Ok(Some(Request::Set(content))),
        (OUTPUT, [_, ..]) => Ok(Some(Request::Output(content))),
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
