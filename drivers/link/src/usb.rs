//! Bytes over a pair of USB bulk endpoints, and control requests beside them: printers and scanners whose
//! class has no driver in the operating system, or whose driver tells too little.
//!
//! The library that carries transfers lets nobody else end one that is under way, and gives nothing to
//! wait with. So `receive` waits in slices of [`SLICE`], and looks for an interruption and the deadline
//! between them; a slice that ends loses no byte.
//!
//! A device that answers a bulk transfer by a stall has its endpoint cleared, and the call says
//! [`LinkError::Malformed`]; the link can be used on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use device_api::{Clock, Deadline};
use rusb::{Context, DeviceHandle, Direction, Error, TransferType, UsbContext as _};
use zeroize::{Zeroize as _, Zeroizing};

use crate::identity::{Found, Way};
use crate::wire::{self, Way as WireWay};
use crate::{Frame, Interrupter, Link, LinkError};

/// The longest time until an interruption is seen.
pub const SLICE: Duration = Duration::from_millis(50);

/// The most that one call receives: a multiple of every packet length of USB, so that no transfer overflows.
const MOST_AT_ONCE: usize = 16 * 1024;

/// Opens the bulk pair of `found`, on its first interface of `class`.
///
/// A driver of the operating system that holds the interface is asked to let go, and given it back at the
/// end.
///
/// # Errors
/// [`LinkError::Malformed`] where `found` is no USB device or has no such pair, [`LinkError::Gone`],
/// [`LinkError::Busy`] where another program holds the interface, [`LinkError::Denied`].
pub fn open(found: &Found, class: u8, clock: Arc<dyn Clock>) -> Result<UsbLink, LinkError> {
    const OPENING: &str = "opening the device";
    let Way::Usb { bus, address } = found.way else {
        return Err(LinkError::Malformed { attempted: OPENING });
    };
    // A context of our own: what the library's default one has once seen, it never sees anew.
    let context = Context::new().map_err(|error| of_error(OPENING, error))?;
    let devices = context
        .devices()
        .map_err(|error| of_error(OPENING, error))?;
    let device = devices
        .iter()
        .find(|device| device.bus_number() == bus && device.address() == address)
        .ok_or(LinkError::Gone)?;
    let pair = find_pair(&device, class)?;
    let handle = device.open().map_err(|error| of_error(OPENING, error))?;
    match handle.set_auto_detach_kernel_driver(true) {
        // Where the operating system has nothing to detach.
        Ok(()) | Err(Error::NotSupported) => {}
        Err(error) => return Err(of_error(OPENING, error)),
    }
    handle
        .claim_interface(pair.interface)
        .map_err(|error| of_error("taking the interface", error))?;
    Ok(UsbLink {
        handle,
        pair,
        clock,
        name: format!("usb {}", found.identity.port_path),
        interruptions: Arc::default(),
        gone: false,
        buffer: Zeroizing::new(vec![0; MOST_AT_ONCE]),
    })
}

/// The class of printers (USB Device Class Definition for Printing Devices 1.1).
pub const PRINTER_CLASS: u8 = 0x07;

/// The class of what only its vendor knows.
pub const VENDOR_CLASS: u8 = 0xff;

/// A link over one bulk pair.
#[derive(Debug)]
pub struct UsbLink {
    handle: DeviceHandle<Context>,
    pair: Pair,
    clock: Arc<dyn Clock>,
    name: String,
    interruptions: Arc<AtomicU32>,
    gone: bool,
    buffer: Zeroizing<Vec<u8>>,
}

/// One control request (USB 2.0, clause 9.3); its direction is that of the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Control {
    /// The request's type and recipient, without the direction bit.
    pub kind: u8,
    /// Which request.
    pub request: u8,
    /// Its value.
    pub value: u16,
    /// Its index; for a request to the interface, see [`UsbLink::interface`].
    pub index: u16,
}

impl UsbLink {
    /// The number of the interface that is held.
    #[must_use]
    pub const fn interface(&self) -> u8 {
        self.pair.interface
    }

    /// Asks for at most `length` bytes by a control request.
    ///
    /// # Errors
    /// As [`Link::receive`]; [`LinkError::Malformed`] where the device refuses the request.
    pub fn control_in(
        &mut self,
        control: Control,
        length: u16,
        deadline: Deadline,
    ) -> Result<Frame, LinkError> {
        let mut answer = Zeroizing::new(vec![0; usize::from(length)]);
        let left = self.left(deadline)?;
        let Control {
            kind,
            request,
            value,
            index,
        } = control;
        let read = self
            .handle
            .read_control(kind | 0x80, request, value, index, &mut answer, left)
            .map_err(|error| of_error("asking by a control request", error));
        let count = self.remember(read)?;
        let frame = Frame::personal(answer.get(..count).unwrap_or_default());
        wire::note(&self.name, WireWay::FeatureIn, &frame);
        Ok(frame)
    }

    /// Sends bytes by a control request.
    ///
    /// # Errors
    /// As [`Link::send`]; [`LinkError::Malformed`] where the device refuses the request.
    pub fn control_out(
        &mut self,
        control: Control,
        frame: &Frame,
        deadline: Deadline,
    ) -> Result<(), LinkError> {
        let left = self.left(deadline)?;
        let Control {
            kind,
            request,
            value,
            index,
        } = control;
        let written = self
            .handle
            .write_control(kind & 0x7f, request, value, index, frame.bytes(), left)
            .map_err(|error| of_error("sending a control request", error));
        self.remember(written)?;
        wire::note(&self.name, WireWay::FeatureOut, frame);
        Ok(())
    }

