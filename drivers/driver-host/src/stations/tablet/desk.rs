//! The surroundings of a signature or a calibration: the citizen's page, reached through the job.
//!
//! Invariants: a page counts as shown when the screen said so; what was done on the page before it is not of
//! it; a press is heard after all ink that came before it.

use std::time::Duration;

use device_api::{Clock, Deadline};
use host_protocol::{Act, InkSample, Item, Step, ToShow};
use link::Interrupter;
use tablet::shown::Page;
use tablet::{CaptureDesk, Press, Sample, Screen, ScreenClosed, TabletSettings};

use super::page_pen::{FINENESS, PagePen};
use super::product;
use super::shared_link::{Ranges, SharedLink};
use super::told_ink::ToldInk;
use crate::{
    job::Job,
    stations::bell::{Bell, Tied},
};

/// How long a screen may take until a page is on it.
const TO_SHOW: Duration = Duration::from_secs(15);
/// The largest pressure in what is told for showing.
const MAX_PRESSURE: i64 = 0xFFFF;

/// Who feels the pen, and so what is told of it while it writes.
#[derive(Debug)]
pub(super) enum Feels<'a> {
    /// A pad with a screen of its own.
    Pad(&'a Units),
    /// A pen display.
    Display(&'a Units, &'a SharedLink),
    /// The citizen's page.
    Page(&'a PagePen),
}

/// What brings the pen's units to those of the picture.
#[derive(Debug, Clone)]
pub(super) struct Units {
    /// Smallest and largest X and Y.
    pub(super) ranges: Ranges,
    pub(super) max_pressure: i32,
    /// The picture, in pixels.
    pub(super) picture: (u32, u32),
    /// How the tablet is calibrated, or stands.
    pub(super) settings: TabletSettings,
}

/// How the last page came to the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Arrival {
    /// It is there.
    Plain,
    /// The citizen declined while it was on its way.
    Declined,
    /// The screen took too long.
    Never,
}

/// The surroundings of one signature.
pub(super) struct Desk<'a> {
    job: &'a Job,
    bell: &'a Bell,
    feels: Feels<'a>,
    tied: Option<Tied>,
    /// The page on the screen; 0 before the first.
    page: u32,
    /// Whether nothing of the pen was heard since that page came.
    untouched: bool,
    arrival: Arrival,
    signing: bool,
    ink: ToldInk,
}

impl<'a> Desk<'a> {
    pub(super) fn new(job: &'a Job, bell: &'a Bell, feels: Feels<'a>) -> Self {
        Self {
            job,
            bell,
            feels,
            tied: None,
            page: 0,
            untouched: true,
            arrival: Arrival::Plain,
            signing: false,
            ink: ToldInk::default(),
        }
    }

    fn clock(&self) -> &dyn Clock {
        self.job.patience.clock().as_ref()
    }

    fn sign(&mut self) {
        if !self.signing {
            self.signing = true;
            self.job.progress(Step::Signing, None);
        }
    }

    /// Waits until the screen says that it shows the page.
    fn until_shown(&mut self, number: u32) -> Result<(), ScreenClosed> {
        let limit = Deadline::at(self.clock().now().plus(TO_SHOW));
        let patience = self.job.patience.no_later_than(limit);
        loop {
            match self.job.next_act(&patience) {
                Ok(Act::Shown { page }) if page == number => return Ok(()),
                Ok(Act::Decline {}) => self.arrival = Arrival::Declined,
                Ok(_of_the_page_before) => {}
                Err(_stop) => {
                    self.arrival = Arrival::Never;
                    return Err(ScreenClosed);
                }
            }
        }
    }
}

