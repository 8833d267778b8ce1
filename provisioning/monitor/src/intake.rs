//! Takes in what arrives, batch by batch.
//!
//! ```text
//! batch -> verify -> ledger -> evidence, presence, facts, alarms -> one commit -> acknowledgements
//! ```
//! It is the only writer of its database, and knows nothing of brokers: whoever has topics and bytes, from
//! MQTT or from a queue, gives them to [`Intake::take`].
//! Invariants: what a verdict says is on the disk when it is returned; where a batch fails, nothing of it
//! happened, in memory neither; nothing is acknowledged that is not on the disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use device_api::Clock;
use telemetry::Signer;
use telemetry::envelope::SealError;
use telemetry::name::Label;
use thiserror::Error;

use crate::acks::{Manner, Outgoing, Voice};
use crate::alarm::AlarmKind;
use crate::orders;
use crate::presence::{Arrival, Standing};
use crate::registry::{Registered, Registry, Shard};
use crate::store::{Store, StoreError, Writer};
use crate::watch::{Patience, Watched};

mod batch;
mod succession;

use batch::Batch;

/// Something that arrived.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Where it was published.
    pub topic: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When and how.
    pub arrival: Arrival,
}

/// What became of something that arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It is proved and new, and it is on the disk.
    Fresh,
    /// It is on the disk already.
    Duplicate,
    /// It is refused.
    Refused(AlarmKind),
    /// It is not taken now, and must come again: too much is missing before it.
    NotNow,
    /// Another process takes it.
    Elsewhere,
}

/// How messages are taken in.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// For how long is waited.
    pub patience: Patience,
    /// How devices are told.
    pub manner: Manner,
    /// Which devices are served.
    pub shard: Shard,
}

/// Who the monitor is.
#[derive(Debug)]
pub struct Own {
    /// Its name.
    pub monitor: Label,
    /// Its key.
    pub signer: Box<dyn Signer>,
}

/// Takes messages in.
#[derive(Debug)]
pub struct Intake {
    store: Store,
    _writer: Writer,
    registry: Registry,
    watched: BTreeMap<i64, Watched>,
    due: BTreeSet<i64>,
    voice: Voice,
    settings: Settings,
    clock: Arc<dyn Clock>,
    seen_change: i64,
}

