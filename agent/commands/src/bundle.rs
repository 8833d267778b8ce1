//! What `diagnostics` fetches: a fixed manifest, and the newest lines of the agent's log and the machine's.
//!
//! Nothing in it can be a citizen's: every entry is a number, a word of a closed set, a digest or a
//! [`Word`], and lines come in through [`mod@line`] alone, which keeps back what could hold a name or a number
//! of a person; how many lines it kept back is said in the bundle.
//! Invariants: a bundle has one encoding (deterministic CBOR), of at most [`LARGEST`] bytes; where it would
//! be larger, the oldest lines go first, and are counted.

pub mod line;

use serde::{Deserialize, Serialize};
use telemetry::Word;
use telemetry::cbor::{self, CborError};
use telemetry::message::device::DeviceState;
use telemetry::message::machine::{ClockState, Disk, Version};
use telemetry::message::outcome::{Bytes, CommandId, Part};
use telemetry::message::presence::LaneMark;
use telemetry::name::Digest;

use line::Kept;

/// The largest bundle, in bytes.
pub const LARGEST: usize = 256 * 1024;
/// The largest part, in bytes.
pub const PART: usize = 8 * 1024;
/// The most lines.
pub const LINES: usize = 500;
/// The most versions, and the most marks of the spool.
const VERSIONS: usize = 64;
/// The most devices.
const DEVICES: usize = 32;
/// The most counters of a device, and the most parts that wear.
const OF_DEVICE: usize = 16;
/// The most faults.
const FAULTS: usize = 256;
/// The format of the bundle.
const FORMAT: u8 = 1;

/// The manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Findings {
    /// The versions of what runs, the agent's first.
    pub versions: Vec<Version>,
    /// The SHA-256 of the configuration in force; never its content.
    pub configuration: Digest,
    /// How the devices stand.
    pub devices: Vec<DeviceState>,
    /// Which faults there were since the agent was started, and how often.
    pub faults: Vec<FaultCount>,
    /// The disk that holds the agent's state.
    pub disk: Disk,
    /// How good the clock is.
    pub clock: ClockState,
    /// Whole days until the certificate for the broker ends; less than 0 after that.
    pub certificate_days: i32,
    /// Seconds since the agent was started.
    pub uptime_seconds: u64,
    /// What is kept and not yet acknowledged.
    pub spool: Vec<LaneMark>,
}

/// How often a fault was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultCount {
    /// The device's id at this agent; `agent` for the agent itself.
    pub device: Word,
    /// The fault, such as `PRN-PAPER-OUT`.
    pub fault: Word,
    /// How often.
    pub count: u64,
}

/// How many lines of the log are not in the bundle, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeftOut {
    /// They held seven digits in a row.
    pub seven_digits: u64,
    /// They held something else than printable ASCII, or an escape.
    pub not_plain_ascii: u64,
    /// They were longer than 512 bytes.
    pub too_long: u64,
    /// Newer ones filled the bundle.
    pub older: u64,
    /// Entries of the manifest beyond its bounds.
    pub entries: u64,
}

/// The bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bundle {
    format: u8,
    findings: Findings,
    lines: Vec<String>,
    left_out: LeftOut,
}

impl Bundle {
    /// The bundle of what was found, with the newest of these lines, the oldest given first.
    #[must_use]
    pub fn new(findings: Findings, log: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut left_out = LeftOut::default();
        let mut findings = findings;
        left_out.entries = findings.bound();
        let mut lines = Vec::new();
        for line in log {
            let line = line.as_ref();
            match line::may_leave(line) {
                Ok(()) => lines.push(line.to_owned()),
                Err(Kept::Digits) => left_out.seven_digits += 1,
                Err(Kept::NotPlain) => left_out.not_plain_ascii += 1,
                Err(Kept::TooLong) => left_out.too_long += 1,
            }
        }
        let mut bundle = Self {
            format: FORMAT,
            findings,
            lines: Vec::new(),
            left_out,
        };
        // A line costs at most three bytes beside its own, the count of lines and that of older ones nine each.
        let empty = cbor::encode(&bundle).map_or(LARGEST, |bytes| bytes.len() + 18);
        let mut room = LARGEST.saturating_sub(empty);
        let fitting = lines.iter().rev().take(LINES).take_while(|line| {
            let rest = room.checked_sub(line.len() + 3);
            room = rest.unwrap_or(room);
            rest.is_some()
        });
        let older = lines.len() - fitting.count();
        bundle.lines = lines.split_off(older);
        bundle.left_out.older = u64::try_from(older).unwrap_or(u64::MAX);
        bundle
    }

    /// The bundle of these bytes.
    ///
    /// # Errors
    /// Where they are none, or hold a line that no agent lets go.
    pub fn read(bytes: &[u8]) -> Result<Self, CborError> {
        let bundle: Self = cbor::decode(bytes)?;
        let sound = bundle.format == FORMAT
            && bytes.len() <= LARGEST
            && bundle.lines.len() <= LINES
            && bundle
                .lines
                .iter()
                .all(|line| line::may_leave(line).is_ok());
        if sound {
            Ok(bundle)
        } else {
            Err(CborError::Schema)
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// [`CborError::Schema`], which no bundle of this crate causes.
    pub fn write(&self) -> Result<Vec<u8>, CborError> {
        cbor::encode(self)
    }

    /// The manifest.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }

    /// The lines of the log, the oldest first.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// What is not in it.
    #[must_use]
    pub const fn left_out(&self) -> &LeftOut {
        &self.left_out
    }
}

impl Findings {
    /// Cuts every list to its bound; how many entries went.
    fn bound(&mut self) -> u64 {
        let lists = [
            cut(&mut self.versions, VERSIONS),
            cut(&mut self.devices, DEVICES),
            cut(&mut self.faults, FAULTS),
            cut(&mut self.spool, VERSIONS),
        ];
        let of_devices = self
            .devices
            .iter_mut()
            .map(|device| cut(&mut device.counters, OF_DEVICE) + cut(&mut device.wear, OF_DEVICE));
        lists.into_iter().chain(of_devices).sum()
    }
}

fn cut<T>(list: &mut Vec<T>, most: usize) -> u64 {
    let over = list.len().saturating_sub(most);
    list.truncate(most);
    u64::try_from(over).unwrap_or(u64::MAX)
}

/// The parts in which bytes travel.
#[must_use]
pub fn parts(command: CommandId, bytes: &[u8]) -> Vec<Part> {
    let of = u32::try_from(bytes.len().div_ceil(PART)).unwrap_or(u32::MAX);
    let parts = (0..of).zip(bytes.chunks(PART)).map(|(part, bytes)| Part {
        command,
        part,
        of,
        bytes: Bytes(bytes.to_vec()),
    });
    parts.collect()
}

#[cfg(test)]
pub(crate) mod tests;
