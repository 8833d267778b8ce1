//! One signature, from the first page to 確定: what happens on a tablet, whichever it is.
//!
//! ```text
//! show page --次へ/前へ--> show page --> show the page that is signed --確定--> signature image
//!                                         ^            |      |
//!                                         '--やり直す--'      '--署名しない--> declined
//! ```
//!
//! Invariants: ink of an attempt is only of that attempt; a page's hash is recorded before the pen counts on it;
//! the pen must have been lifted since a page appeared before it presses or writes, so that no old touch does.

use std::fmt;
use std::time::Duration;

use device_api::{Deadline, Moment, Patience};
use link::Interrupter;
use zeroize::Zeroizing;

use crate::driver::{CaptureDesk, CaptureRequest};
use crate::fault::TabletError;
use crate::ink::{CapturedInk, Sample, Shown, TabletDescription, rate, runs};
use crate::layout::{Press, Surface};
use crate::mapping::{Mapping, whole};
use crate::picture::{Area, Sha256};
use crate::shown::{self, Page};
use crate::text::Font;
use crate::timeline::{Sequence, Tick, Timeline};

/// The longest that one capture may take.
const MAX_CAPTURE: Duration = Duration::from_secs(600);
/// The most samples: a thousand in a second for all that time.
const MAX_SAMPLES: usize = 600_000;
/// Fewer samples of ink than this are a touch by accident: 25 milliseconds at 200 a second.
const MIN_INK: usize = 5;

/// A tablet as a capture drives it.
pub(crate) trait Station: Send + fmt::Debug {
    fn description(&self) -> &TabletDescription;
    fn mapping(&self) -> Mapping;
    fn surface(&self) -> Surface;
    fn font(&self) -> Option<&Font>;
    fn interrupter(&self) -> Interrupter;

    /// Shows a page and forgets what the pen did before; says the hash of what was sent.
    fn show(
        &mut self,
        page: &Page,
        desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<Option<Sha256>, TabletError>;

    /// What the pen does next.
    fn next(&mut self, deadline: Deadline) -> Result<Reading, TabletError>;

    /// Shows nothing any more, as far as that is possible.
    fn rest(&mut self, desk: &mut dyn CaptureDesk);
}

/// What came from a tablet.
pub(crate) enum Reading {
    /// The pen.
    Pen(Reported),
    /// Nothing of the pen; somebody may want to be heard.
    Nothing,
    /// A report that cannot be read.
    Unreadable,
    /// Nothing until the deadline.
    TimedOut,
}

/// What a report says of the pen, without its time.
#[derive(Clone, Copy)]
pub(crate) struct Reported {
    pub(crate) sample: Sample,
    pub(crate) tick: Option<Tick>,
}

/// Has a document signed.
pub(crate) fn run(
    station: &mut dyn Station,
    request: &CaptureRequest,
    desk: &mut dyn CaptureDesk,
    patience: &Patience,
) -> Result<CapturedInk, TabletError> {
    let pages = shown::prepare(
        &request.document,
        station.surface(),
        station.font(),
        patience,
    )?;
    let interrupter = station.interrupter();
    desk.wake_by(interrupter.clone());
    let _wake = patience.when_stopped(move || interrupter.interrupt());
    let now = patience.clock().now();
    let patience = patience.no_later_than(Deadline::at(now.plus(MAX_CAPTURE)));
    let mut session = Session::new(&pages, request, now);
    let outcome = session.play(station, desk, &patience);
    station.rest(desk);
    outcome
}

struct Session<'a> {
    pages: &'a [Page],
    request: &'a CaptureRequest,
    at: usize,
    shown: Vec<Shown>,
    since: Moment,
    active: Moment,
    timeline: Timeline,
    sequence: Sequence,
    samples: Zeroizing<Vec<Sample>>,
    /// Whether the pen was lifted since the page appeared, and whether it is down now.
    lifted: bool,
    down: bool,
    attempts: u32,
    lost: u32,
    unreadable: u32,
    /// Whether something of the pen is missing since its last sample.
    gap: bool,
}

