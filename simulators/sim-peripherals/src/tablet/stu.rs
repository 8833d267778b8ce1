//! A signature tablet like Wacom's STU-540: its feature reports, its screen, its pen.
//!
//! Source: the public project pabloko/Wacom-STU-WebHID (report ids, capability layout, image upload in
//! blocks of 253 bytes with a little-endian length, blue before green before red), and the report names of
//! Wacom's published SDK listings. Not certain, and so settings: where the flags of a pen record stand.
//! The real report descriptor is not public; this one declares the same reports as vendor-defined.
//!
//! | report | direction | content after the id |
//! |---|---|---|
//! | 01, 34 | input | flags and pressure, X, Y (big-endian); 34 adds time and sequence |
//! | 03 | get | state, last result, word |
//! | 08, 09, 0F | get | model and firmware; capability; serial number |
//! | 0E | get, set | which pen record is sent |
//! | 20, 21 | set | clear the screen; ink on or off |
//! | 25, 26, 27 | set | image start (mode 4), block, end |
//! | 2A, 2B, 2D, 2E | get, set | writing area, light, pen, background |

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::hid::{HidIdentity, HidModel, HidReport};
use crate::picture;
use crate::tablet::scaled;
use crate::tablet::trace::PenPoint;

const WIDTH: usize = 800;
const HEIGHT: usize = 480;
const IMAGE: usize = WIDTH * HEIGHT * 3;
const MAX_X: u16 = 10_800;
const MAX_Y: u16 = 6_480;
const MAX_PRESSURE: u16 = 1023;
/// Samples in a second.
pub(crate) const RATE: u16 = 200;
/// Lines in an inch.
const RESOLUTION: u16 = 2540;
/// Raw pictures of 24 bits.
const MODE_24BIT: u8 = 4;

/// Where a pen record's flags stand in its first byte; the low half is the pressure's high half.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PenFlags {
    /// The pen is near.
    pub ready: u8,
    /// The pen touches.
    pub contact: u8,
}

impl Default for PenFlags {
    /// One bit for "near" and a field of three bits for the switches, as the SDK's field widths suggest.
    fn default() -> Self {
        Self {
            ready: 0x80,
            contact: 0x10,
        }
    }
}

/// A signature tablet's inside.
#[derive(Debug, Clone)]
pub struct Stu {
    flags: PenFlags,
    kept: BTreeMap<u8, Vec<u8>>,
    upload: Option<Vec<u8>>,
    last_result: u8,
    screen: Vec<u8>,
    screen_sha256: String,
    ink: Vec<(usize, usize)>,
    pen: Option<(usize, usize)>,
    inking: bool,
    images: u64,
    sequence: u16,
}

impl Stu {
    /// A tablet with a white screen.
    #[must_use]
    pub fn new(flags: PenFlags) -> Self {
        let kept = [
            (0x0D, vec![200]),
            (0x0E, vec![0]),
            (0x2A, vec![0, 0, 0, 0, 0x20, 0x03, 0xE0, 0x01]),
            (0x2B, vec![3, 0]),
            (0x2D, vec![0, 0, 0, 1]),
            (0x2E, vec![0xFF, 0xFF, 0xFF]),
        ];
        let screen = vec![0xFF; IMAGE];
        Self {
            flags,
            kept: kept.into_iter().collect(),
            upload: None,
            last_result: 0,
            screen_sha256: sha256(&screen),
            screen,
            ink: Vec::new(),
            pen: None,
            inking: false,
            images: 0,
            sequence: 0,
        }
    }

    /// The input report of one sample; none means that the pen leaves. Draws on the screen where inking
    /// is on. Time and sequence go on with each sample, whether it reaches the host or not.
    pub fn report(&mut self, point: Option<PenPoint>) -> HidReport {
        let timed = self.timed();
        let contact = point.is_some_and(|point| point.pressure > 0.0);
        let mut flags = point.map_or(0, |_| self.flags.ready);
        if contact {
            flags |= self.flags.contact;
        }
        self.draw(point.filter(|_| contact));
        let point = point.unwrap_or_default();
        let [high, low] = scaled(point.pressure, MAX_PRESSURE).to_be_bytes();
        let mut report = vec![if timed { 0x34 } else { 0x01 }, high | flags, low];
        report.extend_from_slice(&scaled(point.x, MAX_X).to_be_bytes());
        report.extend_from_slice(&scaled(point.y, MAX_Y).to_be_bytes());
        self.sequence = self.sequence.wrapping_add(1);
        if timed {
            let time = self.sequence.wrapping_mul(1000 / RATE);
            report.extend_from_slice(&time.to_be_bytes());
            report.extend_from_slice(&self.sequence.to_be_bytes());
        }
        HidReport(report)
    }

