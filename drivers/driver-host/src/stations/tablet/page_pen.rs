//! The pen of a page: what a browser's pointer events say, as the reports of a pen that describes itself.
//!
//! So the citizen's page is a pen display like any other, and one set of rules decides what a signature is.
//! Units are hundredths of a pixel of the picture. The page's clock travels as scan time (HID usage 0x56),
//! whose unit of 100 microseconds is also the finest that browsers tell to pages that are not isolated.
//!
//! What a page says is from outside: a sample that lies beyond the picture or makes no sense is counted as one
//! that could not be read.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use device_api::{Clock, Deadline};
use host_protocol::InkSample;
use link::{Frame, Interrupter, Link, LinkError, ReportLink};

/// Hundredths of a pixel in a pixel.
pub(super) const FINENESS: i32 = 100;
/// The largest pressure.
const MAX_PRESSURE: i32 = 0xFFFF;
/// The steepest tilt, in hundredths of a degree.
const STEEPEST: i32 = 9_000;
/// The report's id.
const REPORT: u8 = 1;
/// Microseconds in a unit of scan time.
const SCAN_TIME_US: u64 = 100;
/// More samples than a citizen can write before they are read: half a minute of a fast mouse.
const MAX_WAITING: usize = 30_000;
/// The longest sleep; whoever waits is woken by what it waits for.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Flags of a sample: the tip touches, the pen is in range, it is the eraser.
const TIP: u8 = 1;
const IN_RANGE: u8 = 2;
const ERASER: u8 = 8;

/// A pen that a page feels; all clones are one pen.
#[derive(Clone)]
pub(super) struct PagePen(Arc<Shared>);

struct Shared {
    descriptor: Vec<u8>,
    max: (i32, i32),
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    reports: VecDeque<Frame>,
    interruptions: u32,
}

impl PagePen {
    /// The pen of a page that shows pictures of this size.
    pub(super) fn new((width, height): (u32, u32), clock: Arc<dyn Clock>) -> Self {
        let max =
            |pixels: u32| i32::try_from(pixels).map_or(i32::MAX, |n| n.saturating_mul(FINENESS));
        let max = (max(width), max(height));
        Self(Arc::new(Shared {
            descriptor: descriptor(max),
            max,
            clock,
            state: Mutex::default(),
            woken: Condvar::new(),
        }))
    }

    /// Takes in what the page says of the pen. The first samples after a page was shown begin with the pen in
    /// the air: a browser tells of nothing that went on before, and of a finger only while it touches.
    pub(super) fn write(&self, samples: &[InkSample], first: bool) {
        let away = samples.first().filter(|_| first).map(|sample| {
            let mut away = *sample;
            away.3 = 0;
            away.6 = 0;
            away
        });
        let mut state = self.state();
        for sample in away.iter().chain(samples) {
            if state.reports.len() >= MAX_WAITING {
                tracing::warn!("samples of the citizen's page come faster than they are used");
                break;
            }
            state
                .reports
                .push_back(Frame::personal(self.report(sample)));
        }
        drop(state);
        self.0.woken.notify_all();
    }

    /// Whether there is something that was not read yet.
    pub(super) fn has_unread(&self) -> bool {
        !self.state().reports.is_empty()
    }

