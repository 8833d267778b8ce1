//! Signature tablets: a document on a screen, and what the citizen writes on it by hand (手書き署名).
//!
//! | connection | shows | feels | what drives it |
//! |---|---|---|---|
//! | a pad | the pad | the pad | `tablet` |
//! | a pen display | the citizen's page | the display | `tablet` |
//! | `page` | the citizen's page | the page | `tablet`, over the reports of [`page_pen`] |
//!
//! The first two are calibrated here too: [`AtTablet::calibrate`]. A page needs none, because it says where on
//! its own picture the pen is.
//! So one set of rules decides about all three. A device is listened to from the beginning and always: what
//! the pen does while nobody signs reaches nobody, and a device that leaves is gone at once.

mod desk;
mod page_pen;
mod product;
mod shared_link;
#[cfg(test)]
mod tests;
mod told_ink;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use device_api::{Clock, Deadline, DeviceClass, FaultCode, Patience};
use host_protocol::settings::{
    self, Rotation, SignatureTablet as Settings, SignatureTablets, TabletConnection, TabletKind,
};
use host_protocol::{
    Calibration, DeviceState, HostFault, Make, Pen, Product, SignOrder, Step, Task,
};
use link::identity::{Found, Way};
use link::watch::{Event, Watch as Plugs};
use link::{Link as _, LinkError, ReportLink, hid_stream, hidraw};
use tablet::{
    CaptureRequest, CapturedInk, Connection, Document, DocumentError, Kind, Mapping, MediaType,
    SignatureTablet, TabletError, TabletSettings,
};

use super::{PatientWatch, Sheet, Station, Tools, bell::Bell, rest_for};
use crate::{
    device::fault,
    floor::{Post, Watch},
    job::Job,
};
use desk::{Desk, Feels, Units};
use page_pen::PagePen;
use shared_link::SharedLink;

/// How long to wait before looking for a tablet again that was not there.
const LOOK_AGAIN: Duration = Duration::from_secs(2);
/// How long a connection to a simulated device may take.
const CONNECT: Duration = Duration::from_secs(5);
/// What a fault says of a tablet; any other stands in the way until a person does something.
const STATES: [(FaultCode, DeviceState); 3] = [
    (FaultCode::DeviceBusy, DeviceState::InUse),
    (FaultCode::DeviceDenied, DeviceState::Denied),
    (FaultCode::DeviceHung, DeviceState::Unresponsive),
];
/// For how long nothing may happen before the citizen is thought to be gone.
const IDLE: Duration = Duration::from_secs(180);

/// The tablets that the settings name.
pub(super) fn open(settings: serde_json::Value, tools: &Tools) -> Result<Vec<Station>, String> {
    let SignatureTablets { tablets, kept } =
        serde_json::from_value(settings).map_err(|error| error.to_string())?;
    let one = |tablet: Settings| {
        let wanted = driver_settings(&tablet)?;
        let made = kept.get(&tablet.name).copied().map(mapping);
        let made = Arc::new(Mutex::new(made));
        let connection = connection(&tablet)?;
        let on_change = Arc::clone(&tools.on_change);
        let sheet = Sheet::new(DeviceClass::SignatureTablet, &tablet.name, on_change);
        let sheet = Arc::new(sheet);
        let (tools, seen) = (tools.clone(), Arc::clone(&sheet));
        Ok(Station {
            sheet,
            post: Box::new(move || {
                Box::new(AtTablet {
                    place: connection.clone(),
                    settings: wanted.clone(),
                    made: Arc::clone(&made),
                    clock: Arc::clone(&tools.clock),
                    bell: tools.bell.clone(),
                    sheet: Arc::clone(&seen),
                    device: None,
                })
            }),
        })
    };
    tablets.into_iter().map(one).collect()
}

/// Whether a task is one of a tablet.
pub(super) const fn takes(task: &Task) -> bool {
    matches!(
        task,
        Task::CaptureSignature { .. } | Task::CalibrateTablet {}
    )
}

/// Where a tablet is.
#[derive(Debug, Clone)]
enum Place {
    Usb {
        vendor: u16,
        product: u16,
        serial: Option<String>,
    },
    Simulated(SocketAddr),
    Page,
}

