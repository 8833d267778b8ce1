//! Ledgers and presence, so that a process that was killed goes on where its last batch ended.

use std::collections::HashMap;

use rusqlite::{OptionalExtension as _, params};
use telemetry::Lane;

use super::{Store, StoreError, failed, number, sql};
use crate::ledger::{Ledger, Stream};
use crate::presence::{Presence, Standing};
use crate::ranges::Ranges;

/// What is stored of one device.
#[derive(Debug, Default)]
pub struct Progress {
    /// What came of it.
    pub ledger: Ledger,
    /// Whether it lives.
    pub presence: Presence,
}

impl Store {
    /// What is stored of a device in one life.
    ///
    /// # Errors
    /// [`StoreError::Database`], [`StoreError::Damaged`].
    pub fn progress(&self, device: i64, life: i64) -> Result<Progress, StoreError> {
        const DOING: &str = "read a ledger";
        let rows = self.rows(
            DOING,
            "SELECT epoch, lane, last, said, made, received, excused FROM streams
             WHERE device = ?1 AND life = ?2",
            [device, life],
            |row| {
                let bytes = [row.get::<_, Vec<u8>>(5)?, row.get(6)?];
                let numbers = (number(row.get(3)?), number(row.get(4)?));
                let end = row.get::<_, Option<i64>>(2)?.map(number);
                let lane: String = row.get(1)?;
                Ok((number(row.get(0)?), lane, end, numbers, bytes))
            },
        )?;
        let streams = rows
            .into_iter()
            .map(|(epoch, lane, end, (said, made), [received, excused])| {
                let lane = Lane::of_code(&lane).ok_or(StoreError::Damaged { what: "a lane" })?;
                let stream =
                    Stream::restore(ranges(&received)?, ranges(&excused)?, end, said, made);
                Ok((epoch, lane, stream))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let finished: Option<Vec<u8>> = self
            .db
            .query_row(
                "SELECT epochs FROM finished WHERE device = ?1 AND life = ?2",
                [device, life],
                |row| row.get(0),
            )
            .optional()
            .map_err(failed(DOING))?;
        let finished = finished.map_or_else(|| Ok(Ranges::new()), |bytes| ranges(&bytes))?;
        Ok(Progress {
            ledger: Ledger::restore(finished, streams),
            presence: self.presence(device, life)?.unwrap_or_default(),
        })
    }

    /// What is known of a device's presence.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn presence(&self, device: i64, life: i64) -> Result<Option<Presence>, StoreError> {
        self.db
            .prepare_cached(
                "SELECT epoch, session, number, made, issued_at, epoch_began, session_began,
                 beat_seconds, heard_at, challenge, ended, hint_lost, standing
                 FROM presence WHERE device = ?1 AND life = ?2",
            )
            .and_then(|mut statement| {
                statement
                    .query_row([device, life], |row| {
                        let get = |at: usize| row.get::<_, i64>(at).map(number);
                        let standing: String = row.get(12)?;
                        Ok(Presence {
                            epoch: get(0)?,
                            session: get(1)?,
                            number: get(2)?,
                            made: get(3)?,
                            issued_at: get(4)?,
                            epoch_began: get(5)?,
                            session_began: get(6)?,
                            beat_seconds: u32::try_from(get(7)?).unwrap_or(u32::MAX),
                            heard_at: get(8)?,
                            challenge: row.get(9)?,
                            left: row.get(10)?,
                            hint_lost: row.get::<_, Option<i64>>(11)?.map(number),
                            standing: Standing::of_code(&standing).unwrap_or_default(),
                            ..Presence::default()
                        })
                    })
                    .optional()
            })
            .map_err(failed("read presence"))
    }

    /// Stores one lane of one epoch.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn save_stream(
        &self,
        (device, life): (i64, i64),
        (epoch, lane): (u64, Lane),
        stream: &Stream,
    ) -> Result<(), StoreError> {
        self.run(
            "store a ledger",
            "INSERT INTO streams (device, life, epoch, lane, last, said, made, received, excused)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (device, life, epoch, lane) DO UPDATE SET last = ?5, said = ?6, made = ?7,
             received = ?8, excused = ?9",
            params![
                device,
                life,
                sql(epoch),
                lane.code(),
                stream.end.map(sql),
                sql(stream.said),
                sql(stream.made),
                stream.received.to_bytes(),
                stream.excused.to_bytes()
            ],
        )?;
        Ok(())
    }

    /// Leaves out the lanes of epochs that are complete, and remembers these.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn save_finished(
        &self,
        (device, life): (i64, i64),
        forgotten: &[u64],
        finished: &Ranges,
    ) -> Result<(), StoreError> {
        const DOING: &str = "store what is complete";
        for epoch in forgotten {
            self.run(
                DOING,
                "DELETE FROM streams WHERE device = ?1 AND life = ?2 AND epoch = ?3",
                params![device, life, sql(*epoch)],
            )?;
        }
        self.run(
            DOING,
            "INSERT INTO finished (device, life, epochs) VALUES (?1, ?2, ?3)
             ON CONFLICT (device, life) DO UPDATE SET epochs = ?3",
            params![device, life, finished.to_bytes()],
        )?;
        Ok(())
    }

    /// Stores a device's presence.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn save_presence(
        &self,
        (device, life): (i64, i64),
        presence: &Presence,
    ) -> Result<(), StoreError> {
        self.run(
            "store presence",
            "INSERT OR REPLACE INTO presence (device, life, epoch, session, number, made, issued_at,
             epoch_began, session_began, beat_seconds, heard_at, challenge, ended, hint_lost, standing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            params![
                device,
                life,
                sql(presence.epoch),
                sql(presence.session),
                sql(presence.number),
                sql(presence.made),
                sql(presence.issued_at),
                sql(presence.epoch_began),
                sql(presence.session_began),
                presence.beat_seconds,
                sql(presence.heard_at),
                presence.challenge,
                presence.left,
                presence.hint_lost.map(sql),
                presence.standing.code()
            ],
        )?;
        Ok(())
    }

    /// Adds to counts by name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn count(&self, counts: &HashMap<&'static str, u64>) -> Result<(), StoreError> {
        for (name, n) in counts {
            self.run(
                "count",
                "INSERT INTO counts (name, n) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET n = n + ?2",
                params![name, sql(*n)],
            )?;
        }
        Ok(())
    }

    /// All counts by name.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        self.rows(
            "read the counts",
            "SELECT name, n FROM counts WHERE name != 'epoch' ORDER BY name",
            [],
            |row| Ok((row.get(0)?, number(row.get(1)?))),
        )
    }
}

fn ranges(bytes: &[u8]) -> Result<Ranges, StoreError> {
    Ranges::from_bytes(bytes).ok_or(StoreError::Damaged { what: "a ledger" })
}
