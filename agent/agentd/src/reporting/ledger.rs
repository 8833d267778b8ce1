//! What is true of the devices, beside what of it was reported and kept.
//!
//! A turn gives the messages that close the difference; what was given is [`Ledger::kept`], and what the
//! store refuses comes again with the next turn.

use std::collections::{BTreeMap, BTreeSet};

use agent_core::effect::{DeviceListView, DeviceView};
use agent_core::event::DeviceState as State;
use commands::bundle::FaultCount;
use device_api::FaultCode;
use telemetry::message::device::{Counter, DeviceState, FaultChange, Health, Wear};
use telemetry::{Message, Word};

/// Parts that wear out: by which counters driver hosts say how much of them was used and how much is left,
/// and how many of the first make one of the second.
const PARTS: [(&str, &str, &str, u64); 2] = [
    ("cutter", "cuts", "cutsLeft", 1),
    ("printHead", "millimetres", "metresLeft", 1000),
];

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A fault came or went.
    Fault(FaultChange),
    /// A device stands otherwise.
    Device(DeviceState),
}

impl From<Change> for Message {
    fn from(change: Change) -> Self {
        match change {
            Change::Fault(change) => Self::Fault(change),
            Change::Device(state) => Self::Device(state),
        }
    }
}

/// Truth and what was kept of it.
#[derive(Debug, Default)]
pub struct Ledger {
    states: BTreeMap<Word, DeviceState>,
    faults: BTreeSet<(Word, Word)>,
    kept_states: BTreeMap<Word, DeviceState>,
    kept_faults: BTreeSet<(Word, Word)>,
    /// How often each fault was raised since the start.
    raised: BTreeMap<(Word, Word), u64>,
}

impl Ledger {
    /// All devices stand so.
    pub fn devices(&mut self, view: &DeviceListView) {
        let before = self.faults.clone();
        let agent = agent();
        self.faults.retain(|(device, _)| *device == agent);
        let states = view.devices.iter().filter_map(state_of);
        let known: BTreeMap<Word, DeviceState> =
            states.map(|state| (state.device.clone(), state)).collect();
        for state in known.values() {
            let fault = state
                .fault
                .clone()
                .filter(|_| state.health == Health::Faulty);
            self.faults
                .extend(fault.map(|fault| (state.device.clone(), fault)));
        }
        for new in self.faults.difference(&before) {
            *self.raised.entry(new.clone()).or_default() += 1;
        }
        // A device whose host is gone is told to be absent, not forgotten.
        for (device, state) in &mut self.states {
            if !known.contains_key(device) {
                state.health = Health::Absent;
            }
        }
        self.states.extend(known);
    }

    /// A fault of the agent itself came or went.
    pub fn agent_fault(&mut self, fault: FaultCode, raised: bool) {
        let entry = (agent(), code(fault));
        if raised {
            if self.faults.insert(entry.clone()) {
                *self.raised.entry(entry).or_default() += 1;
            }
        } else {
            self.faults.remove(&entry);
        }
    }

    /// How the devices stand.
    #[must_use]
    pub fn states(&self) -> Vec<DeviceState> {
        self.states.values().cloned().collect()
    }

    /// Which faults there were since the start, and how often.
    #[must_use]
    pub fn fault_counts(&self) -> Vec<FaultCount> {
        let counts = self
            .raised
            .iter()
            .map(|((device, fault), count)| FaultCount {
                device: device.clone(),
                fault: fault.clone(),
                count: *count,
            });
        counts.collect()
    }

    /// What differs from what was kept: faults first.
    #[must_use]
    pub fn due(&self) -> Vec<Change> {
        let change = |(device, fault): &(Word, Word), raised| {
            Change::Fault(FaultChange {
                device: device.clone(),
                fault: fault.clone(),
                raised,
            })
        };
        let raised = self.faults.difference(&self.kept_faults);
        let cleared = self.kept_faults.difference(&self.faults);
        let states = self
            .states
            .iter()
            .filter(|(device, state)| self.kept_states.get(*device) != Some(*state));
        raised
            .map(|entry| change(entry, true))
            .chain(cleared.map(|entry| change(entry, false)))
            .chain(states.map(|(_, state)| Change::Device(state.clone())))
            .collect()
    }

    /// This was given to the store.
    pub fn kept(&mut self, change: &Change) {
        match change {
            Change::Fault(change) => self.note_fault(change, change.raised),
            Change::Device(state) => {
                let device = state.device.clone();
                self.kept_states.insert(device, state.clone());
            }
        }
    }

    /// The store could not keep this after all.
    pub fn not_kept(&mut self, change: &Change) {
        match change {
            Change::Fault(change) => self.note_fault(change, !change.raised),
            Change::Device(state) => {
                self.kept_states.remove(&state.device);
            }
        }
    }

    fn note_fault(&mut self, change: &FaultChange, there: bool) {
        let entry = (change.device.clone(), change.fault.clone());
        if there {
            self.kept_faults.insert(entry);
        } else {
            self.kept_faults.remove(&entry);
        }
    }

    /// Everything is reported again with the next turn: once a day, and where the monitor knows nothing.
    pub fn forget_kept_states(&mut self) {
        self.kept_states.clear();
    }
}

/// The agent itself, among devices.
fn agent() -> Word {
    Word::or_unnamed("agent")
}

fn code(fault: FaultCode) -> Word {
    Word::or_unnamed(fault.as_str())
}

fn state_of(view: &DeviceView) -> Option<DeviceState> {
    let fault = view.trouble.or_else(|| view.warnings.first().copied());
    let (make, counters) = (&view.facts.make, &view.facts.counters);
    let wear = PARTS.iter().filter_map(|(part, used, left, unit)| {
        let used = counters.get(*used)? / unit;
        Some(Wear {
            part: Word::or_unnamed(part),
            used,
            rated: used.saturating_add(*counters.get(*left)?),
        })
    });
    Some(DeviceState {
        device: Word::cleaned(view.id.as_str())?,
        class: Word::or_unnamed(view.class.as_str()),
        health: health(view),
        fault: fault.map(code),
        model: Word::cleaned(&make.model),
        firmware: Word::cleaned(&make.firmware),
        counters: counters
            .iter()
            .filter_map(|(name, count)| {
                Some(Counter {
                    name: Word::cleaned(name)?,
                    count: *count,
                })
            })
            .collect(),
        wear: wear.collect(),
    })
}

fn health(view: &DeviceView) -> Health {
    match (view.state, view.trouble, view.warnings.is_empty()) {
        (State::Absent, _, _) => Health::Absent,
        (_, Some(_), _) => Health::Faulty,
        // A card that does not answer is a card's fault, and the citizen's.
        (
            State::Empty | State::CardPresent | State::CardMute | State::Ready | State::InUse,
            None,
            true,
        ) => Health::Working,
        (
            State::Empty | State::CardPresent | State::CardMute | State::Ready | State::InUse,
            None,
            false,
        ) => Health::Attention,
        (State::NotReady | State::Denied | State::Unresponsive, None, _) => Health::Faulty,
    }
}

#[cfg(test)]
mod tests;
