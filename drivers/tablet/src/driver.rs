//! Signature tablets as their users see them: the traits, what is asked for, and how one is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, Patience};
use link::identity::{Found, Way};
use link::watch::{Event, Watch};
use link::{Interrupter, LinkError, ReportLink, hid_stream, hidraw};

use crate::calibrate;
use crate::capture::{self, Station};
use crate::digitizer::Digitizer;
use crate::document::Document;
use crate::fault::TabletError;
use crate::ink::{CapturedInk, Sample, TabletDescription};
use crate::layout::Press;
use crate::mapping::{Calibration, Mapping, Range, Rotation};
use crate::quirks::{self, Class};
use crate::shown::Page;
use crate::stu::Stu;
use crate::text::DEFAULT_FONT;
use crate::wire::descriptor::{Descriptor, Kind as ReportKind};
use crate::wire::digitizer::Pens;
use crate::wire::stu::report;

/// A tablet that a citizen signs on.
///
/// Calls block. After an error the tablet can be used again, unless the error says that the device is gone.
pub trait SignatureTablet: Send + fmt::Debug {
    /// What the tablet is.
    fn description(&self) -> &TabletDescription;

    /// Shows a document and has it signed by hand.
    ///
    /// Blocks until the citizen confirms or declines, or `patience` ends. Whatever the outcome, the document
    /// does not stay on a screen of the tablet's own.
    ///
    /// # Errors
    /// Says why there is no signature; nothing of an unfinished one is kept.
    fn capture(
        &mut self,
        request: &CaptureRequest,
        desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<CapturedInk, TabletError>;

    /// Shows five crosses one after the other, has each tapped, and fits a map to the taps.
    ///
    /// The caller keeps the map and opens the tablet with it as [`TabletSettings::kept`]; nothing is changed
    /// here.
    ///
    /// # Errors
    /// Says why there is no calibration; [`TabletError::Calibration`] where the taps make no sense.
    fn calibrate(
        &mut self,
        desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<Calibration, TabletError>;
}

impl<S: Station> SignatureTablet for S {
    fn description(&self) -> &TabletDescription {
        Station::description(self)
    }

    fn capture(
        &mut self,
        request: &CaptureRequest,
        desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<CapturedInk, TabletError> {
        capture::run(self, request, desk, patience)
    }

    fn calibrate(
        &mut self,
        desk: &mut dyn CaptureDesk,
        patience: &Patience,
    ) -> Result<Calibration, TabletError> {
        calibrate::run(self, desk, patience)
    }
}

/// What is to be signed.
#[derive(Debug, Clone)]
pub struct CaptureRequest {
    /// The document.
    pub document: Document,
    /// Whether every page must have been on the screen before the signature can be given.
    pub every_page: bool,
    /// For how long nothing may happen before the citizen is thought to be gone.
    pub idle: Duration,
}

/// What a capture needs of its surroundings.
pub trait CaptureDesk {
    /// The screen on which pictures are shown, for a tablet without one of its own.
    fn screen(&mut self) -> Option<&mut dyn Screen>;

    /// Takes samples while they are written: what one report carried, at once. Must not block.
    fn ink(&mut self, samples: &[Sample]);

    /// The next button that was pressed outside the tablet, such as on the page that shows the picture.
    fn pressed(&mut self) -> Option<Press>;

    /// Says how the capture is woken: to be called after a press, and after the screen was closed.
    fn wake_by(&mut self, interrupter: Interrupter);
}

/// Something else that shows pictures to the citizen, on the monitor that is under the pen.
///
/// It must show the picture over the whole monitor, in its proportions, because pen and picture are one surface.
pub trait Screen {
    /// Shows a page, without ink.
    ///
    /// # Errors
    /// [`ScreenClosed`] where nobody will see it.
    fn show(&mut self, page: &Page) -> Result<(), ScreenClosed>;

    /// Shows nothing of a document any more.
    fn clear(&mut self);

    /// Whether it is closed.
    fn closed(&self) -> bool;
}

/// The screen is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScreenClosed;

/// How a tablet is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// A HID device of this machine.
    HidRaw {
        /// USB vendor.
        vendor: u16,
        /// USB product.
        product: u16,
        /// Its serial number, where there are several.
        serial: Option<String>,
    },
    /// A HID device behind a byte stream, such as a simulator: an address to connect to.
    HidStream(String),
}

/// How long a connection to a simulated device may take.
const CONNECT: Duration = Duration::from_secs(5);

/// What a tablet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Found out from its product number and its descriptor.
    #[default]
    Auto,
    /// A pen on a monitor.
    Digitizer,
    /// A pad with a screen of its own.
    Stu,
}

/// How a tablet is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct TabletSettings {
    /// How it is reached.
    pub connection: Connection,
    /// What it is.
    pub kind: Kind,
    /// A calibration; it takes the place of `rotation`, and a device that it does not fit is refused.
    pub mapping: Option<Mapping>,
    /// A calibration that was made at the tablet; it takes the place of `mapping` where it fits the device.
    pub kept: Option<Mapping>,
    /// How it stands, where it is not calibrated.
    pub rotation: Rotation,
    /// The font of a pad's own screen.
    pub font: PathBuf,
    /// The size of the pictures for a pen display: its monitor's resolution.
    pub picture: (u32, u32),
}

