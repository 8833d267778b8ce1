//! Arrivals and departures, as the kernel and udev announce them over netlink.
//!
//! The kernel announces a device when it exists; udev announces it again, on a group of its own, when its
//! permissions are set and its drivers loaded. Where udev runs, only its messages count, because a device
//! opened before is often denied.
//!
//! A message only says where to look, so a forged one makes us look at what is true.
//! Where messages were lost, everything is looked at anew.
//!
//! The forms: kernel, `ACTION@PLACE` and then `NAME=VALUE`, each ended by a zero byte
//! (`Documentation/ABI` of uevents); udev, a header that begins with `libudev` and says at which byte the
//! same pairs begin (systemd, `sd-device/device-monitor.c`).

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use device_api::{Clock, Deadline};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use super::pipe::of_errno;
use super::sysfs::{self, Place};
use super::wait::{Waited, Waiter};
use crate::identity::Found;
use crate::watch::{Event, Source};
use crate::{Interrupter, LinkError};

/// The groups: bit 0 the kernel, bit 1 udev.
const GROUPS: u32 = 0b11;

/// Exists while udev runs.
const UDEV: &str = "/run/udev/control";

/// The kernel's messages are at most half of this long, udev's somewhat longer.
const LONGEST: usize = 8192;

const LISTENING: &str = "listening for devices";

/// The events of this machine's devices.
#[derive(Debug)]
pub(crate) struct DeviceEvents {
    socket: OwnedFd,
    waiter: Waiter,
    known: BTreeMap<Place, Found>,
}

impl DeviceEvents {
    /// Begins to listen, and tells what is there.
    pub(crate) fn begin(clock: Arc<dyn Clock>) -> Result<(Self, Vec<Found>), LinkError> {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            Some(KOBJECT_UEVENT),
        )
        .map_err(|errno| of_errno(LISTENING, errno))?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS))
            .map_err(|errno| of_errno(LISTENING, errno))?;
        // Looked at after listening began: what arrives between is told twice to us, and once by us.
        let known: BTreeMap<Place, Found> = sysfs::present().into_iter().collect();
        let present = known.values().cloned().collect();
        let waiter = Waiter::new(clock)?;
        let events = Self {
            socket,
            waiter,
            known,
        };
        Ok((events, present))
    }

    fn read_one(&mut self) -> Result<Vec<Event>, LinkError> {
        let mut buffer = [0; LONGEST];
        match recv(&self.socket, &mut buffer[..], RecvFlags::empty()) {
            Ok((filled, _)) => {
                let message = message_of(buffer.get(..filled).unwrap_or_default());
                let udev_runs = Path::new(UDEV).exists();
                let counts = message.filter(|message| message.from_udev == udev_runs);
                Ok(counts.map_or_else(Vec::new, |message| self.learn(&message)))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(Vec::new()),
            Err(Errno::NOBUFS) => {
                self.drain();
                Ok(self.look_at_everything())
            }
            Err(errno) => Err(of_errno(LISTENING, errno)),
        }
    }

    /// Throws away what waits. After an overrun the kernel drops every further message until its queue was
    /// read empty, and says so only once (linux: net/netlink/af_netlink.c, `NETLINK_S_CONGESTED`).
    fn drain(&self) {
        let mut buffer = [0; LONGEST];
        while recv(&self.socket, &mut buffer[..], RecvFlags::DONTWAIT).is_ok() {}
    }

    fn learn(&mut self, message: &Message<'_>) -> Vec<Event> {
        let mut events = Vec::new();
        let (removes, adds) = (message.action == "remove", message.action == "add");
        if !removes && !adds {
            return events;
        }
        let now = adds
            .then(|| sysfs::look(message.subsystem, message.place))
            .flatten();
        if adds && now.as_ref() == self.known.get(message.place) {
            return events;
        }
        events.extend(self.known.remove(message.place).map(Event::Left));
        if let Some(found) = now {
            self.known.insert(message.place.to_owned(), found.clone());
            events.push(Event::Arrived(found));
        }
        events
    }

    fn look_at_everything(&mut self) -> Vec<Event> {
        let now: BTreeMap<Place, Found> = sysfs::present().into_iter().collect();
        let before = std::mem::take(&mut self.known);
        let left = before
            .iter()
            .filter(|(place, found)| now.get(*place) != Some(*found));
        let left = left.map(|(_, found)| Event::Left(found.clone()));
        let arrived = now
            .iter()
            .filter(|(place, found)| before.get(*place) != Some(*found));
        let arrived = arrived.map(|(_, found)| Event::Arrived(found.clone()));
        let events = left.chain(arrived).collect();
        self.known = now;
        events
    }
}

