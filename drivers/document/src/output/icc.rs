//! The colour space sRGB as an ICC profile, made here, because a file of one's own needs no licence.
//!
//! Format: ICC.1:2010 (profile version 4.2). Values: IEC 61966-2-1, adapted to D50 by the Bradford matrix,
//! as they stand in the ICC's own sRGB profile of version 4.

/// A number with 16 bits behind the point.
type Fixed = i32;

const WHITE: [Fixed; 3] = [0xF6D6, 0x1_0000, 0xD32D];
const RED: [Fixed; 3] = [0x6FA2, 0x38F5, 0x0390];
const GREEN: [Fixed; 3] = [0x6299, 0xB785, 0x18DA];
const BLUE: [Fixed; 3] = [0x24A0, 0x0F84, 0xB6CF];

/// From D65 to D50.
const ADAPTATION: [Fixed; 9] = [
    68_674, 1_502, -3_291, 1_939, 64_912, -1_119, -605, 988, 49_262,
];

/// The curve of sRGB as function type 3: 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045.
const CURVE: [Fixed; 5] = [157_286, 62_119, 3_417, 5_072, 2_651];

/// The profile.
pub(super) fn srgb() -> Vec<u8> {
    let tags: [(&[u8; 4], Vec<u8>); 10] = [
        (b"desc", text("sRGB")),
        (b"cprt", text("No copyright, use freely")),
        (b"wtpt", numbers(b"XYZ ", &[], &WHITE)),
        (b"chad", numbers(b"sf32", &[], &ADAPTATION)),
        (b"rXYZ", numbers(b"XYZ ", &[], &RED)),
        (b"gXYZ", numbers(b"XYZ ", &[], &GREEN)),
        (b"bXYZ", numbers(b"XYZ ", &[], &BLUE)),
        (b"rTRC", numbers(b"para", &[0, 3, 0, 0], &CURVE)),
        (b"gTRC", numbers(b"para", &[0, 3, 0, 0], &CURVE)),
        (b"bTRC", numbers(b"para", &[0, 3, 0, 0], &CURVE)),
    ];
    let mut table = word(tags.len());
    let mut data = Vec::new();
    let start = 128 + 4 + 12 * tags.len();
    for (name, content) in &tags {
        table.extend_from_slice(*name);
        table.extend(word(start + data.len()));
        table.extend(word(content.len()));
        data.extend_from_slice(content);
        data.resize(data.len().next_multiple_of(4), 0);
    }
    let mut profile = word(start + data.len());
    profile.extend_from_slice(&[0; 4]);
    profile.extend_from_slice(&[4, 0x20, 0, 0]);
    profile.extend_from_slice(b"mntrRGB XYZ ");
    // 2026-01-01, so that the same document is the same file.
    for part in [2026_u16, 1, 1, 0, 0, 0] {
        profile.extend_from_slice(&part.to_be_bytes());
    }
    profile.extend_from_slice(b"acsp");
    profile.resize(68, 0);
    for part in WHITE {
        profile.extend_from_slice(&part.to_be_bytes());
    }
    profile.resize(128, 0);
    profile.extend(table);
    profile.extend(data);
    profile
}

fn word(number: usize) -> Vec<u8> {
    u32::try_from(number).unwrap_or(0).to_be_bytes().to_vec()
}

fn numbers(kind: &[u8; 4], before: &[u8], numbers: &[Fixed]) -> Vec<u8> {
    let mut tag = kind.to_vec();
    tag.extend_from_slice(&[0; 4]);
    tag.extend_from_slice(before);
    for number in numbers {
        tag.extend_from_slice(&number.to_be_bytes());
    }
    tag
}

/// A text in one language.
fn text(text: &str) -> Vec<u8> {
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut tag = b"mluc".to_vec();
    tag.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 12]);
    tag.extend_from_slice(b"enUS");
    tag.extend(word(utf16.len()));
    tag.extend(word(28));
    tag.extend(utf16);
    tag
}
