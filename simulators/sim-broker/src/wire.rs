//! Packets of MQTT 3.1.1 as bytes, both ways, as far as a broker needs them; no I/O.
//!
//! Clauses in brackets, such as `[MQTT-3.1.2-3]`, are those of the OASIS Standard "MQTT Version 3.1.1" of
//! 29 October 2014; section numbers without brackets too.

use thiserror::Error;

mod connect;
mod reader;

pub(crate) use connect::{Connect, Will};
use reader::Reader;

/// The largest packet that is accepted; section 2.2.3 would allow 256 MiB.
const LARGEST: usize = 1024 * 1024;

/// What a client may say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Packet {
    Connect(Connect),
    Publish(Publish),
    PubAck {
        id: u16,
    },
    Subscribe {
        id: u16,
        /// Filters with the quality of service asked for.
        filters: Vec<(String, u8)>,
    },
    Unsubscribe {
        id: u16,
        filters: Vec<String>,
    },
    PingReq,
    Disconnect,
}

/// Section 3.3, in both directions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) duplicate: bool,
    pub(crate) retain: bool,
    pub(crate) topic: String,
    /// Present for quality of service 1, absent for 0 [MQTT-2.3.1-5].
    pub(crate) id: Option<u16>,
    pub(crate) payload: Vec<u8>,
}

/// Return codes of section 3.2.2.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectCode {
    Accepted,
    UnacceptableProtocol,
    IdentifierRejected,
    Other(u8),
}

impl ConnectCode {
    const fn byte(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::UnacceptableProtocol => 1,
            Self::IdentifierRejected => 2,
            Self::Other(code) => code,
        }
    }
}

/// Why bytes are no packet of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Malformed {
    #[error("the remaining length has more than four bytes")]
    Length,
    #[error("the packet is larger than the broker takes")]
    TooLarge,
    #[error("the packet ends too early")]
    Short,
    #[error("bytes are left over")]
    LeftOver,
    #[error("a string is no text of MQTT")]
    Text,
    #[error("a packet identifier is zero")]
    Identifier,
    #[error("flags that are reserved or contradict each other")]
    Flags,
    #[error("quality of service 2 is not spoken, 3 does not exist")]
    Quality,
    #[error("no filter")]
    NoFilter,
    #[error("the protocol is not MQTT")]
    Protocol,
    #[error("no packet type that a client sends")]
    Type,
}

