//! Arrivals and departures on Windows: the devices are listed again and again, and compared.
//!
//! The system's notifications (`CM_Register_Notification`) would tell each change; they call back on a
//! thread of the system, through unsafe code that cannot be proven without a machine with Windows.
//! Until then the list is read every [`BETWEEN`], which a person who plugs a device in does not notice.
//! A device that leaves and returns between two looks is not seen to have left; its link says so.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use device_api::{Clock, Deadline};
use rusb::UsbContext as _;
use serialport::SerialPortType;

use crate::identity::{Found, Identity, Usage, Way};
use crate::watch::{Event, Source};
use crate::{Interrupter, LinkError};

/// The time between two looks.
const BETWEEN: Duration = Duration::from_millis(500);

/// A USB hub (USB 2.0, bDeviceClass).
const HUB: u8 = 0x09;

/// The devices of this machine.
#[derive(Debug)]
pub(crate) struct DeviceEvents {
    clock: Arc<dyn Clock>,
    known: Vec<Found>,
    bell: Arc<Bell>,
}

/// Wakes whoever waits for the next look.
#[derive(Debug, Default)]
struct Bell {
    rung: Mutex<u32>,
    ringing: Condvar,
}

impl DeviceEvents {
    /// Begins to look, and tells what is there.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "on other systems there is something to listen to, and getting it can fail"
    )]
    pub(crate) fn begin(clock: Arc<dyn Clock>) -> Result<(Self, Vec<Found>), LinkError> {
        let known = present();
        let events = Self {
            clock,
            known: known.clone(),
            bell: Arc::default(),
        };
        Ok((events, known))
    }

    /// Waits for the next look; whether it was interrupted.
    fn pause(&self, span: Duration) -> bool {
        let rung = self
            .bell
            .rung
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .bell
            .ringing
            .wait_timeout_while(rung, span, |rung| *rung == 0);
        let (mut rung, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let interrupted = *rung > 0;
        *rung = rung.saturating_sub(1);
        interrupted
    }

    fn look(&mut self) -> Vec<Event> {
        let now = present();
        let left = self.known.iter().filter(|found| !now.contains(found));
        let left = left.cloned().map(Event::Left);
        let arrived = now.iter().filter(|found| !self.known.contains(found));
        let arrived = arrived.cloned().map(Event::Arrived);
        let events = left.chain(arrived).collect();
        self.known = now;
        events
    }
}

impl Source for DeviceEvents {
    fn more(&mut self, deadline: Deadline) -> Result<Vec<Event>, LinkError> {
        loop {
            let events = self.look();
            if !events.is_empty() {
                return Ok(events);
            }
            let left = deadline
                .remaining(self.clock.now())
                .ok_or(LinkError::TimedOut)?;
            if self.pause(left.min(BETWEEN)) {
                return Err(LinkError::Interrupted);
            }
        }
    }

    fn interrupter(&self) -> Interrupter {
        let bell = Arc::clone(&self.bell);
        Interrupter::new(move || {
            *bell.rung.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            bell.ringing.notify_all();
        })
    }
}

/// Everything that is there; what cannot be listed is not there.
fn present() -> Vec<Found> {
    let mut all = hid().unwrap_or_default();
    all.extend(serial().unwrap_or_default());
    all.extend(usb().unwrap_or_default());
    all
}

fn hid() -> Option<Vec<Found>> {
    let api = hidapi::HidApi::new().ok()?;
    let devices = api.device_list().map(|device| {
        let path = device.path().to_string_lossy().into_owned();
        Found {
            identity: Identity {
                vendor: device.vendor_id(),
                product: device.product_id(),
                firmware: device.release_number(),
                serial: device.serial_number().map(str::to_owned),
                // The system's name for the device holds the port.
                port_path: path.clone(),
                model: device.product_string().unwrap_or_default().to_owned(),
            },
            way: Way::Hid {
                path: PathBuf::from(path),
                usages: vec![Usage {
                    page: device.usage_page(),
                    usage: device.usage(),
                }],
            },
            interface: u8::try_from(device.interface_number()).ok(),
        }
    });
    Some(devices.collect())
}

fn serial() -> Option<Vec<Found>> {
    let ports = serialport::available_ports().ok()?.into_iter();
    let found = ports.filter_map(|port| {
        let SerialPortType::UsbPort(usb) = port.port_type else {
            return None;
        };
        Some(Found {
            identity: Identity {
                vendor: usb.vid,
                product: usb.pid,
                firmware: 0,
                serial: usb.serial_number,
                port_path: port.port_name.clone(),
                model: usb.product.unwrap_or_default(),
            },
            way: Way::Serial {
                path: PathBuf::from(port.port_name),
            },
            interface: None,
        })
    });
    Some(found.collect())
}

fn usb() -> Option<Vec<Found>> {
    let devices = rusb::Context::new().ok()?.devices().ok()?;
    let found = devices.iter().filter_map(|device| {
        let descriptor = device.device_descriptor().ok()?;
        let ports = device.port_numbers().unwrap_or_default();
        let ports: Vec<String> = ports.iter().map(u8::to_string).collect();
        let version = descriptor.device_version();
        let firmware = u16::from(version.major()) << 8
            | u16::from(version.minor()) << 4
            | u16::from(version.sub_minor());
        (descriptor.class_code() != HUB).then(|| Found {
            identity: Identity {
                vendor: descriptor.vendor_id(),
                product: descriptor.product_id(),
                firmware,
                // Reading its serial number needs the device open, which disturbs who uses it.
                serial: None,
                port_path: format!("{}-{}", device.bus_number(), ports.join(".")),
                model: String::new(),
            },
            way: Way::Usb {
                bus: device.bus_number(),
                address: device.address(),
            },
            interface: None,
        })
    });
    Some(found.collect())
}
