//! USB devices played through the kernel's `vhci_hcd`, over one end of a socket.
//!
//! The kernel's virtual host controller was made for USB over a network; it takes any socket, and a pair
//! of connected ones is enough. The messages are those of `Documentation/usb/usbip_protocol.rst`.
//!
//! ```text
//! driver -> usbfs, usbhid ... -> vhci_hcd == socket == Core -> UsbDevice
//! ```
//!
//! A transfer for which a device has nothing stays pending, as by NAK, until [`Plugged::with`] changes the
//! device or the kernel takes the transfer back.

use std::collections::VecDeque;
use std::fmt;
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, bail};

/// The first controller; its ports are eight of high speed and eight of super speed.
const CONTROLLER: &str = "/sys/devices/platform/vhci_hcd.0";

/// A kernel that has said nothing for so long has nothing on its way.
const SILENCE: Duration = Duration::from_millis(20);
/// After so many messages nobody waits for its silence.
const MOST_LAST_WORDS: u32 = 50;

/// A device that is played.
pub trait UsbDevice: Send + 'static {
    /// The device descriptor (USB 2.0, clause 9.6.1).
    fn device_descriptor(&self) -> Vec<u8>;

    /// The configuration descriptor with all that belongs to it (clause 9.6.3).
    fn configuration(&self) -> Vec<u8>;

    /// A string, by its index.
    fn string(&self, index: u8) -> Option<String>;

    /// A control request that is not a standard one to the device; `None` stalls. The answer to a request
    /// that brings data is empty.
    fn control(&mut self, setup: &Setup, data: &[u8]) -> Option<Vec<u8>>;

    /// Bytes to an endpoint.
    fn take(&mut self, endpoint: u8, bytes: &[u8]) -> Taking;

    /// Bytes from an endpoint, at most `most`.
    fn give(&mut self, endpoint: u8, most: usize) -> Giving;
}

/// A control request (clause 9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// Direction, type and recipient.
    pub kind: u8,
    /// Which request.
    pub request: u8,
    /// Its value.
    pub value: u16,
    /// Its index.
    pub index: u16,
    /// How many bytes follow or are wanted.
    pub length: u16,
}

/// What a device does with bytes that it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taking {
    /// Takes them.
    Taken,
    /// Cannot now; they wait.
    Later,
    /// Refuses them.
    Stall,
}

/// What a device has for one that asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Giving {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Nothing now; who asks waits.
    Nothing,
    /// A refusal.
    Stall,
}

/// How fast a device is (enum usb_device_speed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// 12 Mbit/s.
    Full,
    /// 480 Mbit/s.
    High,
}

/// A device that is plugged in until it is dropped.
pub struct Plugged<D: UsbDevice> {
    core: Arc<Mutex<Core<D>>>,
    /// The kernel has said something.
    spoken: Arc<Condvar>,
    port: u32,
    serving: Option<JoinHandle<()>>,
}

impl<D: UsbDevice> Plugged<D> {
    /// Plugs a device into a free port.
    ///
    /// # Errors
    /// Where the kernel has no such controller, or no free port.
    pub fn plug(speed: Speed, device: D) -> anyhow::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let port = free_port()?;
        let speed = match speed {
            Speed::Full => 2,
            Speed::High => 3,
        };
        // Port, socket, the device's number at the other machine, and speed.
        let line = format!("{port} {} {} {speed}", theirs.as_raw_fd(), 0x1_0002 + port);
        fs::write(format!("{CONTROLLER}/attach"), line).context("the kernel refuses the device")?;
        drop(theirs);
        let core = Arc::new(Mutex::new(Core {
            device,
            pending: VecDeque::new(),
            pulled: false,
            heard: 0,
            socket: ours.try_clone()?,
        }));
        let spoken = Arc::new(Condvar::new());
        let serving = {
            let (core, spoken) = (Arc::clone(&core), Arc::clone(&spoken));
            std::thread::Builder::new()
                .name("vhci".to_owned())
                .spawn(move || serve(&core, &spoken, ours))?
        };
        Ok(Self {
            core,
            spoken,
            port,
            serving: Some(serving),
        })
    }

    /// Looks at the device or changes it; transfers that wait are tried again.
    pub fn with<R>(&self, change: impl FnOnce(&mut D) -> R) -> R {
        let mut core = locked(&self.core);
        let result = change(&mut core.device);
        // Where the kernel has closed the socket, nobody waits any more.
        drop(core.progress());
        result
    }

    /// Pulls the device out, and waits until nothing of it is left here.
    pub fn unplug(self) {
        drop(self);
    }
}

