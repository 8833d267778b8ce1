//! The little that a link itself reads of a report descriptor (USB HID 1.11, clause 6.2.2): what its
//! top-level collections are for, and whether its reports are numbered.
//!
//! What the reports hold is the drivers' business.

use crate::identity::Usage;

/// What a descriptor says of the whole device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outline {
    /// One for each top-level collection.
    pub(crate) usages: Vec<Usage>,
    /// Whether every report begins with its id.
    pub(crate) numbered: bool,
}

/// Item prefixes without their lengths.
const USAGE_PAGE: u8 = 0x04;
const REPORT_ID: u8 = 0x84;
const USAGE: u8 = 0x08;
const COLLECTION: u8 = 0xa0;
const END_COLLECTION: u8 = 0xc0;
/// A prefix that announces a long item: its length follows.
const LONG: u8 = 0xfe;

/// Reads as much of `descriptor` as is whole; what follows a broken item is left out.
pub(crate) fn outline(descriptor: &[u8]) -> Outline {
    let mut outline = Outline::default();
    let (mut page, mut usage, mut depth) = (0_u32, None, 0_u32);
    let mut rest = descriptor;
    while let Some((&prefix, after)) = rest.split_first() {
        if prefix == LONG {
            let length = after.first().map_or(0, |length| usize::from(*length));
            rest = after.get(2 + length..).unwrap_or_default();
            continue;
        }
        let length = [0, 1, 2, 4].get(usize::from(prefix & 0x03)).copied();
        let Some((data, after)) = after.split_at_checked(length.unwrap_or(0)) else {
            break;
        };
        rest = after;
        let value = data
            .iter()
            .rev()
            .fold(0_u32, |value, byte| value << 8 | u32::from(*byte));
        match prefix & 0xfc {
            USAGE_PAGE => page = value,
            REPORT_ID => outline.numbered = true,
            // A usage of four bytes carries its page (clause 6.2.2.8); the first one names the collection.
            USAGE if data.len() == 4 => usage = usage.or(Some(value)),
            USAGE => usage = usage.or(Some(page << 16 | value)),
            COLLECTION => {
                if depth == 0 {
                    outline.usages.extend(usage.map(of_value));
                }
                (depth, usage) = (depth.saturating_add(1), None);
            }
            END_COLLECTION => (depth, usage) = (depth.saturating_sub(1), None),
            // Input, output and feature end the local items too.
            0x80 | 0x90 | 0xb0 => usage = None,
            _ => {}
        }
    }
    outline
}

fn of_value(value: u32) -> Usage {
    let half = |value: u32| u16::try_from(value & 0xffff).unwrap_or(0);
    Usage {
        page: half(value >> 16),
        usage: half(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pen with report 1 and a vendor's collection with report 2, written by hand from the tables.
    const TWO: &[u8] = &[
        0x05, 0x0d, 0x09, 0x02, 0xa1, 0x01, 0x85, 0x01, 0x09, 0x20, 0xa1, 0x00, 0x09, 0x42, 0x81,
        0x02, 0xc0, 0xc0, 0x06, 0x00, 0xff, 0x09, 0x01, 0xa1, 0x01, 0x85, 0x02, 0xb1, 0x02, 0xc0,
    ];

    #[test]
    fn every_top_level_collection_is_seen_and_no_inner_one() {
        let seen = outline(TWO);
        let vendor = Usage {
            page: 0xff00,
            usage: 1,
        };
        assert_eq!(seen.usages, [Usage::PEN, vendor]);
        assert!(seen.numbered);
    }

    #[test]
    fn a_usage_of_four_bytes_brings_its_own_page() {
        let seen = outline(&[0x05, 0x01, 0x0b, 0x02, 0x00, 0x8c, 0x00, 0xa1, 0x01, 0xc0]);
        assert_eq!(seen.usages, [Usage::BARCODE_SCANNER]);
        assert!(!seen.numbered);
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_survived() {
        for length in 0..TWO.len() {
            let seen = outline(&TWO[..length]);
            assert!(seen.usages.len() <= 2);
        }
        for at in 0..TWO.len() {
            for value in 0..=255 {
                let mut changed = TWO.to_vec();
                changed[at] = value;
                assert!(outline(&changed).usages.len() <= changed.len());
            }
        }
    }
}
