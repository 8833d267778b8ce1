//! Simulated devices, for tests and measurements: they sign as a device does, and keep nothing.

use std::collections::BTreeMap;

use device_api::Moment;
use telemetry::envelope::{SealError, seal};
use telemetry::message::Message;
use telemetry::message::key::KeyStatement;
use telemetry::message::machine::TimeQuality;
use telemetry::message::presence::{Beat, Birth, Challenge, LaneMark, Lost};
use telemetry::name::{DeviceName, Digest, NameError};
use telemetry::signer::SignError;
use telemetry::topic::UpTopic;
use telemetry::{Lane, Signer as _, SoftwareSigner, Stamp, VerifyingKey, Word};
use thiserror::Error;

use crate::intake::Delivery;
use crate::presence::Arrival;

/// When a simulated clock begins, in seconds since 1970.
pub const START: u64 = 1_795_000_000;

/// A device that signs.
#[derive(Debug)]
pub struct Rehearsed {
    /// Its name.
    pub name: DeviceName,
    /// Its epoch.
    pub epoch: u64,
    /// Its session.
    pub session: u64,
    /// Seconds since it and the monitor were started.
    pub seconds: u64,
    signer: SoftwareSigner,
    numbers: BTreeMap<Lane, u64>,
}

/// A simulated device cannot be made, or cannot speak.
#[derive(Debug, Error)]
pub enum RehearsalError {
    /// Its name is none.
    #[error("the name is none")]
    Name(#[source] NameError),
    /// Its key is none.
    #[error("the key is none")]
    Key(#[source] SignError),
    /// It cannot seal.
    #[error("the message cannot be sealed")]
    Seal(#[source] SealError),
}

impl Rehearsed {
    /// Device `c-{number}` of `hoshino-shi`, whose key follows from its number.
    ///
    /// # Errors
    /// Never, in practice.
    pub fn new(number: u32) -> Result<Self, RehearsalError> {
        let name = DeviceName {
            tenant: "hoshino-shi".parse().map_err(RehearsalError::Name)?,
            device: format!("c-{number}")
                .parse()
                .map_err(RehearsalError::Name)?,
        };
        let seed = ring::digest::digest(&ring::digest::SHA256, &number.to_be_bytes());
        let mut bytes = [0; 32];
        bytes
            .iter_mut()
            .zip(seed.as_ref())
            .for_each(|(to, from)| *to = *from);
        Ok(Self {
            name,
            epoch: 1,
            session: 1,
            seconds: 0,
            signer: SoftwareSigner::from_seed(&bytes).map_err(RehearsalError::Key)?,
            numbers: BTreeMap::new(),
        })
    }

    /// The same device, as a copy of its disk would make it.
    ///
    /// # Errors
    /// Never, in practice.
    pub fn copy(&self, number: u32) -> Result<Self, RehearsalError> {
        Ok(Self {
            epoch: self.epoch,
            session: self.session,
            seconds: self.seconds,
            numbers: self.numbers.clone(),
            ..Self::new(number)?
        })
    }

    /// The key that verifies what it says.
    #[must_use]
    pub fn key(&self) -> VerifyingKey {
        self.signer.verifying_key()
    }

    /// The same device after a start with the key of another number.
    ///
    /// # Errors
    /// Never, in practice.
    pub fn followed_by(&self, number: u32) -> Result<Self, RehearsalError> {
        let mut after = Self {
            name: self.name.clone(),
            numbers: BTreeMap::new(),
            ..self.copy(number)?
        };
        after.restart();
        Ok(after)
    }

    /// What states that another key follows, which proves that it does.
    ///
    /// # Errors
    /// [`RehearsalError::Key`].
    pub fn statement(&self, next: &Self) -> Result<Message, RehearsalError> {
        let statement = KeyStatement::new(&next.signer, &self.name.urn(), &self.key());
        statement.map(Message::Key).map_err(RehearsalError::Key)
    }

    /// The device was started anew.
    pub fn restart(&mut self) {
        self.epoch += 1;
        self.session = 1;
        self.numbers.clear();
    }

    /// The number of the newest message of a lane.
    #[must_use]
    pub fn newest(&self, lane: Lane) -> u64 {
        self.numbers.get(&lane).copied().unwrap_or(0)
    }

    /// Says something, under the next number of its lane.
    ///
    /// # Errors
    /// [`RehearsalError::Seal`].
    pub fn say(&mut self, message: &Message) -> Result<Delivery, RehearsalError> {
        let lane = message.class().lane();
        let number = self.numbers.entry(lane).or_default();
        *number += 1;
        let number = *number;
        self.say_as(message, lane, number)
    }

    /// Says something under a number.
    ///
    /// # Errors
    /// [`RehearsalError::Seal`].
    pub fn say_as(
        &self,
        message: &Message,
        lane: Lane,
        number: u64,
    ) -> Result<Delivery, RehearsalError> {
        let topic = UpTopic {
            from: self.name.clone(),
            class: message.class(),
        }
        .to_string();
        let stamp = Stamp {
            epoch: self.epoch,
            lane,
            number,
            monotonic_millis: self.seconds * 1000,
            issued_at: START + self.seconds,
            quality: TimeQuality::Synchronised,
        };
        let payload = message
            .encode()
            .map_err(|error| RehearsalError::Seal(SealError::Encoding(error)))?;
        let bytes = seal(&self.signer, &self.name.urn(), stamp, &topic, payload)
            .map_err(RehearsalError::Seal)?;
        Ok(Delivery {
            topic,
            bytes,
            arrival: arrival(self.seconds),
        })
    }

    /// The birth of its session.
    ///
    /// # Errors
    /// [`RehearsalError::Seal`].
    pub fn birth(&mut self, kept: &[(Lane, u64)]) -> Result<Delivery, RehearsalError> {
        let word = |text: &str| text.parse::<Word>().map_err(RehearsalError::Name);
        let birth = Message::Birth(Birth {
            session: self.session,
            version: word("0.1.0")?,
            platform: word("linux-x86_64")?,
            configuration: Digest::of(b"configuration"),
            beat_seconds: 30,
            lanes: self.marks(kept),
        });
        self.say(&birth)
    }

    /// A beat that says how many messages of each lane are kept.
    ///
    /// # Errors
    /// [`RehearsalError::Seal`].
    pub fn beat(&mut self, kept: &[(Lane, u64)]) -> Result<Delivery, RehearsalError> {
        let beat = Message::Beat(Beat {
            session: self.session,
            challenge: Challenge::new([7; 16]),
            lanes: self.marks(kept),
        });
        self.say(&beat)
    }

    /// What the broker publishes when the connection breaks.
    ///
    /// # Errors
    /// [`RehearsalError::Seal`].
    pub fn will(&mut self) -> Result<Delivery, RehearsalError> {
        self.say(&Message::Lost(Lost {
            session: self.session,
        }))
    }

    fn marks(&self, kept: &[(Lane, u64)]) -> Vec<LaneMark> {
        Lane::KEPT
            .into_iter()
            .map(|lane| LaneMark {
                lane,
                newest: self.newest(lane),
                kept: kept
                    .iter()
                    .find(|(of, _)| *of == lane)
                    .map_or(0, |(_, kept)| *kept),
            })
            .collect()
    }
}

/// An arrival so many seconds after the start.
#[must_use]
pub fn arrival(seconds: u64) -> Arrival {
    Arrival {
        at: Moment::after_origin(std::time::Duration::from_secs(seconds)),
        unix_millis: (START + seconds) * 1000,
        retained: false,
    }
}
