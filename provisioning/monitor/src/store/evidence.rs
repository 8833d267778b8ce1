//! Envelopes, byte for byte, so that anybody can verify them again.
//!
//! A topic follows from the device's name and the class, so it is not kept a second time.

use rusqlite::{OptionalExtension as _, params};
use telemetry::topic::UpTopic;
use telemetry::{Class, Lane, Stamp};

use super::{Store, StoreError, failed, number, sql};

/// An envelope that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its number in the database.
    pub id: i64,
    /// Where it was published.
    pub topic: UpTopic,
    /// In which life of the device.
    pub life: i64,
    /// When it came, in milliseconds since 1970.
    pub received_at: u64,
    /// Its bytes.
    pub envelope: Vec<u8>,
}

/// A name of a message of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// Whose.
    pub device: i64,
    /// In which life.
    pub life: i64,
    /// In which epoch.
    pub epoch: u64,
    /// In which lane.
    pub lane: Lane,
    /// Its number.
    pub number: u64,
}

impl Name {
    /// The name that a stamp gives.
    #[must_use]
    pub const fn new(device: i64, life: i64, stamp: &Stamp) -> Self {
        Self {
            device,
            life,
            epoch: stamp.epoch,
            lane: stamp.lane,
            number: stamp.number,
        }
    }
}

impl Store {
    /// Keeps an envelope; its number in the database.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where one of that name is kept; [`StoreError::Database`].
    pub fn keep(
        &self,
        name: &Name,
        class: Class,
        received_at: u64,
        envelope: &[u8],
    ) -> Result<i64, StoreError> {
        self.run(
            "keep an envelope",
            "INSERT INTO evidence (device, life, epoch, lane, number, class, received_at, envelope)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                name.device,
                name.life,
                sql(name.epoch),
                name.lane.code(),
                sql(name.number),
                class.code(),
                sql(received_at),
                envelope
            ],
        )?;
        Ok(self.db.last_insert_rowid())
    }

    /// The envelope of a name, and when it came.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn kept(&self, name: &Name) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        self.db
            .prepare_cached(
                "SELECT received_at, envelope FROM evidence
                 WHERE device = ?1 AND life = ?2 AND epoch = ?3 AND lane = ?4 AND number = ?5",
            )
            .and_then(|mut statement| {
                let values = params![
                    name.device,
                    name.life,
                    sql(name.epoch),
                    name.lane.code(),
                    sql(name.number)
                ];
                statement
                    .query_row(values, |row| Ok((number(row.get(0)?), row.get(1)?)))
                    .optional()
            })
            .map_err(failed("look for an envelope"))
    }

    /// Up to `most` envelopes that came after one, in the order in which they came; of one device or of all.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn evidence_after(
        &self,
        id: i64,
        device: Option<i64>,
        most: usize,
    ) -> Result<Vec<Evidence>, StoreError> {
        let rows = self.rows(
            "read evidence",
            "SELECT e.id, d.name, e.class, e.life, e.received_at, e.envelope
             FROM evidence e JOIN devices d ON d.id = e.device
             WHERE e.id > ?1 AND (?2 IS NULL OR e.device = ?2) ORDER BY e.id LIMIT ?3",
            params![id, device, i64::try_from(most).unwrap_or(i64::MAX)],
            read,
        )?;
        rows.into_iter().map(Row::evidence).collect()
    }

    /// One envelope.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn evidence(&self, id: i64) -> Result<Option<Evidence>, StoreError> {
        let rows = self.rows(
            "read evidence",
            "SELECT e.id, d.name, e.class, e.life, e.received_at, e.envelope
             FROM evidence e JOIN devices d ON d.id = e.device WHERE e.id = ?1",
            [id],
            read,
        )?;
        rows.into_iter().next().map(Row::evidence).transpose()
    }

    /// The number of the newest envelope; 0 where there is none.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn newest_evidence(&self) -> Result<i64, StoreError> {
        self.db
            .query_row("SELECT ifnull(max(id), 0) FROM evidence", [], |row| {
                row.get(0)
            })
            .map_err(failed("read evidence"))
    }

    /// How many envelopes are kept.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn evidence_count(&self) -> Result<u64, StoreError> {
        self.db
            .query_row("SELECT count(*) FROM evidence", [], |row| row.get(0))
            .map(number)
            .map_err(failed("count the evidence"))
    }

    /// Deletes envelopes that came before a moment, and signs of life that came before another, but for those
    /// on which the present view rests; how many.
    ///
    /// Alarms keep their own copies. What was deleted is not accepted again: the ledger knows it.
    /// The newest one stays, so that no number in the database is given twice.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn prune(&self, before: u64, signs_before: u64) -> Result<usize, StoreError> {
        self.run(
            "delete old evidence",
            "DELETE FROM evidence
             WHERE (received_at < ?1 OR (lane = 'hb' AND received_at < ?2))
             AND id NOT IN (SELECT evidence FROM facts)
             AND id < (SELECT max(id) FROM evidence)",
            [sql(before), sql(signs_before)],
        )
    }
}

/// A row before it is understood.
struct Row {
    id: i64,
    device: String,
    class: String,
    life: i64,
    received_at: u64,
    envelope: Vec<u8>,
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        device: row.get(1)?,
        class: row.get(2)?,
        life: row.get(3)?,
        received_at: number(row.get(4)?),
        envelope: row.get(5)?,
    })
}

impl Row {
    fn evidence(self) -> Result<Evidence, StoreError> {
        let class = Class::of_code(&self.class).ok_or(StoreError::Damaged {
            what: "the class of an envelope",
        })?;
        let from = super::devices::name(&self.device)?;
        Ok(Evidence {
            id: self.id,
            topic: UpTopic { from, class },
            life: self.life,
            received_at: self.received_at,
            envelope: self.envelope,
        })
    }
}
