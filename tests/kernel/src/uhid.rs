//! HID devices played through `/dev/uhid`.
//!
//! The kernel sees a device with a report descriptor and binds its drivers to it, as to one of flesh and
//! blood; the forms of the messages are those of `linux/uhid.h`.
//!
//! ```text
//! Uhid::sends ----- INPUT2 -----> kernel ---> hidraw, wacom, hid-generic ---> link
//! behaviour  <----- GET_REPORT, SET_REPORT, OUTPUT -----'
//! ```

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;

use anyhow::{Context as _, bail};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fd::OwnedFd;

/// What a HID device is.
#[derive(Debug, Clone)]
pub struct HidModel {
    /// What it calls itself.
    pub name: String,
    /// The vendor's number.
    pub vendor: u16,
    /// The product's number.
    pub product: u16,
    /// Its serial number.
    pub serial: String,
    /// Its report descriptor.
    pub descriptor: Vec<u8>,
}

/// What the kernel asks of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// For a feature report, by its id. The answer begins with the id.
    Feature(u8),
    /// To take a feature report, which begins with its id.
    SetFeature(Vec<u8>),
    /// To take an output report, which begins with its id where reports are numbered.
    Output(Vec<u8>),
}

/// What a device does with a request: `None` refuses it. The answer to anything but [`Request::Feature`]
/// is empty.
pub type Behaviour = Box<dyn FnMut(Request) -> Option<Vec<u8>> + Send>;

/// A device that is plugged in until it is dropped.
pub struct Uhid {
    file: Arc<File>,
    /// How the kernel's name for it begins: bus, vendor, product.
    kind: String,
    bound: OnceLock<()>,
    stop: Arc<OwnedFd>,
    serving: Option<JoinHandle<()>>,
}

// linux/uhid.h, enum uhid_event_type.
const DESTROY: u32 = 1;
const OUTPUT: u32 = 6;
const GET_REPORT: u32 = 9;
const GET_REPORT_REPLY: u32 = 10;
const CREATE2: u32 = 11;
const INPUT2: u32 = 12;
const SET_REPORT: u32 = 13;
const SET_REPORT_REPLY: u32 = 14;

/// `UHID_DATA_MAX` and `HID_MAX_DESCRIPTOR_SIZE`.
const LONGEST: usize = 4096;

/// The bus that the device pretends to be on: USB (`BUS_USB` of linux/input.h).
const BUS: u16 = 3;

impl Uhid {
    /// Plugs a device in.
    ///
    /// # Errors
    /// Where the kernel refuses it, such as for its descriptor.
    pub fn plug(model: &HidModel, behaviour: Behaviour) -> anyhow::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/uhid")
            .context("no /dev/uhid")?;
        (&file)
            .write_all(&create(model)?)
            .context("the kernel refuses the device")?;
        let file = Arc::new(file);
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
        let serving = {
            let (file, stop) = (Arc::clone(&file), Arc::clone(&stop));
            std::thread::Builder::new()
                .name("uhid".to_owned())
                .spawn(move || serve(&file, &stop, behaviour))?
        };
        Ok(Self {
            file,
            kind: format!("{BUS:04X}:{:04X}:{:04X}.", model.vendor, model.product),
            bound: OnceLock::new(),
            stop,
            serving: Some(serving),
        })
    }

    /// Sends an input report. Somebody must have the device open.
    ///
    /// # Errors
    /// Where the kernel does not take it.
    pub fn sends(&self, report: &[u8]) -> anyhow::Result<()> {
        if self.bound.get().is_none() {
            wait_until_bound(&self.kind)?;
            // Two threads may have waited for the same.
            let _first = self.bound.set(());
        }
        let length = u16::try_from(report.len())?;
        let mut message = INPUT2.to_le_bytes().to_vec();
        message.extend(length.to_le_bytes());
        message.extend(report);
        (&*self.file).write_all(&message)?;
        Ok(())
    }

    /// Pulls the device out, and waits until nothing of it is left here.
    pub fn unplug(self) {
        drop(self);
    }
}

impl Drop for Uhid {
    fn drop(&mut self) {
        // Neither can fail in a way that matters: without them the device goes with its file.
        let destroyed = (&*self.file).write_all(&DESTROY.to_le_bytes());
        let stopped = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        let told = destroyed.is_ok() && stopped.is_ok();
        if let Some(serving) = self.serving.take()
            && told
        {
            // A behaviour that panicked has been reported by its panic.
            drop(serving.join());
        }
    }
}