impl Source for DeviceEvents {
    fn more(&mut self, deadline: Deadline) -> Result<Vec<Event>, LinkError> {
        loop {
            match self.waiter.readable(&self.socket, deadline) {
                Ok(Waited::Ready) => {}
                Ok(Waited::Interrupted) => return Err(LinkError::Interrupted),
                Ok(Waited::TimedOut) => return Err(LinkError::TimedOut),
                Err(errno) => return Err(of_errno(LISTENING, errno)),
            }
            let events = self.read_one()?;
            if !events.is_empty() {
                return Ok(events);
            }
        }
    }

    fn interrupter(&self) -> Interrupter {
        self.waiter.interrupter()
    }
}

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
struct Message<'a> {
    action: &'a str,
    place: &'a str,
    subsystem: &'a str,
    from_udev: bool,
}

fn message_of(bytes: &[u8]) -> Option<Message<'_>> {
    /// Magic, byte order mark, length of the header, and then where the pairs begin.
    const PAIRS_AT: std::ops::Range<usize> = 16..20;
    let from_udev = bytes.starts_with(b"libudev\0");
    let pairs = if from_udev {
        let at: [u8; 4] = bytes.get(PAIRS_AT)?.try_into().ok()?;
        bytes.get(usize::try_from(u32::from_ne_bytes(at)).ok()?..)?
    } else {
        bytes
    };
    let value = |name: &str| {
        let mut texts = pairs
            .split(|byte| *byte == 0)
            .filter_map(|text| std::str::from_utf8(text).ok());
        texts.find_map(|text| text.strip_prefix(name)?.strip_prefix('='))
    };
    Some(Message {
        action: value("ACTION")?,
        place: value("DEVPATH")?,
        subsystem: value("SUBSYSTEM")?,
        from_udev,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KERNEL: &[u8] = b"add@/devices/a\0ACTION=add\0DEVPATH=/devices/a\0SUBSYSTEM=hidraw\0";

    fn udev_message(at: u32) -> Vec<u8> {
        let mut message = b"libudev\0".to_vec();
        message.extend(0xfeed_cafe_u32.to_be_bytes());
        message.extend(40_u32.to_ne_bytes());
        message.extend(at.to_ne_bytes());
        message.resize(40, 0);
        message.extend(b"ACTION=remove\0DEVPATH=/devices/a\0SUBSYSTEM=usb\0");
        message
    }

    #[test]
    fn both_kinds_of_message_are_read() {
        let kernel = message_of(KERNEL).unwrap();
        assert_eq!(
            (kernel.action, kernel.place, kernel.from_udev),
            ("add", "/devices/a", false)
        );
        let bytes = udev_message(40);
        let udev = message_of(&bytes).unwrap();
        assert_eq!(
            (udev.action, udev.subsystem, udev.from_udev),
            ("remove", "usb", true)
        );
    }

    #[test]
    fn a_message_cut_short_or_with_a_wrong_place_of_its_pairs_is_none_and_harms_nobody() {
        for length in 0..KERNEL.len() {
            assert!(message_of(&KERNEL[..length]).is_none_or(|message| message.action == "add"));
        }
        for at in [0, 39, 60, 1000, u32::MAX] {
            let bytes = udev_message(at);
            assert!(message_of(&bytes).is_none_or(|message| message.from_udev));
        }
    }
}
