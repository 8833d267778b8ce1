//! Whether what a device confirmed and what the monitor can prove are the same.
//!
//! Every confirmed message is in the evidence exactly once, or a signed drop record names it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::ensure;
use monitor::alarm::AlarmKind;

use super::device::MessageName;
use super::verifier::Evidence;

/// The most messages that a failure names.
const MOST_NAMED: usize = 10;

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balance {
    /// Messages that the device confirmed as kept.
    pub confirmed: usize,
    /// Of these, in the evidence.
    pub proved: usize,
    /// Of these, only named in a drop record.
    pub explained: usize,
    /// Drop records.
    pub drop_records: usize,
    /// Envelopes that came again and were counted only.
    pub duplicates: u64,
    /// How often each alarm was raised.
    pub alarms: BTreeMap<&'static str, u64>,
}

impl Balance {
    /// Compares; what must hold in any case is checked here.
    ///
    /// # Errors
    /// When a message is missing without an explanation, or was accepted twice.
    pub fn draw(
        confirmed: &BTreeSet<MessageName>,
        evidence: &mut Evidence,
    ) -> anyhow::Result<Self> {
        // Beats go on coming meanwhile.
        let before = evidence.count("fresh")?;
        evidence.read()?;
        let after = evidence.count("fresh")?;
        ensure!(
            (before..=after).contains(&evidence.envelopes),
            "{before} to {after} messages were accepted, and {} are there",
            evidence.envelopes
        );
        let twice = evidence.names.values().filter(|times| **times > 1).count();
        ensure!(twice == 0, "{twice} messages were accepted twice");
        let absent: Vec<_> = confirmed
            .iter()
            .filter(|name| !evidence.names.contains_key(name))
            .collect();
        let unexplained: Vec<_> = absent
            .iter()
            .filter(|name| !is_explained(evidence, name))
            .collect();
        ensure!(
            unexplained.is_empty(),
            "{} of {} confirmed messages are nowhere: {:?}",
            unexplained.len(),
            confirmed.len(),
            unexplained.iter().take(MOST_NAMED).collect::<Vec<_>>()
        );
        let mut alarms = BTreeMap::new();
        for alarm in evidence.alarms()? {
            *alarms.entry(alarm.kind.code()).or_default() += alarm.times;
        }
        Ok(Self {
            confirmed: confirmed.len(),
            proved: confirmed.len() - absent.len(),
            explained: absent.len(),
            drop_records: evidence.dropped.len(),
            duplicates: evidence.count("duplicate")?,
            alarms,
        })
    }

    /// Fails where anything was dropped.
    ///
    /// # Errors
    /// When there is a drop record.
    pub fn must_be_whole(&self) -> anyhow::Result<()> {
        ensure!(
            self.explained == 0 && self.drop_records == 0,
            "messages were dropped within the quota: {self}"
        );
        Ok(())
    }

    /// Fails where an alarm of another kind was raised, or one of `expected` was not.
    ///
    /// # Errors
    /// As said.
    pub fn must_name(&self, expected: &[AlarmKind], allowed: &[AlarmKind]) -> anyhow::Result<()> {
        let codes = |kinds: &[AlarmKind]| kinds.iter().map(|kind| kind.code()).collect();
        let (expected, allowed): (BTreeSet<&str>, BTreeSet<&str>) =
            (codes(expected), codes(allowed));
        let raised: BTreeSet<&str> = self.alarms.keys().copied().collect();
        ensure!(expected.is_subset(&raised), "{expected:?} expected: {self}");
        let strange: Vec<_> = raised
            .iter()
            .filter(|kind| !expected.contains(**kind) && !allowed.contains(**kind))
            .collect();
        ensure!(strange.is_empty(), "{strange:?} not expected: {self}");
        Ok(())
    }
}

/// Whether the device keeps nothing any more, by the newest beat that is proved.
#[must_use]
pub fn is_settled(confirmed: &BTreeSet<MessageName>, evidence: &Evidence) -> bool {
    let Some((epoch, _, marks)) = &evidence.beat else {
        return false;
    };
    let newest = |lane| {
        let mark = marks.iter().find(|mark| mark.lane == lane);
        mark.map_or(0, |mark| mark.newest)
    };
    marks.iter().all(|mark| mark.kept == 0)
        && confirmed
            .iter()
            .rev()
            .take_while(|(of, ..)| of >= epoch)
            .all(|(of, lane, number)| of == epoch && *number <= newest(*lane))
}

fn is_explained(evidence: &Evidence, name: &MessageName) -> bool {
    let (epoch, lane, number) = *name;
    evidence.dropped.iter().any(|dropped| {
        (dropped.epoch, dropped.lane) == (epoch, lane)
            && (dropped.first..=dropped.last).contains(&number)
    })
}

impl fmt::Display for Balance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} confirmed, {} proved once, {} named in {} drop records, {} duplicates",
            self.confirmed, self.proved, self.explained, self.drop_records, self.duplicates,
        )?;
        if self.alarms.is_empty() {
            return f.write_str(", no alarm");
        }
        let mut alarms = self.alarms.iter();
        alarms.try_for_each(|(kind, times)| write!(f, ", {kind} {times} times"))
    }
}
