//! Readings are cut where the rules say, whatever the chunks.

use proptest::prelude::*;

use super::*;

fn at(millis: u64) -> Moment {
    Moment::after_origin(Duration::from_millis(millis))
}

fn framing(start: Start, suffix: Suffix) -> Framing {
    Framing {
        start,
        aim: false,
        suffix,
        longest: 64,
        silence: Duration::from_millis(200),
        ..Framing::default()
    }
}

/// Each result in short: content and rule, or the error.
fn all(framing: Framing, bytes: &[u8]) -> Vec<Result<(Vec<u8>, ClosedBy), FramingError>> {
    let mut framer = Framer::new(framing);
    let mut done = framer.push(bytes, at(0));
    done.extend(framer.tick(at(10_000)));
    done.into_iter()
        .map(|each| each.map(|framed| (framed.payload.to_vec(), framed.closed_by)))
        .collect()
}

fn reading(content: &[u8], closed_by: ClosedBy) -> Result<(Vec<u8>, ClosedBy), FramingError> {
    Ok((content.to_vec(), closed_by))
}

#[test]
fn each_suffix_closes_and_is_named() {
    let cases: [(Start, Suffix, &[u8], ClosedBy); 7] = [
        (Start::Nothing, Suffix::Cr, b"123\r", ClosedBy::Cr),
        (Start::Nothing, Suffix::CrLf, b"123\r\n", ClosedBy::CrLf),
        (Start::Nothing, Suffix::Tab, b"123\t", ClosedBy::Tab),
        (Start::Nothing, Suffix::Nothing, b"123", ClosedBy::Silence),
        (Start::Stx, Suffix::Etx, b"\x02123\x03", ClosedBy::Etx),
        (
            Start::Bytes(b"$%".to_vec()),
            Suffix::Cr,
            b"$%123\r",
            ClosedBy::Cr,
        ),
        // 31 ^ 32 ^ 33 ^ 03 = 33.
        (
            Start::Stx,
            Suffix::EtxLrc,
            b"\x02123\x03\x33",
            ClosedBy::Lrc,
        ),
    ];
    for (start, suffix, bytes, closed_by) in cases {
        assert_eq!(
            all(framing(start, suffix), bytes),
            [reading(b"123", closed_by)]
        );
    }
}

#[test]
fn a_line_feed_after_the_suffix_cr_belongs_to_it() {
    let done = all(framing(Start::Nothing, Suffix::Cr), b"1\r\n2\r3\r\n");
    let contents: Vec<_> = done.into_iter().map(|each| each.unwrap().0).collect();
    assert_eq!(contents, [b"1", b"2", b"3"]);
}

#[test]
fn a_lone_cr_is_content_where_the_suffix_is_cr_lf() {
    assert_eq!(
        all(framing(Start::Nothing, Suffix::CrLf), b"1\r2\r\n"),
        [reading(b"1\r2", ClosedBy::CrLf)]
    );
}

#[test]
fn a_wrong_check_byte_is_told_and_the_next_reading_is_whole() {
    assert_eq!(
        all(
            framing(Start::Stx, Suffix::EtxLrc),
            b"\x02123\x03\x34\x02123\x03\x33"
        ),
        [Err(FramingError::Lrc), reading(b"123", ClosedBy::Lrc)]
    );
}

#[test]
fn a_check_byte_that_looks_like_stx_is_a_check_byte() {
    // 01 ^ 03 = 02.
    assert_eq!(
        all(framing(Start::Stx, Suffix::EtxLrc), b"\x02\x01\x03\x02"),
        [reading(b"\x01", ClosedBy::Lrc)]
    );
}

#[test]
fn stx_in_the_middle_begins_anew() {
    assert_eq!(
        all(
            framing(Start::Stx, Suffix::Etx),
            b"noise\x02cut\x02whole\x03"
        ),
        [
            Err(FramingError::Unfinished { had: 3 }),
            reading(b"whole", ClosedBy::Etx)
        ]
    );
}