    /// What is on the screen, ink included.
    pub(crate) fn screen_png(&self) -> Vec<u8> {
        let mut pixels = self.screen.clone();
        let colour = self.kept.get(&0x2D).and_then(|pen| pen.first_chunk::<3>());
        let colour = colour.copied().unwrap_or_default();
        for (x, y) in &self.ink {
            let place = (y * WIDTH + x) * 3;
            if let Some(pixel) = pixels.get_mut(place..place + 3) {
                pixel.copy_from_slice(&colour);
            }
        }
        picture::rgb_png(WIDTH, HEIGHT, &pixels)
    }

    /// SHA-256 over the screen's pixels (red, green, blue, row by row) without ink.
    pub(crate) fn screen_sha256(&self) -> &str {
        &self.screen_sha256
    }

    pub(crate) const fn images(&self) -> u64 {
        self.images
    }

    pub(crate) const fn inking(&self) -> bool {
        self.inking
    }

    /// Whether records with time and sequence are sent.
    pub(crate) fn timed(&self) -> bool {
        self.kept.get(&0x0E).and_then(|mode| mode.first()) == Some(&1)
    }

    fn draw(&mut self, contact: Option<PenPoint>) {
        let right = u16::try_from(WIDTH - 1).unwrap_or(u16::MAX);
        let bottom = u16::try_from(HEIGHT - 1).unwrap_or(u16::MAX);
        let place = contact.map(|point| {
            let (x, y) = (scaled(point.x, right), scaled(point.y, bottom));
            (usize::from(x), usize::from(y))
        });
        if let (true, Some(to)) = (self.inking, place) {
            let from = self.pen.unwrap_or(to);
            // A screen holds no more pixels, however often the pen goes over them.
            if self.ink.len() < 4 * WIDTH * HEIGHT {
                self.ink.extend(between(from, to));
            }
        }
        self.pen = place;
    }

    fn clear(&mut self) {
        let colour = self
            .kept
            .get(&0x2E)
            .and_then(|colour| colour.first_chunk::<3>());
        let colour = colour.copied().unwrap_or([0xFF; 3]);
        self.show(colour.repeat(WIDTH * HEIGHT));
    }

    fn show(&mut self, pixels: Vec<u8>) {
        self.screen_sha256 = sha256(&pixels);
        self.screen = pixels;
        self.ink.clear();
    }

    /// Takes a block: a length, then as many bytes. What is more than an image holds is ignored.
    fn block(&mut self, content: &[u8]) -> bool {
        let Some(upload) = &mut self.upload else {
            return false;
        };
        let Some((&[low, high], data)) = content.split_first_chunk::<2>() else {
            return false;
        };
        let Some(data) = data.get(..usize::from(u16::from_le_bytes([low, high]))) else {
            return false;
        };
        let room = IMAGE.saturating_sub(upload.len());
        upload.extend(data.iter().take(room));
        true
    }

    /// The image is whole: blue, green and red become red, green and blue.
    fn image_end(&mut self) -> bool {
        let Some(mut pixels) = self.upload.take().filter(|pixels| pixels.len() == IMAGE) else {
            return false;
        };
        for pixel in pixels.chunks_exact_mut(3) {
            pixel.reverse();
        }
        self.show(pixels);
        self.images += 1;
        true
    }
}

impl HidModel for Stu {
    fn identity(&self) -> HidIdentity {
        HidIdentity {
            vendor: 0x056A,
            product: 0x00A8,
            name: "STU-540 (simulated)".to_owned(),
            serial: "SIMSTU540A".to_owned(),
        }
    }

    fn descriptor(&self) -> Vec<u8> {
        let mut descriptor = vec![
            0x06, 0x00, 0xFF, 0x09, 0x01, 0xA1, 0x01, // vendor-defined
            0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08, // bytes
        ];
        for (id, length) in [(0x01, 6), (0x34, 10)] {
            descriptor.extend([0x85, id, 0x95, length, 0x09, id, 0x81, 0x02]);
        }
        for (id, length) in FEATURES {
            descriptor.extend([0x85, id, 0x95, length, 0x09, id, 0xB1, 0x02]);
        }
        descriptor.push(0xC0);
        descriptor
    }

    fn feature(&mut self, id: u8) -> Option<Vec<u8>> {
        let content = match id {
            0x03 => vec![u8::from(self.upload.is_some()), self.last_result, 0, 0],
            0x08 => {
                let mut content = b"STU-540".to_vec();
                content.extend([1, 0, 8, 0, 0, 0, 0, 0]);
                content
            }
            0x09 => {
                let mut content = Vec::new();
                let sides = [MAX_X, MAX_Y, MAX_PRESSURE, 800, 480];
                content.extend(sides.iter().flat_map(|side| side.to_be_bytes()));
                content.push(u8::try_from(RATE).unwrap_or(u8::MAX));
                content.extend_from_slice(&RESOLUTION.to_be_bytes());
                // Raw pictures of 16 and 24 bits.
                content.extend([0x0C, 0, 0]);
                content
            }
            0x0F => {
                let mut content = self.identity().serial.into_bytes();
                content.resize(16, 0);
                content
            }
            _ => self.kept.get(&id)?.clone(),
        };
        let mut report = vec![id];
        report.extend(content);
        Some(report)
    }