impl<D: UsbDevice> Plugged<D> {
    /// Answers nothing any more, and waits until the kernel has nothing on its way here.
    ///
    /// A transfer that somebody takes back, and that the kernel had not sent when it closed the socket, is
    /// forgotten: whoever waits for its end waits for ever (`usb_kill_urb`; `vhci_device_unlink_cleanup` of
    /// Linux 6.1 looks among those that were sent).
    fn fall_silent(&self) {
        let mut core = locked(&self.core);
        core.pulled = true;
        for _ in 0..MOST_LAST_WORDS {
            let before = core.heard;
            let waited = self
                .spoken
                .wait_timeout_while(core, SILENCE, |core| core.heard == before);
            let (left, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return;
            }
            core = left;
        }
    }
}

impl<D: UsbDevice> Drop for Plugged<D> {
    fn drop(&mut self) {
        self.fall_silent();
        let detached = fs::write(format!("{CONTROLLER}/detach"), self.port.to_string());
        if detached.is_err() {
            // The kernel has let go of it by itself; whoever serves it must still be woken.
            drop(locked(&self.core).socket.shutdown(std::net::Shutdown::Both));
        }
        if let Some(serving) = self.serving.take() {
            // A device that panicked has been reported by its panic.
            drop(serving.join());
        }
    }
}

impl<D: UsbDevice> fmt::Debug for Plugged<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugged").field("port", &self.port).finish()
    }
}

/// The first port of high speed that the controller calls free.
///
/// A port becomes free a moment after its device was pulled, so the ports are taken in turn.
fn free_port() -> anyhow::Result<u32> {
    /// VDEV_ST_NULL of usbip_common.h.
    const FREE: &str = "004";
    static LAST: Mutex<u32> = Mutex::new(0);
    let status = fs::read_to_string(format!("{CONTROLLER}/status"))
        .context("no vhci_hcd; is its module loaded?")?;
    let free: Vec<u32> = status
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (hub, port, state) = (words.next()?, words.next()?, words.next()?);
            (hub == "hs" && state == FREE).then(|| port.parse().ok())?
        })
        .collect();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let next = free
        .iter()
        .find(|port| **port > *last)
        .or_else(|| free.first());
    let Some(port) = next else {
        bail!("no port of the virtual controller is free");
    };
    *last = *port;
    Ok(*port)
}

/// The device and what waits for it.
struct Core<D> {
    device: D,
    pending: VecDeque<Transfer>,
    /// Whether it answers nothing any more.
    pulled: bool,
    /// How many messages of the kernel came.
    heard: u64,
    socket: UnixStream,
}

/// A transfer that waits.
struct Transfer {
    sequence: u32,
    endpoint: u8,
    /// Bytes to the device, or how many are wanted from it.
    payload: Payload,
}

enum Payload {
    Out(Vec<u8>),
    In(usize),
}

/// Negative error numbers, as the kernel takes them.
const STALLED: i32 = -32;
const TAKEN_BACK: i32 = -104;

const SUBMIT: u32 = 1;
const UNLINK: u32 = 2;
const SUBMITTED: u32 = 3;
const UNLINKED: u32 = 4;

/// More than any transfer of these drivers.
const LONGEST: usize = 1 << 20;

impl<D: UsbDevice> Core<D> {
    /// Tries every waiting transfer once; those of one endpoint stay in order.
    fn progress(&mut self) -> std::io::Result<()> {
        let mut blocked = Vec::new();
        for _ in 0..self.pending.len() {
            let Some(transfer) = self.pending.pop_front() else {
                break;
            };
            let way = matches!(transfer.payload, Payload::In(_));
            let done = !blocked.contains(&(transfer.endpoint, way)) && self.attempt(&transfer)?;
            if !done {
                blocked.push((transfer.endpoint, way));
                self.pending.push_back(transfer);
            }
        }
        Ok(())
    }

