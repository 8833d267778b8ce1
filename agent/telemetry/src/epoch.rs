//! Which life of its counters a device is in: one more at every start, on the disk before anything is signed.
//!
//! ```text
//! two files: format, epoch, owner       session = epoch * 2^24 + count of connections in this epoch
//! ```
//! A monitor that sees a lower epoch after a higher one takes the device for a copy of itself, and
//! quarantines it; so an epoch is never guessed.
//! Invariants: [`Epoch::begin`] returns an epoch that is greater than every one it returned before, after
//! any crash and with either file spoilt; with both spoilt it refuses; a session number is never given twice.

use std::io;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::cbor;
use crate::disk::Disk;
use crate::slots;

/// The format of the files.
const FORMAT: u32 = 1;
/// What the two files are called.
pub(crate) const STEM: &str = "epoch";
/// So many bits of a session number count connections; what JSON can say leaves 29 for epochs.
const SESSION_BITS: u32 = 24;

/// Which epoch it is, and how often it connected.
#[derive(Debug)]
pub struct Epoch {
    number: u64,
    connections: u64,
}

/// An epoch that has begun.
#[derive(Debug)]
pub struct Begun {
    /// It.
    pub epoch: Epoch,
    /// The one before; `None` at the first start.
    pub before: Option<u64>,
    /// How many of the two files were damaged or missing; they are whole again.
    pub mended: usize,
}

/// No epoch can begin; nothing may be signed.
#[derive(Debug, Error)]
pub enum EpochError {
    /// Neither file can be read, though the device has signed before.
    #[error(
        "the files epoch-0 and epoch-1 are lost or damaged, so that the next epoch is not known: \
         move the folder aside and enrol the device anew, under a name it never had"
    )]
    Lost,
    /// The folder belongs to another device.
    #[error("the folder belongs to {owner}: move it aside, or give the agent that name again")]
    OtherOwner {
        /// Whose it is.
        owner: String,
    },
    /// It was written by newer software.
    #[error("the epoch has format {format}, which is newer than this software")]
    Newer {
        /// The format.
        format: u32,
    },
    /// It cannot be made to last.
    #[error("write the epoch")]
    Disk(#[source] io::Error),
    /// There is none left.
    #[error("there is no epoch left: enrol the device anew, under a name it never had")]
    Exhausted,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    format: u32,
    epoch: u64,
    owner: String,
}

impl Epoch {
    /// Begins the next epoch; `is_used` says whether the folder holds anything of an earlier one.
    ///
    /// # Errors
    /// Each of [`EpochError`]; after [`EpochError::Disk`] it may be tried again.
    pub fn begin(disk: &mut dyn Disk, owner: &str, is_used: bool) -> Result<Begun, EpochError> {
        let slots = slots::read(disk, STEM);
        let before = match slots.newest {
            Some((_, value)) => Some(stored(&value, owner)?),
            None if is_used || slots.damaged > 0 => return Err(EpochError::Lost),
            None => None,
        };
        let number = before.unwrap_or(0).checked_add(1);
        let number = number.ok_or(EpochError::Exhausted)?;
        let value = Stored {
            format: FORMAT,
            epoch: number,
            owner: owner.to_owned(),
        };
        let value = cbor::encode(&value).map_err(|_unwritable| EpochError::Exhausted)?;
        slots::write(disk, STEM, number, &value).map_err(EpochError::Disk)?;
        let mended = match before {
            Some(_) => slots.damaged + slots.absent,
            None => 0,
        };
        Ok(Begun {
            epoch: Self {
                number,
                connections: 0,
            },
            before,
            mended,
        })
    }

    /// Which one it is, from 1.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// A number for a connection that no connection had before; `None` after 16 million in one epoch.
    pub fn next_session(&mut self) -> Option<u64> {
        let next = self.connections.checked_add(1)?;
        let base = self.number.checked_mul(1 << SESSION_BITS)?;
        if next >> SESSION_BITS > 0 {
            return None;
        }
        self.connections = next;
        base.checked_add(next)
    }
}

