//! Alarms, which are never deleted, and happenings, which tell those who follow.
//!
//! Of one kind about one device and lane there is one open alarm, which counts: a flood of forged messages
//! costs one row, which holds the first message as evidence.

use rusqlite::params;

use super::{Store, StoreError, number, sql};
use crate::alarm::{Alarm, AlarmKind};

/// An alarm with what proves it.
#[derive(Debug, Clone)]
pub struct Raised {
    /// About which device.
    pub device: Option<i64>,
    /// What.
    pub alarm: Alarm,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// How often.
    pub times: u64,
    /// The topic of the message that is wrong.
    pub topic: String,
    /// Its bytes; none for what is missing.
    pub envelope: Option<Vec<u8>>,
    /// The bytes that it contradicts.
    pub other: Option<Vec<u8>>,
}

/// An alarm as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAlarm {
    /// Its number.
    pub id: i64,
    /// About which device.
    pub device: Option<String>,
    /// What.
    pub kind: AlarmKind,
    /// In which epoch, lane and of which number, in words; empty where it is about none.
    pub place: String,
    /// When first, in milliseconds since 1970.
    pub first_at: u64,
    /// When last.
    pub last_at: u64,
    /// How often.
    pub times: u64,
    /// What exactly.
    pub detail: String,
    /// When an operator settled it.
    pub settled_at: Option<u64>,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Its number.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// To which device.
    pub device: Option<String>,
    /// What: `presence`, `alarm`.
    pub what: String,
    /// In words.
    pub detail: String,
}

impl Store {
    /// Keeps an alarm, or counts it where it is open.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn raise(&self, raised: &Raised) -> Result<(), StoreError> {
        let alarm = &raised.alarm;
        let stream = alarm.stream;
        let known = self.run(
            "count an alarm",
            "UPDATE alarms SET n = n + ?5, last_at = ?6, detail = ?7, number = ifnull(?8, number)
             WHERE settled_at IS NULL AND ifnull(device, 0) = ifnull(?1, 0) AND kind = ?2
             AND ifnull(epoch, -1) = ifnull(?3, -1) AND ifnull(lane, '') = ifnull(?4, '')",
            params![
                raised.device,
                alarm.kind.code(),
                stream.map(|(epoch, _)| sql(epoch)),
                stream.map(|(_, lane)| lane.code()),
                sql(raised.times),
                sql(raised.at),
                alarm.detail,
                alarm.number.map(sql)
            ],
        )?;
        if known > 0 {
            return Ok(());
        }
        self.run(
            "keep an alarm",
            "INSERT INTO alarms (device, kind, epoch, lane, number, first_at, last_at, n, detail, topic,
             envelope, other) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                raised.device,
                alarm.kind.code(),
                stream.map(|(epoch, _)| sql(epoch)),
                stream.map(|(_, lane)| lane.code()),
                alarm.number.map(sql),
                sql(raised.at),
                sql(raised.times),
                alarm.detail,
                raised.topic,
                raised.envelope,
                raised.other
            ],
        )?;
        let text = format!("{} {}", alarm.kind.code(), alarm.detail);
        self.happened(raised.at, raised.device, "alarm", &text)
    }

    /// Alarms, the newest first; with `all`, those too that are settled.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn alarms(&self, device: Option<i64>, all: bool) -> Result<Vec<KeptAlarm>, StoreError> {
        let rows = self.rows(
            "read the alarms",
            "SELECT a.id, d.name, a.kind, a.epoch, a.lane, a.number, a.first_at, a.last_at, a.n, a.detail,
             a.settled_at FROM alarms a LEFT JOIN devices d ON d.id = a.device
             WHERE (?1 IS NULL OR a.device = ?1) AND (?2 OR a.settled_at IS NULL)
             ORDER BY a.last_at DESC, a.id DESC",
            params![device, all],
            |row| {
                let kind: String = row.get(2)?;
                let epoch: Option<i64> = row.get(3)?;
                let lane: Option<String> = row.get(4)?;
                let place = match (epoch, lane, row.get::<_, Option<i64>>(5)?) {
                    (Some(epoch), Some(lane), Some(number)) => format!("{epoch}/{lane}/{number}"),
                    (Some(epoch), Some(lane), None) => format!("{epoch}/{lane}"),
                    _ => String::new(),
                };
                Ok((
                    kind,
                    KeptAlarm {
                        id: row.get(0)?,
                        device: row.get(1)?,
                        kind: AlarmKind::Malformed,
                        place,
                        first_at: number(row.get(6)?),
                        last_at: number(row.get(7)?),
                        times: number(row.get(8)?),
                        detail: row.get(9)?,
                        settled_at: row.get::<_, Option<i64>>(10)?.map(number),
                    },
                ))
            },
        )?;
        rows.into_iter()
            .map(|(kind, alarm)| {
                let kind = AlarmKind::of_code(&kind).ok_or(StoreError::Damaged {
                    what: "the kind of an alarm",
                })?;
                Ok(KeptAlarm { kind, ..alarm })
            })
            .collect()
    }

    /// Settles an alarm: somebody has dealt with it. It is kept, and the next of its kind is a new one.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn settle(&self, alarm: i64, at: u64) -> Result<bool, StoreError> {
        let changed = self.run(
            "settle an alarm",
            "UPDATE alarms SET settled_at = ?2 WHERE id = ?1 AND settled_at IS NULL",
            [alarm, sql(at)],
        )?;
        Ok(changed > 0)
    }

    /// Notes something that happened.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn happened(
        &self,
        at: u64,
        device: Option<i64>,
        what: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.run(
            "note a happening",
            "INSERT INTO happenings (at, device, what, detail) VALUES (?1, ?2, ?3, ?4)",
            params![sql(at), device, what, detail],
        )?;
        Ok(())
    }

    /// What happened after a happening.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn happenings_after(&self, id: i64) -> Result<Vec<Happening>, StoreError> {
        self.rows(
            "read what happened",
            "SELECT h.id, h.at, d.name, h.what, h.detail FROM happenings h
             LEFT JOIN devices d ON d.id = h.device WHERE h.id > ?1 ORDER BY h.id",
            [id],
            |row| {
                Ok(Happening {
                    id: row.get(0)?,
                    at: number(row.get(1)?),
                    device: row.get(2)?,
                    what: row.get(3)?,
                    detail: row.get(4)?,
                })
            },
        )
    }

    /// Deletes happenings before a moment; alarms stay.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn prune_happenings(&self, before: u64) -> Result<usize, StoreError> {
        self.run(
            "delete old happenings",
            "DELETE FROM happenings WHERE at < ?1",
            [sql(before)],
        )
    }
}