/// A batch could not be taken in; nothing of it happened.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// The database failed.
    #[error("the database failed")]
    Store(#[source] StoreError),
    /// The monitor's key cannot be used.
    #[error("an acknowledgement cannot be signed")]
    Seal(#[source] SealError),
}

impl Intake {
    /// Opens the database and goes on where the last batch ended.
    ///
    /// # Errors
    /// [`IntakeError::Store`].
    pub fn open(
        path: &Path,
        own: Own,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, IntakeError> {
        let writer = Store::writer(path).map_err(IntakeError::Store)?;
        let store = Store::open(path).map_err(IntakeError::Store)?;
        let epoch = store.next_epoch().map_err(IntakeError::Store)?;
        let mut intake = Self {
            store,
            _writer: writer,
            registry: Registry::default(),
            watched: BTreeMap::new(),
            due: BTreeSet::new(),
            voice: Voice::new(own.signer, own.monitor, epoch),
            settings,
            clock,
            seen_change: 0,
        };
        intake.reload().map_err(IntakeError::Store)?;
        Ok(intake)
    }

    /// Takes in what arrived; for each what became of it.
    ///
    /// Blocks until it is on the disk.
    ///
    /// # Errors
    /// [`IntakeError::Store`]; nothing of the batch happened then.
    pub fn take(&mut self, arrived: &[Delivery]) -> Result<Vec<Verdict>, IntakeError> {
        let taken = self.take_whole(arrived);
        if taken.is_err() {
            // What is in memory may be ahead of the disk.
            self.store.roll_back().map_err(IntakeError::Store)?;
            self.reload().map_err(IntakeError::Store)?;
        }
        taken.map_err(IntakeError::Store)
    }

    /// A broker can be heard again that could not be heard: what it took over meanwhile may be lost.
    pub fn resume(&mut self) {
        for device in self.watched.values_mut() {
            device.resume();
        }
    }

    /// Looks who has fallen silent.
    ///
    /// # Errors
    /// [`IntakeError::Store`].
    pub fn look(&mut self) -> Result<(), IntakeError> {
        self.refresh().map_err(IntakeError::Store)?;
        let now = self.clock.now();
        let mut changed = Vec::new();
        for device in self.watched.values_mut() {
            let before = device.presence.standing;
            if device.presence.look(now) {
                changed.push((device.id, before, device.presence.standing));
            }
        }
        if changed.is_empty() {
            return Ok(());
        }
        self.store.begin().map_err(IntakeError::Store)?;
        self.store_standings(&changed)
            .and_then(|()| self.store.commit())
            .map_err(IntakeError::Store)
    }

    /// What devices are to be told now.
    ///
    /// # Errors
    /// [`IntakeError::Seal`]; they are told later.
    pub fn acknowledgements(&mut self) -> Result<Vec<Outgoing>, IntakeError> {
        let mut outgoing = Vec::new();
        let mut told = Vec::new();
        for id in &self.due {
            if let Some(device) = self.watched.get_mut(id) {
                let known = self.registry.device(&device.name);
                let quarantined = known.is_none_or(|known| known.quarantine.is_some());
                let next_key = known.and_then(Registered::next_key);
                if quarantined {
                    device.ack.due = false;
                }
                let sealed = self
                    .voice
                    .tell(
                        (device, next_key),
                        self.settings.manner,
                        self.clock.as_ref(),
                    )
                    .map_err(IntakeError::Seal)?;
                outgoing.extend(sealed);
                if !device.ack.due {
                    told.push(*id);
                }
            }
        }
        for id in told {
            self.due.remove(&id);
        }
        Ok(outgoing)
    }

    /// Commands that are to be sent now.
    ///
    /// # Errors
    /// [`IntakeError::Store`]; they are sent later.
    pub fn orders(&self) -> Result<Vec<Outgoing>, IntakeError> {
        orders::due(&self.store, self.clock.unix_millis()).map_err(IntakeError::Store)
    }

    /// Deletes evidence that is older than so many days; signs of life after so many others. Alarms stay.
    ///
    /// # Errors
    /// [`IntakeError::Store`].
    pub fn prune(&self, days: u32, days_of_signs: u32) -> Result<usize, IntakeError> {
        let before = |days: u32| {
            self.clock
                .unix_millis()
                .saturating_sub(u64::from(days).saturating_mul(86_400_000))
        };
        self.store
            .prune_happenings(before(days))
            .and_then(|_deleted| self.store.prune(before(days), before(days_of_signs)))
            .map_err(IntakeError::Store)
    }

    /// A device as it is known now.
    #[must_use]
    pub fn watched(&self, device: &Registered) -> Option<&Watched> {
        self.watched.get(&device.id)
    }

    /// Who is registered.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The database.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    fn take_whole(&mut self, arrived: &[Delivery]) -> Result<Vec<Verdict>, StoreError> {
        self.refresh()?;
        self.store.begin()?;
        let mut batch = Batch::new(&self.store, &self.settings.patience, self.clock.now());
        let mut verdicts = Vec::with_capacity(arrived.len());
        for delivery in arrived {
            let verdict = if self.settings.shard.holds(&delivery.topic) {
                batch.take(&self.registry, &mut self.watched, delivery)?
            } else {
                Verdict::Elsewhere
            };
            verdicts.push(verdict);
        }
        let end = batch.finish(&mut self.watched)?;
        self.store.commit()?;
        self.due.extend(end.touched);
        if end.registry_changed {
            self.registry = self.store.registry(self.settings.shard)?;
        }
        Ok(verdicts)
    }

    /// Reads the registry anew where an operator changed it.
    fn refresh(&mut self) -> Result<(), StoreError> {
        let change = self.store.changed_by_others()?;
        if change == self.seen_change {
            return Ok(());
        }
        self.seen_change = change;
        let registry = self.store.registry(self.settings.shard)?;
        let now = self.clock.now();
        for device in registry.devices() {
            let before = self.registry.device(&device.name);
            let same = before.is_some_and(|before| {
                before.life == device.life
                    && (before.quarantine.is_none() || device.quarantine.is_some())
            });
            if !same {
                let watched = load(&self.store, device, now)?;
                self.watched.insert(device.id, watched);
            }
        }
        self.registry = registry;
        Ok(())
    }

    /// Takes from the database what is in memory.
    fn reload(&mut self) -> Result<(), StoreError> {
        self.seen_change = self.store.changed_by_others()?;
        self.registry = self.store.registry(self.settings.shard)?;
        let now = self.clock.now();
        self.watched = self
            .registry
            .devices()
            .iter()
            .map(|device| Ok((device.id, load(&self.store, device, now)?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(())
    }

    fn store_standings(&self, changed: &[(i64, Standing, Standing)]) -> Result<(), StoreError> {
        let at = self.clock.unix_millis();
        for (id, before, after) in changed {
            let Some(device) = self.watched.get(id) else {
                continue;
            };
            self.store
                .save_presence((device.id, device.life), &device.presence)?;
            let text = format!("{} -> {}", before.code(), after.code());
            self.store.happened(at, Some(*id), "presence", &text)?;
        }
        Ok(())
    }
}

fn load(
    store: &Store,
    device: &Registered,
    now: device_api::Moment,
) -> Result<Watched, StoreError> {
    let progress = store.progress(device.id, device.life)?;
    Ok(Watched::new(
        device.id,
        device.life,
        device.name.clone(),
        progress,
        now,
    ))
}

/// How often each verdict was given.
#[must_use]
pub fn tally(verdicts: &[Verdict]) -> HashMap<Verdict, u64> {
    let mut tally = HashMap::new();
    for verdict in verdicts {
        *tally.entry(*verdict).or_default() += 1;
    }
    tally
}
