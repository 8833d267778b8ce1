//! One request and its answer over a connection of its own.

use std::time::Duration;

use device_api::Patience;
use zeroize::Zeroizing;

use crate::ScanError;
use crate::connection::Connection;
use crate::output::Buffer;
use crate::wire::http::{Chunks, Head, Length, Method, Url, request};
use crate::wire::{WireError, malformed};

/// How many answers of the kind "going on" may come first.
const INTERIM: usize = 4;

/// What to ask, and how much answer to take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask<'a> {
    /// What shall be done.
    pub(super) method: Method,
    /// With what.
    pub(super) path: &'a str,
    /// The body, for [`Method::Post`].
    pub(super) body: &'a str,
    /// The most bytes of the answer's body.
    pub(super) limit: usize,
    /// What people are told is being done.
    pub(super) attempted: &'static str,
}

/// A service that is asked.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Where it is.
    pub(super) url: Url,
    /// After how long without a sign of life it counts as hung.
    pub(super) silence: Duration,
}

impl Client {
    /// Asks, and takes the answer; `on_part` hears in thousandths how much of it has come, where its size
    /// is known.
    pub(super) fn ask(
        &self,
        ask: Ask<'_>,
        patience: &Patience,
        on_part: &mut dyn FnMut(u16),
    ) -> Result<(Head, Zeroizing<Vec<u8>>), ScanError> {
        let place = (self.url.host.as_str(), self.url.port);
        let mut connection = Connection::open(place, patience, self.silence)?;
        let bytes = request(ask.method, &self.url, ask.path, ask.body);
        connection.write(&bytes, ask.attempted)?;
        let (head, first) = head(&mut connection, ask.attempted)?;
        let mut body = Body {
            length: head.length,
            chunks: Chunks::default(),
            bytes: Buffer::new(ask.limit),
        };
        body.take(&first, ask.attempted)?;
        let mut chunk = Zeroizing::new(vec![0; 64 * 1024]);
        while !body.complete(false) {
            let count = connection.read(&mut chunk, ask.attempted)?;
            if count == 0 {
                if body.complete(true) {
                    break;
                }
                return Err(ScanError::Gone {
                    attempted: ask.attempted,
                });
            }
            body.take(chunk.get(..count).unwrap_or_default(), ask.attempted)?;
            if let Some(part) = body.per_mille() {
                on_part(part);
            }
        }
        Ok((head, Zeroizing::new(body.bytes.take())))
    }
}

/// Reads up to the body; what has come of that is the second.
fn head(
    connection: &mut Connection,
    attempted: &'static str,
) -> Result<(Head, Zeroizing<Vec<u8>>), ScanError> {
    let mut bytes = Zeroizing::new(Vec::new());
    let mut chunk = Zeroizing::new(vec![0; 8 * 1024]);
    let mut interim = 0;
    loop {
        match Head::parse(&bytes) {
            Ok((head, used)) => {
                bytes.drain(..used);
                interim += 1;
                if head.status >= 200 {
                    return Ok((head, bytes));
                }
                if interim > INTERIM {
                    return Err(ScanError::of_wire(malformed("answer"), attempted));
                }
                continue;
            }
            Err(WireError::Incomplete) => {}
            Err(error) => return Err(ScanError::of_wire(error, attempted)),
        }
        let count = connection.read(&mut chunk, attempted)?;
        if count == 0 {
            return Err(ScanError::Gone { attempted });
        }
        bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
    }
}

struct Body {
    length: Length,
    chunks: Chunks,
    bytes: Buffer,
}

impl Body {
    fn take(&mut self, input: &[u8], attempted: &'static str) -> Result<(), ScanError> {
        let bytes = &mut self.bytes;
        match self.length {
            Length::Exactly(length) => {
                let left = length.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                if u64::try_from(input.len()).unwrap_or(u64::MAX) > left {
                    let error = malformed("body longer than announced");
                    return Err(ScanError::of_wire(error, attempted));
                }
                bytes.push(input)
            }
            Length::UntilEnd => bytes.push(input),
            Length::Chunked => {
                let mut failed = None;
                let outcome = self.chunks.feed(input, |data| {
                    bytes.push(data).map_err(|error| {
                        failed = Some(error);
                        malformed("body")
                    })
                });
                match failed {
                    Some(error) => Err(error),
                    None => outcome.map_err(|error| ScanError::of_wire(error, attempted)),
                }
            }
        }
    }

    fn complete(&self, at_end: bool) -> bool {
        match self.length {
            Length::Exactly(length) => u64::try_from(self.bytes.len()).ok() >= Some(length),
            Length::Chunked => self.chunks.ended(),
            Length::UntilEnd => at_end,
        }
    }

    fn per_mille(&self) -> Option<u16> {
        let Length::Exactly(length) = self.length else {
            return None;
        };
        let have = u64::try_from(self.bytes.len()).ok()?;
        u16::try_from(have.checked_mul(1000)? / length.max(1)).ok()
    }
}