    /// Whether the device was ready for it.
    fn attempt(&mut self, transfer: &Transfer) -> std::io::Result<bool> {
        let sequence = transfer.sequence;
        if self.pulled {
            return Ok(false);
        }
        match &transfer.payload {
            Payload::Out(bytes) => match self.device.take(transfer.endpoint, bytes) {
                Taking::Taken => self.reply(sequence, 0, bytes.len(), &[])?,
                Taking::Stall => self.reply(sequence, STALLED, 0, &[])?,
                Taking::Later => return Ok(false),
            },
            Payload::In(most) => match self.device.give(transfer.endpoint, *most) {
                Giving::Bytes(bytes) => self.reply(sequence, 0, bytes.len(), &bytes)?,
                Giving::Stall => self.reply(sequence, STALLED, 0, &[])?,
                Giving::Nothing => return Ok(false),
            },
        }
        Ok(true)
    }

    fn control(&mut self, setup: &Setup, data: &[u8]) -> Option<Vec<u8>> {
        match (setup.kind, setup.request, setup.value.to_be_bytes()) {
            // GET_DESCRIPTOR of the device.
            (0x80, 6, [1, _]) => Some(self.device.device_descriptor()),
            (0x80, 6, [2, _]) => Some(self.device.configuration()),
            // The only language is American English, because every host asks for it.
            (0x80, 6, [3, 0]) => Some(vec![4, 3, 9, 4]),
            (0x80, 6, [3, index]) => self
                .device
                .string(index)
                .map(|text| string_descriptor(&text)),
            (0x80, 6, _) => None,
            // GET_STATUS; SET_CONFIGURATION, SET_INTERFACE, CLEAR_FEATURE of an endpoint.
            (0x80, 0, _) => Some(vec![0, 0]),
            (0x00, 9, _) | (0x01, 11, _) | (0x02, 1, _) => Some(Vec::new()),
            _ => self.device.control(setup, data),
        }
    }

    fn reply(
        &mut self,
        sequence: u32,
        status: i32,
        length: usize,
        data: &[u8],
    ) -> std::io::Result<()> {
        let length = u32::try_from(length).unwrap_or(0);
        let mut message = header(SUBMITTED, sequence, status);
        put(&mut message, 24, length);
        message.extend(data);
        self.socket.write_all(&message)
    }

    fn take_back(&mut self, sequence: u32, target: u32) -> std::io::Result<()> {
        let before = self.pending.len();
        self.pending.retain(|transfer| transfer.sequence != target);
        let status = if self.pending.len() < before {
            TAKEN_BACK
        } else {
            0
        };
        self.socket.write_all(&header(UNLINKED, sequence, status))
    }

    fn submit(&mut self, message: &[u8], payload: Payload) -> std::io::Result<()> {
        let sequence = number(message, 4);
        let endpoint = u8::try_from(number(message, 16)).unwrap_or(u8::MAX);
        if endpoint != 0 || self.pulled {
            self.pending.push_back(Transfer {
                sequence,
                endpoint,
                payload,
            });
            return Ok(());
        }
        let setup = setup_of(message);
        let (data, most) = match &payload {
            Payload::Out(bytes) => (bytes.as_slice(), bytes.len()),
            Payload::In(most) => (&[][..], *most),
        };
        let is_out = matches!(payload, Payload::Out(_));
        match self.control(&setup, data) {
            Some(_) if is_out => self.reply(sequence, 0, most, &[]),
            Some(mut answer) => {
                answer.truncate(most);
                self.reply(sequence, 0, answer.len(), &answer)
            }
            None => self.reply(sequence, STALLED, 0, &[]),
        }
    }
}