/// Takes the first packet off `bytes`: the packet and its length, or nothing while it is not complete.
pub(crate) fn decode(bytes: &[u8]) -> Result<Option<(Packet, usize)>, Malformed> {
    let Some((first, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    let Some((length, taken)) = remaining_length(rest)? else {
        return Ok(None);
    };
    if length > LARGEST {
        return Err(Malformed::TooLarge);
    }
    let head = 1 + taken;
    let Some(body) = bytes.get(head..head + length) else {
        return Ok(None);
    };
    let packet = body_of(*first, Reader::new(body))?;
    Ok(Some((packet, head + length)))
}

fn body_of(first: u8, mut body: Reader<'_>) -> Result<Packet, Malformed> {
    // Section 2.2.2: flags other than those of PUBLISH are fixed.
    let packet = match (first >> 4, first & 0x0F) {
        (1, 0) => Packet::Connect(Connect::read(&mut body)?),
        (3, flags) => Packet::Publish(publish(flags, &mut body)?),
        (4, 0) => Packet::PubAck { id: body.id()? },
        (8, 2) => subscribe(&mut body)?,
        (10, 2) => unsubscribe(&mut body)?,
        (12, 0) => Packet::PingReq,
        (14, 0) => Packet::Disconnect,
        (1 | 4 | 8 | 10 | 12 | 14, _) => return Err(Malformed::Flags),
        _ => return Err(Malformed::Type),
    };
    // A CONNECT of another version is not read to its end.
    if body.is_empty() || matches!(&packet, Packet::Connect(connect) if connect.level != 4) {
        Ok(packet)
    } else {
        Err(Malformed::LeftOver)
    }
}

fn publish(flags: u8, body: &mut Reader<'_>) -> Result<Publish, Malformed> {
    let duplicate = flags & 0b1000 != 0;
    let quality = (flags >> 1) & 0b11;
    // [MQTT-3.3.1-2]: DUP is 0 for quality of service 0.
    if quality == 0 && duplicate {
        return Err(Malformed::Flags);
    }
    if quality > 1 {
        return Err(Malformed::Quality);
    }
    let topic = body.text()?;
    // [MQTT-3.3.2-2]: no wildcards; [MQTT-4.7.3-1]: not empty.
    if topic.is_empty() || topic.contains(['+', '#']) {
        return Err(Malformed::Text);
    }
    let id = if quality == 1 { Some(body.id()?) } else { None };
    Ok(Publish {
        duplicate,
        retain: flags & 1 != 0,
        topic,
        id,
        payload: body.rest().to_vec(),
    })
}

fn subscribe(body: &mut Reader<'_>) -> Result<Packet, Malformed> {
    let id = body.id()?;
    let mut filters = Vec::new();
    while !body.is_empty() {
        let filter = body.text()?;
        let quality = body.byte()?;
        // [MQTT-3.8.3-4]: the upper six bits are reserved.
        if quality > 2 {
            return Err(Malformed::Flags);
        }
        filters.push((filter, quality));
    }
    // [MQTT-3.8.3-3].
    if filters.is_empty() {
        return Err(Malformed::NoFilter);
    }
    Ok(Packet::Subscribe { id, filters })
}

fn unsubscribe(body: &mut Reader<'_>) -> Result<Packet, Malformed> {
    let id = body.id()?;
    let mut filters = Vec::new();
    while !body.is_empty() {
        filters.push(body.text()?);
    }
    // [MQTT-3.10.3-2].
    if filters.is_empty() {
        return Err(Malformed::NoFilter);
    }
    Ok(Packet::Unsubscribe { id, filters })
}

/// Section 2.2.3: seven bits a byte, the least significant first, at most four bytes.
fn remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut value = 0_usize;
    for at in 0..4 {
        let Some(byte) = bytes.get(at) else {
            return Ok(None);
        };
        value |= usize::from(byte & 0x7F) << (7 * at);
        if byte & 0x80 == 0 {
            return Ok(Some((value, at + 1)));
        }
    }
    Err(Malformed::Length)
}

/// Section 3.2.
pub(crate) fn connack(session_present: bool, code: ConnectCode) -> Vec<u8> {
    // [MQTT-3.2.2-4]: no session is present in a refusal.
    let present = session_present && code == ConnectCode::Accepted;
    vec![0x20, 2, u8::from(present), code.byte()]
}

/// Section 3.4.
pub(crate) fn puback(id: u16) -> Vec<u8> {
    packet(0x40, &[&id.to_be_bytes()])
}

/// Section 3.9; the quality of service granted, or 0x80 for a failure.
pub(crate) fn suback(id: u16, granted: &[u8]) -> Vec<u8> {
    packet(0x90, &[&id.to_be_bytes(), granted])
}

/// Section 3.11.
pub(crate) fn unsuback(id: u16) -> Vec<u8> {
    packet(0xB0, &[&id.to_be_bytes()])
}

/// Section 3.13.
pub(crate) fn pingresp() -> Vec<u8> {
    packet(0xD0, &[])
}

/// Section 3.3.
pub(crate) fn publish_bytes(publish: &Publish) -> Vec<u8> {
    let flags = u8::from(publish.duplicate) << 3
        | u8::from(publish.id.is_some()) << 1
        | u8::from(publish.retain);
    let topic = publish.topic.as_bytes();
    // A topic came in a packet, where its length had two bytes, or from a test.
    let length = u16::try_from(topic.len()).unwrap_or(u16::MAX).to_be_bytes();
    let id = publish.id.map(u16::to_be_bytes);
    let id: &[u8] = id.as_ref().map_or(&[], |id| id);
    packet(0x30 | flags, &[&length, topic, id, &publish.payload])
}

fn packet(first: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut left: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(left + 5);
    bytes.push(first);
    loop {
        let [low, ..] = (left & 0x7F).to_le_bytes();
        left >>= 7;
        bytes.push(if left > 0 { low | 0x80 } else { low });
        if left == 0 {
            break;
        }
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests;