#[test]
fn bytes_that_begin_nothing_are_told_once() {
    assert_eq!(
        all(framing(Start::Stx, Suffix::Etx), b"123\r"),
        [Err(FramingError::NoStart { stray: 4 })]
    );
}

#[test]
fn a_start_that_repeats_its_beginning_is_found() {
    assert_eq!(
        all(
            framing(Start::Bytes(b"aab".to_vec()), Suffix::Cr),
            b"aaab1\r"
        ),
        [reading(b"1", ClosedBy::Cr)]
    );
}

#[test]
fn what_is_too_long_is_told_once_and_dropped_to_its_end() {
    for (suffix, end) in [(Suffix::Cr, &b"\r"[..]), (Suffix::CrLf, b"\r\n")] {
        let mut bytes = vec![b'x'; 64];
        bytes.extend_from_slice(end);
        bytes.extend_from_slice(&[b'y'; 200]);
        bytes.extend_from_slice(end);
        bytes.extend_from_slice(b"z");
        bytes.extend_from_slice(end);
        let done = all(framing(Start::Nothing, suffix), &bytes);
        assert_eq!(done.len(), 3);
        assert_eq!(done[0].as_ref().unwrap().0.len(), 64);
        assert_eq!(done[1], Err(FramingError::TooLong { limit: 64 }));
        assert_eq!(done[2].as_ref().unwrap().0, b"z");
    }
}

#[test]
fn silence_does_not_pass_half_a_reading_for_a_whole_one() {
    let cut = b"]Q112345";
    assert_eq!(
        all(framing(Start::Nothing, Suffix::Cr), cut),
        [Err(FramingError::Unfinished { had: 8 })]
    );
    let lenient = Framing {
        silence_delivers: true,
        ..framing(Start::Nothing, Suffix::Cr)
    };
    assert_eq!(all(lenient, cut), [reading(cut, ClosedBy::Silence)]);
}

#[test]
fn silence_is_counted_from_the_last_byte() {
    let mut framer = Framer::new(framing(Start::Nothing, Suffix::Nothing));
    assert!(framer.push(b"1", at(0)).is_empty());
    assert!(framer.push(b"2", at(199)).is_empty());
    assert_eq!(framer.due(), Some(at(399)));
    assert!(framer.tick(at(398)).is_none());
    assert_eq!(
        framer.tick(at(399)).unwrap().unwrap().payload.to_vec(),
        b"12"
    );
    assert_eq!(framer.due(), None);
    // Bytes that come late close what was open before they count.
    assert!(framer.push(b"3", at(1_000)).is_empty());
    assert_eq!(framer.push(b"4", at(2_000)).len(), 1);
}

proptest! {
    #[test]
    fn chunks_make_no_difference(
        bytes in proptest::collection::vec(prop_oneof![Just(2u8), Just(3), Just(13), Just(10), any::<u8>()], 0..300),
        cut in 0usize..300,
        which in 0usize..6,
    ) {
        let (start, suffix) = [
            (Start::Nothing, Suffix::Cr),
            (Start::Nothing, Suffix::CrLf),
            (Start::Stx, Suffix::Etx),
            (Start::Stx, Suffix::EtxLrc),
            (Start::Bytes(vec![13, 10, 13, 2]), Suffix::Tab),
            (Start::Nothing, Suffix::Nothing),
        ][which].clone();
        let cut = cut.min(bytes.len());
        let mut one = Framer::new(framing(start.clone(), suffix));
        let mut two = Framer::new(framing(start, suffix));
        let whole = one.push(&bytes, at(0));
        let mut parts = two.push(&bytes[..cut], at(0));
        parts.extend(two.push(&bytes[cut..], at(1)));
        prop_assert_eq!(&whole, &parts);
        prop_assert!(whole.iter().flatten().all(|framed| framed.payload.len() <= 64));
    }
}
