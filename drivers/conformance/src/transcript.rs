//! What a host said from its start to its end, and what every conversation must keep.

use std::collections::{BTreeMap, BTreeSet};

use device_api::{DeviceClass, FaultCode};
use host_protocol::{
    Attachment, DeviceDescription, DeviceState, HostMessage, Item, Outcome, Product,
};

use crate::host::word;

/// What came out of the pipe.
#[derive(Debug)]
pub(crate) enum Heard {
    Message(Box<HostMessage>),
    /// A line that is no message, and why.
    Wrong(String),
}

/// A whole conversation.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    pub(crate) started: Vec<u64>,
    pub(crate) heard: Vec<HostMessage>,
    pub(crate) wrong: Vec<String>,
    pub(crate) log: Vec<u8>,
    /// Whether the host ended by itself.
    pub(crate) ended: bool,
}

/// The job that a message is about.
pub(crate) const fn job_of(message: &HostMessage) -> Option<u64> {
    match message {
        HostMessage::Accepted { id }
        | HostMessage::Progress { id, .. }
        | HostMessage::Ask { id, .. }
        | HostMessage::Item { id, .. }
        | HostMessage::Part { id, .. }
        | HostMessage::Finished { id, .. } => Some(*id),
        HostMessage::Hello { .. } | HostMessage::Devices { .. } | HostMessage::Pong { .. } => None,
    }
}

type Found = Result<(), String>;

impl Transcript {
    /// DH-001.
    pub(crate) fn only_messages(&self) -> Found {
        match self.wrong.first() {
            Some(why) => Err(format!("a line on standard output: {why}")),
            None => Ok(()),
        }
    }

    /// DH-010: once.
    pub(crate) fn one_hello(&self) -> Found {
        let hellos = self.heard.iter().filter(|message| word(message) == "hello");
        match hellos.count() {
            0 | 1 => Ok(()),
            count => Err(format!("{count} times hello")),
        }
    }

    /// DH-021: no id stands twice in a list.
    pub(crate) fn whole_lists(&self) -> Found {
        for message in &self.heard {
            let devices = devices_of(message);
            let ids: BTreeSet<&str> = devices.iter().map(|device| device.id.as_str()).collect();
            if ids.len() != devices.len() || ids.contains("") {
                return Err("an id is empty or stands twice in a list".to_owned());
            }
        }
        Ok(())
    }

    /// DH-024; the number of devices that were seen.
    pub(crate) fn known_devices(&self) -> Result<usize, String> {
        let mut seen = 0;
        for device in self.heard.iter().flat_map(devices_of) {
            if DeviceClass::from_name(&device.class).is_none() {
                return Err(format!("{:?} is no class", device.class));
            }
            let mut codes = device.fault.iter().chain(&device.warnings);
            if let Some(code) = codes.find(|code| FaultCode::from_code(code).is_none()) {
                return Err(format!("{code:?} is no documented fault"));
            }
            if device.state == DeviceState::NotReady && device.fault.is_none() {
                return Err("a device is notReady and does not say why".to_owned());
            }
            seen += 1;
        }
        Ok(seen)
    }

    /// DH-030: whatever a host says of a job comes after `accepted`, except a `finished` that refuses it.
    pub(crate) fn accepted_first(&self) -> Found {
        let mut accepted = BTreeSet::new();
        for message in &self.heard {
            let Some(id) = job_of(message) else { continue };
            let first = match message {
                HostMessage::Accepted { .. } => accepted.insert(id),
                HostMessage::Finished { .. } => true,
                _in_its_course => accepted.contains(&id),
            };
            if !first {
                return Err(format!("{} of a job in the wrong place", word(message)));
            }
        }
        Ok(())
    }

    /// DH-031.
    pub(crate) fn one_finished(&self) -> Found {
        let mut finished = BTreeSet::new();
        for message in &self.heard {
            let Some(id) = job_of(message) else { continue };
            if !self.started.contains(&id) {
                return Err(format!("{} of a job that was never started", word(message)));
            }
            if finished.contains(&id) {
                return Err(format!("{} after finished", word(message)));
            }
            if let HostMessage::Finished { .. } = message {
                finished.insert(id);
            }
        }
        let open = self.started.iter().find(|id| !finished.contains(id));
        match open {
            Some(_) if self.ended => Err("a job was never finished".to_owned()),
            Some(_) | None => Ok(()),
        }
    }

    /// DH-038.
    pub(crate) fn known_faults(&self) -> Found {
        self.heard.iter().try_for_each(|message| {
            let HostMessage::Finished {
                outcome: Outcome::Failed { fault },
                ..
            } = message
            else {
                return Ok(());
            };
            match FaultCode::from_code(&fault.code) {
                Some(_) => Ok(()),
                None => Err(format!("{:?} is no documented fault", fault.code)),
            }
        })
    }

    /// DH-070; the number of items that were seen.
    pub(crate) fn items_in_order(&self) -> Result<usize, String> {
        let mut last: BTreeMap<u64, u32> = BTreeMap::new();
        let mut seen = 0;
        for message in &self.heard {
            if let HostMessage::Item { id, n, .. } = message {
                let before = last.insert(*id, *n).unwrap_or(0);
                if before.checked_add(1) != Some(*n) {
                    return Err(format!("item {n} came after item {before}"));
                }
                seen += 1;
            }
        }
        Ok(seen)
    }

    /// DH-080; the number of attachments that were seen.
    pub(crate) fn attachments_whole(&self) -> Result<usize, String> {
        let mut whole: BTreeMap<(u64, u32), (u64, bool)> = BTreeMap::new();
        for message in &self.heard {
            if let HostMessage::Part {
                id,
                attachment,
                data,
                last,
            } = message
            {
                let (length, ended) = whole.entry((*id, *attachment)).or_default();
                if *ended {
                    return Err("a part after the last of its attachment".to_owned());
                }
                *length += u64::try_from(data.expose().len()).unwrap_or(u64::MAX);
                *ended = *last;
            }
            if let (Some(id), Some(named)) = (job_of(message), named_by(message))
                && whole.get(&(id, named.attachment)) != Some(&(named.length, true))
            {
                return Err("an attachment is named that did not come whole before".to_owned());
            }
        }
        Ok(whole.len())
    }

    /// DH-005.
    pub(crate) fn silent_log(&self, secrets: &[&str]) -> Found {
        let log = String::from_utf8_lossy(&self.log);
        if secrets.iter().any(|secret| log.contains(secret)) {
            return Err("the log shows what was sent or scanned".to_owned());
        }
        Ok(())
    }
}

fn devices_of(message: &HostMessage) -> &[DeviceDescription] {
    match message {
        HostMessage::Devices { devices, .. } => devices,
        _of_something_else => &[],
    }
}

const fn named_by(message: &HostMessage) -> Option<&Attachment> {
    match message {
        HostMessage::Item {
            item: Item::Show { page },
            ..
        } => Some(&page.picture),
        HostMessage::Finished {
            outcome: Outcome::Done { product },
            ..
        } => match &**product {
            Product::Signature { signature } => Some(&signature.samples),
            Product::Document { document } => Some(&document.file),
            _without => None,
        },
        _without => None,
    }
}