impl<'a> Session<'a> {
    fn new(pages: &'a [Page], request: &'a CaptureRequest, now: Moment) -> Self {
        Self {
            pages,
            request,
            at: if request.every_page {
                0
            } else {
                pages.len().saturating_sub(1)
            },
            shown: Vec::new(),
            since: now,
            active: now,
            timeline: Timeline::begin(now),
            sequence: Sequence::default(),
            samples: Zeroizing::new(Vec::new()),
            lifted: false,
            down: false,
            attempts: 1,
            lost: 0,
            unreadable: 0,
            gap: false,
        }
    }

    fn play(
        &mut self,
        station: &mut dyn Station,
        desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<CapturedInk, TabletError> {
        self.show(station, desk, patience)?;
        loop {
            patience.check()?;
            if desk.screen().is_some_and(|screen| screen.closed())
                && station.description().screen.is_none()
            {
                return Err(TabletError::NoScreen);
            }
            let press = match desk.pressed() {
                Some(press) => {
                    self.forget_the_press(station);
                    Some(press)
                }
                None => self.listen(station, desk, patience)?,
            };
            let Some(press) = press else { continue };
            self.active = patience.clock().now();
            match self.answer(press) {
                Answer::Nothing => {}
                Answer::Show => self.show(station, desk, patience)?,
                Answer::Decline => return Err(TabletError::Declined),
                Answer::Confirm => return self.finish(station, patience),
            }
        }
    }

    fn show(
        &mut self,
        station: &mut dyn Station,
        desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<(), TabletError> {
        self.leave(patience.clock().now());
        let Some(page) = self.pages.get(self.at) else {
            return Err(TabletError::NoScreen);
        };
        let sent_sha256 = station.show(page, desk, patience)?;
        self.shown.push(Shown {
            page: page.number,
            document_page: page.document_page,
            picture_sha256: page.png_sha256,
            sent_sha256,
            ms: 0,
        });
        // Only now can the citizen see it.
        self.since = patience.clock().now();
        self.active = self.since;
        self.begin_attempt();
        Ok(())
    }

    fn begin_attempt(&mut self) {
        self.samples = Zeroizing::new(Vec::new());
        self.sequence = Sequence::default();
        self.lifted = false;
        self.down = false;
        self.lost = 0;
        self.unreadable = 0;
        self.gap = false;
    }

    /// Says how long the page that is left was on the screen.
    fn leave(&mut self, now: Moment) {
        if let Some(last) = self.shown.last_mut() {
            last.ms = u64::try_from(now.since(self.since).as_millis()).unwrap_or(u64::MAX);
        }
    }

    /// Waits for the pen, and says which button it pressed.
    fn listen(
        &mut self,
        station: &mut dyn Station,
        desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<Option<Press>, TabletError> {
        let idle = Deadline::at(self.active.plus(self.request.idle));
        let patience = &patience.no_later_than(idle);
        // A device that chatters of other things does not keep a citizen who has left.
        patience.check()?;
        match station.next(patience.deadline())? {
            Reading::Pen(reported) => {
                let now = patience.clock().now();
                self.pen(reported, station, desk, now)
            }
            Reading::Nothing => Ok(None),
            Reading::Unreadable => {
                self.unreadable = self.unreadable.saturating_add(1);
                self.gap = true;
                Ok(None)
            }
            Reading::TimedOut => {
                patience.check()?;
                Err(TabletError::TimedOut)
            }
        }
    }

    fn pen(
        &mut self,
        reported: Reported,
        station: &dyn Station,
        desk: &mut dyn CaptureDesk,
        now: Moment,
    ) -> Result<Option<Press>, TabletError> {
        let mut sample = reported.sample;
        sample.t_us = self.timeline.stamp(now, reported.tick);
        let lost = self.sequence.lost_before(sample.sequence);
        sample.lost_before = std::mem::take(&mut self.gap) || lost > 0;
        if sample.in_range {
            self.active = now;
        }
        self.lifted |= !sample.tip;
        if !self.lifted {
            return Ok(None);
        }
        let touches = sample.tip && !self.down;
        self.down = sample.tip;
        if touches && let Some(press) = self.button(&sample, station) {
            return Ok(Some(press));
        }
        if self.signing().is_some() {
            if self.samples.len() >= MAX_SAMPLES {
                return Err(TabletError::TimedOut);
            }
            self.lost = self.lost.saturating_add(lost);
            keep(&mut self.samples, sample);
            desk.ink(&[sample]);
        }
        Ok(None)
    }

    /// The button under the pen.
    fn button(&self, sample: &Sample, station: &dyn Station) -> Option<Press> {
        let page = self.pages.get(self.at)?;
        let (x, y) = on_picture(sample, station);
        page.buttons
            .iter()
            .find(|(_, area)| area.holds(x, y))
            .map(|(press, _)| *press)
    }

    /// The signing area, where this page has one.
    fn signing(&self) -> Option<Area> {
        self.pages.get(self.at)?.area
    }

    fn answer(&mut self, press: Press) -> Answer {
        let signing = self.signing().is_some();
        match press {
            Press::Next if self.at + 1 < self.pages.len() => {
                self.at += 1;
                Answer::Show
            }
            Press::Previous if self.at > 0 => {
                if signing && !self.samples.is_empty() {
                    self.attempts = self.attempts.saturating_add(1);
                }
                self.at -= 1;
                Answer::Show
            }
            Press::Redo if signing => {
                self.attempts = self.attempts.saturating_add(1);
                Answer::Show
            }
            Press::Confirm if signing => Answer::Confirm,
            Press::Decline => Answer::Decline,
            Press::Next | Press::Previous | Press::Redo | Press::Confirm => Answer::Nothing,
        }
    }

    /// Drops the touch with which a button of another program was pressed: the last stroke, where it began
    /// outside the signing area.
    fn forget_the_press(&mut self, station: &dyn Station) {
        let (Some(area), Some(last)) = (self.signing(), runs(&self.samples).pop()) else {
            return;
        };
        let outside = self.samples.get(last.start).is_some_and(|first| {
            let (x, y) = on_picture(first, station);
            !area.holds(x, y)
        });
        if outside {
            self.samples.truncate(last.start);
        }
    }

    fn finish(
        &mut self,
        station: &dyn Station,
        patience: &Patience,
    ) -> Result<CapturedInk, TabletError> {
        self.leave(patience.clock().now());
        let area = self.signing().ok_or(TabletError::NoScreen)?;
        let ink = CapturedInk {
            measured_rate: rate(&self.samples),
            samples: std::mem::take(&mut self.samples),
            device: station.description().clone(),
            lost: self.lost,
            unreadable: self.unreadable,
            attempts: self.attempts,
            document_sha256: self.request.document.sha256(),
            shown: std::mem::take(&mut self.shown),
            area,
            ink_area: device_area(area, station).ok_or(TabletError::Mapping)?,
        };
        let written: usize = ink.strokes().iter().map(ExactSizeIterator::len).sum();
        if written < MIN_INK {
            return Err(TabletError::Empty);
        }
        Ok(ink)
    }
}

enum Answer {
    Nothing,
    Show,
    Decline,
    Confirm,
}

/// Grows by hand, so that no copy of ink stays behind where a vector moved.
fn keep(samples: &mut Zeroizing<Vec<Sample>>, sample: Sample) {
    if samples.len() == samples.capacity() {
        let mut larger = Vec::with_capacity((samples.len() * 2).max(4096));
        larger.extend_from_slice(samples);
        *samples = Zeroizing::new(larger);
    }
    samples.push(sample);
}

/// Where on the picture a sample is, in pixels.
fn on_picture(sample: &Sample, station: &dyn Station) -> (f64, f64) {
    let raw = (f64::from(sample.x), f64::from(sample.y));
    let (x, y) = station.mapping().picture(raw);
    let surface = station.surface();
    (x * f64::from(surface.width), y * f64::from(surface.height))
}

/// An area of the picture in the device's units: smallest X and Y, width, height.
fn device_area(area: Area, station: &dyn Station) -> Option<[i32; 4]> {
    let (mapping, surface) = (station.mapping(), station.surface());
    let corner = |x: u32, y: u32| {
        let x = f64::from(x) / f64::from(surface.width);
        let y = f64::from(y) / f64::from(surface.height);
        mapping.device((x, y))
    };
    let one = corner(area.x, area.y)?;
    let other = corner(area.right(), area.bottom())?;
    let (left, right) = (one.0.min(other.0), one.0.max(other.0));
    let (top, bottom) = (one.1.min(other.1), one.1.max(other.1));
    Some([
        whole(left),
        whole(top),
        whole(right - left),
        whole(bottom - top),
    ])
}
