//! A link that writes down what passes it.
//!
//! What is of a citizen is never written, and everything that a device sends counts as such: only its
//! length stands in the recording. For a device on a test bench, on which no citizen's data are, a person
//! can say so with [`Consent::TestDevice`]; then everything is written.

use std::fmt;
use std::io::Write;
use std::sync::Arc;

use device_api::{Clock, Deadline, Moment};

use crate::recording::{self, Entry, Failure, Way};
use crate::{Frame, Interrupter, Link, LinkError, ReportLink, Sensitivity};

/// Whose bytes pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Those of citizens: personal frames leave their lengths alone.
    Counter,
    /// Those of a device on a test bench, as the person at it says: everything is written.
    TestDevice,
}

/// A link whose traffic is recorded.
pub struct Recorded<L> {
    link: L,
    tape: Tape,
}

impl<L: Link> Recorded<L> {
    /// Records what passes `link`, as lines to `out`. A recording that cannot be written ends; the link
    /// goes on.
    #[must_use]
    pub fn new(
        link: L,
        out: Box<dyn Write + Send>,
        clock: Arc<dyn Clock>,
        consent: Consent,
    ) -> Self {
        let began = clock.now();
        let tape = Tape {
            out: Some(out),
            clock,
            began,
            consent,
        };
        Self { link, tape }
    }
}

impl<L: ReportLink> Recorded<L> {
    /// As [`Recorded::new`], with the descriptor first, which a replay needs.
    #[must_use]
    pub fn with_descriptor(
        link: L,
        out: Box<dyn Write + Send>,
        clock: Arc<dyn Clock>,
        consent: Consent,
    ) -> Self {
        let mut recorded = Self::new(link, out, clock, consent);
        let descriptor = Frame::plain(recorded.link.descriptor());
        recorded.tape.note(Way::Descriptor, None, Ok(&descriptor));
        recorded
    }
}

impl<L: Link> Link for Recorded<L> {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        let result = self.link.send(frame, deadline);
        self.tape.note_sent(Way::Out, frame, &result);
        result
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let result = self.link.receive(deadline);
        self.tape.note(Way::In, None, result.as_ref());
        result
    }

    fn interrupter(&self) -> Interrupter {
        self.link.interrupter()
    }
}

impl<L: ReportLink> ReportLink for Recorded<L> {
    fn descriptor(&self) -> &[u8] {
        self.link.descriptor()
    }

    fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        let result = self.link.feature(report, deadline);
        self.tape
            .note(Way::FeatureIn, Some(report), result.as_ref());
        result
    }

    fn set_feature(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        let result = self.link.set_feature(frame, deadline);
        self.tape.note_sent(Way::FeatureOut, frame, &result);
        result
    }
}

impl<L: fmt::Debug> fmt::Debug for Recorded<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorded")
            .field("link", &self.link)
            .finish_non_exhaustive()
    }
}

struct Tape {
    out: Option<Box<dyn Write + Send>>,
    clock: Arc<dyn Clock>,
    began: Moment,
    consent: Consent,
}

impl Tape {
    /// What was sent stands in the recording also where sending failed.
    fn note_sent(&mut self, way: Way, frame: &Frame, result: &Result<(), LinkError>) {
        let mut entry = self.entry(way, Some(frame));
        entry.failure = result.as_ref().err().map(Failure::of);
        self.write(entry);
    }

    fn note(&mut self, way: Way, report: Option<u8>, result: Result<&Frame, &LinkError>) {
        let mut entry = self.entry(way, result.ok());
        entry.report = report;
        entry.failure = result.err().map(Failure::of);
        self.write(entry);
    }

    fn entry(&self, way: Way, frame: Option<&Frame>) -> Entry {
        let at = self.clock.now().since(self.began).as_micros();
        let open = |frame: &&Frame| {
            self.consent == Consent::TestDevice || frame.sensitivity() == Sensitivity::Plain
        };
        Entry {
            way,
            at: u64::try_from(at).unwrap_or(u64::MAX),
            report: None,
            length: frame.map_or(0, |frame| frame.bytes().len()),
            bytes: frame
                .filter(open)
                .map(|frame| recording::hex_of(frame.bytes())),
            failure: None,
        }
    }

    fn write(&mut self, entry: Entry) {
        let Some(out) = &mut self.out else { return };
        if let Err(error) = recording::write(&[entry], out) {
            tracing::warn!(%error, "the recording ended because it could not be written");
            self.out = None;
        }
    }
}
