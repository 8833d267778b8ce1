//! A pad in memory: it answers for itself, shows what it is sent, and its pen plays a script for each picture.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use device_api::{Clock, FaultCode};
use link::memory::{self, Device};
use link::{Interrupter, ReportLink};

use super::script::{Act, Dot, acts, stroke};
use super::{patience, request};
use crate::contract::{Rig, Scene, Stage};
use crate::driver::{self, CaptureDesk, Connection, Screen, SignatureTablet, TabletSettings};
use crate::fault::TabletError;
use crate::ink::{Sample, SampleClock};
use crate::layout::{Press, Surface};
use crate::picture::sha256;
use crate::wire::stu::report;
use crate::{Kind, MediaType};

const MAX_X: u16 = 10_800;
const MAX_Y: u16 = 6_480;
/// 5 milliseconds, as 200 reports in a second come.
const STEP: Duration = Duration::from_millis(5);

/// A descriptor of feature reports alone: capability, begin, block of `block` bytes with its head.
fn descriptor(block: u16) -> Vec<u8> {
    let mut bytes = vec![
        0x06, 0x00, 0xFF, 0x09, 1, 0xA1, 1, 0x15, 0, 0x26, 0xFF, 0, 0x75, 8,
    ];
    for (report, length) in [(0x09, 16), (0x25, 1), (0x26, block + 2)] {
        let [low, high] = u16::to_le_bytes(length);
        bytes.extend([0x85, report, 0x09, report, 0x96, low, high, 0xB1, 2]);
    }
    bytes.push(0xC0);
    bytes
}

#[derive(Debug, Clone)]
struct Pad {
    model: &'static str,
    mono: bool,
    timed: bool,
    device: Device,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    /// What happens after each picture.
    script: Vec<Vec<Act>>,
    pictures: usize,
    looked: usize,
    time: u16,
    number: u16,
    mode: u8,
    /// What the status says of the last command.
    result: u8,
}

impl Pad {
    fn new(model: &'static str, script: Vec<Vec<Act>>) -> (Self, Box<dyn ReportLink>) {
        let (device, link) = memory::reports(descriptor(253));
        let pad = Self {
            model,
            mono: model == "430",
            timed: true,
            device: device.clone(),
            state: Arc::default(),
        };
        pad.state.lock().unwrap().script = script;
        let answering = pad.clone();
        device.answers_features(move |report| answering.answer(report));
        (pad, Box::new(link))
    }

    fn size(&self) -> (u16, u16) {
        if self.mono { (320, 200) } else { (800, 480) }
    }

    fn answer(&self, report: u8) -> Option<Vec<u8>> {
        let (width, height) = self.size();
        match report {
            report::INFORMATION => {
                let mut bytes = vec![report];
                bytes.extend(self.model.bytes().chain(std::iter::repeat(0)).take(9));
                bytes.extend([1, 0x23, 0, 0, 0, 0, 0]);
                Some(bytes)
            }
            report::CAPABILITY => {
                let mut bytes = vec![report];
                for word in [MAX_X, MAX_Y, 1023, width, height] {
                    bytes.extend(word.to_be_bytes());
                }
                bytes.push(200);
                bytes.extend(2540_u16.to_be_bytes());
                bytes.extend([if self.mono { 0x02 } else { 0x0E }, 0, 0]);
                Some(bytes)
            }
            report::ESERIAL => Some(b"\x0F9LS0012345678".to_vec()),
            report::STATUS => {
                self.look();
                Some(vec![report, 0, self.state.lock().unwrap().result, 0, 0])
            }
            report::PEN_MODE => {
                self.look();
                let mode = self.state.lock().unwrap().mode;
                Some(vec![report, if self.timed { mode } else { 0 }])
            }
            _ => None,
        }
    }

    /// Takes notice of what the driver wrote since, and plays the pen for each picture that is complete.
    fn look(&self) {
        let written = self.device.features_set();
        let mut state = self.state.lock().unwrap();
        for report in written.iter().skip(state.looked) {
            match report[..] {
                [report::PEN_MODE, mode] => state.mode = mode,
                [report::PICTURE_END, 0] => {
                    let acts = state
                        .script
                        .get(state.pictures)
                        .cloned()
                        .unwrap_or_default();
                    state.pictures += 1;
                    self.play(&mut state, &acts);
                }
                _ => {}
            }
        }
        state.looked = written.len();
    }