impl CaptureDesk for Desk<'_> {
    fn screen(&mut self) -> Option<&mut dyn Screen> {
        match self.feels {
            Feels::Pad(_) => None,
            Feels::Display(..) | Feels::Page(_) => Some(self),
        }
    }

    fn ink(&mut self, samples: &[Sample]) {
        self.sign();
        let (units, ranges) = match &self.feels {
            Feels::Pad(units) => (units, units.ranges),
            Feels::Display(units, link) => (units, link.ranges().unwrap_or(units.ranges)),
            // A page has drawn its own ink already.
            Feels::Page(_) => return,
        };
        for sample in samples {
            if let Some(sample) = units.for_showing(ranges, sample) {
                self.ink.add(sample);
            }
        }
        let job = self.job;
        self.ink.tell(|samples| {
            let samples = samples.to_vec();
            job.offer(Item::Ink { samples })
        });
    }

    fn pressed(&mut self) -> Option<Press> {
        if self.arrival == Arrival::Declined {
            return Some(Press::Decline);
        }
        loop {
            if let Feels::Page(pen) = &self.feels
                && pen.has_unread()
            {
                return None;
            }
            match self.job.take_act()? {
                Act::Ink { samples } => {
                    if let Feels::Page(pen) = &self.feels {
                        pen.write(&samples, std::mem::take(&mut self.untouched));
                    }
                }
                Act::Turn { page } if page == self.page.saturating_add(1) => {
                    return Some(Press::Next);
                }
                Act::Turn { page } if page.saturating_add(1) == self.page => {
                    return Some(Press::Previous);
                }
                Act::Confirm {} => return Some(Press::Confirm),
                Act::Redo {} => return Some(Press::Redo),
                Act::Decline {} => return Some(Press::Decline),
                Act::Turn { .. } | Act::Shown { .. } => {}
            }
        }
    }

    fn wake_by(&mut self, interrupter: Interrupter) {
        self.tied = Some(self.bell.tie(interrupter));
    }
}

impl Screen for Desk<'_> {
    fn show(&mut self, page: &Page) -> Result<(), ScreenClosed> {
        self.ink.clear();
        self.untouched = true;
        self.page = page.number;
        let ink_area = match &self.feels {
            Feels::Display(..) => page.area.map(fine),
            Feels::Page(_) | Feels::Pad(_) => None,
        };
        let page_to_show = ToShow {
            page: page.number,
            pages: page.of,
            picture: self.job.attach(&page.png, "image/png"),
            area: page.area.map(product::area),
            ink_area,
        };
        self.job.item(Item::Show { page: page_to_show });
        self.until_shown(page.number)
    }

    fn clear(&mut self) {
        // The agent takes the document down when the job ends, which is at once.
        self.ink.clear();
    }

    fn closed(&self) -> bool {
        self.arrival == Arrival::Never
    }
}

impl Units {
    /// A sample in hundredths of a pixel of the picture, so that whoever draws it need not know how the
    /// tablet stands.
    fn for_showing(&self, ranges: Ranges, sample: &Sample) -> Option<InkSample> {
        let mapping = self.settings.map(ranges).ok()?;
        let (x, y) = mapping.picture((f64::from(sample.x), f64::from(sample.y)));
        let mut told = product::told(sample);
        told.1 = hundredths(x, self.picture.0);
        told.2 = hundredths(y, self.picture.1);
        let pressure = i64::from(sample.pressure) * MAX_PRESSURE;
        let pressure = pressure.checked_div(i64::from(self.max_pressure));
        told.3 = pressure.and_then(|p| i32::try_from(p).ok()).unwrap_or(0);
        Some(told)
    }
}

/// A share of so many pixels, in hundredths of a pixel; what lies beyond the picture ends at its edge.
fn hundredths(share: f64, pixels: u32) -> i32 {
    let most = f64::from(pixels) * f64::from(FINENESS);
    let place = (share * most).round().clamp(0.0, most);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most a hundred times the pixels of a screen"
    )]
    let whole = place as i32;
    whole
}

fn fine(area: tablet::picture::Area) -> [i32; 4] {
    [area.x, area.y, area.width, area.height]
        .map(|pixels| i32::try_from(pixels).map_or(i32::MAX, |n| n.saturating_mul(FINENESS)))
}

#[cfg(test)]
mod tests {
    use tablet::{Connection, Rotation};

    use super::*;

    #[test]
    fn what_is_shown_of_the_pen_stands_as_the_tablet_stands() {
        let mut units = Units {
            ranges: ((0, 1000), (0, 1000)),
            max_pressure: 1000,
            picture: (1920, 1080),
            settings: TabletSettings::new(Connection::HidStream(String::new())),
        };
        let sample = Sample {
            x: 250,
            y: 500,
            pressure: 500,
            tip: true,
            in_range: true,
            ..Sample::default()
        };
        let told = units.for_showing(units.ranges, &sample).unwrap();
        assert_eq!(
            (told.1, told.2, told.3, told.6),
            (48_000, 54_000, 32_767, 3)
        );
        units.settings.rotation = Rotation::Half;
        let told = units.for_showing(units.ranges, &sample).unwrap();
        assert_eq!((told.1, told.2), (144_000, 54_000));
        units.max_pressure = 0;
        assert_eq!(units.for_showing(units.ranges, &sample).unwrap().3, 0);
        assert_eq!(units.for_showing(((0, 0), (0, 0)), &sample), None);
    }
}
