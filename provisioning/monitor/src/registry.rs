//! Which devices exist, and with which keys they may speak.
//!
//! A device has one or more keys; each may speak in a range of epochs, so that a new key takes over without a
//! moment in which neither counts.
//! A key that the device itself has stated waits until it signs; the key that stated it counts until then.
//! A device that is enrolled anew begins a new life: all keys of the earlier one are void, and its counters
//! begin anew.
//! Invariant: a key id belongs to one device.

use std::collections::HashMap;

use telemetry::name::{DeviceName, Label};
use telemetry::{Class, KeyId, VerifyingKey};

/// A device as the monitor knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// Its number in the database.
    pub id: i64,
    /// Its name.
    pub name: DeviceName,
    /// How it says who it is.
    pub urn: String,
    /// Which life it lives.
    pub life: i64,
    /// Why nothing of it is accepted.
    pub quarantine: Option<String>,
    /// With which keys it speaks in this life.
    pub keys: Vec<DeviceKey>,
}

/// A key of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceKey {
    /// Which.
    pub id: KeyId,
    /// The key.
    pub key: VerifyingKey,
    /// The first epoch in which it counts.
    pub from_epoch: u64,
    /// The last epoch in which it counts.
    pub until_epoch: Option<u64>,
    /// The key that stated it; none for a key that an operator registered.
    pub stated_by: Option<KeyId>,
    /// Whether it was stated, and nothing that it signed has been accepted yet.
    pub waits: bool,
}

/// All devices.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    devices: Vec<Registered>,
    by_path: HashMap<String, usize>,
    owners: HashMap<KeyId, usize>,
}

/// Which part of all devices one process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    of: u32,
}

/// A topic of a device that is known.
#[derive(Debug, Clone, Copy)]
pub struct Addressed<'a> {
    /// Whose.
    pub device: &'a Registered,
    /// What is said.
    pub class: Class,
}

impl Registry {
    /// The registry of these devices.
    #[must_use]
    pub fn new(devices: Vec<Registered>) -> Self {
        let paths = devices.iter().map(|device| device.name.to_string());
        let by_path = paths.enumerate().map(|(at, path)| (path, at)).collect();
        let owners = devices
            .iter()
            .enumerate()
            .flat_map(|(at, device)| device.keys.iter().map(move |key| (key.id, at)))
            .collect();
        Self {
            devices,
            by_path,
            owners,
        }
    }

    /// The devices.
    #[must_use]
    pub fn devices(&self) -> &[Registered] {
        &self.devices
    }

    /// The device of this name.
    #[must_use]
    pub fn device(&self, name: &DeviceName) -> Option<&Registered> {
        self.at(&name.to_string())
    }

    /// What a topic names, if it is one of this protocol and of a known device.
    ///
    /// It takes nothing apart that it need not, and allocates nothing: names in the registry were checked.
    #[must_use]
    pub fn addressed(&self, topic: &str) -> Option<Addressed<'_>> {
        let (path, said) = taken_apart(topic)?;
        let (lane, class) = said.split_once('/')?;
        let class = Class::of_code(class).filter(|class| class.lane().code() == lane)?;
        let device = self.at(path)?;
        Some(Addressed { device, class })
    }

    /// Whose key it is.
    #[must_use]
    pub fn owner(&self, key: KeyId) -> Option<&Registered> {
        self.devices.get(*self.owners.get(&key)?)
    }

    fn at(&self, path: &str) -> Option<&Registered> {
        self.devices.get(*self.by_path.get(path)?)
    }
}

impl Registered {
    /// The key that the device has stated, that has not signed yet, and that no operator has ended.
    #[must_use]
    pub fn next_key(&self) -> Option<VerifyingKey> {
        let waits = |key: &&DeviceKey| key.waits && key.until_epoch.is_none();
        self.keys.iter().find(waits).map(|key| key.key)
    }
}

impl DeviceKey {
    /// Whether it counts in an epoch.
    #[must_use]
    pub fn counts_in(&self, epoch: u64) -> bool {
        self.from_epoch <= epoch && self.until_epoch.is_none_or(|until| epoch <= until)
    }
}

/// In which of `of` parts a device lies: SHA-256 of `tenant/device`, its first eight bytes as a number, modulo
/// `of`.
///
/// Every program in any language can compute it, and it never changes.
#[must_use]
pub fn shard_of(device: &DeviceName, of: u32) -> u32 {
    shard_of_path(&device.to_string(), of)
}

/// `tenant/device`, and what follows `up`.
fn taken_apart(topic: &str) -> Option<(&str, &str)> {
    let rest = topic
        .strip_prefix(telemetry::topic::ROOT)?
        .strip_prefix('/')?;
    let (end, _) = rest.match_indices('/').nth(1)?;
    let (path, rest) = rest.split_at_checked(end)?;
    Some((path, rest.strip_prefix("/up/")?))
}