/// The one who works at a tablet.
struct AtTablet {
    place: Place,
    /// As configured.
    settings: TabletSettings,
    /// The calibration that was made at the tablet, which outlives one who works here and was given up.
    made: Arc<Mutex<Option<Mapping>>>,
    clock: Arc<dyn Clock>,
    bell: Bell,
    sheet: Arc<Sheet>,
    device: Option<Device>,
}

/// A tablet that is there.
struct Device {
    tablet: Box<dyn SignatureTablet>,
    link: SharedLink,
    connection: Connection,
}

impl Post for AtTablet {
    fn watch(&self) -> Box<dyn Watch> {
        Box::new(PatientWatch)
    }

    fn work(&mut self, job: &Job) -> Result<Product, HostFault> {
        let by_page = matches!(self.place, Place::Page);
        if matches!(&job.task, Task::CalibrateTablet {}) && !by_page {
            job.progress(Step::Showing, None);
            let made = self.calibrate(job);
            let calibration = made.map_err(|error| self.end_badly(job, error))?;
            return Ok(Product::Calibration { calibration });
        }
        let Task::CaptureSignature { order } = &job.task else {
            return Err(fault(FaultCode::DeviceUnsupported, "not a signature"));
        };
        job.progress(Step::Showing, None);
        let signed = request(job, order).and_then(|request| {
            if by_page {
                self.capture_by_page(job, &request)
            } else {
                self.capture(job, &request)
            }
        });
        let ink = signed.map_err(|error| self.end_badly(job, error))?;
        let signature = product::signature(job, &ink, by_page)
            .ok_or_else(|| fault(FaultCode::AgentInternal, "the ink cannot be written down"))?;
        Ok(Product::Signature {
            signature: Box::new(signature),
        })
    }

    /// What the pen does now reaches nobody.
    fn idle(&mut self, rest: &Patience) {
        while rest.check().is_ok() {
            if let Err(error) = self.listen(rest) {
                self.note(&error);
                rest_for(rest, LOOK_AGAIN);
            }
        }
    }
}

impl AtTablet {
    fn capture(&mut self, job: &Job, request: &CaptureRequest) -> Result<CapturedInk, TabletError> {
        self.at_desk(job, |tablet, desk| {
            tablet.capture(request, desk, &job.patience)
        })
    }

    /// Has the crosses tapped. From the success on the map is in use.
    fn calibrate(&mut self, job: &Job) -> Result<Calibration, TabletError> {
        let made = self.at_desk(job, |tablet, desk| tablet.calibrate(desk, &job.patience))?;
        *self.made.lock().unwrap_or_else(PoisonError::into_inner) = Some(made.mapping);
        if let Some(Device {
            link, connection, ..
        }) = self.device.take()
        {
            // The map is whole, whatever becomes of the tablet.
            match self.over(link, connection) {
                Ok(device) => self.device = Some(device),
                Err(error) => self.note(&error),
            }
        }
        Ok(Calibration {
            x: made.mapping.x,
            y: made.mapping.y,
            worst_error: made.worst_error,
        })
    }

