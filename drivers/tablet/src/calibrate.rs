//! Five taps on five crosses.

use std::time::Duration;

use device_api::{Clock, Deadline, Patience};
use link::{LinkError, ReportLink};

use crate::capture::{Reading, Station};
use crate::driver::CaptureDesk;
use crate::fault::TabletError;
use crate::mapping::{Calibration, Tap};
use crate::shown;

/// Where the crosses stand: the corners and the middle, so that one tap beside its cross shows.
const TARGETS: [(f64, f64); 5] = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9), (0.5, 0.5)];
/// How long a cross waits for its tap.
const IDLE: Duration = Duration::from_secs(60);
/// The most samples of one tap: some seconds with the pen held down.
const MAX_TAP: usize = 4096;
/// Linux keeps this many reports for a reader of hidraw (`HIDRAW_BUFFER_SIZE`).
const QUEUED: usize = 64;

pub(crate) fn run(
    station: &mut dyn Station,
    desk: &mut dyn CaptureDesk,
    patience: &Patience,
) -> Result<Calibration, TabletError> {
    let interrupter = station.interrupter();
    desk.wake_by(interrupter.clone());
    let _wake = patience.when_stopped(move || interrupter.interrupt());
    let outcome = gather(station, desk, patience);
    station.rest(desk);
    let taps = outcome?;
    let ranges = (station.description().x, station.description().y);
    Calibration::fit(&taps, ranges).map_err(TabletError::Calibration)
}

fn gather(
    station: &mut dyn Station,
    desk: &mut dyn CaptureDesk,
    patience: &Patience,
) -> Result<Vec<Tap>, TabletError> {
    let mut taps = Vec::with_capacity(TARGETS.len());
    for target in TARGETS {
        let page = shown::target(station.surface(), target)?;
        station.show(&page, desk, patience)?;
        let raw = tap(station, patience)?;
        taps.push(Tap { target, raw });
    }
    Ok(taps)
}

/// The middle of where the tip touched, from down to up.
fn tap(station: &mut dyn Station, patience: &Patience) -> Result<(f64, f64), TabletError> {
    let limit = Deadline::at(patience.clock().now().plus(IDLE));
    let patience = &patience.no_later_than(limit);
    let mut lifted = false;
    let (mut xs, mut ys) = (Vec::new(), Vec::new());
    loop {
        patience.check()?;
        let sample = match station.next(patience.deadline())? {
            Reading::Pen(reported) => reported.sample,
            Reading::Nothing | Reading::Unreadable => continue,
            Reading::TimedOut => {
                patience.check()?;
                return Err(TabletError::TimedOut);
            }
        };
        lifted |= !sample.tip;
        if sample.tip && lifted && xs.len() < MAX_TAP {
            xs.push(sample.x);
            ys.push(sample.y);
        }
        if !sample.tip
            && let Some(place) = median(&mut xs).zip(median(&mut ys))
        {
            return Ok(place);
        }
    }
}

/// The middle value: a pen that slides while it is lifted moves a mean, not a median.
fn median(values: &mut [i32]) -> Option<f64> {
    values.sort_unstable();
    values.get(values.len() / 2).map(|value| f64::from(*value))
}

/// Drops the reports that queued up while a picture was shown: they are of what was there before.
///
/// What a pen that rests on the surface goes on sending is left after as many as can have queued up.
pub(crate) fn drain(link: &mut dyn ReportLink, clock: &dyn Clock) -> Result<(), TabletError> {
    for _ in 0..QUEUED {
        let soon = Deadline::at(clock.now().plus(Duration::from_millis(1)));
        match link.receive(soon) {
            Ok(_) | Err(LinkError::Interrupted) => {}
            Err(LinkError::TimedOut) => return Ok(()),
            Err(source) => return Err(TabletError::link("listening to the pen")(source)),
        }
    }
    Ok(())
}