fn shard_of_path(path: &str, of: u32) -> u32 {
    let digest = ring::digest::digest(&ring::digest::SHA256, path.as_bytes());
    let start = digest
        .as_ref()
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let part = start.checked_rem(u64::from(of)).unwrap_or(0);
    u32::try_from(part).unwrap_or(0)
}

impl Shard {
    /// The whole.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Part `index` of `of`, counted from 0; `None` where there is no such part.
    #[must_use]
    pub const fn new(index: u32, of: u32) -> Option<Self> {
        if index < of {
            Some(Self { index, of })
        } else {
            None
        }
    }

    /// Its number, counted from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many parts there are.
    #[must_use]
    pub const fn of(self) -> u32 {
        self.of
    }

    /// Whether the device to which a topic belongs lies in this part.
    ///
    /// What is no topic belongs to part 0, so that it is counted once.
    #[must_use]
    pub fn holds(self, topic: &str) -> bool {
        if self.of == 1 {
            return true;
        }
        let part = taken_apart(topic).map_or(0, |(path, _)| shard_of_path(path, self.of));
        part == self.index
    }

    /// Which of `whole` finer parts make up this one; none where they do not fit.
    ///
    /// They fit where the number of parts divides `whole`: the remainder by a divisor follows from the
    /// remainder by the whole.
    #[must_use]
    pub fn parts_of(self, whole: u32) -> Vec<u32> {
        if !whole.is_multiple_of(self.of) {
            return Vec::new();
        }
        let ours = |part: &u32| part.checked_rem(self.of) == Some(self.index);
        (0..whole).filter(ours).collect()
    }

    /// How the process that serves this part is known to a broker.
    #[must_use]
    pub fn client(self, monitor: &Label) -> String {
        if self.of == 1 {
            monitor.to_string()
        } else {
            format!("{monitor}-{}", self.index)
        }
    }

    /// Whether a device lies in this part.
    #[must_use]
    pub fn has(self, device: &DeviceName) -> bool {
        shard_of(device, self.of) == self.index
    }
}

impl std::str::FromStr for Shard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split_once('/')
            .and_then(|(index, of)| Self::new(index.parse().ok()?, of.parse().ok()?))
            .ok_or("a part is written as 0/4: its number, counted from 0, and how many there are")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(device: &str) -> DeviceName {
        DeviceName {
            tenant: "hoshino-shi".parse().unwrap(),
            device: device.parse().unwrap(),
        }
    }

    #[test]
    fn each_device_lies_in_one_part_and_parts_are_of_one_size() {
        let mut sizes = [0; 4];
        for number in 0..4000 {
            let name = name(&format!("c-{number}"));
            let part = shard_of(&name, 4);
            sizes[part as usize] += 1;
            let topic = format!("madoguchi/1/{name}/up/hb/beat");
            for index in 0..4 {
                let shard = Shard::new(index, 4).unwrap();
                assert_eq!(shard.holds(&topic), index == part);
                assert_eq!(shard.has(&name), index == part);
            }
        }
        assert!(
            sizes.iter().all(|size| (900..1100).contains(size)),
            "{sizes:?}"
        );
        // A value that other programs can hold theirs against.
        assert_eq!(
            shard_of(&name("c-03"), 1 << 30),
            shard_of_path("hoshino-shi/c-03", 1 << 30)
        );
        for wrong in ["", "1", "4/4", "0/0", "a/b"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_parts_of_a_part_hold_the_same_devices() {
        for (of, expected) in [(1, vec![0, 1, 2, 3]), (2, vec![1, 3]), (4, vec![3])] {
            let shard = Shard::new(of - 1, of).unwrap();
            assert_eq!(shard.parts_of(4), expected);
            for number in 0..100 {
                let name = name(&format!("c-{number}"));
                assert_eq!(expected.contains(&shard_of(&name, 4)), shard.has(&name));
            }
        }
        assert!(Shard::new(0, 3).unwrap().parts_of(4).is_empty());
        assert!(Shard::new(0, 8).unwrap().parts_of(4).is_empty());
    }

    #[test]
    fn a_topic_is_known_as_a_whole_or_not_at_all() {
        let registry = Registry::new(vec![Registered {
            id: 1,
            name: name("c-03"),
            urn: name("c-03").urn(),
            life: 0,
            quarantine: None,
            keys: Vec::new(),
        }]);
        let known = registry
            .addressed("madoguchi/1/hoshino-shi/c-03/up/hb/beat")
            .unwrap();
        assert_eq!((known.device.id, known.class), (1, Class::Beat));
        for topic in [
            "madoguchi/1/hoshino-shi/c-03/up/st/beat",
            "madoguchi/1/hoshino-shi/c-03/up/hb/beat/",
            "madoguchi/1/hoshino-shi/c-04/up/hb/beat",
            "madoguchi/1/hoshino-shi/c-03/dn/ack",
            "/madoguchi/1/hoshino-shi/c-03/up/hb/beat",
        ] {
            assert!(registry.addressed(topic).is_none(), "{topic}");
        }
    }
}