    /// Works with the tablet where what it shows reaches the citizen's page through the job.
    fn at_desk<T>(
        &mut self,
        job: &Job,
        work: impl FnOnce(&mut dyn SignatureTablet, &mut Desk<'_>) -> Result<T, TabletError>,
    ) -> Result<T, TabletError> {
        let (settings, bell) = (self.settings(), self.bell.clone());
        let Device { tablet, link, .. } = self.device()?;
        let description = tablet.description();
        let units = Units {
            ranges: (description.x, description.y),
            max_pressure: description.max_pressure,
            picture: description.screen.unwrap_or(settings.picture),
            settings,
        };
        let feels = if description.screen.is_some() {
            Feels::Pad(&units)
        } else {
            Feels::Display(&units, link)
        };
        let mut desk = Desk::new(job, &bell, feels);
        work(tablet.as_mut(), &mut desk)
    }

    /// What is said of a job that failed.
    fn end_badly(&mut self, job: &Job, error: TabletError) -> HostFault {
        self.note(&error);
        // A screen that a cancelled job took away is not what failed.
        let error = match (error, job.patience.check()) {
            (TabletError::NoScreen, Err(stop)) => TabletError::from(stop),
            (error, _) => error,
        };
        // The cause of another error may quote the document.
        let detail = if let TabletError::Calibration(why) = &error {
            format!("{error}: {why}")
        } else {
            error.to_string()
        };
        fault(error.fault(), &detail)
    }

    /// The page's pen lives as long as the job.
    fn capture_by_page(
        &self,
        job: &Job,
        request: &CaptureRequest,
    ) -> Result<CapturedInk, TabletError> {
        let pen = PagePen::new(self.settings.picture, Arc::clone(&self.clock));
        let link = Box::new(pen.clone());
        let mut tablet = tablet::over(link, &self.settings, Arc::clone(&self.clock))?;
        let mut desk = Desk::new(job, &self.bell, Feels::Page(&pen));
        tablet.capture(request, &mut desk, &job.patience)
    }

    /// Listens until `rest` is over, or the tablet has left.
    fn listen(&mut self, rest: &Patience) -> Result<(), TabletError> {
        if matches!(self.place, Place::Page) {
            self.sheet.write(|seen| {
                seen.state = DeviceState::Ready;
                seen.capabilities.pen = Some(Pen::Page);
            });
            rest_for(rest, Duration::MAX);
            return Ok(());
        }
        let link = &mut self.device()?.link;
        let interrupter = link.interrupter();
        let _wake = rest.when_stopped(move || interrupter.interrupt());
        while rest.check().is_ok() {
            match link.receive(rest.deadline()) {
                Ok(_) | Err(LinkError::TimedOut | LinkError::Interrupted) => {}
                Err(source) => {
                    return Err(TabletError::Link {
                        attempted: "listening to the tablet",
                        source,
                    });
                }
            }
        }
        Ok(())
    }

    /// The tablet, looked for where it is not there yet.
    fn device(&mut self) -> Result<&mut Device, TabletError> {
        let device = match self.device.take() {
            Some(device) => device,
            None => self.look()?,
        };
        Ok(self.device.insert(device))
    }

    fn look(&self) -> Result<Device, TabletError> {
        let device = match &self.place {
            Place::Simulated(address) => {
                let deadline = Deadline::at(self.clock.now().plus(CONNECT));
                let link = hid_stream::connect(*address, deadline, Arc::clone(&self.clock));
                let link = link.map_err(|source| TabletError::Link {
                    attempted: "connecting to the tablet",
                    source,
                })?;
                self.begin(Box::new(link), self.settings.connection.clone())?
            }
            Place::Usb {
                vendor,
                product,
                serial,
            } => self.find(|found| {
                found.is(*vendor, *product)
                    && (serial.is_none() || found.identity.serial == *serial)
            })?,
            Place::Page => return Err(TabletError::WrongKind),
        };
        let seen_at = device.tablet.description();
        let make = Make {
            vendor: String::new(),
            model: seen_at.model.clone(),
            serial: seen_at.serial.clone(),
            firmware: seen_at.firmware.clone(),
        };
        let pen = match seen_at.screen {
            Some(_) => Pen::OwnScreen,
            None => Pen::Display,
        };
        self.sheet.write(|seen| {
            seen.state = DeviceState::Ready;
            seen.fault = None;
            seen.capabilities.pen = Some(pen);
            seen.capabilities.calibrates = true;
            seen.make = make;
        });
        Ok(device)
    }

    /// Begins with the first function of the device that is a pen or a pad: displays have others, such as
    /// touch.
    fn find(&self, ours: impl Fn(&Found) -> bool) -> Result<Device, TabletError> {
        let failed = |source| TabletError::Link {
            attempted: "looking for the tablet",
            source,
        };
        let mut plugs = Plugs::begin(Arc::clone(&self.clock)).map_err(failed)?;
        let mut unfit = None;
        loop {
            // What is there is told at once.
            let found = match plugs.next(Deadline::at(self.clock.now())) {
                Ok(Event::Arrived(found)) if ours(&found) => found,
                Ok(Event::Arrived(_) | Event::Left(_)) => continue,
                Err(LinkError::TimedOut) => {
                    return Err(unfit.unwrap_or_else(|| failed(LinkError::Gone)));
                }
                Err(source) => return Err(failed(source)),
            };
            let Way::Hid { path, .. } = &found.way else {
                continue;
            };
            let link = hidraw::open(path, Arc::clone(&self.clock)).map_err(failed)?;
            let connection = Connection::HidRaw {
                vendor: found.identity.vendor,
                product: found.identity.product,
                serial: found.identity.serial.clone(),
            };
            match self.begin(Box::new(link), connection) {
                Err(error @ (TabletError::NoPen(_) | TabletError::WrongKind)) => {
                    unfit = Some(error);
                }
                begun => return begun,
            }
        }
    }

    fn begin(
        &self,
        link: Box<dyn ReportLink>,
        connection: Connection,
    ) -> Result<Device, TabletError> {
        self.over(SharedLink::new(link), connection)
    }

    /// How the tablet is to be used now.
    fn settings(&self) -> TabletSettings {
        TabletSettings {
            kept: *self.made.lock().unwrap_or_else(PoisonError::into_inner),
            ..self.settings.clone()
        }
    }

    fn over(&self, link: SharedLink, connection: Connection) -> Result<Device, TabletError> {
        let settings = TabletSettings {
            connection: connection.clone(),
            ..self.settings()
        };
        let tablet = tablet::over(Box::new(link.clone()), &settings, Arc::clone(&self.clock))?;
        Ok(Device {
            tablet,
            link,
            connection,
        })
    }

    /// Writes down what an error says of the tablet.
    fn note(&mut self, error: &TabletError) {
        let citizen_or_document = matches!(
            error,
            TabletError::Document(_)
                | TabletError::NoScreen
                | TabletError::Declined
                | TabletError::TimedOut
                | TabletError::Empty
                | TabletError::Calibration(_)
                | TabletError::Cancelled
        );
        if citizen_or_document {
            return;
        }
        if self.device.take().is_some() {
            tracing::warn!(%error, device = self.sheet.id(), "a tablet was lost");
        }
        let code = error.fault();
        if code == FaultCode::DeviceGone {
            return self.sheet.gone();
        }
        let state = STATES.iter().find(|(of, _)| *of == code);
        let fault = state.is_none().then(|| code.as_str().to_owned());
        self.sheet.write(|seen| {
            seen.state = state.map_or(DeviceState::NotReady, |(_, state)| *state);
            seen.fault = fault;
        });
    }
}

fn request(job: &Job, order: &SignOrder) -> Result<CaptureRequest, TabletError> {
    let media = MediaType::named(&order.document.media_type)
        .ok_or(TabletError::Document(DocumentError::Unreadable))?;
    let mut bytes = job.attachment(&order.document)?;
    Ok(CaptureRequest {
        document: Document::new(std::mem::take(&mut *bytes), media)?,
        every_page: order.every_page,
        idle: IDLE,
    })
}

fn connection(tablet: &Settings) -> Result<Place, String> {
    match &tablet.connection {
        TabletConnection::Usb {
            vendor,
            product,
            serial,
        } => Ok(Place::Usb {
            vendor: *vendor,
            product: *product,
            serial: serial.clone(),
        }),
        TabletConnection::Page => Ok(Place::Page),
        TabletConnection::Simulated(text) => text.parse().map(Place::Simulated).map_err(|_error| {
            let name = &tablet.name;
            format!("tablet {name}: not an address such as 127.0.0.1:4001")
        }),
    }
}

const fn mapping(told: settings::Mapping) -> Mapping {
    Mapping {
        x: told.x,
        y: told.y,
    }
}

fn driver_settings(tablet: &Settings) -> Result<TabletSettings, String> {
    let (width, height) = (tablet.picture_width, tablet.picture_height);
    // The bounds of what `tablet` draws.
    if !(320..=8192).contains(&width) || !(200..=8192).contains(&height) {
        let name = &tablet.name;
        return Err(format!("tablet {name}: pictures of {width} x {height}"));
    }
    // Which device it is, is filled in when it is found.
    let mut settings = TabletSettings::new(Connection::HidStream(String::new()));
    settings.kind = match (&tablet.connection, tablet.kind) {
        (TabletConnection::Page, _) | (_, TabletKind::PenDisplay) => Kind::Digitizer,
        (_, TabletKind::Auto) => Kind::Auto,
        (_, TabletKind::Pad) => Kind::Stu,
    };
    if tablet.connection != TabletConnection::Page {
        settings.rotation = match tablet.rotation {
            Rotation::None => tablet::Rotation::None,
            Rotation::Quarter => tablet::Rotation::Quarter,
            Rotation::Half => tablet::Rotation::Half,
            Rotation::ThreeQuarters => tablet::Rotation::ThreeQuarters,
        };
        settings.mapping = tablet.mapping.map(mapping);
    }
    settings.font = tablet.font.clone().into();
    settings.picture = (width, height);
    Ok(settings)
}
