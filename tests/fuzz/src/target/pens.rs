//! What signature tablets say, and pictures that are to be shown on them.

use tablet::picture::Picture;
use tablet::wire::descriptor::{Descriptor, Kind};
use tablet::wire::digitizer::Pens;
use tablet::wire::stu::{Capability, Information, Input, PenFlags, Status, pen, text};

/// Pixels beyond which a picture only takes time.
const MOST_PIXELS: u64 = 1 << 18;
/// Where a PNG has its width and height (PNG, 11.2.2).
const SIDES: std::ops::Range<usize> = 16..24;

/// A pen of a HID digitizer: a length in two bytes, so many bytes of report descriptor, then reports of
/// twelve bytes.
///
/// Promise: a descriptor is a layout or an error; a report is what lies in it or too short.
pub fn pen_report(input: &[u8]) {
    let Some((length, rest)) = input.split_first_chunk::<2>() else {
        return;
    };
    let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
    let (descriptor, reports) = rest.split_at(length);
    if let Ok(read) = Descriptor::parse(descriptor) {
        for field in read.fields() {
            assert!((1..=32).contains(&field.size), "a field of no size");
            if field.value(reports).is_some() {
                let end = u64::from(field.bit) + u64::from(field.size);
                assert!(end.div_ceil(8) <= reports.len() as u64, "beyond the end");
            }
            let _length = read.length(Kind::Input, field.report);
        }
    }
    let Ok(pens) = Pens::find(descriptor) else {
        return;
    };
    for pen in pens.pens() {
        let _facts = (pen.ranges(), pen.max_pressure(), pen.units_per_mm());
    }
    for report in reports.chunks(12) {
        let _state = pens.decode(report);
    }
}

/// A report of a pad with a screen of its own.
///
/// Promise: what is read fits the report; nothing that a pad claims of its screen takes much memory.
pub fn pad_report(input: &[u8]) {
    let flags = PenFlags {
        ready: 0x8000,
        touch: 0x1000,
        pressure: 0x0FFF,
    };
    if let Ok(Input::Pen(state)) = pen(input, flags) {
        assert!(state.pressure <= flags.pressure, "flags taken for pressure");
    }
    let _status = Status::parse(input);
    if let Ok(information) = Information::parse(input) {
        assert!(information.model.len() <= 9, "a model out of nothing");
        assert!(!information.version().is_empty(), "no version");
    }
    if let Ok(capability) = Capability::parse(input) {
        let sides = [capability.width, capability.height];
        assert!(sides.iter().all(|side| *side <= 4096), "a huge screen");
    }
    let report = input.first().copied().unwrap_or_default();
    if let Ok(text) = text(input, report, 32) {
        assert!(text.len() <= 32 && text.is_ascii(), "not what was there");
    }
}

/// A picture that an application hands in to be shown.
///
/// Promise: what is read can be written, and is the same picture then.
pub fn shown_picture(input: &[u8]) {
    let sides = input.get(SIDES).unwrap_or_default();
    let (sides, _) = sides.as_chunks::<4>();
    let pixels = sides
        .iter()
        .map(|side| u64::from(u32::from_be_bytes(*side)))
        .fold(1, u64::saturating_mul);
    if pixels > MOST_PIXELS {
        return;
    }
    let Ok(picture) = Picture::from_png(input) else {
        return;
    };
    let written = picture.to_png().expect("there is memory");
    let again = Picture::from_png(&written).expect("our own PNG");
    assert!(again == picture, "it changed by being written");
}
