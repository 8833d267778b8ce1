//! A keyboard of Linux's input layer (evdev), held exclusively.
//!
//! With `EVIOCGRAB` no other reader of the device gets its events, the desktop and its input method among
//! them; the kernel ends the grab with the file. `SYN_DROPPED` says that events were lost.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use device_api::{Clock, Deadline, Moment};
use evdev::raw_stream::{RawDevice, enumerate};
use evdev::{EventType, InputEvent, KeyCode};
use link::{Interrupter, LinkError};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::fs::OFlags;
use rustix::io::{Errno, read, write};

use crate::driver::{Driven, Readings, Source, reading};
use crate::fault::ScannerError;
use crate::scan::CodeScanner;
use crate::settings::{KeyboardSelector, ScannerSettings};
use crate::wire::keymap::Stroke;
use crate::wire::typing::Typing;

const SYN_DROPPED: u16 = 3;

/// A keyboard that types codes.
#[derive(Debug)]
struct Keyboard {
    device: Device,
    wake: Arc<OwnedFd>,
    typing: Typing,
    aim: bool,
}

struct Device(RawDevice);

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("keyboard")
    }
}

/// Opens and grabs a keyboard.
pub(crate) fn keyboard(
    selector: &KeyboardSelector,
    settings: &ScannerSettings,
    clock: Arc<dyn Clock>,
) -> Result<Box<dyn CodeScanner>, ScannerError> {
    let path = match selector {
        KeyboardSelector::Path(path) => path.clone(),
        KeyboardSelector::Product { vendor, product } => {
            find(*vendor, *product).ok_or(ScannerError::Gone)?
        }
    };
    let mut device = open(&path).map_err(|source| of("opening a keyboard", source))?;
    device
        .grab()
        .map_err(|source| of("taking a keyboard exclusively", source))?;
    let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE;
    let wake =
        eventfd(0, flags).map_err(|errno| of("making something to wait with", errno.into()))?;
    let source = Keyboard {
        device: Device(device),
        wake: Arc::new(wake),
        typing: Typing::new(settings.keymap, settings.framing.clone()),
        aim: settings.framing.aim,
    };
    Ok(Box::new(Driven::new(source, settings, clock)))
}

fn open(path: &Path) -> io::Result<RawDevice> {
    let flags = i32::try_from((OFlags::NONBLOCK | OFlags::CLOEXEC).bits()).unwrap_or(0);
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    RawDevice::from_fd(file.into())
}

/// The first keyboard of a product; a scanner may have other input devices beside it.
fn find(vendor: u16, product: u16) -> Option<PathBuf> {
    let mut paths: Vec<PathBuf> = enumerate()
        .filter(|(_, device)| {
            let id = device.input_id();
            let types = device
                .supported_keys()
                .is_some_and(|keys| keys.contains(KeyCode::KEY_A) && keys.contains(KeyCode::KEY_1));
            types && id.vendor() == vendor && id.product() == product
        })
        .map(|(path, _)| path)
        .collect();
    paths.sort();
    paths.into_iter().next()
}

fn of(attempted: &'static str, source: io::Error) -> ScannerError {
    link_error(attempted, source).into()
}

fn link_error(attempted: &'static str, source: io::Error) -> LinkError {
    match source.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::NODEV | Errno::NOENT | Errno::NXIO) => LinkError::Gone,
        Some(Errno::BUSY) => LinkError::Busy,
        Some(Errno::ACCESS | Errno::PERM) => LinkError::Denied,
        // Not an input device at all.
        Some(Errno::NOTTY | Errno::INVAL) => LinkError::Malformed { attempted },
        _ => LinkError::Io { attempted, source },
    }
}

impl Keyboard {
    /// Waits for events or an interruption.
    fn ready(&self, until: Deadline, clock: &dyn Clock) -> Result<(), LinkError> {
        let left = until.remaining(clock.now()).ok_or(LinkError::TimedOut)?;
        // A deadline beyond what the kernel counts is waited for in pieces; the caller asks again.
        let left = Timespec::try_from(left.min(Duration::from_secs(86_400)))
            .map_err(|_too_far| LinkError::TimedOut)?;
        let mut fds = [
            PollFd::new(&self.device.0, PollFlags::IN),
            PollFd::new(&self.wake, PollFlags::IN),
        ];
        match poll(&mut fds, Some(&left)) {
            Ok(0) => Err(LinkError::TimedOut),
            Ok(_) if fds.last().is_some_and(|fd| !fd.revents().is_empty()) => {
                let mut count = [0u8; 8];
                match read(&self.wake, &mut count) {
                    Ok(_) | Err(Errno::AGAIN) => Err(LinkError::Interrupted),
                    Err(errno) => Err(link_error("waiting for a keyboard", errno.into())),
                }
            }
            Ok(_) => Ok(()),
            // The caller looks at its patience, and waits again.
            Err(Errno::INTR) => Err(LinkError::Interrupted),
            Err(errno) => Err(link_error("waiting for a keyboard", errno.into())),
        }
    }

    fn event(&mut self, event: InputEvent, at: Moment) -> Readings {
        let stroke = match (event.event_type(), event.value()) {
            (EventType::SYNCHRONIZATION, _) if event.code() == SYN_DROPPED => {
                return vec![Err(self.typing.lost(at).into())];
            }
            (EventType::KEY, 0) => Stroke::Up,
            (EventType::KEY, 1) => Stroke::Down,
            (EventType::KEY, 2) => Stroke::Repeat,
            _ => return Vec::new(),
        };
        let done = self.typing.key(event.code(), stroke, at);
        done.into_iter()
            .map(|each| reading(each, self.aim, at))
            .collect()
    }
}

impl Source for Keyboard {
    fn wait(&mut self, until: Deadline, clock: &dyn Clock) -> Result<Readings, LinkError> {
        match self.ready(until, clock) {
            Ok(()) => {}
            Err(LinkError::TimedOut) => {
                let now = clock.now();
                let done = self.typing.tick(now).into_iter();
                return Ok(done.map(|each| reading(each, self.aim, now)).collect());
            }
            Err(error) => return Err(error),
        }
        let events: Vec<InputEvent> = match self.device.0.fetch_events() {
            Ok(events) => events.collect(),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Vec::new(),
            Err(source) => return Err(link_error("reading a keyboard", source)),
        };
        let at = clock.now();
        let mut readings = Vec::new();
        for event in events {
            readings.extend(self.event(event, at));
        }
        Ok(readings)
    }

    fn due(&self) -> Option<Moment> {
        self.typing.due()
    }

    fn interrupter(&self) -> Interrupter {
        let wake = Arc::clone(&self.wake);
        Interrupter::new(move || {
            // It cannot fail: the counter holds more interruptions than a machine can make.
            if let Err(errno) = write(&wake, &1_u64.to_ne_bytes()) {
                tracing::warn!(%errno, "an interruption was lost");
            }
        })
    }
}

#[cfg(test)]
mod tests;