/// Serves the kernel until it closes the socket.
fn serve<D: UsbDevice>(core: &Mutex<Core<D>>, spoken: &Condvar, mut socket: UnixStream) {
    let mut message = [0; 48];
    while socket.read_exact(&mut message).is_ok() {
        let length = usize::try_from(number(&message, 24)).unwrap_or(usize::MAX);
        let (command, is_in) = (number(&message, 0), number(&message, 12) == 1);
        let served = match command {
            UNLINK => locked(core).take_back(number(&message, 4), number(&message, 20)),
            SUBMIT if length > LONGEST => return,
            SUBMIT if is_in => locked(core).submit(&message, Payload::In(length)),
            SUBMIT => {
                let mut bytes = vec![0; length];
                let read = socket.read_exact(&mut bytes);
                read.and_then(|()| locked(core).submit(&message, Payload::Out(bytes)))
            }
            _ => return,
        };
        if served.and_then(|()| locked(core).progress()).is_err() {
            return;
        }
        locked(core).heard += 1;
        spoken.notify_all();
    }
}

fn locked<D>(core: &Mutex<Core<D>>) -> MutexGuard<'_, Core<D>> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

fn header(command: u32, sequence: u32, status: i32) -> Vec<u8> {
    let mut message = vec![0; 48];
    put(&mut message, 0, command);
    put(&mut message, 4, sequence);
    put(&mut message, 20, u32::from_ne_bytes(status.to_ne_bytes()));
    message
}

fn put(message: &mut [u8], at: usize, number: u32) {
    if let Some(place) = message.get_mut(at..at + 4) {
        place.copy_from_slice(&number.to_be_bytes());
    }
}

fn number(message: &[u8], at: usize) -> u32 {
    let bytes = message
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    u32::from_be_bytes(bytes.unwrap_or_default())
}

fn setup_of(message: &[u8]) -> Setup {
    let byte = |at: usize| message.get(40 + at).copied().unwrap_or(0);
    let word = |at: usize| u16::from_le_bytes([byte(at), byte(at + 1)]);
    Setup {
        kind: byte(0),
        request: byte(1),
        value: word(2),
        index: word(4),
        length: word(6),
    }
}

fn string_descriptor(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut descriptor = vec![u8::try_from(units.len() + 2).unwrap_or(2), 3];
    descriptor.extend(units);
    descriptor
}

/// Descriptors that most devices share.
pub mod descriptors {
    /// A device descriptor with strings 1 (maker), 2 (product) and 3 (serial number), its class told by
    /// its interfaces.
    #[must_use]
    pub fn device(vendor: u16, product: u16, release: u16) -> Vec<u8> {
        let mut bytes = vec![18, 1, 0x00, 0x02, 0, 0, 0, 64];
        for number in [vendor, product, release] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([1, 2, 3, 1]);
        bytes
    }

    /// A configuration with the descriptors of its interfaces, `count` of them.
    #[must_use]
    pub fn configuration(count: u8, interfaces: &[u8]) -> Vec<u8> {
        let length = u16::try_from(9 + interfaces.len()).unwrap_or(u16::MAX);
        let mut bytes = vec![9, 2];
        bytes.extend(length.to_le_bytes());
        bytes.extend([count, 1, 0, 0x80, 50]);
        bytes.extend(interfaces);
        bytes
    }

    /// An interface: its number, how many endpoints, and class, subclass and protocol.
    #[must_use]
    pub fn interface(number: u8, endpoints: u8, class: [u8; 3]) -> Vec<u8> {
        let [class, subclass, protocol] = class;
        vec![9, 4, number, 0, endpoints, class, subclass, protocol, 0]
    }

    /// A bulk endpoint of high speed; bit 7 of the address is set where it gives.
    #[must_use]
    pub const fn bulk(address: u8) -> [u8; 7] {
        [7, 5, address, 2, 0x00, 0x02, 0]
    }

    /// An interrupt endpoint with packets of `length` bytes, asked every millisecond.
    #[must_use]
    pub const fn interrupt(address: u8, length: u8) -> [u8; 7] {
        [7, 5, address, 3, length, 0, 4]
    }
}

#[cfg(test)]
mod tests;
