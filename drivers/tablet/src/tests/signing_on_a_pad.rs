//! Signing on a pad: what goes to it, what comes from it, and what must not count.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, FaultCode};
use link::memory;

use super::pad::{Listener, Pad};
use super::script::{Act, acts};
use super::{patience, request};
use crate::contract::Scene;
use crate::driver::{self, Connection, TabletSettings};
use crate::fault::TabletError;
use crate::ink::SampleClock;
use crate::layout::Press;
use crate::picture::sha256;
use crate::wire::stu::report;
use crate::{Kind, MediaType};

const FORM: &[u8] = include_bytes!("../../data/form-ja.pdf");

/// A picture of one short page.
fn short() -> Vec<u8> {
    crate::picture::Picture::plain(200, 50, [0x80; 3])
        .unwrap()
        .to_png()
        .unwrap()
}

fn signing() -> Vec<Act> {
    acts(Scene::Signs).remove(0)
}

#[test]
fn the_pad_is_described_by_what_it_says_of_itself() {
    let (pad, link) = Pad::new("540", vec![]);
    let tablet = pad.open(link).unwrap();
    let told = tablet.description();
    assert_eq!(
        (told.model.as_str(), told.serial.as_str()),
        ("Wacom STU-540", "9LS0012345678")
    );
    assert_eq!((told.firmware.as_str(), told.nominal_rate), ("1.2.3", 200));
    assert_eq!(
        (told.x, told.y, told.max_pressure),
        ((0, 10_800), (0, 6_480), 1023)
    );
    assert_eq!(told.units_per_mm, Some((100.0, 100.0)));
    assert_eq!(
        (told.clock, told.screen),
        (SampleClock::Device, Some((800, 480)))
    );
}

#[test]
fn a_pad_that_talks_only_encrypted_is_refused_with_its_name() {
    let (pad, link) = Pad::new("541", vec![]);
    let error = pad.open(link).unwrap_err();
    assert_eq!(
        error.to_string(),
        "STU-541 talks only encrypted, which is not supported"
    );
    assert_eq!(error.fault(), FaultCode::DeviceUnsupported);
}

#[test]
fn the_recorded_hash_is_of_the_bytes_that_went_to_the_pad() {
    for model in ["540", "430"] {
        let (pad, link) = Pad::new(model, vec![signing()]);
        let mut tablet = pad.open(link).unwrap();
        let ink = tablet
            .capture(
                &request(&short(), MediaType::Png),
                &mut Listener::default(),
                &patience(&pad.device.clock()),
            )
            .unwrap();
        let sent: Vec<u8> = pad
            .device
            .features_set()
            .iter()
            .filter(|report| report[0] == report::PICTURE_BLOCK)
            .flat_map(|block| {
                let length = usize::from(u16::from_le_bytes([block[1], block[2]]));
                assert!(block.len() == 256 && length <= 253);
                block[3..3 + length].to_vec()
            })
            .collect();
        let (width, height) = pad.size();
        let pixels = usize::from(width) * usize::from(height);
        assert_eq!(sent.len(), if pad.mono { pixels / 8 } else { pixels * 3 });
        assert_eq!(ink.shown[0].sent_sha256, Some(sha256(&sent)));
    }
}

#[test]
fn samples_carry_the_pads_clock_and_reach_the_desk_as_they_come() {
    let (pad, link) = Pad::new("540", vec![signing()]);
    let mut tablet = pad.open(link).unwrap();
    let mut desk = Listener::default();
    let clock = pad.device.clock();
    let ink = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut desk,
            &patience(&clock),
        )
        .unwrap();
    // 5 + 40 + 12 + 30 + 6 dots; the press on 確定 is no ink.
    assert_eq!(ink.samples.len(), 93);
    assert_eq!(desk.heard, *ink.samples);
    assert_eq!(desk.batches, 93);
    let steps = ink
        .samples
        .windows(2)
        .map(|pair| pair[1].t_us - pair[0].t_us);
    assert!(
        steps.clone().all(|step| step == 5000),
        "{:?}",
        steps.collect::<Vec<_>>()
    );
    assert!((ink.measured_rate.unwrap() - 200.0).abs() < 0.01);
    assert_eq!((ink.lost, ink.unreadable), (0, 0));
    let tip = ink.samples.iter().find(|sample| sample.tip).unwrap();
    assert_eq!((tip.pressure, tip.in_range), (500, true));
}

