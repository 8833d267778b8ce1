//! A Wacom STU pad: a pen and a screen of its own, both over one HID device.
//!
//! The picture's bytes are hashed as they go to the pad. While one travels, and when all is over, the pad draws
//! no ink; at the end it is cleared, so that no document stays on it.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, Patience};
use link::{Frame, Interrupter, LinkError, ReportLink};

use crate::calibrate;
use crate::capture::{Reading, Reported, Station};
use crate::document::DocumentError;
use crate::driver::{CaptureDesk, TabletSettings};
use crate::fault::TabletError;
use crate::ink::{Sample, SampleClock, TabletDescription};
use crate::layout::{Surface, WORDS};
use crate::mapping::Mapping;
use crate::picture::{Area, Picture, Sha256, sha256};
use crate::quirks::{self, Class, Pad};
use crate::shown::Page;
use crate::text::Font;
use crate::timeline::Tick;
use crate::wire::descriptor::{Descriptor, Kind};
use crate::wire::stu::{self, Activity, Capability, Encoding, Information, Input, Status, report};

/// How long one report may take.
const REPORT: Duration = Duration::from_secs(2);
/// How long the pad may be busy with itself; clearing takes the slowest model 0.6 seconds.
const BUSY: Duration = Duration::from_secs(5);
/// Between two looks at a busy pad.
const PAUSE: Duration = Duration::from_millis(20);

/// A pad.
#[derive(Debug)]
pub(crate) struct Stu {
    link: Box<dyn ReportLink>,
    pad: Pad,
    block: usize,
    timed: bool,
    description: TabletDescription,
    mapping: Mapping,
    surface: Surface,
    font: Font,
    clock: Arc<dyn Clock>,
}

