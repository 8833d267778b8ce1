//! From a reading to a [`Scan`]: parts joined, escapes undone, text and elements found, applications
//! verified. The same for every way in which readings arrive.
//!
//! ```text
//! reading -> seen just now? -> escapes -> part? -> joined -> GS1, pre-application, text -> Scan
//! ```
//!
//! Invariant: between two scans nothing is kept but parts that wait for others, and a digest of the last
//! reading with its time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Moment};
use link::Frame;
use ring::digest::{Context, Digest, SHA256};
use zeroize::Zeroizing;

use crate::fault::{Garble, ScannerError};
use crate::preapplication::{self, OpenError, PreApplication, PreApplicationKeys};
use crate::scan::Scan;
use crate::settings::ScannerSettings;
use crate::wire::aim::AimId;
use crate::wire::append::{self, Joiner, Part, Progress};
use crate::wire::eci::{self, EciMark};
use crate::wire::framer::ClosedBy;
use crate::wire::{gs1, text};

/// One reading, as a source delivers it.
#[derive(Clone)]
pub(crate) struct Reading {
    pub(crate) aim: Option<AimId>,
    pub(crate) vendor: Option<u8>,
    pub(crate) content: Zeroizing<Vec<u8>>,
    pub(crate) closed_by: ClosedBy,
    pub(crate) at: Moment,
}

/// Makes scans of readings.
#[derive(Debug)]
pub(crate) struct Interpreter {
    joiner: Joiner,
    window: Duration,
    last: Option<Sight>,
    keys: Option<Arc<PreApplicationKeys>>,
}

/// What was last seen, and when. A digest of a short number tells the number, so `Debug` shows none.
struct Sight {
    digest: Digest,
    at: Moment,
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sight({:?})", self.at)
    }
}

/// Content that is whole.
struct Whole {
    content: Zeroizing<Vec<u8>>,
    marks: Vec<EciMark>,
    parts: u8,
}

impl Interpreter {
    pub(crate) fn new(settings: &ScannerSettings) -> Self {
        Self {
            joiner: Joiner::new(settings.parts),
            window: settings.duplicates,
            last: None,
            keys: settings.pre_application.clone(),
        }
    }

    /// Takes a reading, and returns what comes of it: nothing, a scan, an error, or an error about what
    /// was being put together and then a scan.
    pub(crate) fn take(
        &mut self,
        reading: &Reading,
        clock: &dyn Clock,
    ) -> Vec<Result<Scan, ScannerError>> {
        if self.was_just_seen(reading) {
            tracing::debug!("the same code is still in sight");
            return Vec::new();
        }
        let mut results = Vec::new();
        match self.whole(reading, &mut results) {
            Ok(Some(whole)) => results.push(self.scan(reading, whole, clock)),
            Ok(None) => {}
            Err(error) => results.push(Err(error)),
        }
        results
    }

    /// Forgets the parts that wait for others; whether there were any.
    pub(crate) fn forget(&mut self) -> bool {
        self.joiner.abandon().is_some()
    }

    /// Takes the passing of time.
    pub(crate) fn tick(&mut self, now: Moment) -> Option<ScannerError> {
        self.joiner.tick(now).map(ScannerError::from)
    }

    /// When something must be given up.
    pub(crate) fn due(&self) -> Option<Moment> {
        self.joiner.due()
    }

    fn was_just_seen(&mut self, reading: &Reading) -> bool {
        let mut context = Context::new(&SHA256);
        if let Some(aim) = reading.aim {
            context.update(aim.as_text().as_bytes());
        }
        context.update(&[0]);
        context.update(&reading.content);
        let digest = context.finish();
        let seen = self.last.as_ref().is_some_and(|last| {
            last.digest.as_ref() == digest.as_ref() && reading.at.since(last.at) < self.window
        });
        let at = reading.at;
        self.last = (!self.window.is_zero()).then_some(Sight { digest, at });
        seen
    }

    fn whole(
        &mut self,
        reading: &Reading,
        results: &mut Vec<Result<Scan, ScannerError>>,
    ) -> Result<Option<Whole>, ScannerError> {
        let (content, mut marks) = if reading.aim.is_some_and(AimId::has_eci) {
            let undone = eci::unescape(&reading.content)
                .map_err(|error| ScannerError::Garbled(Garble::Eci(error)))?;
            (undone.bytes, undone.marks)
        } else {
            (reading.content.clone(), Vec::new())
        };
        let Some((header, rest)) = append::split(reading.aim, &content) else {
            let given_up = self.joiner.abandon().map(ScannerError::from);
            results.extend(given_up.map(Err));
            return Ok(Some(Whole {
                content,
                marks,
                parts: 1,
            }));
        };
        let before = content.len() - rest.len();
        for mark in &mut marks {
            mark.from = mark.from.saturating_sub(before);
        }
        let part = Part {
            aim: reading.aim,
            header: &header,
            content: rest,
            marks: &marks,
        };
        match self.joiner.part(part, reading.at)? {
            Progress::Waiting => Ok(None),
            Progress::Whole(message) => Ok(Some(Whole {
                content: message.content,
                marks: message.marks,
                parts: message.parts,
            })),
        }
    }

    fn scan(
        &self,
        reading: &Reading,
        whole: Whole,
        clock: &dyn Clock,
    ) -> Result<Scan, ScannerError> {
        let content = whole.content.as_slice();
        let gs1 = reading
            .aim
            .is_some_and(AimId::is_gs1)
            .then(|| gs1::parse(content));
        Ok(Scan {
            text: text::decode(content, &whole.marks),
            gs1,
            pre_application: self.pre_application(content, clock)?,
            bytes: Frame::personal(content),
            eci: whole.marks,
            aim: reading.aim,
            vendor_symbology: reading.vendor,
            closed_by: reading.closed_by,
            parts: whole.parts,
            at: reading.at,
        })
    }

    fn pre_application(
        &self,
        content: &[u8],
        clock: &dyn Clock,
    ) -> Result<Option<PreApplication>, ScannerError> {
        if !preapplication::is_one(content) {
            return Ok(None);
        }
        let keys = self.keys.as_ref().ok_or(OpenError::NoKeys)?;
        Ok(Some(preapplication::open(
            content,
            keys,
            clock.unix_millis(),
        )?))
    }
}
