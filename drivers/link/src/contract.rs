//! What every link must do, as checks that run on any of them: in memory, over a pseudo-terminal, and on
//! real kernel devices alike.
//!
//! Whoever has a link brings its other end as a [`Peer`] and calls [`check`].
//!
//! | rule | what it demands |
//! |---|---|
//! | deadline | a wait for nothing ends at its deadline with `TimedOut`, and the link works on |
//! | past deadline | what is there is received also when the deadline has passed |
//! | interruption | each one ends one `receive`, the current or the next |
//! | integrity | bytes arrive as they were sent, in order, in both directions; a report is one frame |
//! | idle | a wait for nothing wakes up as seldom as the link promises |
//! | gone | a device that left is `Gone`, in every call, for ever |

use std::fmt;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use device_api::{Clock, Deadline};
use thiserror::Error;

use crate::platform::wake_ups;
use crate::{Frame, Link, LinkError};

/// The other end of a link under test.
pub trait Peer: fmt::Debug {
    /// Sends bytes: a whole input report where the link is of reports.
    fn sends(&mut self, bytes: &[u8]);

    /// What has arrived here, once it is `length` bytes; fewer where they do not come.
    fn arrived(&mut self, length: usize) -> Vec<u8>;

    /// Leaves.
    fn vanishes(&mut self);
}

/// A link under test, and what is true of it.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The link.
    pub link: &'a mut dyn Link,
    /// Its other end.
    pub peer: &'a mut dyn Peer,
    /// By which the link counts.
    pub clock: Arc<dyn Clock>,
    /// What passes it.
    pub traffic: Traffic,
    /// How often it may wake up while it waits for nothing.
    pub wakes: Wakes,
}

/// What passes a link.
#[derive(Debug, Clone)]
pub enum Traffic {
    /// Bytes without bounds between them.
    Stream,
    /// Reports: examples of whole input reports, and of one output report, where it takes any.
    Reports {
        /// Input reports that the device can send.
        input: Vec<Vec<u8>>,
        /// An output report that the device takes.
        output: Option<Vec<u8>>,
    },
}

/// How often a link wakes up while it waits for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wakes {
    /// Never.
    Never,
    /// Once in a slice, because what carries it lets nobody else end a wait.
    EachSlice(Duration),
}

/// A rule that does not hold.
#[derive(Debug, Error)]
#[error("{rule}: {what}")]
pub struct Violation {
    /// Which.
    pub rule: &'static str,
    /// What happened instead.
    pub what: String,
}

/// Long enough on a slow machine; nothing waits that long where the rules hold.
const LONG: Duration = Duration::from_secs(20);

/// Short, where a wait must end by its deadline.
const SHORT: Duration = Duration::from_millis(60);

/// How long a link waits for nothing while its waking up is counted.
const IDLE: Duration = Duration::from_millis(300);

/// Runs every check; the device has left afterwards.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(mut subject: Subject<'_>) -> Result<(), Violation> {
    let subject = &mut subject;
    deadline(subject)?;
    past_deadline(subject)?;
    interruption(subject)?;
    integrity(subject)?;
    idle(subject)?;
    gone(subject)
}

fn deadline(subject: &mut Subject<'_>) -> Result<(), Violation> {
    for _ in 0..2 {
        let before = subject.clock.now();
        let received = subject.receive(SHORT);
        demand("deadline", received, |received| {
            matches!(received, Err(LinkError::TimedOut))
        })?;
        let took = subject.clock.now().since(before);
        // Polling counts whole milliseconds on some systems.
        demand("deadline", took, |took| {
            *took + Duration::from_millis(1) >= SHORT && *took < LONG
        })?;
    }
    Ok(())
}

fn past_deadline(subject: &mut Subject<'_>) -> Result<(), Violation> {
    let sent = subject.example();
    subject.peer.sends(&sent);
    // Until it is there, a wait; what came with it is left for the second call.
    let first = subject.receive(LONG);
    demand("past deadline", first, |first| {
        first
            .as_ref()
            .is_ok_and(|frame| sent.starts_with(frame.bytes()))
    })?;
    let second = subject.receive(Duration::ZERO);
    demand("past deadline", second, |second| match second {
        Err(LinkError::TimedOut) => true,
        Ok(rest) => sent.ends_with(rest.bytes()),
        Err(_) => false,
    })
}

