//! What `/sys` tells of devices.
//!
//! Everything is read from there, nothing from the messages that announce a device: those only say where
//! to look. A device may leave while it is being read; then it was not found.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::LinkError;
use crate::descriptor::outline;
use crate::identity::{Found, Identity, Way};

const SYS: &str = "/sys";

/// A USB hub (USB 2.0, bDeviceClass).
const HUB: u8 = 0x09;

/// A device's place below `/sys`, by which arrivals and departures are matched.
pub(super) type Place = String;

/// The report descriptor of a `hidraw` device, by its numbers.
pub(super) fn report_descriptor(major: u32, minor: u32) -> Result<Vec<u8>, LinkError> {
    let device = PathBuf::from(format!("{SYS}/dev/char/{major}:{minor}"));
    fs::read(device.join("device/report_descriptor")).map_err(|source| {
        if source.kind() != io::ErrorKind::NotFound {
            return LinkError::Io {
                attempted: "reading the report descriptor",
                source,
            };
        }
        if device.exists() {
            LinkError::Malformed {
                attempted: "using it as a HID device",
            }
        } else {
            LinkError::Gone
        }
    })
}

/// Everything that is there now.
pub(super) fn present() -> Vec<(Place, Found)> {
    let mut found = Vec::new();
    for (folder, subsystem) in [
        ("class/hidraw", "hidraw"),
        ("class/tty", "tty"),
        ("bus/usb/devices", "usb"),
    ] {
        let Ok(entries) = fs::read_dir(Path::new(SYS).join(folder)) else {
            // No such class where the kernel has no such driver.
            continue;
        };
        for entry in entries.flatten() {
            let Ok(path) = entry.path().canonicalize() else {
                continue;
            };
            let place = place_of(&path);
            found.extend(look(subsystem, &place).map(|one| (place, one)));
        }
    }
    found
}

/// What stands at `place`, if it is of a kind that drivers use.
pub(super) fn look(subsystem: &str, place: &str) -> Option<Found> {
    let path = Path::new(SYS).join(place.trim_start_matches('/'));
    match subsystem {
        "hidraw" => hid(&path),
        "tty" => serial(&path),
        "usb" => usb(&path),
        _ => None,
    }
}

fn place_of(path: &Path) -> Place {
    let inner = path.strip_prefix(SYS).unwrap_or(path);
    format!("/{}", inner.display())
}

fn hid(path: &Path) -> Option<Found> {
    let device = path.join("device");
    let usages = outline(&fs::read(device.join("report_descriptor")).ok()?).usages;
    let facts = uevent(&device)?;
    let real = device.canonicalize().ok()?;
    let identity = usb_ancestor(&real)
        .and_then(|usb| usb_identity(&usb))
        .or_else(|| hid_identity(&facts))?;
    Some(Found {
        identity,
        way: Way::Hid {
            path: device_file(path)?,
            usages,
        },
        interface: interface_number(&real),
    })
}

/// The identity of a HID device that is behind no USB device, such as one over Bluetooth or I2C.
fn hid_identity(facts: &BTreeMap<String, String>) -> Option<Identity> {
    // HID_ID=bus:vendor:product, in hexadecimal digits.
    let mut numbers = facts.get("HID_ID")?.split(':').skip(1);
    let mut number = || {
        let number = u32::from_str_radix(numbers.next()?, 16).ok()?;
        u16::try_from(number).ok()
    };
    let text = |name: &str| facts.get(name).filter(|text| !text.is_empty()).cloned();
    Some(Identity {
        vendor: number()?,
        product: number()?,
        firmware: 0,
        serial: text("HID_UNIQ"),
        port_path: text("HID_PHYS").unwrap_or_default(),
        model: text("HID_NAME").unwrap_or_default(),
    })
}

fn serial(path: &Path) -> Option<Found> {
    // Lines of the mainboard are named by the configuration; only those of a USB device are found.
    let real = path.join("device").canonicalize().ok()?;
    Some(Found {
        identity: usb_identity(&usb_ancestor(&real)?)?,
        way: Way::Serial {
            path: device_file(path)?,
        },
        interface: interface_number(&real),
    })
}

fn usb(path: &Path) -> Option<Found> {
    if hex(path, "bDeviceClass")? == u16::from(HUB) {
        return None;
    }
    let decimal = |name| text(path, name)?.parse().ok();
    Some(Found {
        identity: usb_identity(path)?,
        way: Way::Usb {
            bus: decimal("busnum")?,
            address: decimal("devnum")?,
        },
        interface: None,
    })
}

fn usb_identity(path: &Path) -> Option<Identity> {
    Some(Identity {
        vendor: hex(path, "idVendor")?,
        product: hex(path, "idProduct")?,
        firmware: hex(path, "bcdDevice")?,
        serial: text(path, "serial"),
        port_path: path.file_name()?.to_str()?.to_owned(),
        model: text(path, "product").unwrap_or_default(),
    })
}

/// The USB device behind something, the nearest on the way up.
fn usb_ancestor(path: &Path) -> Option<PathBuf> {
    let mut ancestors = path.ancestors();
    ancestors
        .find(|folder| folder.join("idVendor").exists())
        .map(Path::to_owned)
}

fn interface_number(path: &Path) -> Option<u8> {
    let mut ancestors = path.ancestors();
    let folder = ancestors.find(|folder| folder.join("bInterfaceNumber").exists())?;
    u8::try_from(hex(folder, "bInterfaceNumber")?).ok()
}

fn device_file(path: &Path) -> Option<PathBuf> {
    let name = uevent(path)?.remove("DEVNAME")?;
    Some(Path::new("/dev").join(name))
}

fn uevent(path: &Path) -> Option<BTreeMap<String, String>> {
    let text = fs::read_to_string(path.join("uevent")).ok()?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Some(
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    )
}

fn hex(path: &Path, name: &str) -> Option<u16> {
    u16::from_str_radix(&text(path, name)?, 16).ok()
}

/// The text of one attribute; `None` where there is none, or an empty one.
fn text(path: &Path, name: &str) -> Option<String> {
    let bytes = fs::read(path.join(name)).ok()?;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hid_device_without_usb_is_known_by_what_its_driver_says() {
        let facts = [
            ("HID_ID", "0003:0000056A:00000396"),
            ("HID_NAME", "Pen display"),
            ("HID_PHYS", "somewhere"),
            ("HID_UNIQ", ""),
        ];
        let facts = facts.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let identity = hid_identity(&facts.into_iter().collect()).unwrap();
        assert_eq!((identity.vendor, identity.product), (0x056a, 0x0396));
        assert_eq!(identity.serial, None);
        assert_eq!(identity.key(), "056a:0396:port:somewhere");
    }

    #[test]
    fn rubbish_is_no_device() {
        for text in ["", "3", "3:x:1", "3:1", "3:100000000:1", "3:10000:1"] {
            let facts = [("HID_ID".to_owned(), text.to_owned())];
            assert_eq!(hid_identity(&facts.into_iter().collect()), None, "{text}");
        }
        assert_eq!(look("hidraw", "/devices/none"), None);
        assert_eq!(look("block", "/devices/none"), None);
    }
}
