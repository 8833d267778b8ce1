//! A pen display in memory: a Wacom One by its descriptor, with a page that shows pictures and has the buttons.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, FaultCode, Moment};
use link::memory::{self, Device, MemoryReportLink};
use link::{Interrupter, LinkError};

use super::script::{Act, Dot, acts, stroke};
use super::{patience, request};
use crate::capture::{Reading, Station};
use crate::contract::{Rig, Scene, Stage};
use crate::digitizer::Digitizer;
use crate::driver::{self, CaptureDesk, Connection, Screen, ScreenClosed, TabletSettings};
use crate::fault::TabletError;
use crate::ink::Sample;
use crate::layout::Press;
use crate::picture::{Area, Picture, sha256};
use crate::shown::Page;
use crate::{Calibration, Mapping, MediaType, Rotation, SignatureTablet};

const WACOM_ONE: &[u8] = include_bytes!("../../data/wacom-one-03a6.bin");
const MAX: (u32, u32) = (0x72FA, 0x40AC);
const STEP: Duration = Duration::from_millis(5);

/// The agent's page on the monitor, and the citizen before it.
struct Citizen {
    device: Device,
    clock: Arc<dyn Clock>,
    script: VecDeque<Vec<Act>>,
    presses: VecDeque<(Moment, Press)>,
    shown: Vec<Page>,
    closes: bool,
    closed: bool,
    cleared: usize,
    heard: usize,
}

impl Citizen {
    fn new(script: Vec<Vec<Act>>) -> (Self, MemoryReportLink) {
        let (device, link) = memory::reports(WACOM_ONE);
        let clock = device.clock();
        let citizen = Self {
            clock,
            device,
            script: script.into(),
            presses: VecDeque::new(),
            shown: Vec::new(),
            closes: false,
            closed: false,
            cleared: 0,
            heard: 0,
        };
        (citizen, link)
    }

    fn send(&self, due: &mut Duration, dot: Dot) {
        let x = u16::try_from(dot.x * MAX.0 / 1000).unwrap().to_le_bytes();
        let y = u16::try_from(dot.y * MAX.1 / 1000).unwrap().to_le_bytes();
        let mut report = vec![
            0x06,
            if dot.tip { 0x21 } else { 0x20 },
            x[0],
            x[1],
            0,
            y[0],
            y[1],
            0,
        ];
        let pressure: u16 = if dot.tip { 2000 } else { 0 };
        report.extend(pressure.to_le_bytes());
        report.resize(27, 0);
        self.device.sends_after(*due, report);
        *due += STEP;
    }

    fn play(&mut self, area: Option<Area>) {
        let mut due = Duration::from_millis(100);
        for act in self.script.pop_front().unwrap_or_default() {
            match act {
                Act::Stroke(count) => {
                    let area = area.unwrap();
                    let part = |value: u32, of: u32| value * 1000 / of;
                    let frame = (
                        part(area.x, 1920),
                        part(area.y, 1080),
                        part(area.width, 1920),
                        part(area.height, 1080),
                    );
                    for dot in stroke(count, frame) {
                        self.send(&mut due, dot);
                    }
                }
                Act::Hover(count) => {
                    for _ in 0..count {
                        self.send(
                            &mut due,
                            Dot {
                                x: 500,
                                y: 500,
                                tip: false,
                            },
                        );
                    }
                }
                Act::Press(press) => {
                    // The pen touches the page's button, beside the picture's area, and the page tells of it.
                    for tip in [true, true, false] {
                        self.send(
                            &mut due,
                            Dot {
                                x: 950,
                                y: 950,
                                tip,
                            },
                        );
                    }
                    self.presses.push_back((self.clock.now().plus(due), press));
                    self.device.sends_after(due, [0xFE, 0]);
                }
                Act::Tap(x, y) => {
                    let (x, y) = (u32::from(x) * 10, u32::from(y) * 10);
                    for tip in [false, true, true, true, false] {
                        self.send(&mut due, Dot { x, y, tip });
                    }
                }
                Act::Unplug => self.device.vanishes(),
                Act::Lose(_) | Act::Rest(..) | Act::Stale(..) | Act::Raw(_) => {}
            }
        }
    }
}

