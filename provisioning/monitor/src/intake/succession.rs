//! Keys that devices state themselves, and when they take over.
//!
//! A statement is evidence like any other message; whether its key counts is another question. Where it does
//! not, the message is kept, its key is not named in any acknowledgement, and the device goes on with its old
//! one.

use telemetry::message::key::KeyStatement;

use super::Delivery;
use super::batch::{Batch, about};
use crate::alarm::AlarmKind;
use crate::registry::Registry;
use crate::store::StoreError;
use crate::store::succession::{Stated, Statement};
use crate::verify::Opened;
use crate::watch::Watched;

impl Batch<'_> {
    /// Whether a message of this batch has ended the key that signed this one.
    pub(super) fn is_over(&self, opened: &Opened<'_>) -> bool {
        let ended = self.ended.get(&opened.key.id);
        ended.is_some_and(|first| *first <= opened.envelope.header().stamp.epoch)
    }

    /// A message was accepted: where its key was stated, it takes over from the key that stated it.
    pub(super) fn signed(
        &mut self,
        opened: &Opened<'_>,
        delivery: &Delivery,
    ) -> Result<(), StoreError> {
        let (device, key) = (opened.device, opened.key);
        let epoch = opened.envelope.header().stamp.epoch;
        let Some(before) = key.stated_by else {
            return Ok(());
        };
        let counts =
            |known: &crate::registry::DeviceKey| known.id == before && known.counts_in(epoch);
        let over = self.ended.get(&before).is_some_and(|first| *first <= epoch);
        if over || !(key.waits || device.keys.iter().any(counts)) {
            return Ok(());
        }
        self.store
            .key_signed((device.id, device.life), &key.key, epoch)?;
        self.ended.insert(before, epoch);
        let text = format!(
            "key {} signs from epoch {epoch} on; key {before} counts before it only",
            key.id
        );
        let at = delivery.arrival.unix_millis;
        self.store.happened(at, Some(device.id), "key", &text)
    }

    /// A device has stated its next key.
    pub(super) fn stated(
        &mut self,
        registry: &Registry,
        (watched, opened): (&mut Watched, &Opened<'_>),
        statement: &KeyStatement,
        delivery: &Delivery,
    ) -> Result<(), StoreError> {
        let (device, by) = (opened.device, opened.key);
        let stamp = opened.envelope.header().stamp;
        let next = statement.key.id();
        let stated = match self.refusal(registry, opened, statement) {
            Some(why) => Err(why),
            None => match self.store.state_key(&Statement {
                device: (device.id, device.life),
                by: &by.key,
                key: &statement.key,
                place: (stamp.epoch, stamp.number),
            })? {
                Stated::New => Ok(true),
                Stated::Known => Ok(false),
                Stated::Older => Err("a newer statement has come before".to_owned()),
                Stated::Taken => Err("it is registered already".to_owned()),
            },
        };
        match stated {
            Ok(new) => {
                watched.ack.due = true;
                watched.ack.at_once = true;
                if new {
                    self.keys_changed = true;
                    let text = format!(
                        "key {next} ({}) is to follow key {} in an epoch after {}, by the device's own word",
                        hex::encode(statement.key.bytes()),
                        by.id,
                        stamp.epoch
                    );
                    let at = delivery.arrival.unix_millis;
                    self.store.happened(at, Some(device.id), "key", &text)?;
                    let alarm = about(AlarmKind::NewKey, &text, &stamp);
                    self.raise(Some(device.id), alarm, delivery);
                }
            }
            Err(why) => {
                let text = format!("key {next} is not to follow key {}: {why}", by.id);
                let alarm = about(AlarmKind::KeyRefused, &text, &stamp);
                self.raise(Some(device.id), alarm, delivery);
            }
        }
        Ok(())
    }

    /// Why a statement is worth nothing, as far as the registry tells.
    fn refusal(
        &self,
        registry: &Registry,
        opened: &Opened<'_>,
        statement: &KeyStatement,
    ) -> Option<String> {
        let (device, by) = (opened.device, opened.key);
        if by.until_epoch.is_some() || self.ended.contains_key(&by.id) {
            return Some("the key that states it has been replaced".to_owned());
        }
        if !statement.is_proved(&device.urn, &by.key) {
            return Some("nothing proves that the device has it".to_owned());
        }
        let id = statement.key.id();
        let owner = registry.owner(id)?;
        if owner.id != device.id {
            return Some(format!("it is that of {}", owner.name));
        }
        let mut known = owner.keys.iter().filter(|key| key.id == id);
        known
            .any(|key| !key.waits || key.key != statement.key)
            .then(|| "it is a key of the device already".to_owned())
    }
}
