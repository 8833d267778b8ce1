//! A small value in two files, so that no torn write and no single bad place on a disk loses it.
//!
//! ```text
//! magic (8 bytes) | generation u64 | CRC-32C of generation and value u32 | value
//! ```
//! Both files are written one after the other, each by write and rename.
//! Invariant: after [`write`] has succeeded, either file alone gives the new value; before that, the two
//! give the old or the new one, and the newest sound one counts.

use std::io;

use crate::disk::Disk;

/// What both files begin with.
const MAGIC: &[u8; 8] = b"MADOGVAL";
/// More is no value.
const LONGEST: usize = 32 << 20;

/// What two files hold.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// The newest sound value, and its generation.
    pub(crate) newest: Option<(u64, Vec<u8>)>,
    /// How many files are there and hold no value.
    pub(crate) damaged: usize,
    /// How many files are not there.
    pub(crate) absent: usize,
}

/// Reads both files.
pub(crate) fn read(disk: &mut dyn Disk, stem: &str) -> Slots {
    let mut slots = Slots::default();
    for name in names(stem) {
        match disk.read(&name, 0, LONGEST) {
            Ok(bytes) => match value(&bytes) {
                Some(found) if slots.newest.as_ref().is_none_or(|have| have.0 < found.0) => {
                    slots.newest = Some(found);
                }
                Some(_) => {}
                None => slots.damaged += 1,
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => slots.absent += 1,
            Err(_) => slots.damaged += 1,
        }
    }
    slots
}

/// Writes both files; a greater generation counts more.
pub(crate) fn write(
    disk: &mut dyn Disk,
    stem: &str,
    generation: u64,
    value: &[u8],
) -> io::Result<()> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(generation.to_le_bytes());
    bytes.extend(sum(generation, value).to_le_bytes());
    bytes.extend(value);
    for name in names(stem) {
        disk.replace(&name, &bytes)?;
    }
    Ok(())
}

/// What the files are called.
pub(crate) fn names(stem: &str) -> [String; 2] {
    [format!("{stem}-0"), format!("{stem}-1")]
}

fn value(bytes: &[u8]) -> Option<(u64, Vec<u8>)> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (generation, rest) = rest.split_first_chunk::<8>()?;
    let (crc, value) = rest.split_first_chunk::<4>()?;
    let generation = u64::from_le_bytes(*generation);
    let sound = sum(generation, value) == u32::from_le_bytes(*crc);
    sound.then(|| (generation, value.to_vec()))
}

fn sum(generation: u64, value: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&generation.to_le_bytes()), value)
}