impl CaptureDesk for Citizen {
    fn screen(&mut self) -> Option<&mut dyn Screen> {
        Some(self)
    }

    fn ink(&mut self, samples: &[Sample]) {
        self.heard += samples.len();
    }

    fn pressed(&mut self) -> Option<Press> {
        let (due, _) = self.presses.front()?;
        if *due > self.clock.now() {
            return None;
        }
        self.presses.pop_front().map(|(_, press)| press)
    }

    fn wake_by(&mut self, _interrupter: Interrupter) {}
}

impl Screen for Citizen {
    fn show(&mut self, page: &Page) -> Result<(), ScreenClosed> {
        if self.closed {
            return Err(ScreenClosed);
        }
        self.shown.push(page.clone());
        self.play(page.area);
        self.closed = self.closes;
        Ok(())
    }

    fn clear(&mut self) {
        self.cleared += 1;
    }

    fn closed(&self) -> bool {
        self.closed
    }
}

#[derive(Debug)]
pub(super) struct DisplayRig;

impl Rig for DisplayRig {
    fn stage(&mut self, scenes: &[Scene]) -> Stage {
        let script = scenes.iter().flat_map(|scene| acts(*scene)).collect();
        let (citizen, link) = Citizen::new(script);
        Stage {
            tablet: open(link, &citizen, &settings()).unwrap(),
            clock: Arc::clone(&citizen.clock),
            desk: Box::new(citizen),
        }
    }
}

fn settings() -> TabletSettings {
    TabletSettings::new(Connection::HidStream("memory".into()))
}

fn open(
    link: MemoryReportLink,
    citizen: &Citizen,
    settings: &TabletSettings,
) -> Result<Box<dyn SignatureTablet>, TabletError> {
    driver::over(Box::new(link), settings, Arc::clone(&citizen.clock))
}

fn short() -> Vec<u8> {
    Picture::plain(200, 50, [0x80; 3])
        .unwrap()
        .to_png()
        .unwrap()
}

#[test]
fn the_page_is_given_the_very_picture_whose_hash_is_recorded() {
    let (mut citizen, link) = Citizen::new(acts(Scene::Signs));
    let mut tablet = open(link, &citizen, &settings()).unwrap();
    let clock = Arc::clone(&citizen.clock);
    let ink = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut citizen,
            &patience(&clock),
        )
        .unwrap();
    assert_eq!(ink.shown[0].picture_sha256, sha256(&citizen.shown[0].png));
    assert_eq!(ink.shown[0].sent_sha256, None);
    let picture = Picture::from_png(&citizen.shown[0].png).unwrap();
    assert_eq!((picture.width(), picture.height()), (1920, 1080));
    assert_eq!(
        (citizen.cleared, citizen.shown[0].area),
        (1, Some(ink.area))
    );
    // The touch on the page's button was seen, and is no ink.
    assert!(citizen.heard > ink.samples.len());
    assert_eq!(ink.strokes().len(), 2);
    assert!(
        ink.samples
            .iter()
            .all(|sample| !sample.tip || sample.x < 0x72FA * 9 / 10)
    );
}

#[test]
fn without_a_screen_nothing_is_signed() {
    let (citizen, link) = Citizen::new(acts(Scene::Signs));
    let mut tablet = open(link, &citizen, &settings()).unwrap();
    let mut nobody = super::pad::Listener::default();
    let clock = Arc::clone(&citizen.clock);
    let error = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut nobody,
            &patience(&clock),
        )
        .unwrap_err();
    assert_eq!(error.fault(), FaultCode::SignatureNoScreen);
}

