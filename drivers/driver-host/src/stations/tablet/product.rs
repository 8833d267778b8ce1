//! What was signed, in the words of the protocol.

use std::fmt::Write as _;

use host_protocol::{Area, InkDevice, InkSample, SampleClock, ShownPage, Signature};
use tablet::{CapturedInk, Sample, Shown, TabletDescription};
use zeroize::Zeroizing;

use crate::job::Job;

/// What stands for the maker and model where a page feels the pen.
const POINTER_EVENTS: &str = "Pointer Events";
/// After so long without a sample the pen was away.
const AWAY_US: u64 = 100_000;
/// Fewer intervals than these tell no rate.
const LEAST_INTERVALS: u64 = 20;
/// A sample as text is no longer than this: seven numbers, with room to spare.
const LONGEST_SAMPLE: usize = 96;

/// Hands the ink on, and says what there is to say of it.
pub(super) fn signature(job: &Job, ink: &CapturedInk, by_page: bool) -> Option<Signature> {
    let samples = own(ink, by_page);
    let written = written(&samples)?;
    Some(Signature {
        device: device(&ink.device, by_page),
        samples: job.attach(&written, "application/json"),
        count: u32::try_from(samples.len()).ok()?,
        lost: ink.lost,
        unreadable: ink.unreadable,
        measured_milli_rate: if by_page {
            milli_rate(&samples)
        } else {
            ink.measured_rate.map_or(0, thousandths)
        },
        attempts: ink.attempts,
        document_sha256: hex(&ink.document_sha256),
        shown: ink.shown.iter().map(shown).collect(),
        area: area(ink.area),
        ink_area: ink.ink_area,
    })
}

/// The samples of the signature: all but touches that began beside the signing area, such as on a button of
/// the page. A page's begin where it first told of the pen.
fn own(ink: &CapturedInk, by_page: bool) -> Vec<&Sample> {
    let mut counts = vec![false; ink.samples.len()];
    for stroke in ink.strokes() {
        counts.get_mut(stroke).unwrap_or_default().fill(true);
    }
    ink.samples
        .iter()
        .zip(counts)
        .skip_while(|(sample, _)| by_page && !sample.in_range)
        .filter(|(sample, counts)| *counts || !sample.tip)
        .map(|(sample, _)| sample)
        .collect()
}

/// A JSON array, in a buffer that never moves and is erased.
fn written(samples: &[&Sample]) -> Option<Zeroizing<Vec<u8>>> {
    let room = samples.len().checked_mul(LONGEST_SAMPLE)?.checked_add(2)?;
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    text.push(b'[');
    for (place, sample) in samples.iter().enumerate() {
        if place > 0 {
            text.push(b',');
        }
        serde_json::to_writer(&mut *text, &told(sample)).ok()?;
    }
    text.push(b']');
    Some(text)
}

/// A sample as it stands.
pub(super) fn told(sample: &Sample) -> InkSample {
    let flags = u8::from(sample.tip)
        | u8::from(sample.in_range) << 1
        | u8::from(sample.lost_before) << 2
        | u8::from(sample.eraser) << 3;
    InkSample(
        sample.t_us,
        sample.x,
        sample.y,
        sample.pressure,
        sample.tilt_x,
        sample.tilt_y,
        flags,
    )
}

/// An area of a picture.
pub(super) const fn area(area: tablet::picture::Area) -> Area {
    Area {
        x: area.x,
        y: area.y,
        width: area.width,
        height: area.height,
    }
}

fn device(device: &TabletDescription, by_page: bool) -> InkDevice {
    let clock = match device.clock {
        _ if by_page => SampleClock::Page,
        tablet::SampleClock::Device => SampleClock::Device,
        tablet::SampleClock::Host => SampleClock::Host,
    };
    InkDevice {
        model: if by_page {
            POINTER_EVENTS.to_owned()
        } else {
            device.model.clone()
        },
        serial: device.serial.clone(),
        firmware: device.firmware.clone(),
        max_x: device.x.1,
        max_y: device.y.1,
        max_pressure: device.max_pressure,
        milli_units_per_mm: device.units_per_mm.map_or(0, |(x, _)| thousandths(x)),
        nominal_rate: device.nominal_rate,
        clock,
    }
}

fn shown(page: &Shown) -> ShownPage {
    ShownPage {
        page: page.page,
        picture_sha256: hex(&page.picture_sha256),
        sent_sha256: page.sent_sha256.as_ref().map(hex),
        shown_ms: page.ms,
    }
}

/// Samples in a second of a page, times 1000, by the rule of the driver; its own count has a sample that the
/// page did not say.
fn milli_rate(samples: &[&Sample]) -> u32 {
    let pairs = samples.iter().zip(samples.iter().skip(1));
    let steps: Vec<u64> = pairs
        .map(|(before, after)| after.t_us.saturating_sub(before.t_us))
        .filter(|step| *step < AWAY_US)
        .collect();
    let intervals = u64::try_from(steps.len()).unwrap_or(u64::MAX);
    let rate = intervals
        .saturating_mul(1_000_000_000)
        .checked_div(steps.iter().sum())
        .filter(|_rate| intervals >= LEAST_INTERVALS);
    rate.and_then(|rate| u32::try_from(rate).ok()).unwrap_or(0)
}

fn hex(hash: &[u8; 32]) -> String {
    let mut text = String::with_capacity(64);
    for byte in hash {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
    }
    text
}

/// A rate or density in thousandths; 0 where it is none.
fn thousandths(value: f64) -> u32 {
    let value = (value * 1000.0).round();
    if value.is_finite() && (0.0..=f64::from(u32::MAX)).contains(&value) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it was just seen to lie in the range"
        )]
        let whole = value as u32;
        whole
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_the_protocol_reads_them() {
        let sample = Sample {
            t_us: u64::MAX,
            x: i32::MIN,
            y: i32::MIN,
            pressure: i32::MIN,
            tilt_x: i32::MIN,
            tilt_y: i32::MIN,
            tip: true,
            in_range: true,
            eraser: true,
            lost_before: true,
            sequence: None,
        };
        for count in [0, 1, 3] {
            let text = written(&vec![&sample; count]).unwrap();
            let read: Vec<InkSample> = serde_json::from_slice(&text).unwrap();
            assert_eq!(read, vec![told(&sample); count]);
            assert!(text.len() <= count * LONGEST_SAMPLE + 2);
        }
        assert_eq!(told(&sample).6, 15);
    }

    #[test]
    fn thousandths_of_what_is_no_rate_are_none() {
        assert_eq!(thousandths(199.9996), 200_000);
        for none in [f64::NAN, f64::INFINITY, -1.0, 1e12] {
            assert_eq!(thousandths(none), 0);
        }
    }
}