#[test]
fn lost_reports_are_counted_and_strokes_not_joined_over_them() {
    let acts = vec![
        Act::Hover(3),
        Act::Stroke(10),
        Act::Lose(7),
        Act::Stroke(10),
        Act::Hover(3),
        Act::Press(Press::Confirm),
    ];
    let (pad, link) = Pad::new("540", vec![acts]);
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    let ink = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut Listener::default(),
            &patience(&clock),
        )
        .unwrap();
    assert_eq!(ink.lost, 7);
    assert_eq!(
        ink.samples
            .iter()
            .filter(|sample| sample.lost_before)
            .count(),
        1
    );
    assert_eq!(ink.strokes().len(), 2);
}

#[test]
fn a_pad_without_time_and_sequence_is_timed_by_the_host() {
    let (mut pad, link) = Pad::new("540", vec![signing()]);
    pad.timed = false;
    let answering = pad.clone();
    pad.device
        .answers_features(move |report| answering.answer(report));
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    let ink = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut Listener::default(),
            &patience(&clock),
        )
        .unwrap();
    assert_eq!(ink.device.clock, SampleClock::Host);
    assert!(ink.samples.iter().all(|sample| sample.sequence.is_none()));
    assert_eq!(ink.strokes().len(), 2);
}

#[test]
fn a_pad_without_an_option_mode_is_timed_by_its_writing_mode() {
    let (mut pad, link) = Pad::new("540", vec![signing()]);
    pad.modeless = true;
    let answering = pad.clone();
    pad.device
        .answers_features(move |report| answering.answer(report));
    let tablet = pad.open(link).unwrap();
    assert_eq!(tablet.description().clock, SampleClock::Device);
}

#[test]
fn a_form_is_read_to_its_end_before_it_is_signed() {
    let next = vec![Act::Hover(200), Act::Press(Press::Next)];
    let script = vec![next.clone(), next.clone(), next, signing()];
    let (pad, link) = Pad::new("540", script);
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    let ink = tablet
        .capture(
            &request(FORM, MediaType::Pdf),
            &mut Listener::default(),
            &patience(&clock),
        )
        .unwrap();
    let pages: Vec<u32> = ink.shown.iter().map(|shown| shown.page).collect();
    assert_eq!(pages, [1, 2, 3, 4]);
    // 100 ms until the pen comes, 200 dots of hovering, the press.
    assert!(
        ink.shown
            .iter()
            .take(3)
            .all(|shown| (1000..1300).contains(&shown.ms)),
        "{:?}",
        ink.shown
    );
    assert_eq!(ink.strokes().len(), 2);
}

#[test]
fn the_pad_shows_nothing_when_all_is_over() {
    for scene in [Scene::Signs, Scene::Declines, Scene::DoesNothing] {
        let (pad, link) = Pad::new("540", acts(scene));
        let mut tablet = pad.open(link).unwrap();
        let clock = pad.device.clock();
        drop(tablet.capture(
            &request(&short(), MediaType::Png),
            &mut Listener::default(),
            &patience(&clock),
        ));
        let written = pad.device.features_set();
        let end: Vec<&[u8]> = written.iter().rev().take(2).map(Vec::as_slice).collect();
        assert_eq!(
            end,
            [&[report::CLEAR, 0][..], &[report::INKING, 0]],
            "{scene:?}"
        );
    }
}

#[test]
fn ink_is_shown_only_within_the_signing_area() {
    let (pad, link) = Pad::new("540", vec![signing()]);
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    let ink = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut Listener::default(),
            &patience(&clock),
        )
        .unwrap();
    let written = pad.device.features_set();
    let area = written
        .iter()
        .find(|report| report[0] == report::INK_AREA)
        .unwrap();
    let edge = |at: usize| u32::from(u16::from_le_bytes([area[at], area[at + 1]]));
    assert_eq!((edge(1), edge(3)), (ink.area.x, ink.area.y));
    assert_eq!((edge(5), edge(7)), (ink.area.right(), ink.area.bottom()));
    // 13.5 units for each pixel.
    let [x, y, width, height] = ink.ink_area;
    let expected = [ink.area.x, ink.area.y, ink.area.width, ink.area.height]
        .map(|pixels| i32::try_from(pixels * 135 / 10).unwrap());
    for (ours, theirs) in [x, y, width, height].iter().zip(expected) {
        assert!(
            ours.abs_diff(theirs) <= 1,
            "{:?} {expected:?}",
            ink.ink_area
        );
    }
}