impl fmt::Debug for Uhid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Uhid")
    }
}

/// Waits until the kernel's driver has finished binding the devices whose names begin with `kind`.
///
/// A device can be opened while its driver still binds, and whatever it reports meanwhile is dropped
/// (`driver_input_lock` in `hid_input_report`, Linux 6.1).
/// Binding once more is refused, and not before the first binding has ended.
fn wait_until_bound(kind: &str) -> anyhow::Result<()> {
    const DEVICES: &str = "/sys/devices/virtual/misc/uhid";
    for entry in fs::read_dir(DEVICES).context("no uhid")? {
        let entry = entry?;
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(kind.as_bytes()) {
            // Where there is no driver any more, there is nothing to wait for.
            let again = fs::write(entry.path().join("driver/bind"), name.as_encoded_bytes());
            drop(again);
        }
    }
    Ok(())
}

/// struct uhid_create2_req.
fn create(model: &HidModel) -> anyhow::Result<Vec<u8>> {
    const NAME: usize = 128;
    const PHYSICAL: usize = 64;
    const SERIAL: usize = 64;
    let mut message = CREATE2.to_le_bytes().to_vec();
    for (text, room) in [
        (model.name.as_str(), NAME),
        ("played", PHYSICAL),
        (model.serial.as_str(), SERIAL),
    ] {
        if text.len() >= room {
            bail!("{text} is too long");
        }
        let end = message.len() + room;
        message.extend(text.as_bytes());
        message.resize(end, 0);
    }
    message.extend(u16::try_from(model.descriptor.len())?.to_le_bytes());
    message.extend(BUS.to_le_bytes());
    for number in [u32::from(model.vendor), u32::from(model.product), 0, 0] {
        message.extend(number.to_le_bytes());
    }
    let end = message.len() + LONGEST;
    message.extend(&model.descriptor);
    message.resize(end, 0);
    Ok(message)
}

/// Answers what the kernel asks, until told to stop.
fn serve(file: &File, stop: &OwnedFd, mut behaviour: Behaviour) {
    let mut message = vec![0; 4 + LONGEST + 512];
    loop {
        let mut both = [
            PollFd::new(file, PollFlags::IN),
            PollFd::new(stop, PollFlags::IN),
        ];
        let [_, stopped] = match poll(&mut both, None) {
            Ok(_) => both.map(|one| !one.revents().is_empty()),
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return,
        };
        if stopped {
            return;
        }
        let Ok(length) = (&*file).read(&mut message) else {
            return;
        };
        let reply = message
            .get(..length)
            .and_then(|message| answer(message, &mut behaviour));
        if let Some(reply) = reply
            && (&*file).write_all(&reply).is_err()
        {
            return;
        }
    }
}

/// The reply to one message, if it wants one.
fn answer(message: &[u8], behaviour: &mut Behaviour) -> Option<Vec<u8>> {
    /// EIO, which the kernel hands to who asked.
    const REFUSED: u16 = 5;
    let id = message.get(4..8);
    match u32_at(message, 0)? {
        GET_REPORT => {
            let answer = behaviour(Request::Feature(*message.get(8)?));
            let mut reply = GET_REPORT_REPLY.to_le_bytes().to_vec();
            reply.extend(id?);
            reply.extend(if answer.is_some() { 0 } else { REFUSED }.to_le_bytes());
            let data = answer.unwrap_or_default();
            reply.extend(u16::try_from(data.len()).ok()?.to_le_bytes());
            reply.extend(data);
            Some(reply)
        }
        SET_REPORT => {
            let length = usize::from(u16_at(message, 10)?);
            let data = message.get(12..12 + length)?.to_vec();
            let taken = behaviour(Request::SetFeature(data)).is_some();
            let mut reply = SET_REPORT_REPLY.to_le_bytes().to_vec();
            reply.extend(id?);
            reply.extend(if taken { 0 } else { REFUSED }.to_le_bytes());
            Some(reply)
        }
        OUTPUT => {
            let length = usize::from(u16_at(message, 4 + LONGEST)?);
            let data = message.get(4..4 + length)?.to_vec();
            drop(behaviour(Request::Output(data)));
            None
        }
        _ => None,
    }
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    let bytes = message.get(at..at + 2)?;
    Some(u16::from_le_bytes(bytes.try_into().ok()?))
}

fn u32_at(message: &[u8], at: usize) -> Option<u32> {
    let bytes = message.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests;
