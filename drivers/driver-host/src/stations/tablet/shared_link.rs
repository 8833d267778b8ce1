//! A tablet's link, which the station goes on listening to between two signatures.
//!
//! That is how an unplugged tablet is noticed while nobody signs, and how what the pen does meanwhile reaches
//! nobody. Invariant: one thread uses it, so nobody waits for the lock.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use device_api::Deadline;
use link::{Frame, Interrupter, Link, LinkError, ReportLink};
use tablet::wire::digitizer::Pens;

/// Smallest and largest X and Y.
pub(super) type Ranges = ((i32, i32), (i32, i32));

/// A link to a tablet; all clones are one link.
#[derive(Debug, Clone)]
pub(super) struct SharedLink {
    descriptor: Arc<[u8]>,
    interrupter: Interrupter,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
struct Inner {
    link: Box<dyn ReportLink>,
    pens: Option<Pens>,
    /// The ranges of the pen whose report came last.
    ranges: Option<Ranges>,
}

impl SharedLink {
    pub(super) fn new(link: Box<dyn ReportLink>) -> Self {
        let pens = Pens::find(link.descriptor()).ok();
        Self {
            descriptor: link.descriptor().into(),
            interrupter: link.interrupter(),
            inner: Arc::new(Mutex::new(Inner {
                link,
                pens,
                ranges: None,
            })),
        }
    }

    /// The ranges of the kind of pen report that the device turned out to send; a pen display can describe
    /// its pen twice, in different units.
    pub(super) fn ranges(&self) -> Option<Ranges> {
        self.inner().ranges
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn note(&mut self, frame: &Frame) {
        if self.ranges.is_some() {
            return;
        }
        let id = frame.bytes().first().copied().unwrap_or(0);
        let pens = self.pens.iter().flat_map(|pens| pens.pens().iter());
        self.ranges = pens
            .filter(|pen| pen.report == 0 || pen.report == id)
            .map(tablet::wire::digitizer::Pen::ranges)
            .next();
    }
}

impl Link for SharedLink {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.inner().link.send(frame, deadline)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let mut inner = self.inner();
        let frame = inner.link.receive(deadline)?;
        inner.note(&frame);
        Ok(frame)
    }

    fn interrupter(&self) -> Interrupter {
        self.interrupter.clone()
    }
}

impl ReportLink for SharedLink {
    fn descriptor(&self) -> &[u8] {
        &self.descriptor
    }

    fn feature(&mut self, report: u8, deadline: Deadline) -> Result<Frame, LinkError> {
        self.inner().link.feature(report, deadline)
    }

    fn set_feature(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        self.inner().link.set_feature(frame, deadline)
    }
}
