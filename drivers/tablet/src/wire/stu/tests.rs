//! Reports put together by hand from the maker's library, every truncation, and what goes to the pad.

use proptest::prelude::*;

use super::*;
use crate::quirks;

const FLAGS: PenFlags = quirks::UNKNOWN_PAD.flags;

/// Capability of a STU-540: 108 x 64.8 millimetres at 100 units, 1023 levels, 800 x 480, 200 a second.
const CAPABILITY: [u8; 17] = [
    0x09, 0x2A, 0x30, 0x19, 0x50, 0x03, 0xFF, 0x03, 0x20, 0x01, 0xE0, 0xC8, 0x09, 0xEC, 0x0F, 0, 0,
];

#[test]
fn a_capability_is_read_big_endian() {
    let read = Capability::parse(&CAPABILITY).unwrap();
    let expected = Capability {
        max_x: 10_800,
        max_y: 6_480,
        max_pressure: 1023,
        width: 800,
        height: 480,
        rate: 200,
        per_inch: 2540,
        encodings: 0x0F,
    };
    assert_eq!(read, expected);
}

#[test]
fn a_screen_that_no_pad_has_is_refused() {
    let mut huge = CAPABILITY;
    huge[7..11].copy_from_slice(&[0xFF; 4]);
    assert!(Capability::parse(&huge).is_err());
    let mut none = CAPABILITY;
    none[1..3].copy_from_slice(&[0, 0]);
    assert!(Capability::parse(&none).is_err());
}

#[test]
fn model_firmware_and_serial_are_text_until_a_zero_byte() {
    let bytes = b"\x08540\0\0\0\0\0\0\x01\x23\0\x04\0\0\0";
    let read = Information::parse(bytes).unwrap();
    assert_eq!(read.model, "540");
    assert_eq!(read.version(), "1.2.3");
    assert_eq!(
        text(b"\x0F9LS0012345678", 0x0F, 13).unwrap(),
        "9LS0012345678"
    );
    assert_eq!(
        text(b"\x0FA\x1B[2J\xFF\0\0\0\0\0\0\0", 0x0F, 13).unwrap(),
        "A[2J"
    );
}

#[test]
fn a_pen_report_has_flags_above_twelve_bits_of_pressure() {
    let plain = pen(&[0x01, 0x93, 0xFF, 0x2A, 0x30, 0x19, 0x50], FLAGS).unwrap();
    let state = PenState {
        x: 10_800,
        y: 6_480,
        pressure: 1023,
        ready: true,
        touch: true,
        timed: None,
    };
    assert_eq!(plain, Input::Pen(state));
    let timed = [0x34, 0x80, 0x00, 0, 1, 0, 2, 0xFF, 0xFE, 0x00, 0x07];
    let hovering = PenState {
        x: 1,
        y: 2,
        pressure: 0,
        ready: true,
        touch: false,
        timed: Some((0xFFFE, 7)),
    };
    assert_eq!(pen(&timed, FLAGS), Ok(Input::Pen(hovering)));
}

#[test]
fn encrypted_reports_are_known_as_such() {
    for report in [0x10, 0x33] {
        assert_eq!(pen(&[report; 17], FLAGS), Ok(Input::Encrypted));
    }
    assert_eq!(pen(&[0x99, 0], FLAGS), Ok(Input::Other));
    assert_eq!(pen(&[], FLAGS), Ok(Input::Other));
}

#[test]
fn every_truncation_is_refused() {
    let timed = [0x34, 0x80, 0, 0, 1, 0, 2, 0, 3, 0, 4];
    for length in 1..timed.len() {
        assert_eq!(
            pen(&timed[..length], FLAGS),
            Err(BadReport { report: 0x34 })
        );
    }
    for length in 0..15 {
        assert!(Capability::parse(&CAPABILITY[..length]).is_err());
    }
    for length in 0..12 {
        assert!(Information::parse(&b"\x08540\0\0\0\0\0\0\x01\x23"[..length]).is_err());
    }
    for length in 0..3 {
        assert!(Status::parse(&[3, 0, 0][..length]).is_err());
    }
}

#[test]
fn states_of_the_pad_are_told_apart() {
    let activity = |code| Status::parse(&[3, code, 0, 0, 0]).unwrap().activity;
    let told = [0, 1, 2, 3, 4, 5, 0xFF].map(activity);
    let expected = [
        Activity::Ready,
        Activity::Picture,
        Activity::Capture,
        Activity::Busy,
        Activity::Busy,
        Activity::Busy,
        Activity::Busy,
    ];
    assert_eq!(told, expected);
}

#[test]
fn colours_go_as_blue_green_red() {
    assert_eq!(
        Encoding::Bgr24.encode(&[1, 2, 3, 4, 5, 6], 2),
        [3, 2, 1, 6, 5, 4]
    );
}

#[test]
fn one_bit_rows_are_filled_to_bytes_with_white() {
    let (black, white) = ([0_u8; 3], [255_u8; 3]);
    let row: Vec<u8> = [
        black, white, white, white, white, white, white, black, black, white,
    ]
    .concat();
    let picture = [row.clone(), row].concat();
    assert_eq!(
        Encoding::Mono.encode(&picture, 10),
        [0x7E, 0x7F, 0x7E, 0x7F]
    );
}

#[test]
fn a_picture_goes_in_full_blocks_whose_data_are_the_picture() {
    let picture: Vec<u8> = (0..=255).cycle().take(600).collect();
    let sent: Vec<Vec<u8>> = blocks(&picture, BLOCK).collect();
    assert_eq!(sent.iter().map(Vec::len).collect::<Vec<_>>(), [256; 3]);
    assert_eq!(sent[2][..3], [0x26, 94, 0]);
    let data: Vec<u8> = sent
        .iter()
        .flat_map(|block| &block[3..3 + usize::from(u16::from_le_bytes([block[1], block[2]]))])
        .copied()
        .collect();
    assert_eq!(data, picture);
    assert_eq!(begin_picture(Encoding::Bgr24), [0x25, 4]);
    assert_eq!(begin_picture(Encoding::Mono), [0x25, 0]);
    assert_eq!(
        (end_picture(true), end_picture(false)),
        (vec![0x27, 0], vec![0x27, 1])
    );
}

#[test]
fn edges_are_little_endian() {
    assert_eq!(
        ink_area([1, 2, 0x320, 0x1E0]),
        [0x2A, 1, 0, 2, 0, 0x20, 3, 0xE0, 1]
    );
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _input = pen(&bytes, FLAGS);
        let _status = Status::parse(&bytes);
        drop(Information::parse(&bytes));
        let _capability = Capability::parse(&bytes);
        drop(text(&bytes, report::ESERIAL, 13));
    }
}