#[test]
fn a_pad_that_hangs_in_the_middle_of_a_picture_is_reported() {
    let (pad, link) = Pad::new("540", vec![signing()]);
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    pad.device.hangs();
    let error = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut Listener::default(),
            &patience(&clock),
        )
        .unwrap_err();
    assert_eq!(error.fault(), FaultCode::DeviceHung);
}

#[test]
fn five_taps_make_a_calibration_and_a_missed_one_does_not() {
    let crosses = [(10, 10), (90, 10), (90, 90), (10, 90), (50, 50)];
    let script = |crosses: &[(u8, u8)]| -> Vec<Vec<Act>> {
        crosses
            .iter()
            .map(|(x, y)| vec![Act::Tap(*x, *y)])
            .collect()
    };
    let run = |crosses: &[(u8, u8)]| {
        let (pad, link) = Pad::new("540", script(crosses));
        let mut tablet = pad.open(link).unwrap();
        let clock = pad.device.clock();
        tablet.calibrate(&mut Listener::default(), &patience(&clock))
    };
    let calibration = run(&crosses).unwrap();
    assert!(calibration.worst_error < 1.0, "{calibration:?}");
    let mut missed = crosses;
    missed[4] = (70, 50);
    let error = run(&missed).unwrap_err();
    assert!(matches!(error, TabletError::Calibration(_)), "{error:?}");
}

#[test]
fn a_pad_may_be_named_although_its_descriptor_says_nothing() {
    let (pad, _link) = Pad::new("540", vec![]);
    let (other, bare) = memory::reports(Vec::new());
    let answering = pad.clone();
    other.answers_features(move |report| answering.answer(report));
    let settings = TabletSettings {
        kind: Kind::Stu,
        ..TabletSettings::new(Connection::HidRaw {
            vendor: 0x056A,
            product: 0x00A8,
            serial: None,
        })
    };
    let clock: Arc<dyn Clock> = other.clock();
    // The mode that is written goes to the other device, so it is not taken up.
    let tablet = driver::over(Box::new(bare), &settings, clock).unwrap();
    assert_eq!(tablet.description().clock, SampleClock::Host);
}

/// Signs a short document on a STU-540 on which this happens.
fn sign(script: Vec<Vec<Act>>) -> Result<crate::CapturedInk, TabletError> {
    let (pad, link) = Pad::new("540", script);
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    let document = request(&short(), MediaType::Png);
    tablet.capture(&document, &mut Listener::default(), &patience(&clock))
}

fn after(first: Act) -> Vec<Vec<Act>> {
    let mut acts = signing();
    acts.insert(0, first);
    vec![acts]
}

/// The middle of 署名しない on a page with three buttons, in hundredths.
const DECLINE: (u8, u8) = (16, 92);

#[test]
fn a_touch_that_was_there_when_the_page_appeared_writes_and_presses_nothing() {
    let resting = sign(after(Act::Rest(DECLINE.0, DECLINE.1, 50))).unwrap();
    assert_eq!((resting.samples.len(), resting.strokes().len()), (93, 2));
    let pressed = sign(after(Act::Tap(DECLINE.0, DECLINE.1)));
    assert!(
        matches!(pressed, Err(TabletError::Declined)),
        "the same place, touched anew"
    );
}

#[test]
fn what_queued_up_while_a_picture_travelled_is_of_the_page_before() {
    let ink = sign(after(Act::Stale(DECLINE.0, DECLINE.1))).unwrap();
    assert_eq!(ink.strokes().len(), 2);
    assert_eq!(ink.lost, 0, "nor does it count as lost");
}

#[test]
fn a_report_that_is_cut_off_is_counted_and_a_foreign_one_is_not() {
    let ink = sign(after(Act::Raw(&[0x34, 0x80]))).unwrap();
    assert_eq!(ink.unreadable, 1);
    let gaps = |ink: &crate::CapturedInk| {
        ink.samples
            .iter()
            .filter(|sample| sample.lost_before)
            .count()
    };
    assert_eq!(gaps(&ink), 1, "what it said of the pen is missing");
    let whole = sign(after(Act::Raw(&[0x99, 1, 2]))).unwrap();
    assert_eq!((whole.unreadable, gaps(&whole)), (0, 0));
}