fn stored(value: &[u8], owner: &str) -> Result<u64, EpochError> {
    #[derive(Deserialize)]
    struct Numbered {
        format: u32,
    }
    // The checksum was right: what is not understood is newer.
    let numbered: Numbered = cbor::decode(value).map_err(|_unknown| EpochError::Lost)?;
    if numbered.format > FORMAT {
        let format = numbered.format;
        return Err(EpochError::Newer { format });
    }
    let stored: Stored = cbor::decode(value).map_err(|_unknown| EpochError::Lost)?;
    if stored.owner == owner {
        Ok(stored.epoch)
    } else {
        let owner = stored.owner;
        Err(EpochError::OtherOwner { owner })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::memory::{Fault, MemoryDisk};

    fn begin(disk: &MemoryDisk) -> Result<Begun, EpochError> {
        Epoch::begin(&mut disk.clone(), "urn:a", true)
    }

    fn first() -> MemoryDisk {
        let disk = MemoryDisk::new();
        let begun = Epoch::begin(&mut disk.clone(), "urn:a", false).unwrap();
        assert_eq!((begun.epoch.number(), begun.before), (1, None));
        disk
    }

    #[test]
    fn an_epoch_grows_at_every_start_and_a_session_at_every_connection() {
        let disk = first();
        let mut begun = begin(&disk).unwrap();
        assert_eq!((begun.epoch.number(), begun.before), (2, Some(1)));
        assert_eq!(begun.epoch.next_session(), Some((2 << 24) + 1));
        assert_eq!(begun.epoch.next_session(), Some((2 << 24) + 2));
        begun.epoch.connections = (1 << 24) - 1;
        assert_eq!(begun.epoch.next_session(), None);
        assert_eq!(begun.epoch.next_session(), None);
    }

    #[test]
    fn a_power_cut_or_failure_at_any_call_never_takes_an_epoch_back() {
        for fault in [Fault::Io, Fault::Torn, Fault::PowerCut] {
            for call in 0..20 {
                for chance in 0..20 {
                    let disk = first();
                    disk.fail_at(disk.calls() + call, fault);
                    // Only an epoch that was returned may have signed.
                    let used = begin(&disk).map_or(1, |begun| begun.epoch.number());
                    let after = disk.cut_power(chance);
                    let next = begin(&after).unwrap().epoch.number();
                    assert!(next > used, "{fault:?} at {call}: {next} after {used}");
                }
            }
        }
    }

    #[test]
    fn one_spoilt_file_is_mended_and_two_are_refused() {
        let [one, two] = slots::names(STEM);
        let spoil = |disk: &MemoryDisk, name: &str, place: usize| {
            disk.tamper(name, |content| match content.get_mut(place) {
                Some(byte) => *byte ^= 0x10,
                None => content.clear(),
            });
        };
        let length = first().clone().read(&one, 0, 999).unwrap().len();
        for place in 0..=length {
            for name in [&one, &two] {
                let disk = first();
                spoil(&disk, name, place);
                let begun = begin(&disk).unwrap();
                assert_eq!((begun.epoch.number(), begun.mended), (2, 1));
                assert_eq!(begin(&disk).unwrap().mended, 0);
            }
            let disk = first();
            spoil(&disk, &one, place);
            spoil(&disk, &two, place);
            assert!(matches!(begin(&disk), Err(EpochError::Lost)));
        }
        let mut disk = first();
        disk.remove(&one).unwrap();
        assert_eq!(begin(&disk).unwrap().epoch.number(), 2);
        disk.remove(&one).unwrap();
        disk.remove(&two).unwrap();
        assert!(matches!(begin(&disk), Err(EpochError::Lost)));
    }

    #[test]
    fn the_folder_of_another_device_and_a_newer_format_are_refused() {
        let disk = first();
        let other = Epoch::begin(&mut disk.clone(), "urn:b", true).unwrap_err();
        assert!(matches!(other, EpochError::OtherOwner { owner } if owner == "urn:a"));
        let newer = cbor::encode(&serde_json::json!({"format": 2, "epoch": 9})).unwrap();
        slots::write(&mut disk.clone(), STEM, 9, &newer).unwrap();
        assert!(matches!(begin(&disk), Err(EpochError::Newer { format: 2 })));
    }
}