fn interruption(subject: &mut Subject<'_>) -> Result<(), Violation> {
    const RULE: &str = "interruption";
    let is_one =
        |received: &Result<Frame, LinkError>| matches!(received, Err(LinkError::Interrupted));
    let interrupter = subject.link.interrupter();
    // The next ones: each ends one.
    interrupter.interrupt();
    interrupter.interrupt();
    demand(RULE, subject.receive(LONG), is_one)?;
    demand(RULE, subject.receive(LONG), is_one)?;
    demand(RULE, subject.receive(SHORT), |received| {
        matches!(received, Err(LinkError::TimedOut))
    })?;
    // The current one, or the next where the other thread is faster.
    let received = thread::scope(|threads| {
        threads.spawn(|| interrupter.interrupt());
        subject.receive(LONG)
    });
    demand(RULE, received, is_one)
}

fn integrity(subject: &mut Subject<'_>) -> Result<(), Violation> {
    const RULE: &str = "integrity";
    match subject.traffic.clone() {
        Traffic::Stream => {
            let every_byte: Vec<u8> = (0..=255).collect();
            let much = every_byte.repeat(8);
            subject.peer.sends(&much);
            let received = subject.receive_all(much.len())?;
            demand(RULE, received, |received| *received == much)?;
            subject.send(&much)?;
            let arrived = subject.peer.arrived(much.len());
            demand(RULE, arrived, |arrived| *arrived == much)
        }
        Traffic::Reports { input, output } => {
            for report in &input {
                subject.peer.sends(report);
            }
            for report in &input {
                let received = subject.receive(LONG);
                demand(RULE, received, |received| {
                    received.as_ref().is_ok_and(|frame| frame.bytes() == report)
                })?;
            }
            let Some(output) = output else { return Ok(()) };
            subject.send(&output)?;
            let arrived = subject.peer.arrived(output.len());
            demand(RULE, arrived, |arrived| *arrived == output)
        }
    }
}

fn idle(subject: &mut Subject<'_>) -> Result<(), Violation> {
    let Some(before) = wake_ups() else {
        return Ok(());
    };
    let received = subject.receive(IDLE);
    demand("idle", received, |received| {
        matches!(received, Err(LinkError::TimedOut))
    })?;
    let woken = wake_ups().unwrap_or(before).saturating_sub(before);
    let slices = match subject.wakes {
        Wakes::Never => 0,
        Wakes::EachSlice(slice) => IDLE.as_millis() / slice.as_millis().max(1),
    };
    // A slice is ended by a timer, and what carries it may need a second one to end a transfer.
    // Apart from them a thread sleeps a few times for reasons of the system, such as a page to be read.
    let allowed = u64::try_from(slices * 6).unwrap_or(u64::MAX) + 5;
    demand("idle", woken, |woken| *woken <= allowed)
}

fn gone(subject: &mut Subject<'_>) -> Result<(), Violation> {
    const RULE: &str = "gone";
    let is_gone = |received: &Result<Frame, LinkError>| matches!(received, Err(LinkError::Gone));
    subject.peer.vanishes();
    for _ in 0..3 {
        demand(RULE, subject.receive(LONG), is_gone)?;
        let example = Frame::plain(subject.example());
        let sent = subject.link.send(&example, subject.within(LONG));
        demand(RULE, sent, |sent| matches!(sent, Err(LinkError::Gone)))?;
    }
    Ok(())
}

impl Subject<'_> {
    fn within(&self, span: Duration) -> Deadline {
        Deadline::at(self.clock.now().plus(span))
    }

    fn receive(&mut self, span: Duration) -> Result<Frame, LinkError> {
        let deadline = self.within(span);
        self.link.receive(deadline)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Violation> {
        let sent = self.link.send(&Frame::plain(bytes), self.within(LONG));
        demand("integrity", sent, Result::is_ok)
    }

    fn receive_all(&mut self, length: usize) -> Result<Vec<u8>, Violation> {
        let mut all = Vec::new();
        while all.len() < length {
            let received = self.receive(LONG).map_err(|error| Violation {
                rule: "integrity",
                what: format!("{error} after {} of {length} bytes", all.len()),
            })?;
            all.extend_from_slice(received.bytes());
        }
        Ok(all)
    }

    fn example(&self) -> Vec<u8> {
        match &self.traffic {
            Traffic::Stream => vec![0x41, 0x0d],
            Traffic::Reports { input, .. } => input.first().cloned().unwrap_or_default(),
        }
    }
}

fn demand<T: fmt::Debug>(
    rule: &'static str,
    seen: T,
    holds: impl FnOnce(&T) -> bool,
) -> Result<(), Violation> {
    if holds(&seen) {
        return Ok(());
    }
    Err(Violation {
        rule,
        what: format!("{seen:?}"),
    })
}

#[cfg(test)]
pub(crate) mod tests;
