//! The counter itself: which cards there are, and in which slots they lie.
//!
//! Invariant: a card lies in at most one slot, and its retry counters outlive every slot.
//! Everything here blocks; the HTTP side calls it from threads that may.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use sim_cards::{
    Anomaly, CardImage, Date, Holder, Holders, HoldersError, ImageError, Label, MyNumberCard, Pki,
    Quirks, Tries, TryCounters,
};
use sim_kit::{FaultPlan, InsertError, PlanError, ServiceOwner, Slot, SlotState};
use thiserror::Error;

use crate::clock;
use crate::service;
use crate::settings::{Agent, Settings};

/// The id of the published dump of a test card among the holders.
const PUBLISHED: &str = "jlis-test-card";

/// Cards and slots.
#[derive(Debug)]
pub struct Counter {
    slots: Vec<Slot>,
    holders: Holders,
    pki: Pki,
    tries: PathBuf,
    cards: Mutex<BTreeMap<String, Arc<Mutex<MyNumberCard>>>>,
    /// Held while a card is put down, so that nobody puts the same card down twice.
    placing: Mutex<()>,
    agent: Mutex<Agent>,
    service_owner: Option<ServiceOwner>,
}

/// A card as shown to the person at the bench.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CardView {
    /// Short name for controls.
    pub id: String,
    /// What the card is for.
    pub label: Label,
    /// The name on it.
    pub name: String,
    /// The PIN to type.
    pub pin: String,
    /// Verification number B to type.
    pub verification_number_b: String,
    /// Last valid day.
    pub expiry: String,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anomaly: Option<Anomaly>,
}

