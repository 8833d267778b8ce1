//! Reports become readings by description, by the usual layout, and never by luck.

use proptest::prelude::*;

use super::super::descriptor::tests::COUNTED;
use super::*;

/// Reports of the usual layout, made after the library webhid-barcode-scanner 1.2.2 (npm): it reads the
/// number of bytes at 1, the identifier at 2 to 4, data from 5, the vendor's symbology at 61 and the
/// continuation at 63, counted with the report id. `shift` is its second variant.
fn reports(identifier: [u8; 3], content: &[u8], shift: usize) -> Vec<Vec<u8>> {
    let room = 56 - shift;
    let chunks: Vec<&[u8]> = content.chunks(room).collect();
    let last = chunks.len() - 1;
    chunks
        .iter()
        .enumerate()
        .map(|(index, chunk)| {
            let mut report = vec![0; 64];
            report[0] = 2;
            report[1] = u8::try_from(chunk.len()).unwrap();
            report[2 + shift..5 + shift].copy_from_slice(&identifier);
            report[5 + shift..5 + shift + chunk.len()].copy_from_slice(chunk);
            report[61] = 115;
            report[63] = u8::from(index != last);
            report
        })
        .collect()
}

fn at(millis: u64) -> Moment {
    Moment::after_origin(Duration::from_millis(millis))
}

fn joined(layout: Layout, reports: &[Vec<u8>]) -> Vec<Result<Piece, ReportError>> {
    let mut joiner = Reports::new(layout, 8192, Duration::from_millis(500));
    let mut done = Vec::new();
    for report in reports {
        done.extend(joiner.push(report, at(0)));
    }
    done.extend(joiner.tick(at(1_000)).map(Err));
    done
}

#[test]
fn the_described_layout_is_the_usual_one_where_the_device_says_so() {
    let described = Layout::described(COUNTED).unwrap();
    let usual = Layout::usual();
    assert_eq!(described.data, usual.data);
    assert_eq!(described.identifiers, usual.identifiers);
    assert_eq!(described.continued, usual.continued);
    assert_eq!(described.vendor, usual.vendor);
}

#[test]
fn a_long_code_is_joined_byte_for_byte() {
    let content: Vec<u8> = (0..=255).cycle().take(1_000).collect();
    for layout in [Layout::described(COUNTED).unwrap(), Layout::usual()] {
        let [Ok(reading)] = &joined(layout, &reports(*b"]Q1", &content, 0))[..] else {
            panic!("one reading");
        };
        assert_eq!(reading.data.to_vec(), content);
        assert_eq!(reading.aim.unwrap().as_text(), "]Q1");
        assert_eq!(reading.vendor, Some(115));
    }
}

#[test]
fn an_identifier_one_byte_later_is_seen_in_the_usual_layout_only() {
    let reports = reports(*b"]C1", b"0104912345123459", 1);
    let [Ok(reading)] = &joined(Layout::usual(), &reports)[..] else {
        panic!("one reading");
    };
    assert_eq!(reading.data.to_vec(), b"0104912345123459");
    assert_eq!(reading.aim.unwrap().as_text(), "]C1");
    let [Ok(literal)] = &joined(Layout::described(COUNTED).unwrap(), &reports)[..] else {
        panic!("one reading");
    };
    assert_eq!(literal.aim, None);
}

/// `tests/data/reports.tsv`: what the public library webhid-barcode-scanner reads in the same reports
/// (`tests/data/reports.mjs`).
#[test]
fn reports_are_read_as_by_an_independent_library() {
    let mut read = 0;
    for line in include_str!("../../../tests/data/reports.tsv").lines() {
        let mut fields = line.split('\t');
        let shifted = fields.next() == Some("1");
        let mut bytes = fields.map(|field| hex::decode(field).unwrap());
        let (content, identifier) = (bytes.next().unwrap(), bytes.next().unwrap());
        let reports: Vec<Vec<u8>> = bytes.collect();
        let mut layouts = vec![Layout::usual()];
        if !shifted {
            layouts.push(Layout::described(COUNTED).unwrap());
        }
        for layout in layouts {
            let [Ok(reading)] = &joined(layout, &reports)[..] else {
                panic!("one reading");
            };
            assert_eq!(reading.data.to_vec(), content);
            assert_eq!(reading.aim.unwrap().as_text().as_bytes(), identifier);
        }
        read += 1;
    }
    assert_eq!(read, 12);
}

#[test]
fn a_report_that_claims_too_much_spoils_its_reading_only() {
    let mut wrong = reports(*b"]Q1", b"123", 0);
    wrong[0][1] = 57;
    wrong.extend(reports(*b"]Q1", b"456", 0));
    let done = joined(Layout::usual(), &wrong);
    assert_eq!(done[0], Err(ReportError::Short { length: 64 }));
    assert_eq!(done[1].as_ref().unwrap().data.to_vec(), b"456");
}