#[test]
fn a_page_that_closes_ends_the_signature() {
    let (mut citizen, link) = Citizen::new(acts(Scene::Signs));
    citizen.closes = true;
    let mut tablet = open(link, &citizen, &settings()).unwrap();
    let clock = Arc::clone(&citizen.clock);
    let outcome = tablet.capture(
        &request(&short(), MediaType::Png),
        &mut citizen,
        &patience(&clock),
    );
    assert!(matches!(outcome, Err(TabletError::NoScreen)));
}

#[test]
fn a_pen_display_that_stands_upside_down_is_signed_the_same_way() {
    let (mut citizen, link) = Citizen::new(acts(Scene::Signs));
    let turned = TabletSettings {
        rotation: Rotation::Half,
        ..settings()
    };
    let mut tablet = open(link, &citizen, &turned).unwrap();
    let clock = Arc::clone(&citizen.clock);
    let outcome = tablet.capture(
        &request(&short(), MediaType::Png),
        &mut citizen,
        &patience(&clock),
    );
    // The script writes where the area is upright; turned by half that is in the document.
    assert!(matches!(outcome, Err(TabletError::Empty)));
}

#[test]
fn five_taps_are_kept_and_used_for_the_next_signature() {
    let taps: Vec<Vec<Act>> = [(10, 10), (90, 10), (90, 90), (10, 90), (50, 50)]
        .iter()
        .map(|(x, y)| vec![Act::Tap(*x, *y)])
        .collect();
    let (mut citizen, link) = Citizen::new(taps);
    let mut tablet = open(link, &citizen, &settings()).unwrap();
    let clock = Arc::clone(&citizen.clock);
    let Calibration { mapping, .. } = tablet.calibrate(&mut citizen, &patience(&clock)).unwrap();
    assert_eq!((citizen.shown.len(), citizen.cleared), (5, 1));

    let (mut citizen, link) = Citizen::new(acts(Scene::Signs));
    let calibrated = TabletSettings {
        // What is configured counts no more.
        mapping: Mapping::whole(((0, 500), (0, 500)), Rotation::Half),
        kept: Some(mapping),
        ..settings()
    };
    let mut tablet = open(link, &citizen, &calibrated).unwrap();
    let clock = Arc::clone(&citizen.clock);
    let ink = tablet
        .capture(
            &request(&short(), MediaType::Png),
            &mut citizen,
            &patience(&clock),
        )
        .unwrap();
    assert_eq!(ink.strokes().len(), 2);
}

#[test]
fn a_calibration_of_another_device_is_refused() {
    let (citizen, link) = Citizen::new(vec![]);
    let foreign = TabletSettings {
        mapping: Mapping::whole(((0, 500), (0, 500)), Rotation::None),
        ..settings()
    };
    assert!(matches!(
        open(link, &citizen, &foreign),
        Err(TabletError::Mapping)
    ));
}

#[test]
fn a_kept_calibration_that_fits_no_more_is_left_out() {
    let (citizen, link) = Citizen::new(vec![]);
    let outgrown = TabletSettings {
        kept: Mapping::whole(((0, 500), (0, 500)), Rotation::None),
        ..settings()
    };
    assert!(open(link, &citizen, &outgrown).is_ok());
    let ranges = ((0, 29_434), (0, 16_556));
    let whole = Mapping::whole(ranges, Rotation::None).unwrap();
    assert_eq!(outgrown.map(ranges).unwrap(), whole);
}

/// A display that describes its pen in two units was refused whatever report it then sent, where its
/// calibration was of the second.
#[test]
fn a_calibration_counts_for_the_units_of_which_it_was_made() {
    let (device, link) =
        memory::reports(include_bytes!("../../data/cintiq-pro-16-0350.bin").as_slice());
    let clock = device.clock();
    let probe = Digitizer::open(Box::new(link), &settings(), None, Arc::clone(&clock)).unwrap();
    let common = Station::description(&probe).x;
    for kept in [false, true] {
        let (_device, link) =
            memory::reports(include_bytes!("../../data/cintiq-pro-16-0350.bin").as_slice());
        let own = Mapping::whole(((0, 69_920), (0, 39_980)), Rotation::Half);
        let calibrated = TabletSettings {
            mapping: own.filter(|_| !kept),
            kept: own.filter(|_| kept),
            ..settings()
        };
        let pen = Digitizer::open(Box::new(link), &calibrated, None, Arc::clone(&clock)).unwrap();
        assert_ne!(Station::description(&pen).x, common);
        assert_eq!(Some(pen.mapping()), own);
    }
}