    fn set_feature(&mut self, report: &[u8]) -> bool {
        let Some((id, content)) = report.split_first() else {
            return false;
        };
        let taken = match (id, content) {
            (0x04, _) => {
                *self = Self::new(self.flags);
                true
            }
            (0x20, _) => {
                self.clear();
                true
            }
            (0x21, [on, ..]) => {
                self.inking = *on != 0;
                true
            }
            (0x25, [MODE_24BIT, ..]) => {
                self.upload = Some(Vec::with_capacity(IMAGE));
                true
            }
            (0x26, block) => self.block(block),
            (0x27, _) => self.image_end(),
            _ => match self.kept.get_mut(id) {
                Some(kept) if content.len() >= kept.len() => {
                    let length = kept.len();
                    kept.copy_from_slice(content.get(..length).unwrap_or_default());
                    true
                }
                _ => false,
            },
        };
        self.last_result = u8::from(!taken);
        taken
    }

    fn output(&mut self, _report: &[u8]) -> bool {
        false
    }
}

/// The feature reports with their lengths, for the descriptor.
const FEATURES: [(u8, u8); 17] = [
    (0x03, 4),
    (0x04, 1),
    (0x08, 15),
    (0x09, 16),
    (0x0D, 1),
    (0x0E, 1),
    (0x0F, 16),
    (0x20, 1),
    (0x21, 1),
    (0x25, 1),
    (0x26, 255),
    (0x27, 1),
    (0x2A, 8),
    (0x2B, 2),
    (0x2D, 4),
    (0x2E, 3),
    (0x33, 1),
];

fn sha256(bytes: &[u8]) -> String {
    let hash = digest(&SHA256, bytes);
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The pixels of a line.
fn between(from: (usize, usize), to: (usize, usize)) -> Vec<(usize, usize)> {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1)).max(1);
    let along = |start: usize, end: usize, step: usize| {
        (start * (steps - step) + end * step + steps / 2) / steps
    };
    let place = |step| (along(from.0, to.0, step), along(from.1, to.1, step));
    (0..=steps).map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capability_is_laid_out_as_the_public_driver_reads_it() {
        let report = Stu::new(PenFlags::default()).feature(0x09).unwrap();
        let word = |at: usize| u16::from_be_bytes([report[at], report[at + 1]]);
        assert_eq!([1, 3, 5, 7, 9].map(word), [10_800, 6_480, 1023, 800, 480]);
        assert_eq!(report[11], 200);
    }

    #[test]
    fn a_pen_record_has_flags_pressure_and_place_and_time_where_asked_for() {
        let mut stu = Stu::new(PenFlags::default());
        let point = PenPoint {
            x: 0.5,
            y: 1.0,
            pressure: 1.0,
        };
        assert_eq!(
            stu.report(Some(point)).0,
            [0x01, 0x93, 0xFF, 0x15, 0x18, 0x19, 0x50]
        );
        assert_eq!(stu.report(None).0, [0x01, 0, 0, 0, 0, 0, 0]);
        assert!(stu.set_feature(&[0x0E, 1]));
        let timed = stu.report(Some(point)).0;
        assert_eq!((timed[0], &timed[7..]), (0x34, &[0, 15, 0, 3][..]));
    }

    #[test]
    fn an_image_is_shown_only_when_it_is_whole() {
        let mut stu = Stu::new(PenFlags::default());
        let white = stu.screen_sha256().to_owned();
        let mut block = vec![0x26, 253, 0];
        block.extend([0x10, 0x20, 0x30].iter().cycle().take(253));
        assert!(!stu.set_feature(&block));
        assert!(stu.set_feature(&[0x25, 4]) && stu.set_feature(&block));
        assert!(!stu.set_feature(&[0x27, 0]), "too short");
        assert_eq!((stu.images(), stu.screen_sha256()), (0, white.as_str()));
        assert!(stu.set_feature(&[0x25, 4]));
        for _ in 0..IMAGE.div_ceil(253) {
            assert!(stu.set_feature(&block));
        }
        assert!(stu.set_feature(&[0x27, 0]));
        assert_eq!(
            (stu.images(), &stu.screen[..3]),
            (1, &[0x30, 0x20, 0x10][..])
        );
    }
}