/// A page would have got the end of a number as a whole number: the middle report was bad, and the last one
/// looked like a reading of its own.
#[test]
fn a_bad_report_spoils_the_reports_behind_it_up_to_the_last() {
    let content: Vec<u8> = (0..150).collect();
    for cut in [64, 20] {
        let mut three = reports(*b"]Q1", &content, 0);
        three[1][1] = 57;
        three[1].truncate(cut);
        three.extend(reports(*b"]Q1", b"next", 0));
        let done = joined(Layout::usual(), &three);
        let [Err(ReportError::Short { length }), Ok(next)] = &done[..] else {
            panic!("{done:?}");
        };
        assert_eq!((*length, &next.data[..]), (cut, &b"next"[..]));
    }
}

#[test]
fn after_a_bad_report_that_nothing_follows_silence_begins_anew() {
    let bad = reports(*b"]Q1", b"123", 0)[0][..20].to_vec();
    let mut joiner = Reports::new(Layout::usual(), 8192, Duration::from_millis(500));
    assert_eq!(
        joiner.push(&bad, at(0)),
        [Err(ReportError::Short { length: 20 })]
    );
    let done = joiner.push(&reports(*b"]Q1", b"next", 0)[0], at(500));
    assert_eq!(done[0].as_ref().unwrap().data.to_vec(), b"next");
}

/// The code that a citizen showed after such a one vanished, and nobody was told.
#[test]
fn a_bad_last_report_of_a_reading_that_is_too_long_does_not_swallow_the_next() {
    let mut long = reports(*b"]Q1", &[1; 56 * 4], 0);
    long[3][1] = 57;
    long.extend(reports(*b"]Q1", b"next", 0));
    let mut joiner = Reports::new(Layout::usual(), 100, Duration::from_millis(500));
    let done: Vec<_> = long
        .iter()
        .flat_map(|report| joiner.push(report, at(0)))
        .collect();
    let [
        Err(ReportError::TooLong { limit: 100 }),
        Err(ReportError::Short { length: 64 }),
        Ok(next),
    ] = &done[..]
    else {
        panic!("{done:?}");
    };
    assert_eq!(next.data.to_vec(), b"next");
}

#[test]
fn every_truncation_is_told() {
    let whole = reports(*b"]Q1", &[7; 56], 0).remove(0);
    for length in 1..whole.len() {
        let done = joined(Layout::usual(), &[whole[..length].to_vec()]);
        assert_eq!(done, [Err(ReportError::Short { length })]);
    }
    assert_eq!(Layout::usual().piece(&[]), Ok(None));
}

#[test]
fn a_missing_last_report_is_told_and_does_not_leak_into_the_next_reading() {
    let mut first = reports(*b"]Q1", &[1; 100], 0);
    first.pop();
    let mut joiner = Reports::new(Layout::usual(), 8192, Duration::from_millis(500));
    assert!(joiner.push(&first[0], at(0)).is_empty());
    assert_eq!(joiner.due(), Some(at(500)));
    let done = joiner.push(&reports(*b"]Q1", b"next", 0)[0], at(600));
    assert_eq!(done[0], Err(ReportError::Unfinished { had: 56 }));
    assert_eq!(done[1].as_ref().unwrap().data.to_vec(), b"next");
}

#[test]
fn a_device_that_never_ends_is_told_once() {
    let mut endless = reports(*b"]Q1", &[1; 56 * 40], 0);
    let mut joiner = Reports::new(Layout::usual(), 100, Duration::from_millis(500));
    let last = endless.pop().unwrap();
    let mut done: Vec<_> = endless
        .iter()
        .flat_map(|report| joiner.push(report, at(0)))
        .collect();
    done.extend(joiner.push(&last, at(0)));
    assert_eq!(done, [Err(ReportError::TooLong { limit: 100 })]);
    assert_eq!(
        joiner.push(&reports(*b"]Q1", b"next", 0)[0], at(1)).len(),
        1
    );
}

#[test]
fn a_keyboard_is_no_scanner() {
    let keyboard = [0x05, 0x01, 0x09, 0x06, 0xA1, 0x01, 0xC0];
    assert_eq!(Layout::described(&keyboard), Err(LayoutError::NoScanner));
    let empty = [0x05, 0x8C, 0x09, 0x02, 0xA1, 0x01, 0xC0];
    assert_eq!(Layout::described(&empty), Err(LayoutError::NoData));
}

proptest! {
    #[test]
    fn any_report_is_read_or_refused(reports in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..70), 0..20)) {
        for layout in [Layout::usual(), Layout::described(COUNTED).unwrap()] {
            for done in joined(layout, &reports).into_iter().flatten() {
                prop_assert!(done.data.len() <= 8192);
            }
        }
    }
}
