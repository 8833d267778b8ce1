//! What is written is read again, and nothing else is.

use proptest::prelude::*;

use super::{InkmlError, LONGEST_INKML, read, write};
use crate::ink::{CapturedBy, Ink, InkError, MOST_SAMPLES, Sample, Turn};
use crate::sample_ink::{bare_ink, digitizer, ink};

fn text(ink: &Ink) -> String {
    String::from_utf8(write(ink).to_vec()).unwrap()
}

#[test]
fn what_is_written_is_read_again_exactly() {
    for ink in [ink(), bare_ink()] {
        let bytes = write(&ink);
        let again = read(&bytes).unwrap();
        assert!(again == ink);
        assert_eq!(*write(&again), *bytes);
    }
}

#[test]
fn the_pen_in_the_air_is_a_trace_of_its_own() {
    let text = text(&ink());
    assert_eq!(text.matches("type=\"penDown\"").count(), 3);
    assert_eq!(text.matches("type=\"penUp\"").count(), 3);
    assert!(
        text.contains("12000 9675 0.007 1000 -30 12.05 T 0, "),
        "{text}"
    );
    assert!(text.contains("value=\"197.531\" units=\"Hz\""), "{text}");
    assert!(text.contains("model=\"ペン &lt;16&gt;\""), "{text}");
}

#[test]
fn a_document_that_is_cut_anywhere_is_refused() {
    let whole = write(&bare_ink());
    let end = whole.len() - "</ink>\n".len();
    for length in (0..2_500).chain(end - 200..end + 6) {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
}

#[test]
fn white_space_does_not_matter() {
    let spread = text(&ink())
        .replace(", ", "\n ,\t")
        .replace("\n  <", "\r\n\t<");
    assert!(read(spread.as_bytes()).unwrap() == ink());
}

#[test]
fn what_the_subset_does_not_have_is_refused() {
    let good = text(&ink());
    let changes = [
        ("<ink ", "<!DOCTYPE ink [<!ENTITY a \"b\">]><ink "),
        ("<ink ", "<!-- a remark --><ink "),
        ("<ink ", "<?program?><ink "),
        (">1.04<", ">&a;<"),
        (">1.04<", "><![CDATA[1.04]]><"),
        (">1.04<", ">1.04\u{1}<"),
        ("xmlns=", "lang=\"ja\" xmlns="),
        ("2003/InkML", "2003/InkXL"),
        ("\"clock\"", "\"watch\""),
        (">device</annotation>\n <def", ">nobody</annotation>\n <def"),
        ("serialNo=\"6", "serialNo=\"7\" serialNo=\"6"),
        (" manufacturer=\"Example &amp; Söhne\"", ""),
        ("\"penUp\"", "\"penAway\""),
        ("units=\"ms\"", "units=\"s\""),
        ("12000 9675 0.007", "12000 9675 0.0070"),
        ("12000 9675 0.007", "+12000 9675 0.007"),
        ("12000 9675 0.007", "012000 9675 0.007"),
        ("12000 9675 0.007", "12000 9675 0.0071"),
        ("12000 9675 0.007", "12000 9675 5.007 0.007"),
        ("12000 9675 0.007", "12000 0.007"),
        ("12000 9675 0.007", "99999 9675 0.007"),
        ("12.05 T 0", "12.05 T 0,"),
        ("12.05 T 0", "12.05 U 0"),
        ("-30 12.05", "-0 12.05"),
        ("</ink>", "</ink><ink/>"),
        ("encoding=\"UTF-8\"", "encoding=\"UTF-16\""),
    ];
    for (from, to) in changes {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        assert!(read(changed.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn the_bounds_are_said_before_anything_is_read() {
    let long = vec![b' '; LONGEST_INKML + 1];
    assert_eq!(
        read(&long).unwrap_err(),
        InkmlError::TooLong(LONGEST_INKML + 1)
    );
    assert_eq!(read(&[0xFF]).unwrap_err(), InkmlError::NotUtf8);
    let head = text(&bare_ink());
    let head = head.split("<trace ").next().unwrap();
    let points = vec!["0 0 0 T 0"; MOST_SAMPLES + 1].join(",");
    let many =
        format!("{head}<trace contextRef=\"#context\" type=\"penDown\">{points}</trace></ink>");
    assert_eq!(
        read(many.as_bytes()).unwrap_err(),
        InkmlError::Ink(InkError::TooMany(MOST_SAMPLES + 1))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_ink_survives(
        points in proptest::collection::vec(
            (0_u64..90_000, 0..=34_419, 0..=19_461, 0..=8_191_u16, -9_000..=9_000_i16, 0..3_u8),
            1..40,
        ),
        lost in 0..=u32::MAX,
        started in 0..4_000_000_000_000_i64,
    ) {
        let mut time = 0;
        let mut samples: Vec<Sample> = points
            .into_iter()
            .map(|(step, x, y, pressure, tilt, state)| {
                time += step;
                let (tip, in_range) = (state == 0, state < 2);
                Sample {
                    t_us: time, x, y, pressure, tilt_x: tilt, tilt_y: -tilt, tip, in_range,
                    lost_before: lost,
                }
            })
            .collect();
        samples[0].tip = true;
        samples[0].in_range = true;
        let ink = Ink::new(digitizer(), CapturedBy::Device, started, samples).unwrap();
        prop_assert!(read(&write(&ink)).unwrap() == ink);
    }

    #[test]
    fn rubbish_never_panics(text in "\\PC{0,200}", cut in 0_usize..3_000) {
        let good = write(&ink());
        let mut mixed = good[..cut.min(good.len())].to_vec();
        mixed.extend(text.bytes());
        prop_assert!(read(&mixed).is_err());
    }
}

#[test]
fn how_the_digitizer_stood_is_kept() {
    for turn in [Turn::None, Turn::Quarter, Turn::Half, Turn::ThreeQuarters] {
        for ink in [ink(), bare_ink()] {
            let ink = ink.turned(turn);
            assert_eq!(read(&write(&ink)).unwrap(), ink);
        }
    }
    let text = String::from_utf8(write(&ink().turned(Turn::Half)).to_vec()).unwrap();
    let wrong = text.replace(">half<", ">askew<");
    assert_eq!(read(wrong.as_bytes()), Err(InkmlError::Annotation("turn")));
}

#[test]
fn the_form_does_not_change_unnoticed() {
    let kept = include_bytes!("../../tests/data/signature.inkml");
    assert!(write(&ink()).as_slice() == kept);
}