#[test]
fn a_pad_that_turns_to_encryption_is_not_believed() {
    let outcome = sign(after(Act::Raw(&[0x33; 17])));
    assert!(matches!(outcome, Err(TabletError::Encrypted { .. })));
}

#[test]
fn a_picture_that_the_pad_refuses_is_not_signed() {
    let (pad, link) = Pad::new("540", vec![signing()]);
    let mut tablet = pad.open(link).unwrap();
    pad.state.lock().unwrap().result = 0x11;
    let clock = pad.device.clock();
    let error = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut Listener::default(),
            &patience(&clock),
        )
        .unwrap_err();
    assert_eq!(error.to_string(), "pad refused a picture with code 0x11");
    assert_eq!(error.fault(), FaultCode::DeviceFailed);
}

#[test]
fn going_back_to_read_throws_the_ink_away() {
    let next = || vec![Act::Hover(20), Act::Press(Press::Next)];
    let back = vec![
        Act::Hover(3),
        Act::Stroke(20),
        Act::Hover(3),
        Act::Press(Press::Previous),
    ];
    let script = vec![next(), next(), next(), back, next(), signing()];
    let (pad, link) = Pad::new("540", script);
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    let ink = tablet
        .capture(
            &request(FORM, MediaType::Pdf),
            &mut Listener::default(),
            &patience(&clock),
        )
        .unwrap();
    let touching = ink.samples.iter().filter(|sample| sample.tip).count();
    assert_eq!((ink.attempts, ink.strokes().len(), touching), (2, 2, 70));
    let pages: Vec<u32> = ink.shown.iter().map(|shown| shown.page).collect();
    assert_eq!(pages, [1, 2, 3, 4, 3, 4]);
}

#[test]
fn a_reader_may_go_straight_to_the_signature_where_that_is_allowed() {
    let (pad, link) = Pad::new("540", vec![signing_of_many()]);
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    let mut order = request(FORM, MediaType::Pdf);
    order.every_page = false;
    let ink = tablet
        .capture(&order, &mut Listener::default(), &patience(&clock))
        .unwrap();
    assert_eq!(
        ink.shown.iter().map(|shown| shown.page).collect::<Vec<_>>(),
        [4]
    );
}

/// As [`signing`], but 確定 is tapped where it stands beside 前へ.
fn signing_of_many() -> Vec<Act> {
    let mut acts = signing();
    acts.pop();
    acts.push(Act::Tap(88, 92));
    acts
}

#[test]
fn no_capture_outlasts_ten_minutes_or_its_deadline() {
    for (limit, expected) in [(3600, 600), (90, 90)] {
        let (pad, link) = Pad::new("540", vec![]);
        let mut tablet = pad.open(link).unwrap();
        let clock = pad.device.clock();
        let mut order = request(&short(), MediaType::Png);
        order.idle = Duration::from_secs(7200);
        let began = clock.now();
        let end = device_api::Deadline::at(began.plus(Duration::from_secs(limit)));
        let patience = device_api::Patience::new(Arc::clone(&clock), end);
        let error = tablet
            .capture(&order, &mut Listener::default(), &patience)
            .unwrap_err();
        assert_eq!(error.fault(), FaultCode::SignatureTimeout);
        assert_eq!(clock.now().since(began).as_secs(), expected);
    }
}

#[test]
fn a_stop_while_a_picture_travels_abandons_the_picture() {
    let (pad, link) = Pad::new("540", vec![signing()]);
    let mut tablet = pad.open(link).unwrap();
    let clock = pad.device.clock();
    let patience = patience(&clock);
    let (answering, stopping) = (pad.clone(), patience.clone());
    pad.device.answers_features(move |report| {
        // The mode is read back just before the picture is sent.
        if report == report::PEN_MODE {
            stopping.stop();
        }
        answering.answer(report)
    });
    let order = request(&short(), MediaType::Png);
    let outcome = tablet.capture(&order, &mut Listener::default(), &patience);
    assert!(matches!(outcome, Err(TabletError::Cancelled)));
    let written = pad.device.features_set();
    assert!(written.contains(&vec![report::PICTURE_END, 1]));
    assert!(!written.contains(&vec![report::PICTURE_END, 0]));
}
