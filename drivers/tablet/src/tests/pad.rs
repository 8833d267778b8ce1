//! A pad in memory: it answers for itself, shows what it is sent, and its pen plays a script for each picture.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use link::memory::{self, Device};
use link::{Interrupter, ReportLink};

use super::script::{Act, Dot, acts, stroke};
use crate::contract::{Rig, Scene, Stage};
use crate::driver::{self, CaptureDesk, Connection, Screen, SignatureTablet, TabletSettings};
use crate::fault::TabletError;
use crate::ink::Sample;
use crate::layout::{Press, Surface};
use crate::wire::stu::report;

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
pub(super) struct Pad {
    model: &'static str,
    pub(super) mono: bool,
    pub(super) timed: bool,
    /// Whether it has no option mode, and its writing mode decides.
    pub(super) modeless: bool,
    pub(super) device: Device,
    pub(super) state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// What happens after each picture.
    script: Vec<Vec<Act>>,
    pictures: usize,
    looked: usize,
    time: u16,
    number: u16,
    mode: u8,
    /// What the status says of the last command.
    pub(super) result: u8,
}

impl Pad {
    pub(super) fn new(model: &'static str, script: Vec<Vec<Act>>) -> (Self, Box<dyn ReportLink>) {
        let (device, link) = memory::reports(descriptor(253));
        let pad = Self {
            model,
            mono: model == "430",
            timed: true,
            modeless: false,
            device: device.clone(),
            state: Arc::default(),
        };
        pad.state.lock().unwrap().script = script;
        let answering = pad.clone();
        device.answers_features(move |report| answering.answer(report));
        (pad, Box::new(link))
    }

    pub(super) fn size(&self) -> (u16, u16) {
        if self.mono { (320, 200) } else { (800, 480) }
    }

    pub(super) fn answer(&self, report: u8) -> Option<Vec<u8>> {
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
            report::PEN_MODE if self.modeless => None,
            report::WRITING_MODE if self.modeless => {
                self.look();
                Some(vec![report, u8::from(self.state.lock().unwrap().mode == 3)])
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
                [report::PEN_MODE, mode] if !self.modeless => state.mode = mode,
                [report::WRITING_MODE, 1] if self.modeless => state.mode = 3,
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

    pub(super) fn open(
        &self,
        link: Box<dyn ReportLink>,
    ) -> Result<Box<dyn SignatureTablet>, TabletError> {
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