impl TabletSettings {
    /// Settings that suit most tablets.
    #[must_use]
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            kind: Kind::Auto,
            mapping: None,
            kept: None,
            rotation: Rotation::None,
            font: PathBuf::from(DEFAULT_FONT),
            picture: (1920, 1080),
        }
    }

    /// The map for a device with these ranges.
    ///
    /// # Errors
    /// [`TabletError::Mapping`] where there is none, such as where the configured one is of another device.
    pub fn map(&self, ranges: (Range, Range)) -> Result<Mapping, TabletError> {
        match (self.kept_for(ranges), self.mapping) {
            (Some(kept), _) => Ok(kept),
            (None, Some(mapping)) if mapping.plausible(ranges) => Ok(mapping),
            (None, Some(_)) => Err(TabletError::Mapping),
            (None, None) => Mapping::whole(ranges, self.rotation).ok_or(TabletError::Mapping),
        }
    }

    /// The calibration that was made at the tablet, where it can be of a device with these ranges.
    pub(crate) fn kept_for(&self, ranges: (Range, Range)) -> Option<Mapping> {
        self.kept.filter(|kept| kept.plausible(ranges))
    }

    /// Writes a warning into the log where such a calibration is left out.
    pub(crate) fn tell_what_is_left_out(&self, ranges: (Range, Range)) {
        if self.kept.is_some() && self.kept_for(ranges).is_none() {
            tracing::warn!(
                "the calibration that was made at the tablet does not fit it any more and is left out; \
                 calibrate it again"
            );
        }
    }
}

