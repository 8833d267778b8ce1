//! Keys that devices state themselves, within the batch that holds the statement.
//!
//! ```text
//! stated (waits) -> first message of it in epoch E: the key that stated it counts until E - 1
//!      '-> a newer statement, before it has signed: it is forgotten
//! ```
//! Invariant: of one device at most one key waits.

use rusqlite::{OptionalExtension as _, params};
use telemetry::VerifyingKey;

use super::{Store, StoreError, failed, number, sql};

/// A statement that is proved.
#[derive(Debug, Clone, Copy)]
pub struct Statement<'a> {
    /// Of which device, in which of its lives.
    pub device: (i64, i64),
    /// The key that signed it.
    pub by: &'a VerifyingKey,
    /// The key that it names.
    pub key: &'a VerifyingKey,
    /// Its epoch and number.
    pub place: (u64, u64),
}

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stated {
    /// The key waits from now on.
    New,
    /// It waited already.
    Known,
    /// A newer statement has come before.
    Older,
    /// The key is registered already, perhaps for another device.
    Taken,
}

/// A key that waits, and where its statement stands.
struct Waiting {
    key: Vec<u8>,
    place: (u64, u64),
}

impl Store {
    /// Registers the key of a statement: it counts from the next epoch on, and waits until it signs. Another
    /// one that waits is forgotten.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn state_key(&self, statement: &Statement<'_>) -> Result<Stated, StoreError> {
        let (device, life) = statement.device;
        if let Some(waiting) = self.waiting(statement.device)? {
            let same = waiting.key == statement.key.bytes();
            if waiting.place >= statement.place {
                return Ok(if same { Stated::Known } else { Stated::Older });
            }
            if same {
                self.run(
                    "note the newer statement",
                    "UPDATE keys SET stated_epoch = ?2, stated_number = ?3 WHERE key = ?1",
                    params![waiting.key, sql(statement.place.0), sql(statement.place.1)],
                )?;
                return Ok(Stated::Known);
            }
        }
        let taken = self.rows(
            "look for the key",
            "SELECT 1 FROM keys WHERE key = ?1",
            [statement.key.bytes().as_slice()],
            |_| Ok(()),
        )?;
        if !taken.is_empty() {
            return Ok(Stated::Taken);
        }
        self.run(
            "forget the key that waited",
            "DELETE FROM keys WHERE device = ?1 AND waits = 1",
            [device],
        )?;
        let (epoch, place) = statement.place;
        self.run(
            "add the key that was stated",
            "INSERT INTO keys (device, key, life, from_epoch, stated_by, stated_epoch, stated_number, waits)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1)",
            params![
                device,
                statement.key.bytes().as_slice(),
                life,
                sql(epoch.saturating_add(1)),
                statement.by.bytes().as_slice(),
                sql(epoch),
                sql(place)
            ],
        )?;
        Ok(Stated::New)
    }

    /// Notes that a key has signed in an epoch: it waits no longer, and the key that stated it counts only
    /// before that epoch.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn key_signed(
        &self,
        device: (i64, i64),
        key: &VerifyingKey,
        epoch: u64,
    ) -> Result<(), StoreError> {
        self.run(
            "put the key in force",
            "UPDATE keys SET waits = 0 WHERE key = ?1",
            [key.bytes().as_slice()],
        )?;
        self.run(
            "end the key before it",
            "UPDATE keys SET until_epoch = ?4 WHERE device = ?1 AND life = ?2
             AND key = (SELECT stated_by FROM keys WHERE key = ?3)
             AND (until_epoch IS NULL OR until_epoch > ?4)",
            params![
                device.0,
                device.1,
                key.bytes().as_slice(),
                sql(epoch.saturating_sub(1))
            ],
        )?;
        Ok(())
    }

    /// The key of a device that waits, and where its statement stands.
    fn waiting(&self, (device, life): (i64, i64)) -> Result<Option<Waiting>, StoreError> {
        self.db
            .query_row(
                "SELECT key, stated_epoch, stated_number FROM keys
                 WHERE device = ?1 AND life = ?2 AND waits = 1",
                [device, life],
                |row| {
                    Ok(Waiting {
                        key: row.get(0)?,
                        place: (number(row.get(1)?), number(row.get(2)?)),
                    })
                },
            )
            .optional()
            .map_err(failed("look for the key that waits"))
    }
}