    fn write_all(&self, mut rest: &[u8], deadline: Deadline) -> Result<(), LinkError> {
        while !rest.is_empty() {
            let left = self.left(deadline)?;
            match self.handle.write_bulk(self.pair.bulk_out, rest, left) {
                Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                Err(error) => return Err(self.of_bulk("sending", self.pair.bulk_out, error)),
            }
        }
        Ok(())
    }

    fn read_some(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        loop {
            self.still_there()?;
            let pending = |count: u32| count.checked_sub(1);
            let interrupted =
                self.interruptions
                    .fetch_update(Ordering::AcqRel, Ordering::Acquire, pending);
            if interrupted.is_ok() {
                return Err(LinkError::Interrupted);
            }
            let left = deadline.remaining(self.clock.now());
            let slice = at_least_a_millisecond(left.unwrap_or_default().min(SLICE));
            match self
                .handle
                .read_bulk(self.pair.bulk_in, &mut self.buffer, slice)
            {
                // An empty packet only ends what was sent before.
                Ok(0) => {}
                Ok(count) => {
                    let filled = self.buffer.get_mut(..count).unwrap_or_default();
                    let frame = Frame::personal(&*filled);
                    filled.zeroize();
                    return Ok(frame);
                }
                Err(Error::Timeout | Error::Interrupted) if left.is_some() => {}
                Err(Error::Timeout | Error::Interrupted) => return Err(LinkError::TimedOut),
                Err(error) => return Err(self.of_bulk("receiving", self.pair.bulk_in, error)),
            }
        }
    }

    fn of_bulk(&self, attempted: &'static str, endpoint: u8, error: Error) -> LinkError {
        if error == Error::Pipe {
            // A device that has left stalls too, on some controllers; then this fails, and tells.
            return match self.handle.clear_halt(endpoint) {
                Ok(()) => LinkError::Malformed { attempted },
                Err(error) => of_error(attempted, error),
            };
        }
        of_error(attempted, error)
    }

    fn left(&self, deadline: Deadline) -> Result<Duration, LinkError> {
        self.still_there()?;
        let left = deadline.remaining(self.clock.now());
        left.map(at_least_a_millisecond).ok_or(LinkError::TimedOut)
    }

    const fn still_there(&self) -> Result<(), LinkError> {
        if self.gone {
            Err(LinkError::Gone)
        } else {
            Ok(())
        }
    }

    fn remember<T>(&mut self, result: Result<T, LinkError>) -> Result<T, LinkError> {
        self.gone |= matches!(result, Err(LinkError::Gone));
        result
    }
}

impl Link for UsbLink {
    fn send(&mut self, frame: &Frame, deadline: Deadline) -> Result<(), LinkError> {
        let result = self.write_all(frame.bytes(), deadline);
        if result.is_ok() {
            wire::note(&self.name, WireWay::Out, frame);
        }
        self.remember(result)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        let result = self.read_some(deadline);
        if let Ok(frame) = &result {
            wire::note(&self.name, WireWay::In, frame);
        }
        self.remember(result)
    }

    fn interrupter(&self) -> Interrupter {
        let interruptions = Arc::clone(&self.interruptions);
        Interrupter::new(move || {
            interruptions.fetch_add(1, Ordering::AcqRel);
        })
    }
}

/// An interface with its two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    interface: u8,
    bulk_in: u8,
    bulk_out: u8,
}

fn find_pair(device: &rusb::Device<Context>, class: u8) -> Result<Pair, LinkError> {
    const FINDING: &str = "finding a pair of bulk endpoints";
    let configuration = device
        .active_config_descriptor()
        .map_err(|error| of_error(FINDING, error))?;
    let settings = configuration
        .interfaces()
        .flat_map(|interface| interface.descriptors());
    settings
        .filter(|setting| setting.class_code() == class && setting.setting_number() == 0)
        .find_map(|setting| {
            let bulk = |direction| {
                let mut endpoints = setting.endpoint_descriptors();
                let found = endpoints.find(|endpoint| {
                    endpoint.transfer_type() == TransferType::Bulk
                        && endpoint.direction() == direction
                });
                found.map(|endpoint| endpoint.address())
            };
            Some(Pair {
                interface: setting.interface_number(),
                bulk_in: bulk(Direction::In)?,
                bulk_out: bulk(Direction::Out)?,
            })
        })
        .ok_or(LinkError::Malformed { attempted: FINDING })
}

/// The library counts milliseconds, and takes none for "for ever".
fn at_least_a_millisecond(span: Duration) -> Duration {
    span.max(Duration::from_millis(1))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's own list of errors; what it adds is something else to us"
)]
fn of_error(attempted: &'static str, error: Error) -> LinkError {
    match error {
        // An input/output error of a transfer is what a device that is leaving looks like.
        Error::NoDevice | Error::NotFound | Error::Io => LinkError::Gone,
        Error::Timeout => LinkError::TimedOut,
        Error::Busy => LinkError::Busy,
        Error::Access => LinkError::Denied,
        Error::Pipe | Error::Overflow | Error::InvalidParam => LinkError::Malformed { attempted },
        error => LinkError::Io {
            attempted,
            source: std::io::Error::other(error),
        },
    }
}