impl Stu {
    /// Asks the pad what it is.
    ///
    /// # Errors
    /// [`TabletError::Encrypted`] for a model that talks only encrypted, [`TabletError::Font`] where its screen
    /// would stay without words.
    pub(crate) fn open(
        mut link: Box<dyn ReportLink>,
        settings: &TabletSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TabletError> {
        let mut ask = |report| feature(link.as_mut(), clock.as_ref(), report);
        let information =
            Information::parse(ask(report::INFORMATION)?.bytes()).map_err(TabletError::Report)?;
        let known = quirks::of_model(&information.model, information.firmware);
        let pad = match known.map(|quirk| quirk.class) {
            Some(Class::Stu(pad)) => pad,
            Some(Class::Encrypted) => {
                return Err(TabletError::Encrypted {
                    model: format!("STU-{}", information.model),
                });
            }
            Some(Class::Digitizer { .. }) | None => quirks::UNKNOWN_PAD,
        };
        let capability =
            Capability::parse(ask(report::CAPABILITY)?.bytes()).map_err(TabletError::Report)?;
        let serial = serial(&mut ask)?;
        let font = Font::open(&settings.font, WORDS).map_err(TabletError::Font)?;
        let block = block(link.descriptor());
        let ranges = (
            (0, i32::from(capability.max_x)),
            (0, i32::from(capability.max_y)),
        );
        let mapping = settings.map(ranges)?;
        settings.tell_what_is_left_out(ranges);
        let mut stu = Self {
            link,
            pad: Pad {
                encoding: encoding(&capability, pad),
                ..pad
            },
            block,
            timed: false,
            description: describe(&information, &capability, serial),
            mapping,
            surface: Surface {
                width: u32::from(capability.width),
                height: u32::from(capability.height),
                buttons: true,
            },
            font,
            clock,
        };
        stu.choose_mode()?;
        Ok(stu)
    }

    /// Has pen reports carry time and sequence, where the model can, by the first way that it takes up.
    fn choose_mode(&mut self) -> Result<(), TabletError> {
        self.timed = false;
        if self.pad.timed {
            for (report, mode) in stu::TIMED {
                if self.takes_up(report, mode)? {
                    self.timed = true;
                    break;
                }
            }
        }
        self.description.clock = if self.timed {
            SampleClock::Device
        } else {
            SampleClock::Host
        };
        Ok(())
    }

    /// Writes a setting and reads it back; a pad without that report does not take it up.
    fn takes_up(&mut self, report: u8, value: u8) -> Result<bool, TabletError> {
        let attempted = "choosing what the pen reports";
        let told = self.tell(attempted, &[report, value]);
        let now = match told {
            Ok(()) => feature(self.link.as_mut(), self.clock.as_ref(), report),
            Err(error) => Err(error),
        };
        match now {
            Ok(now) => Ok(now.bytes().get(1) == Some(&value)),
            Err(TabletError::Link {
                source: LinkError::Malformed { .. },
                ..
            }) => Ok(false),
            Err(other) => Err(other),
        }
    }

    fn tell(&mut self, attempted: &'static str, bytes: &[u8]) -> Result<(), TabletError> {
        self.send(attempted, &Frame::plain(bytes))
    }

    fn send(&mut self, attempted: &'static str, frame: &Frame) -> Result<(), TabletError> {
        let deadline = Deadline::at(self.clock.now().plus(REPORT));
        self.link
            .set_feature(frame, deadline)
            .map_err(TabletError::link(attempted))
    }

    fn status(&mut self) -> Result<Status, TabletError> {
        let frame = feature(self.link.as_mut(), self.clock.as_ref(), report::STATUS)?;
        Status::parse(frame.bytes()).map_err(TabletError::Report)
    }

    /// Waits until the pad takes commands. Between two looks we wait for the pen, whose reports are dropped: a
    /// pad that is busy says nothing by itself when it is ready.
    fn ready(&mut self, patience: &Patience) -> Result<Status, TabletError> {
        let limit = Deadline::at(self.clock.now().plus(BUSY));
        loop {
            patience.check()?;
            let status = self.status()?;
            match status.activity {
                Activity::Ready => return Ok(status),
                Activity::Capture => {
                    self.tell("ending a capture of another program", &stu::end_capture())?;
                }
                Activity::Picture | Activity::Busy => {}
            }
            if limit.remaining(self.clock.now()).is_none() {
                return Err(TabletError::link("waiting for the pad")(
                    LinkError::TimedOut,
                ));
            }
            let pause = Deadline::at(self.clock.now().plus(PAUSE));
            match self.link.receive(pause) {
                Ok(_) | Err(LinkError::TimedOut | LinkError::Interrupted) => {}
                Err(source) => return Err(TabletError::link("waiting for the pad")(source)),
            }
        }
    }

    /// Sends a picture, and says the hash of its bytes.
    fn upload(&mut self, picture: &Picture, patience: &Patience) -> Result<Sha256, TabletError> {
        const ATTEMPTED: &str = "sending a picture to the pad";
        let encoding = self.pad.encoding;
        let bytes = zeroize::Zeroizing::new(encoding.encode(picture.rgb(), picture.width()));
        self.tell(ATTEMPTED, &stu::begin_picture(encoding))?;
        for block in stu::blocks(&bytes, self.block) {
            if let Err(stop) = patience.check() {
                // Otherwise the pad would wait for the rest.
                self.tell(ATTEMPTED, &stu::end_picture(false))?;
                return Err(stop.into());
            }
            self.send(ATTEMPTED, &Frame::personal(block))?;
        }
        self.tell(ATTEMPTED, &stu::end_picture(true))?;
        let status = self.ready(patience)?;
        if status.result != 0 {
            return Err(TabletError::Refused {
                attempted: "a picture",
                code: status.result,
            });
        }
        Ok(sha256(&bytes))
    }

    fn put(&mut self, page: &Page, patience: &Patience) -> Result<Sha256, TabletError> {
        let picture = Picture::from_png(&page.png).map_err(DocumentError::Picture)?;
        self.ready(patience)?;
        self.choose_mode()?;
        self.tell("stopping ink", &stu::inking(false))?;
        let sent = self.upload(&picture, patience)?;
        if let Some(area) = page.area {
            self.tell("limiting ink", &stu::ink_area(edges(area)))?;
            self.tell("starting ink", &stu::inking(true))?;
        }
        calibrate::drain(self.link.as_mut(), self.clock.as_ref())?;
        Ok(sent)
    }

    fn blank(&mut self) -> Result<(), TabletError> {
        self.tell("stopping ink", &stu::inking(false))?;
        self.tell("clearing the pad", &stu::clear())
    }
}

impl Station for Stu {
    fn description(&self) -> &TabletDescription {
        &self.description
    }

    fn mapping(&self) -> Mapping {
        self.mapping
    }

    fn surface(&self) -> Surface {
        self.surface
    }

    fn font(&self) -> Option<&Font> {
        Some(&self.font)
    }

