//! A pen on a monitor: a HID digitizer, whose pictures another program shows.
//!
//! The device is only listened to; nothing is ever written to it.

use std::sync::Arc;

use device_api::{Clock, Deadline, Patience};
use link::{Interrupter, LinkError, ReportLink};

use crate::calibrate;
use crate::capture::{Reading, Reported, Station};
use crate::driver::{CaptureDesk, Connection, TabletSettings};
use crate::fault::TabletError;
use crate::ink::{Sample, SampleClock, TabletDescription};
use crate::layout::Surface;
use crate::mapping::Mapping;
use crate::picture::Sha256;
use crate::quirks::{Class, Quirk};
use crate::shown::Page;
use crate::text::Font;
use crate::timeline::Tick;
use crate::wire::digitizer::{Pen, PenState, Pens};

/// The scan time counts in units of 100 microseconds (HID Usage Tables, usage 0x56 of the digitizer page).
const SCAN_TIME_US: u32 = 100;

/// A pen display or a pen without a screen.
#[derive(Debug)]
pub(crate) struct Digitizer {
    link: Box<dyn ReportLink>,
    pens: Pens,
    /// The kind of pen report that the device sends; another kind would mix units.
    active: u8,
    heard: bool,
    description: TabletDescription,
    mapping: Mapping,
    settings: TabletSettings,
    surface: Surface,
    clock: Arc<dyn Clock>,
}

impl Digitizer {
    /// Reads what pens the device describes.
    ///
    /// # Errors
    /// [`TabletError::NoPen`], and [`TabletError::Mapping`] where the calibration is of another device.
    pub(crate) fn open(
        link: Box<dyn ReportLink>,
        settings: &TabletSettings,
        quirk: Option<&Quirk>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, TabletError> {
        let pens = Pens::find(link.descriptor()).map_err(TabletError::NoPen)?;
        let pen = likeliest(pens.pens(), settings).ok_or(TabletError::WrongKind)?;
        let (active, description) = (pen.report, describe(pen, settings, quirk));
        let mapping = settings.map(pen.ranges())?;
        settings.tell_what_is_left_out(pen.ranges());
        let (width, height) = settings.picture;
        if !(320..=8192).contains(&width) || !(200..=8192).contains(&height) {
            return Err(TabletError::Mapping);
        }
        Ok(Self {
            active,
            description,
            mapping,
            pens,
            heard: false,
            link,
            settings: settings.clone(),
            surface: Surface {
                width,
                height,
                buttons: false,
            },
            clock,
        })
    }

    /// Takes the units of the kind of report that the device turns out to send; the first report decides.
    fn settle(&mut self, report: u8) -> Result<bool, TabletError> {
        if report != self.active && !self.heard {
            let pen = self.pens.pens().iter().find(|pen| pen.report == report);
            if let Some(pen) = pen {
                self.mapping = self.settings.map(pen.ranges())?;
                self.settings.tell_what_is_left_out(pen.ranges());
                let (x, y) = pen.ranges();
                self.description.x = x;
                self.description.y = y;
                self.description.max_pressure = pen.max_pressure();
                self.description.units_per_mm = pen.units_per_mm();
                self.description.clock = clock_of(pen);
                self.active = report;
            }
        }
        self.heard = true;
        Ok(report == self.active)
    }
}

impl Station for Digitizer {
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
        None
    }

    fn interrupter(&self) -> Interrupter {
        self.link.interrupter()
    }

    fn show(
        &mut self,
        page: &Page,
        desk: &mut dyn CaptureDesk,
        _patience: &Patience,
    ) -> Result<Option<Sha256>, TabletError> {
        let screen = desk.screen().ok_or(TabletError::NoScreen)?;
        screen.show(page).map_err(|_closed| TabletError::NoScreen)?;
        calibrate::drain(self.link.as_mut(), self.clock.as_ref())?;
        Ok(None)
    }

    fn next(&mut self, deadline: Deadline) -> Result<Reading, TabletError> {
        let frame = match self.link.receive(deadline) {
            Ok(frame) => frame,
            Err(LinkError::TimedOut) => return Ok(Reading::TimedOut),
            Err(LinkError::Interrupted) => return Ok(Reading::Nothing),
            Err(source) => return Err(TabletError::link("listening to the pen")(source)),
        };
        match self.pens.decode(frame.bytes()) {
            Ok(Some(state)) if self.settle(state.report)? => Ok(Reading::Pen(reported(&state))),
            Ok(_) => Ok(Reading::Nothing),
            Err(_short) => Ok(Reading::Unreadable),
        }
    }

    fn rest(&mut self, desk: &mut dyn CaptureDesk) {
        if let Some(screen) = desk.screen() {
            screen.clear();
        }
    }
}

/// The kind of pen report that is expected before the first one comes: where a device describes several, that
/// to whose units the calibration belongs, because it was made of such reports.
fn likeliest<'a>(pens: &'a [Pen], settings: &TabletSettings) -> Option<&'a Pen> {
    let calibrated = pens
        .iter()
        .find(|pen| settings.kept_for(pen.ranges()).is_some());
    let usable = || pens.iter().find(|pen| settings.map(pen.ranges()).is_ok());
    calibrated.or_else(usable).or_else(|| pens.first())
}

fn describe(pen: &Pen, settings: &TabletSettings, quirk: Option<&Quirk>) -> TabletDescription {
    let (x, y) = pen.ranges();
    let rate = match quirk.map(|quirk| quirk.class) {
        Some(Class::Digitizer { rate }) => rate,
        Some(Class::Stu(_) | Class::Encrypted) | None => 0,
    };
    let (model, serial) = match &settings.connection {
        Connection::HidRaw {
            vendor,
            product,
            serial,
        } => {
            let unknown = || format!("HID pen {vendor:04x}:{product:04x}");
            let model = quirk.map_or_else(unknown, |quirk| format!("Wacom {}", quirk.model));
            (model, serial.clone().unwrap_or_default())
        }
        Connection::HidStream(_) => ("HID pen".to_owned(), String::new()),
    };
    TabletDescription {
        model,
        serial,
        firmware: String::new(),
        x,
        y,
        max_pressure: pen.max_pressure(),
        units_per_mm: pen.units_per_mm(),
        nominal_rate: rate,
        clock: clock_of(pen),
        screen: None,
    }
}

const fn clock_of(pen: &Pen) -> SampleClock {
    if pen.has_clock() {
        SampleClock::Device
    } else {
        SampleClock::Host
    }
}

fn reported(state: &PenState) -> Reported {
    let (tilt_x, tilt_y) = state.tilt.unwrap_or((0, 0));
    Reported {
        sample: Sample {
            x: state.x,
            y: state.y,
            pressure: state.pressure,
            tilt_x,
            tilt_y,
            tip: state.tip,
            in_range: state.in_range,
            eraser: state.eraser,
            ..Sample::default()
        },
        tick: state.scan_time.map(|count| Tick {
            count,
            unit_us: SCAN_TIME_US,
        }),
    }
}