    /// A report; only its id, where the sample makes no sense, so that it cannot be read.
    fn report(&self, sample: &InkSample) -> Vec<u8> {
        let InkSample(at, x, y, pressure, tilt_x, tilt_y, flags) = *sample;
        let mut report = vec![REPORT];
        let (max_x, max_y) = self.0.max;
        let tilts = -STEEPEST..=STEEPEST;
        let sensible = (0..=max_x).contains(&x)
            && (0..=max_y).contains(&y)
            && tilts.contains(&tilt_x)
            && tilts.contains(&tilt_y);
        let (Ok(pressure), Ok(tilt_x), Ok(tilt_y), true) = (
            u16::try_from(pressure),
            i16::try_from(tilt_x),
            i16::try_from(tilt_y),
            sensible,
        ) else {
            return report;
        };
        let tip = flags & TIP;
        // What touches is in range, whatever the page says.
        let near = u8::from(tip != 0 || flags & IN_RANGE != 0) << 1;
        let inverted = u8::from(flags & ERASER != 0) << 2;
        report.push(tip | near | inverted);
        report.extend(pressure.to_le_bytes());
        report.extend(x.to_le_bytes());
        report.extend(y.to_le_bytes());
        report.extend(tilt_x.to_le_bytes());
        report.extend(tilt_y.to_le_bytes());
        let scan_time = u16::try_from(at / SCAN_TIME_US % 0x1_0000).unwrap_or(0);
        report.extend(scan_time.to_le_bytes());
        report
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link for PagePen {
    fn send(&mut self, _frame: &Frame, _deadline: Deadline) -> Result<(), LinkError> {
        Err(LinkError::Malformed {
            attempted: "writing to the pen of a page",
        })
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let mut state = self.state();
        loop {
            if let Some(report) = state.reports.pop_front() {
                return Ok(report);
            }
            if state.interruptions > 0 {
                state.interruptions -= 1;
                return Err(LinkError::Interrupted);
            }
            let Some(left) = deadline.remaining(self.0.clock.now()) else {
                return Err(LinkError::TimedOut);
            };
            let waited = self.0.woken.wait_timeout(state, left.min(LONGEST_WAIT));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn interrupter(&self) -> Interrupter {
        let pen = self.clone();
        Interrupter::new(move || {
            let mut state = pen.state();
            state.interruptions = state.interruptions.saturating_add(1);
            drop(state);
            pen.0.woken.notify_all();
        })
    }
}

impl ReportLink for PagePen {
    fn descriptor(&self) -> &[u8] {
        &self.0.descriptor
    }

    fn feature(&mut self, _report: u8, _deadline: Deadline) -> Result<Frame, LinkError> {
        Err(LinkError::Malformed {
            attempted: "asking the pen of a page",
        })
    }

    fn set_feature(&mut self, _frame: &Frame, _deadline: Deadline) -> Result<(), LinkError> {
        Err(LinkError::Malformed {
            attempted: "setting the pen of a page",
        })
    }
}

impl fmt::Debug for PagePen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PagePen")
    }
}

/// The report descriptor (USB HID 1.11, clause 6.2.2) of a pen with these ranges.
pub(super) fn descriptor((max_x, max_y): (i32, i32)) -> Vec<u8> {
    let mut bytes = vec![
        0x05, 0x0D, 0x09, 0x02, 0xA1, 0x01, // Digitizers, pen, an application
        0x85, REPORT, 0x15, 0x00, 0x25, 0x01, 0x75, 0x01, 0x95, 0x03, // three switches:
        0x09, 0x42, 0x09, 0x32, 0x09, 0x3C, 0x81, 0x02, // tip, in range, invert
        0x95, 0x05, 0x81, 0x03, // filling
    ];
    let number = |usage: u8, max: i32, bits: u8| {
        let mut item = vec![0x15, 0x00, 0x27];
        item.extend(max.to_le_bytes());
        item.extend([0x75, bits, 0x95, 0x01, 0x09, usage, 0x81, 0x02]);
        item
    };
    bytes.extend(number(0x30, MAX_PRESSURE, 16));
    bytes.extend([0x05, 0x01]);
    bytes.extend(number(0x30, max_x, 32));
    bytes.extend(number(0x31, max_y, 32));
    bytes.extend([
        0x05, 0x0D, 0x16, 0xD8, 0xDC, 0x26, 0x28, 0x23, // tilts from -9000 to 9000,
        0x35, 0xA6, 0x45, 0x5A, // which are -90 to 90 degrees
        0x75, 0x10, 0x95, 0x02, 0x09, 0x3D, 0x09, 0x3E, 0x81, 0x02, 0x35, 0x00, 0x45, 0x00,
    ]);
    bytes.extend(number(0x56, 0xFFFF, 16));
    bytes.push(0xC0);
    bytes
}

#[cfg(test)]
mod tests {
    use device_api::SystemClock;
    use tablet::wire::digitizer::Pens;

    use super::*;

    fn pen() -> PagePen {
        PagePen::new((1920, 1080), Arc::new(SystemClock::new()))
    }

    #[test]
    fn what_the_page_says_is_what_the_driver_reads() {
        let pen = pen();
        let pens = Pens::find(pen.descriptor()).unwrap();
        assert_eq!(pens.pens()[0].ranges(), ((0, 192_000), (0, 108_000)));
        let sample = InkSample(
            7_000_100,
            191_999,
            107_999,
            65_535,
            -9_000,
            4_321,
            3 | ERASER,
        );
        let state = pens.decode(&pen.report(&sample)).unwrap().unwrap();
        assert_eq!(
            (state.x, state.y, state.pressure),
            (191_999, 107_999, 65_535)
        );
        assert_eq!(state.tilt, Some((-9_000, 4_321)));
        assert!(state.tip && state.in_range && state.eraser);
        assert_eq!(state.scan_time, Some(4_465));
        let hover = pens.decode(&pen.report(&InkSample(0, 0, 0, 0, 0, 0, 2)));
        let hover = hover.unwrap().unwrap();
        assert!(!hover.tip && hover.in_range && !hover.eraser);
    }

    #[test]
    fn what_makes_no_sense_cannot_be_read() {
        let pen = pen();
        let pens = Pens::find(pen.descriptor()).unwrap();
        for wrong in [
            InkSample(0, -1, 0, 0, 0, 0, 1),
            InkSample(0, 192_001, 0, 0, 0, 0, 1),
            InkSample(0, 0, 108_001, 0, 0, 0, 1),
            InkSample(0, 0, 0, 65_536, 0, 0, 1),
            InkSample(0, 0, 0, -1, 0, 0, 1),
            InkSample(0, 0, 0, 0, 9_001, 0, 1),
            InkSample(
                u64::MAX,
                i32::MAX,
                i32::MIN,
                i32::MAX,
                i32::MIN,
                i32::MAX,
                255,
            ),
        ] {
            assert!(pens.decode(&pen.report(&wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_first_touch_after_a_page_is_preceded_by_the_pen_in_the_air() {
        let mut pen = pen();
        let pens = Pens::find(pen.descriptor()).unwrap();
        pen.write(&[InkSample(0, 5, 5, 9, 0, 0, 3)], true);
        pen.write(&[InkSample(9, 6, 6, 9, 0, 0, 3)], false);
        let tips: Vec<bool> = (0..3)
            .map(|_n| {
                let now = Deadline::at(pen.0.clock.now());
                let frame = pen.receive(now).unwrap();
                pens.decode(frame.bytes()).unwrap().unwrap().tip
            })
            .collect();
        assert_eq!(tips, [false, true, true]);
        assert!(!pen.has_unread());
    }
}