/// Why something cannot be done at the counter.
#[derive(Debug, Error)]
pub enum CounterError {
    /// No such slot.
    #[error("there is no slot {0}")]
    NoSlot(usize),
    /// No such card.
    #[error("there is no card {0:?}")]
    NoCard(String),
    /// The card lies elsewhere.
    #[error("the card already lies in slot {0}")]
    Elsewhere(usize),
    /// The slot is taken.
    #[error(transparent)]
    Occupied(#[from] InsertError),
    /// There is nothing to lift.
    #[error("no card lies in slot {0}")]
    Nothing(usize),
    /// The plan cannot be carried out.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Nobody is named who could kill the card service.
    #[error("nobody is named who can kill the card service")]
    NoServiceOwner,
    /// The card service's owner cannot be asked.
    #[error("cannot ask the card service's owner")]
    ServiceOwner(#[source] std::io::Error),
    /// The card cannot be made.
    #[error("cannot make the card")]
    Image(#[from] ImageError),
    /// The holders cannot be read.
    #[error("cannot read the holders")]
    Holders(#[from] HoldersError),
    /// The clock is so wrong that its day has no calendar date.
    #[error("the clock shows no calendar date")]
    Clock,
    /// A file or folder cannot be used.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The operating system grants no thread.
    #[error("cannot start a slot")]
    Thread(#[source] std::io::Error),
}

impl Counter {
    /// A counter with empty slots.
    ///
    /// # Errors
    ///
    /// When state folder, holders or slots cannot be had.
    pub(crate) fn open(settings: &Settings) -> Result<Self, CounterError> {
        let tries = settings.state.join("tries");
        fs::create_dir_all(&tries).map_err(|source| CounterError::File {
            path: tries.clone(),
            source,
        })?;
        let slots = settings
            .slots
            .iter()
            .map(|address| Slot::start(*address).map_err(CounterError::Thread))
            .collect::<Result<Vec<_>, _>>()?;
        let counter = Self {
            slots,
            holders: holders(settings)?,
            pki: Pki::open(&settings.pki).map_err(ImageError::from)?,
            tries,
            cards: Mutex::default(),
            placing: Mutex::default(),
            agent: Mutex::new(settings.agent.clone()),
            service_owner: settings.service_owner.clone().map(service::owner_at),
        };
        if let Some(owner) = &counter.service_owner {
            for slot in &counter.slots {
                slot.set_service_owner(owner.clone());
            }
        }
        counter.set_delay(settings.delay);
        Ok(counter)
    }

    /// Writes the test authorities' public keys and returns where.
    ///
    /// # Errors
    ///
    /// When the keys can be neither read nor made.
    pub(crate) fn write_authorities(&self) -> Result<PathBuf, CounterError> {
        Ok(self.pki.write_authorities().map_err(ImageError::from)?)
    }

    /// All cards.
    #[must_use]
    pub fn cards(&self) -> Vec<CardView> {
        let views = self.holders.iter().map(CardView::of);
        views.chain([CardView::published()]).collect()
    }

    /// All slots.
    #[must_use]
    pub fn slots(&self) -> Vec<SlotState> {
        self.slots.iter().map(Slot::state).collect()
    }

    /// One slot, for faults and counters.
    ///
    /// # Errors
    ///
    /// When there is no such slot.
    pub fn slot(&self, number: usize) -> Result<&Slot, CounterError> {
        self.slots.get(number).ok_or(CounterError::NoSlot(number))
    }

    /// Puts a card down. Blocks for a second at a card's first use, because its key is made then.
    ///
    /// # Errors
    ///
    /// When there is no such slot or card, either is taken, or the card cannot be made.
    pub fn insert(&self, number: usize, id: &str) -> Result<SlotState, CounterError> {
        let slot = self.slot(number)?;
        let card = self.card(id)?;
        let _placing = lock(&self.placing);
        let lies = |state: &SlotState| state.card.as_deref() == Some(id);
        if let Some(other) = self.slots.iter().position(|other| lies(&other.state())) {
            return Err(CounterError::Elsewhere(other));
        }
        slot.insert(id, card)?;
        tracing::info!(slot = number, card = id, "card put down");
        Ok(slot.state())
    }

    /// Lifts the card. Returns its id.
    ///
    /// # Errors
    ///
    /// When there is no such slot, or nothing in it.
    pub fn lift(&self, number: usize) -> Result<String, CounterError> {
        let id = self
            .slot(number)?
            .lift()
            .ok_or(CounterError::Nothing(number))?;
        tracing::info!(slot = number, card = id, "card lifted");
        Ok(id)
    }

    /// Replaces a slot's faults.
    ///
    /// # Errors
    ///
    /// When there is no such slot, or the plan cannot be carried out.
    pub fn plan_faults(&self, number: usize, plan: FaultPlan) -> Result<(), CounterError> {
        Ok(self.slot(number)?.plan_faults(plan)?)
    }

    /// Has the card service killed now; its owner starts it again.
    ///
    /// # Errors
    ///
    /// When nobody is named who could, or they cannot be asked.
    pub fn kill_service(&self) -> Result<(), CounterError> {
        let owner = self.service_owner.as_ref();
        let owner = owner.ok_or(CounterError::NoServiceOwner)?;
        owner.kill().map_err(CounterError::ServiceOwner)?;
        tracing::info!("the card service is killed");
        Ok(())
    }

    /// Forgets what all slots have counted.
    pub fn reset_counters(&self) {
        self.slots.iter().for_each(Slot::reset_counters);
    }

    /// Sets how long each card takes for each command.
    pub fn set_delay(&self, delay: Duration) {
        for slot in &self.slots {
            slot.set_delay(delay);
        }
    }

    /// Tries left on a card.
    ///
    /// # Errors
    ///
    /// When there is no such card, or its counters cannot be read.
    pub fn tries(&self, id: &str) -> Result<Tries, CounterError> {
        if let Some(card) = lock(&self.cards).get(id) {
            return Ok(lock(card).tries_left());
        }
        Ok(self.try_counters(id)?.left())
    }

    /// Puts a card's tries back to its first day, as the municipal office would.
    ///
    /// # Errors
    ///
    /// When there is no such card, or its counters cannot be written.
    pub fn start_over(&self, id: &str) -> Result<Tries, CounterError> {
        let failed = |source| CounterError::File {
            path: self.tries_file(id),
            source,
        };
        if let Some(card) = lock(&self.cards).get(id) {
            let mut card = lock(card);
            card.start_over().map_err(failed)?;
            return Ok(card.tries_left());
        }
        let mut counters = self.try_counters(id)?;
        counters.start_over().map_err(failed)?;
        Ok(counters.left())
    }

    /// The agent of this counter.
    #[must_use]
    pub fn agent(&self) -> Agent {
        lock(&self.agent).clone()
    }

    /// Names another agent, once its address is known.
    pub fn set_agent(&self, agent: Agent) {
        *lock(&self.agent) = agent;
    }

    /// The card itself, made at first use.
    fn card(&self, id: &str) -> Result<Arc<Mutex<MyNumberCard>>, CounterError> {
        let mut cards = lock(&self.cards);
        if let Some(card) = cards.get(id) {
            return Ok(Arc::clone(card));
        }
        let counters = self.try_counters(id)?;
        let (image, quirks) = match self.holders.find(id) {
            Some(holder) => (self.image(holder)?, holder.quirks),
            None => (CardImage::published_test_card(), Quirks::default()),
        };
        let card = Arc::new(Mutex::new(MyNumberCard::new(image, counters, quirks)));
        cards.insert(id.to_owned(), Arc::clone(&card));
        Ok(card)
    }

    fn image(&self, holder: &Holder) -> Result<CardImage, CounterError> {
        Ok(CardImage::for_holder(holder, &self.pki)?)
    }

    fn try_counters(&self, id: &str) -> Result<TryCounters, CounterError> {
        let initial = match self.holders.find(id) {
            Some(holder) => holder.tries.unwrap_or(Tries::FULL),
            None if id == PUBLISHED => Tries::FULL,
            None => return Err(CounterError::NoCard(id.to_owned())),
        };
        let path = self.tries_file(id);
        TryCounters::in_file(initial, path.clone())
            .map_err(|source| CounterError::File { path, source })
    }

    fn tries_file(&self, id: &str) -> PathBuf {
        self.tries.join(format!("{id}.json"))
    }
}

impl CardView {
    fn of(holder: &Holder) -> Self {
        Self {
            id: holder.id.clone(),
            label: holder.label.clone(),
            name: holder.name.clone(),
            pin: holder.pin.clone(),
            verification_number_b: holder.verification_number_b(),
            expiry: holder.expiry.to_string(),
            anomaly: holder.anomaly.clone(),
        }
    }

    fn published() -> Self {
        Self {
            id: PUBLISHED.to_owned(),
            label: Label {
                ja: "J-LISのテストカード（公開された写し、秘密鍵なし）".to_owned(),
                en: "J-LIS test card (published dump, without private key)".to_owned(),
            },
            name: "黒桐　幹也".to_owned(),
            pin: "1234".to_owned(),
            verification_number_b: "55021720352285".to_owned(),
            expiry: "20350217".to_owned(),
            anomaly: None,
        }
    }
}

fn holders(settings: &Settings) -> Result<Holders, CounterError> {
    let today = Date::in_japan(clock::unix_seconds()).ok_or(CounterError::Clock)?;
    let mut holders = Holders::embedded(today)?;
    for path in &settings.holders {
        let text = fs::read_to_string(path).map_err(|source| CounterError::File {
            path: path.clone(),
            source,
        })?;
        holders = holders.and(Holders::parse(&text, today)?)?;
    }
    Ok(holders)
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