/// Opens a tablet.
///
/// Blocks while the device is found and asked what it is, at most some seconds.
///
/// # Errors
/// As [`over`]; [`LinkError::Gone`] in [`TabletError::Link`] where no such device is plugged in.
pub fn open(
    settings: &TabletSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn SignatureTablet>, TabletError> {
    let link = match &settings.connection {
        Connection::HidStream(address) => connect(address, &clock)?,
        Connection::HidRaw {
            vendor,
            product,
            serial,
        } => {
            let ours = |found: &Found| {
                found.is(*vendor, *product)
                    && (serial.is_none() || found.identity.serial == *serial)
            };
            find(ours, settings.kind, &clock)?
        }
    };
    over(link, settings, clock)
}

fn connect(address: &str, clock: &Arc<dyn Clock>) -> Result<Box<dyn ReportLink>, TabletError> {
    const ATTEMPTED: &str = "connecting to the tablet";
    let malformed = LinkError::Malformed {
        attempted: "reading the tablet's address",
    };
    let address = match address.parse() {
        Ok(address) => address,
        Err(_no_address) => return Err(TabletError::link(ATTEMPTED)(malformed)),
    };
    let deadline = Deadline::at(clock.now().plus(CONNECT));
    let link = hid_stream::connect(address, deadline, Arc::clone(clock))
        .map_err(TabletError::link(ATTEMPTED))?;
    Ok(Box::new(link))
}

/// Opens the first function of the device that is a pen or a pad: pen displays have others, such as touch.
fn find(
    ours: impl Fn(&Found) -> bool,
    kind: Kind,
    clock: &Arc<dyn Clock>,
) -> Result<Box<dyn ReportLink>, TabletError> {
    const ATTEMPTED: &str = "looking for the tablet";
    let mut watch = Watch::begin(Arc::clone(clock)).map_err(TabletError::link(ATTEMPTED))?;
    let mut seen = false;
    loop {
        // What is there is told at once.
        let found = match watch.next(Deadline::at(clock.now())) {
            Ok(Event::Arrived(found)) if ours(&found) => found,
            Ok(Event::Arrived(_) | Event::Left(_)) => continue,
            Err(LinkError::TimedOut) if seen => return Err(TabletError::WrongKind),
            Err(LinkError::TimedOut) => return Err(TabletError::link(ATTEMPTED)(LinkError::Gone)),
            Err(source) => return Err(TabletError::link(ATTEMPTED)(source)),
        };
        let Way::Hid { path, .. } = &found.way else {
            continue;
        };
        seen = true;
        let link = hidraw::open(path, Arc::clone(clock))
            .map_err(TabletError::link("opening the tablet"))?;
        let descriptor = link.descriptor();
        let pen = kind != Kind::Stu && Pens::find(descriptor).is_ok();
        let pad = kind != Kind::Digitizer && takes_pictures(descriptor);
        if pen || pad {
            return Ok(Box::new(link));
        }
    }
}

/// Makes a tablet of a link that is open already.
///
/// Blocks while the device is asked what it is, at most some seconds.
///
/// # Errors
/// Says why the device cannot be used: [`TabletError::Encrypted`] for the STU-541, [`TabletError::NoPen`] for
/// a device that does not describe a pen.
pub fn over(
    link: Box<dyn ReportLink>,
    settings: &TabletSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn SignatureTablet>, TabletError> {
    let (vendor, product) = match &settings.connection {
        Connection::HidRaw {
            vendor, product, ..
        } => (*vendor, *product),
        // A stream does not say; the device's own reports do.
        Connection::HidStream(_) => (0, 0),
    };
    let quirk = quirks::of_product(vendor, product, (u8::MAX, u8::MAX));
    let class = quirk.map(|quirk| quirk.class);
    if let (Some(Class::Encrypted), Some(quirk)) = (class, quirk) {
        return Err(TabletError::Encrypted {
            model: quirk.model.to_owned(),
        });
    }
    let pad = match (settings.kind, class) {
        (Kind::Stu, _) | (Kind::Auto, Some(Class::Stu(_))) => true,
        (Kind::Digitizer, _) | (Kind::Auto, Some(Class::Digitizer { .. })) => false,
        (Kind::Auto, Some(Class::Encrypted) | None) => takes_pictures(link.descriptor()),
    };
    if pad {
        Ok(Box::new(Stu::open(link, settings, clock)?))
    } else {
        Ok(Box::new(Digitizer::open(link, settings, quirk, clock)?))
    }
}

/// Whether a device has the reports that carry a picture to a pad.
fn takes_pictures(descriptor: &[u8]) -> bool {
    Descriptor::parse(descriptor).is_ok_and(|descriptor| {
        [
            report::CAPABILITY,
            report::PICTURE_BEGIN,
            report::PICTURE_BLOCK,
        ]
        .iter()
        .all(|report| descriptor.length(ReportKind::Feature, *report).is_some())
    })
}