    fn interrupter(&self) -> Interrupter {
        self.link.interrupter()
    }

    fn show(
        &mut self,
        page: &Page,
        _desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<Option<Sha256>, TabletError> {
        self.put(page, patience).map(Some)
    }

    fn next(&mut self, deadline: Deadline) -> Result<Reading, TabletError> {
        let frame = match self.link.receive(deadline) {
            Ok(frame) => frame,
            Err(LinkError::TimedOut) => return Ok(Reading::TimedOut),
            Err(LinkError::Interrupted) => return Ok(Reading::Nothing),
            Err(source) => return Err(TabletError::link("listening to the pen")(source)),
        };
        match stu::pen(frame.bytes(), self.pad.flags) {
            Ok(Input::Pen(state)) => Ok(Reading::Pen(reported(&state))),
            Ok(Input::Encrypted) => Err(TabletError::Encrypted {
                model: self.description.model.clone(),
            }),
            Ok(Input::Other) => Ok(Reading::Nothing),
            Err(_bad) => Ok(Reading::Unreadable),
        }
    }

    fn rest(&mut self, _desk: &mut dyn CaptureDesk) {
        if let Err(error) = self.blank() {
            tracing::warn!(%error, "pad was not cleared");
        }
    }
}

fn feature(link: &mut dyn ReportLink, clock: &dyn Clock, report: u8) -> Result<Frame, TabletError> {
    let deadline = Deadline::at(clock.now().plus(REPORT));
    link.feature(report, deadline)
        .map_err(TabletError::link("asking the pad"))
}

/// The serial number on the housing, on newer models, or the one in the electronics, or none.
fn serial(ask: &mut impl FnMut(u8) -> Result<Frame, TabletError>) -> Result<String, TabletError> {
    for (report, length) in [(report::ESERIAL, 13), (report::UID2, 10)] {
        match ask(report) {
            Ok(frame) => {
                let text = stu::text(frame.bytes(), report, length).map_err(TabletError::Report)?;
                if !text.is_empty() {
                    return Ok(text);
                }
            }
            Err(TabletError::Link {
                source: LinkError::Malformed { .. },
                ..
            }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(String::new())
}

fn describe(
    information: &Information,
    capability: &Capability,
    serial: String,
) -> TabletDescription {
    let model = information.model.trim_start_matches("STU-");
    let per_mm = f64::from(capability.per_inch) / 25.4;
    TabletDescription {
        model: format!("Wacom STU-{model}"),
        serial,
        firmware: information.version(),
        x: (0, i32::from(capability.max_x)),
        y: (0, i32::from(capability.max_y)),
        max_pressure: i32::from(capability.max_pressure),
        units_per_mm: (capability.per_inch > 0).then_some((per_mm, per_mm)),
        nominal_rate: u32::from(capability.rate),
        clock: SampleClock::Host,
        screen: Some((u32::from(capability.width), u32::from(capability.height))),
    }
}

/// The best picture that the pad says it takes; older models do not say.
const fn encoding(capability: &Capability, pad: Pad) -> Encoding {
    if capability.encodings & 0x08 != 0 {
        Encoding::Bgr24
    } else if capability.encodings & 0x06 != 0 {
        Encoding::Mono
    } else {
        pad.encoding
    }
}

/// How much of a picture fits one report: what the descriptor says, as the maker's library does it.
fn block(descriptor: &[u8]) -> usize {
    Descriptor::parse(descriptor)
        .ok()
        .and_then(|descriptor| descriptor.length(Kind::Feature, report::PICTURE_BLOCK))
        .and_then(|length| length.checked_sub(3))
        .filter(|block| (16..=stu::LONGEST_BLOCK).contains(block))
        .unwrap_or(stu::BLOCK)
}

fn edges(area: Area) -> [u16; 4] {
    [area.x, area.y, area.right(), area.bottom()]
        .map(|edge| u16::try_from(edge).unwrap_or(u16::MAX))
}

fn reported(state: &stu::PenState) -> Reported {
    Reported {
        sample: Sample {
            x: i32::from(state.x),
            y: i32::from(state.y),
            pressure: i32::from(state.pressure),
            tip: state.touch,
            in_range: state.ready,
            sequence: state.timed.map(|(_, sequence)| sequence),
            ..Sample::default()
        },
        tick: state.timed.map(|(count, _)| Tick {
            count,
            unit_us: 1000,
        }),
    }
}
