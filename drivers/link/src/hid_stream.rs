//! Reports over a TCP connection, for HID devices that are simulated on machines whose kernel has no HID.
//!
//! Only to this machine itself: an address that is not of the loopback is refused, because whoever answers
//! there is believed to be a device.
//!
//! # The wire
//! Both sides send messages: one byte of kind, two bytes of length (big-endian), and that many bytes.
//!
//! | kind | from | bytes |
//! |---|---|---|
//! | `D` 44h | device, once, first | the report descriptor |
//! | `I` 49h | device | an input report |
//! | `O` 4Fh | host | an output report |
//! | `G` 47h | host | the id of a feature report that is wanted, one byte |
//! | `S` 53h | host | a feature report to be taken, its id first |
//! | `A` 41h | device, to `G` and `S`, in order | to `G` the report, its id first; to `S` nothing |
//! | `R` 52h | device, instead of `A` | nothing: there is no such report |
//!
//! Input and output reports begin with their id where the descriptor numbers reports.
//! A device leaves by closing the connection. A message of another kind, or an answer that nobody asked
//! for, means that this is no such device: the link is gone.

mod message;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use device_api::{Clock, Deadline};

use crate::tcp::{self, TcpLink};
use crate::wire::{self, Way};
use crate::{Frame, Interrupter, Link, LinkError, ReportLink};

use message::{Incoming, Kind, LONGEST};

const NAME: &str = "hid stream";

/// Connects to a simulated device, and waits until it has told its descriptor.
///
/// # Errors
/// [`LinkError::Denied`] for an address of another machine, [`LinkError::Malformed`] where something else
/// answers; else as [`tcp::connect`].
pub fn connect(
    address: SocketAddr,
    deadline: Deadline,
    clock: Arc<dyn Clock>,
) -> Result<HidStreamLink, LinkError> {
    if !address.ip().is_loopback() {
        return Err(LinkError::Denied);
    }
    let mut link = HidStreamLink {
        stream: tcp::connect(address, deadline, clock)?,
        incoming: Incoming::default(),
        reports: VecDeque::new(),
        descriptor: Vec::new(),
        stale_answers: 0,
        gone: false,
    };
    match link.next(deadline)? {
        (Kind::Descriptor, bytes) => link.descriptor = bytes.bytes().to_vec(),
        _ => return Err(malformed()),
    }
    Ok(link)
}

/// A link to one simulated HID device.
#[derive(Debug)]
pub struct HidStreamLink {
    stream: TcpLink,
    incoming: Incoming,
    /// Input reports that came while an answer was waited for.
    reports: VecDeque<Frame>,
    descriptor: Vec<u8>,
    /// Answers that are still to come to questions whose deadline has passed.
    stale_answers: usize,
    gone: bool,
}

/// More reports than this wait for nobody: the oldest is dropped, as a kernel's queue does.
const MOST_WAITING: usize = 64;

impl HidStreamLink {
    /// The next message.
    fn next(&mut self, deadline: Deadline) -> Result<(Kind, Frame), LinkError> {
        if self.gone {
            return Err(LinkError::Gone);
        }
        loop {
            match self.incoming.next() {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {}
                Err(_not_one) => return Err(self.end(malformed())),
            }
            match self.stream.receive(deadline) {
                Ok(bytes) => self.incoming.add(bytes.bytes()),
                Err(LinkError::Gone) => return Err(self.end(LinkError::Gone)),
                Err(error) => return Err(error),
            }
        }
    }

    fn send_message(
        &mut self,
        kind: Kind,
        frame: &Frame,
        deadline: Deadline,
    ) -> Result<(), LinkError> {
        if self.gone {
            return Err(LinkError::Gone);
        }
        if frame.bytes().len() > LONGEST {
            return Err(malformed());
        }
        let message = frame.with_bytes(message::encode(kind, frame.bytes()));
        match self.stream.send(&message, deadline) {
            Ok(()) => Ok(()),
            // Half a message leaves the stream without bounds: it cannot be used on.
            Err(_unfinished) => Err(self.end(LinkError::Gone)),
        }
    }

    /// The answer to what was just asked; reports that come before it are kept, and interruptions, which end
    /// receptions alone, are left to the next of those.
    fn answer(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let mut interruptions = 0;
        let answer = loop {
            match self.next(deadline) {
                Ok((Kind::Input, frame)) => self.keep(frame),
                Ok((Kind::Answer | Kind::Refusal, _)) if self.stale_answers > 0 => {
                    self.stale_answers -= 1;
                }
                Ok((Kind::Answer, frame)) => break Ok(frame),
                Ok((Kind::Refusal, _)) => break Err(malformed()),
                Ok((Kind::Descriptor | Kind::Output | Kind::WantFeature | Kind::SetFeature, _)) => {
                    break Err(self.end(malformed()));
                }
                Err(LinkError::Interrupted) => interruptions += 1,
                Err(LinkError::TimedOut) => {
                    self.stale_answers += 1;
                    break Err(LinkError::TimedOut);
                }
                Err(error) => break Err(error),
            }
        };
        for _interruption in 0..interruptions {
            self.stream.interrupter().interrupt();
        }
        answer
    }

    fn keep(&mut self, report: Frame) {
        if self.reports.len() == MOST_WAITING {
            self.reports.pop_front();
        }
        self.reports.push_back(report);
    }

    fn end(&mut self, error: LinkError) -> LinkError {
        self.gone = true;
        error
    }
}

impl Link for HidStreamLink {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.send_message(Kind::Output, frame, deadline)?;
        wire::note(NAME, Way::Out, frame);
        Ok(())
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        if let Some(report) = self.reports.pop_front() {
            return Ok(report);
        }
        loop {
            let (kind, frame) = self.next(deadline)?;
            match kind {
                Kind::Input => {
                    wire::note(NAME, Way::In, &frame);
                    return Ok(frame);
                }
                Kind::Answer | Kind::Refusal if self.stale_answers > 0 => self.stale_answers -= 1,
                Kind::Descriptor
                | Kind::Output
                | Kind::WantFeature
                | Kind::SetFeature
                | Kind::Answer
                | Kind::Refusal => return Err(self.end(malformed())),
            }
        }
    }

    fn interrupter(&self) -> Interrupter {
        self.stream.interrupter()
    }
}

impl ReportLink for HidStreamLink {
    fn descriptor(&self) -> &[u8] {
        &self.descriptor
    }

    fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        self.send_message(Kind::WantFeature, &Frame::plain([report]), deadline)?;
        let frame = self.answer(deadline)?;
        wire::note(NAME, Way::FeatureIn, &frame);
        Ok(frame)
    }

    fn set_feature(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.send_message(Kind::SetFeature, frame, deadline)?;
        self.answer(deadline)?;
        wire::note(NAME, Way::FeatureOut, frame);
        Ok(())
    }
}

const fn malformed() -> LinkError {
    LinkError::Malformed {
        attempted: "speaking with a simulated HID device",
    }
}
