//! How things stand: for each thing the newest message about it.
//!
//! A fact names the envelope that proves it, and says nothing of its own; whoever shows it opens that
//! envelope, so that nothing is shown for which there is no evidence.
//! What is newest is decided by epoch and number, not by the order in which messages came.

use rusqlite::params;
use telemetry::Class;
use telemetry::message::Message;

use super::evidence::Evidence;
use super::{Store, StoreError, sql};

/// About which thing a message speaks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Which device speaks.
    pub device: i64,
    /// What is said.
    pub class: Class,
    /// About what, such as a printer's id or a command's.
    pub about: String,
}

/// The newest message about a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    /// In which life, epoch and under which number it was said.
    pub place: (i64, u64, u64),
    /// Whether it is the case, where it can cease to be: a fault that is there.
    pub raised: bool,
    /// The number of its envelope.
    pub evidence: i64,
}

/// About which thing a message speaks; `None` for presence, which is kept elsewhere.
#[must_use]
pub fn subject(message: &Message) -> Option<String> {
    Some(match message {
        Message::Birth(_) | Message::Beat(_) | Message::Leaving(_) | Message::Lost(_) => {
            return None;
        }
        Message::Dropped(drop) => format!("{}:{}:{}", drop.epoch, drop.lane.code(), drop.first),
        Message::Closed(closed) => closed.epoch.to_string(),
        Message::Fault(change) => format!("{} {}", change.device, change.fault),
        Message::Command(state) => state.command.to_string(),
        Message::Part(part) => format!("{}:{}", part.command, part.part),
        Message::Key(statement) => hex::encode(statement.key.bytes()),
        Message::Device(state) => state.device.to_string(),
        Message::Machine(_) | Message::Jobs(_) => String::new(),
        Message::Queue(queue) => format!("{}/{}", queue.site, queue.service),
    })
}

/// Whether a message says that something is the case.
#[must_use]
pub const fn is_raised(message: &Message) -> bool {
    match message {
        Message::Fault(change) => change.raised,
        Message::Birth(_)
        | Message::Beat(_)
        | Message::Leaving(_)
        | Message::Lost(_)
        | Message::Dropped(_)
        | Message::Closed(_)
        | Message::Command(_)
        | Message::Part(_)
        | Message::Key(_)
        | Message::Device(_)
        | Message::Machine(_)
        | Message::Queue(_)
        | Message::Jobs(_) => true,
    }
}

impl Store {
    /// Stores a fact, unless a newer one is there.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn save_fact(&self, subject: &Subject, fact: &Fact) -> Result<(), StoreError> {
        let (life, epoch, number) = fact.place;
        self.run(
            "store how things stand",
            "INSERT INTO facts (device, class, subject, life, epoch, number, raised, evidence)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (device, class, subject) DO UPDATE
             SET life = ?4, epoch = ?5, number = ?6, raised = ?7, evidence = ?8
             WHERE (?4, ?5, ?6) > (life, epoch, number)",
            params![
                subject.device,
                subject.class.code(),
                subject.about,
                life,
                sql(epoch),
                sql(number),
                fact.raised,
                fact.evidence
            ],
        )?;
        Ok(())
    }

    /// The evidence of how things of one class stand at a device: what is the case, in order.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn facts(&self, device: i64, class: Class) -> Result<Vec<Evidence>, StoreError> {
        let ids = self.rows(
            "read how things stand",
            "SELECT evidence FROM facts WHERE device = ?1 AND class = ?2 AND raised = 1
             ORDER BY subject",
            params![device, class.code()],
            |row| row.get::<_, i64>(0),
        )?;
        let missing = StoreError::Damaged {
            what: "evidence of a fact is missing",
        };
        let evidence: Result<Vec<_>, _> = ids.into_iter().map(|id| self.evidence(id)).collect();
        evidence?
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .ok_or(missing)
    }

    /// The evidence of how one thing of a class stands at a device.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn fact(
        &self,
        device: i64,
        class: Class,
        about: &str,
    ) -> Result<Option<Evidence>, StoreError> {
        let ids = self.rows(
            "read how a thing stands",
            "SELECT evidence FROM facts WHERE device = ?1 AND class = ?2 AND subject = ?3",
            params![device, class.code(), about],
            |row| row.get::<_, i64>(0),
        )?;
        ids.first()
            .map_or(Ok(None), |evidence| self.evidence(*evidence))
    }

    /// How many things of one class are the case at a device.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn fact_count(&self, device: i64, class: Class) -> Result<usize, StoreError> {
        let found = self.rows(
            "count how things stand",
            "SELECT 1 FROM facts WHERE device = ?1 AND class = ?2 AND raised = 1",
            params![device, class.code()],
            |_| Ok(()),
        )?;
        Ok(found.len())
    }
}
