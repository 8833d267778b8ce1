//! The driver's ends of a pair.

use std::sync::Arc;

use device_api::Deadline;

use super::state::Shared;
use crate::wire::{self, Way};
use crate::{Frame, Interrupter, Link, LinkError, ReportLink};

const NAME: &str = "memory";

/// The driver's end of a stream.
#[derive(Debug)]
pub struct MemoryLink(pub(super) Arc<Shared>);

impl Link for MemoryLink {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        wire::note(NAME, Way::Out, frame);
        self.0.send(frame, deadline)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let frame = self.0.receive(deadline)?;
        wire::note(NAME, Way::In, &frame);
        Ok(frame)
    }

    fn interrupter(&self) -> Interrupter {
        self.0.interrupter()
    }
}

/// The driver's end of a device of reports.
#[derive(Debug)]
pub struct MemoryReportLink {
    stream: MemoryLink,
    descriptor: Vec<u8>,
}

impl MemoryReportLink {
    pub(super) const fn new(shared: Arc<Shared>, descriptor: Vec<u8>) -> Self {
        Self {
            stream: MemoryLink(shared),
            descriptor,
        }
    }
}

impl Link for MemoryReportLink {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.stream.send(frame, deadline)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.stream.receive(deadline)
    }

    fn interrupter(&self) -> Interrupter {
        self.stream.interrupter()
    }
}

impl ReportLink for MemoryReportLink {
    fn descriptor(&self) -> &[u8] {
        &self.descriptor
    }

    fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        let shared = &self.stream.0;
        shared.usable(deadline)?;
        // Without the lock, so that what answers may use the device's end.
        let features = shared.state().features.take();
        let answer = features.and_then(|mut features| {
            let answer = features(report);
            shared.change(|state| {
                if state.features.is_none() {
                    state.features = Some(features);
                }
            });
            answer
        });
        let frame = answer.map(Frame::personal).ok_or(LinkError::Malformed {
            attempted: "reading a feature report",
        })?;
        wire::note(NAME, Way::FeatureIn, &frame);
        Ok(frame)
    }

    fn set_feature(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.stream.0.usable(deadline)?;
        wire::note(NAME, Way::FeatureOut, frame);
        self.stream
            .0
            .change(|state| state.features_set.push(frame.clone()));
        Ok(())
    }
}
