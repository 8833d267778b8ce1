//! How fast messages are verified and stored, against nothing but the signature check.
//!
//! Both are measured in turns over the same messages in one thread, so that whatever else the machine does
//! burdens both.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use device_api::Clock;
use telemetry::message::Message;
use telemetry::message::device::{Counter, DeviceState, Health};
use telemetry::name::NameError;
use telemetry::signer::SignError;
use telemetry::{Signer as _, SoftwareSigner, VerifyingKey};
use thiserror::Error;

use crate::intake::{Delivery, Intake, IntakeError, Own, Settings, Verdict};
use crate::rehearsal::{RehearsalError, Rehearsed};
use crate::store::{Store, StoreError};

/// What is measured.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// How many devices speak.
    pub devices: u32,
    /// How many messages each sends.
    pub messages: u32,
    /// How many messages are committed together.
    pub batch: usize,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throughput {
    /// How many messages.
    pub messages: u64,
    /// How long their signatures alone took.
    pub bare: Duration,
    /// How long everything took, until it was on the disk.
    pub whole: Duration,
}

/// It could not be measured.
#[derive(Debug, Error)]
pub enum ThroughputError {
    /// The database failed.
    #[error("the database failed")]
    Store(#[source] StoreError),
    /// The intake failed.
    #[error("the intake failed")]
    Intake(#[source] IntakeError),
    /// A simulated device failed.
    #[error("a simulated device failed")]
    Device(#[source] RehearsalError),
    /// A key failed.
    #[error("a key failed")]
    Key(#[source] SignError),
    /// A name is none.
    #[error("a name is none")]
    Name(#[source] NameError),
    /// A message was not accepted, or a signature not valid.
    #[error("a message was not accepted")]
    NotAccepted,
}

/// A signature with what it covers.
type Signed = (VerifyingKey, Vec<u8>, [u8; 64]);

/// Measures, with a new database at `path`.
///
/// # Errors
/// [`ThroughputError`].
pub fn measure(
    path: &Path,
    load: Load,
    settings: Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Throughput, ThroughputError> {
    let mut devices = (0..load.devices)
        .map(Rehearsed::new)
        .collect::<Result<Vec<_>, _>>()
        .map_err(ThroughputError::Device)?;
    register(path, &devices)?;
    let own = Own {
        monitor: "monitor".parse().map_err(ThroughputError::Name)?,
        signer: Box::new(SoftwareSigner::from_seed(&[1; 32]).map_err(ThroughputError::Key)?),
    };
    let mut intake =
        Intake::open(path, own, settings, Arc::clone(clock)).map_err(ThroughputError::Intake)?;
    let mut sum = Throughput {
        messages: 0,
        bare: Duration::ZERO,
        whole: Duration::ZERO,
    };
    let signer = SoftwareSigner::from_seed(&[2; 32]).map_err(ThroughputError::Key)?;
    let mut arrived = Vec::new();
    let all = u64::from(load.devices) * u64::from(load.messages);
    for count in 0..load.messages {
        for device in &mut devices {
            device.seconds = u64::from(count);
            let said = device
                .say(&state(count)?)
                .map_err(ThroughputError::Device)?;
            arrived.push(said);
            let last = sum.messages + arrived.len() as u64 == all;
            if arrived.len() >= load.batch || last {
                round(&mut intake, &signer, &arrived, clock.as_ref(), &mut sum)?;
                arrived.clear();
            }
        }
    }
    Ok(sum)
}

impl Throughput {
    /// Messages a second, verified and stored.
    #[must_use]
    pub fn per_second(&self) -> u64 {
        rate(self.messages, self.whole)
    }

    /// Signatures a second.
    #[must_use]
    pub fn bare_per_second(&self) -> u64 {
        rate(self.messages, self.bare)
    }

    /// How much of the bare speed remains, in thousandths.
    #[must_use]
    pub fn per_mille_of_bare(&self) -> u64 {
        let thousandths = self.bare.as_nanos() * 1000;
        let part = thousandths.checked_div(self.whole.as_nanos()).unwrap_or(0);
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

fn rate(count: u64, span: Duration) -> u64 {
    let nanos = u128::from(count) * 1_000_000_000;
    let rate = nanos.checked_div(span.as_nanos()).unwrap_or(0);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

fn register(path: &Path, devices: &[Rehearsed]) -> Result<(), ThroughputError> {
    let store = Store::open(path).map_err(ThroughputError::Store)?;
    for device in devices {
        store
            .add_device(&device.name, &device.key())
            .map_err(ThroughputError::Store)?;
    }
    Ok(())
}

/// One batch, first its signatures alone, then all of it.
fn round(
    intake: &mut Intake,
    signer: &SoftwareSigner,
    arrived: &[Delivery],
    clock: &dyn Clock,
    sum: &mut Throughput,
) -> Result<(), ThroughputError> {
    let signed = arrived
        .iter()
        .map(|delivery| {
            let signature = signer.sign(&delivery.bytes)?;
            Ok((signer.verifying_key(), delivery.bytes.clone(), signature))
        })
        .collect::<Result<Vec<Signed>, SignError>>()
        .map_err(ThroughputError::Key)?;
    let began = clock.now();
    let valid = signed
        .iter()
        .all(|(key, bytes, signature)| key.verifies(bytes, signature));
    let between = clock.now();
    let verdicts = intake.take(arrived).map_err(ThroughputError::Intake)?;
    let ended = clock.now();
    if !valid || verdicts.iter().any(|verdict| *verdict != Verdict::Fresh) {
        return Err(ThroughputError::NotAccepted);
    }
    sum.messages += arrived.len() as u64;
    sum.bare += between.since(began);
    sum.whole += ended.since(between);
    Ok(())
}

fn state(count: u32) -> Result<Message, ThroughputError> {
    let word = |text: &str| text.parse().map_err(ThroughputError::Name);
    Ok(Message::Device(DeviceState {
        device: word("printer-1")?,
        class: word("ticketPrinter")?,
        health: Health::Working,
        fault: None,
        model: Some(word("TM-T88VI")?),
        firmware: Some(word("30.42")?),
        counters: vec![Counter {
            name: word("tickets")?,
            count: u64::from(count),
        }],
        wear: Vec::new(),
    }))
}