#[test]
fn a_device_that_is_no_pen_is_refused() {
    let (device, link) = memory::reports(vec![0x05, 1, 0x09, 6, 0xA1, 1, 0xC0]);
    let error = driver::over(Box::new(link), &settings(), device.clock()).unwrap_err();
    assert_eq!(error.fault(), FaultCode::DeviceUnsupported);
}

#[test]
fn a_stop_while_the_pen_is_awaited_wakes_the_capture() {
    let (citizen, link) = Citizen::new(vec![vec![]]);
    let mut tablet = open(link, &citizen, &settings()).unwrap();
    let clock = Arc::clone(&citizen.clock);
    let patience = patience(&clock);
    let mut stopping = Stopping {
        citizen,
        patience: patience.clone(),
    };
    let outcome = tablet.capture(&request(&short(), MediaType::Png), &mut stopping, &patience);
    assert!(matches!(outcome, Err(TabletError::Cancelled)));
    assert!(
        clock.now().since_origin() < Duration::from_secs(1),
        "it did not wait for the pen"
    );
}

/// A desk at which the clerk cancels as soon as the page is seen.
struct Stopping {
    citizen: Citizen,
    patience: device_api::Patience,
}

impl CaptureDesk for Stopping {
    fn screen(&mut self) -> Option<&mut dyn Screen> {
        Some(&mut self.citizen)
    }

    fn ink(&mut self, _samples: &[Sample]) {}

    fn pressed(&mut self) -> Option<Press> {
        self.patience.stop();
        None
    }

    fn wake_by(&mut self, _interrupter: Interrupter) {}
}

#[test]
fn every_way_in_which_a_link_fails_has_its_fault() {
    let fault = |source| {
        TabletError::Link {
            attempted: "a test",
            source,
        }
        .fault()
    };
    assert_eq!(fault(LinkError::Gone), FaultCode::DeviceGone);
    assert_eq!(fault(LinkError::TimedOut), FaultCode::DeviceHung);
    assert_eq!(fault(LinkError::Busy), FaultCode::DeviceBusy);
    assert_eq!(fault(LinkError::Denied), FaultCode::DeviceDenied);
    assert_eq!(
        fault(LinkError::Malformed { attempted: "" }),
        FaultCode::DeviceFailed
    );
}

#[test]
fn the_first_report_decides_whose_units_are_recorded() {
    let (device, link) =
        memory::reports(include_bytes!("../../data/cintiq-pro-16-0350.bin").as_slice());
    let clock = device.clock();
    let mut pen = Digitizer::open(Box::new(link), &settings(), None, Arc::clone(&clock)).unwrap();
    assert_eq!(Station::description(&pen).x, (0, 34_560));
    let mut own = vec![0x10, 0b0110_0001, 0x10, 0x27, 0];
    own.resize(32, 0);
    let mut common = own.clone();
    common[0] = 0x06;
    device.sends(own);
    device.sends(common);
    let soon = Deadline::at(clock.now().plus(Duration::from_secs(1)));
    assert!(matches!(pen.next(soon), Ok(Reading::Pen(reported)) if reported.sample.x == 10_000));
    assert_eq!(Station::description(&pen).x, (0, 69_920));
    assert_eq!(Station::description(&pen).max_pressure, 8191);
    assert!(
        matches!(pen.next(soon), Ok(Reading::Nothing)),
        "other units are left out"
    );
    let (x, _) = pen.mapping().picture((69_920.0, 0.0));
    assert!((x - 1.0).abs() < 1e-9);
}