    fn play(&self, state: &mut State, acts: &[Act]) {
        let (width, height) = self.size();
        let surface = Surface {
            width: u32::from(width),
            height: u32::from(height),
            buttons: true,
        };
        let mut due = Duration::from_millis(100);
        let only = surface.signing(true);
        let mut place = (500, 500);
        for act in acts {
            let dots = match *act {
                Act::Stroke(count) => {
                    let area = only.sign.unwrap();
                    let thousandths = |value: u32, of: u16| value * 1000 / u32::from(of);
                    stroke(
                        count,
                        (
                            thousandths(area.x, width),
                            thousandths(area.y, height),
                            thousandths(area.width, width),
                            thousandths(area.height, height),
                        ),
                    )
                }
                Act::Hover(count) => vec![dot(place, false); usize::from(count)],
                Act::Press(press) => {
                    let layouts = [
                        surface.signing(state.script.len() <= 1 || self.single(state)),
                        surface.signing(false),
                        surface.reading(true),
                        surface.reading(false),
                    ];
                    let layout = layouts
                        .iter()
                        .find(|layout| {
                            self.fits(state, layout)
                                && layout.buttons.iter().any(|(known, _)| *known == press)
                        })
                        .unwrap();
                    let (_, area) = layout
                        .buttons
                        .iter()
                        .find(|(known, _)| *known == press)
                        .unwrap();
                    let x = (area.x + area.width / 2) * 1000 / u32::from(width);
                    let y = (area.y + area.height / 2) * 1000 / u32::from(height);
                    place = (x, y);
                    vec![dot(place, true), dot(place, true), dot(place, false)]
                }
                Act::Tap(x, y) => {
                    let at = (u32::from(x) * 10, u32::from(y) * 10);
                    vec![
                        dot(at, false),
                        dot(at, true),
                        dot(at, true),
                        dot(at, true),
                        dot(at, false),
                    ]
                }
                Act::Rest(x, y, count) => {
                    let at = (u32::from(x) * 10, u32::from(y) * 10);
                    vec![dot(at, true); usize::from(count)]
                }
                Act::Stale(x, y) => {
                    let at = (u32::from(x) * 10, u32::from(y) * 10);
                    for tip in [false, true, false] {
                        let report = self.report(state, dot(at, tip));
                        self.device.sends(report);
                    }
                    vec![]
                }
                Act::Raw(bytes) => {
                    self.device.sends_after(due, bytes);
                    vec![]
                }
                Act::Unplug => {
                    self.device.vanishes();
                    vec![]
                }
                Act::Lose(count) => {
                    state.number = state.number.wrapping_add(count);
                    state.time = state.time.wrapping_add(5 * count);
                    vec![]
                }
            };
            for dot in dots {
                self.device.sends_after(due, self.report(state, dot));
                due += STEP;
            }
        }
    }

    /// Whether the script's document has one page only, so that there is no button to go back.
    fn single(&self, state: &State) -> bool {
        state
            .script
            .iter()
            .flatten()
            .all(|act| !matches!(act, Act::Press(Press::Next)))
    }

    /// Whether the picture that was just shown has this layout: the page that is signed comes after each 次へ.
    fn fits(&self, state: &State, layout: &crate::layout::Layout) -> bool {
        let here = state.script.get(state.pictures - 1);
        let turns = here.is_some_and(|acts| {
            acts.iter()
                .any(|act| matches!(act, Act::Press(Press::Next)))
        });
        layout.sign.is_none() == turns
    }

    fn report(&self, state: &mut State, dot: Dot) -> Vec<u8> {
        let pressure: u16 = if dot.tip { 500 } else { 0 };
        let flags = 0x8000 | if dot.tip { 0x1000 } else { 0 };
        let raw = |share: u32, max: u16| u16::try_from(share * u32::from(max) / 1000).unwrap();
        let timed = self.timed && state.mode == 3;
        let mut bytes = vec![if timed {
            report::PEN_TIMED
        } else {
            report::PEN
        }];
        for word in [flags | pressure, raw(dot.x, MAX_X), raw(dot.y, MAX_Y)] {
            bytes.extend(word.to_be_bytes());
        }
        state.time = state.time.wrapping_add(5);
        state.number = state.number.wrapping_add(1);
        if timed {
            bytes.extend(state.time.to_be_bytes());
            bytes.extend(state.number.to_be_bytes());
        }
        bytes
    }

    fn open(&self, link: Box<dyn ReportLink>) -> Result<Box<dyn SignatureTablet>, TabletError> {
        let settings = TabletSettings::new(Connection::HidStream("memory".into()));
        driver::over(link, &settings, self.device.clock())
    }
}

fn dot((x, y): (u32, u32), tip: bool) -> Dot {
    Dot { x, y, tip }
}

/// A desk that only listens.
#[derive(Default)]
pub(super) struct Listener {
    pub(super) heard: Vec<Sample>,
    pub(super) batches: usize,
}

impl CaptureDesk for Listener {
    fn screen(&mut self) -> Option<&mut dyn Screen> {
        None
    }

    fn ink(&mut self, samples: &[Sample]) {
        self.heard.extend_from_slice(samples);
        self.batches += 1;
    }

    fn pressed(&mut self) -> Option<Press> {
        None
    }

    fn wake_by(&mut self, _interrupter: Interrupter) {}
}

#[derive(Debug, Default)]
pub(super) struct PadRig {
    pub(super) mono: bool,
}

impl Rig for PadRig {
    fn stage(&mut self, scenes: &[Scene]) -> Stage {
        let script = scenes.iter().flat_map(|scene| acts(*scene)).collect();
        let model = if self.mono { "430" } else { "540" };
        let (pad, link) = Pad::new(model, script);
        Stage {
            tablet: pad.open(link).unwrap(),
            desk: Box::new(Listener::default()),
            clock: pad.device.clock(),
        }
    }
}

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
    assert_eq!(sign(after(Act::Raw(&[0x99, 1, 2]))).unwrap().unreadable, 0);
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
