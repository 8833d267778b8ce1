//! Commands that operators gave: their messages, and how far sending has come.
//!
//! An order is sent again in each session of its device until the number of the envelope that settles it is
//! stored.

use rusqlite::params;

use super::{Store, StoreError, number, sql};

/// A command that was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its id, as 32 hexadecimal digits.
    pub id: String,
    /// The number of its device.
    pub device: i64,
    /// When it was given, in milliseconds since 1970.
    pub given_at: u64,
    /// From when on it may not begin, in seconds since 1970.
    pub expires: u64,
    /// What travels.
    pub message: Vec<u8>,
    /// When it was sent last, in milliseconds since 1970.
    pub sent_at: Option<u64>,
    /// In which epoch and session of the device that was.
    pub sent_in: Option<(u64, u64)>,
    /// The number of the envelope with its final state.
    pub settled: Option<i64>,
    /// The epoch and session in which the device was heard last.
    pub heard_in: Option<(u64, u64)>,
}

const COLUMNS: &str = "SELECT o.id, o.device, o.given_at, o.expires, o.message, o.sent_at, o.epoch,
    o.session, o.settled, p.epoch, p.session
    FROM orders o LEFT JOIN presence p ON p.device = o.device";

impl Store {
    /// Keeps a command for sending.
    ///
    /// # Errors
    /// [`StoreError::Taken`] where its id is known; [`StoreError::Database`].
    pub fn give(&self, order: &Given) -> Result<(), StoreError> {
        self.run(
            "keep a command",
            "INSERT INTO orders (id, device, given_at, expires, message) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                order.id,
                order.device,
                sql(order.given_at),
                sql(order.expires),
                order.message
            ],
        )?;
        Ok(())
    }

    /// Commands whose final state is not known.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn open_orders(&self) -> Result<Vec<Given>, StoreError> {
        let question = format!("{COLUMNS} WHERE o.settled IS NULL ORDER BY o.given_at");
        self.rows("read commands", &question, [], given)
    }

    /// All commands, the oldest first.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn orders(&self) -> Result<Vec<Given>, StoreError> {
        let question = format!("{COLUMNS} ORDER BY o.given_at");
        self.rows("read commands", &question, [], given)
    }

    /// The command of this id.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn order(&self, id: &str) -> Result<Option<Given>, StoreError> {
        let question = format!("{COLUMNS} WHERE o.id = ?1");
        let found = self.rows("read a command", &question, [id], given)?;
        Ok(found.into_iter().next())
    }

    /// Takes note that a command was sent in a session of its device.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn sent(&self, id: &str, at: u64, within: (u64, u64)) -> Result<(), StoreError> {
        self.run(
            "note that a command was sent",
            "UPDATE orders SET sent_at = ?2, epoch = ?3, session = ?4 WHERE id = ?1",
            params![id, sql(at), sql(within.0), sql(within.1)],
        )?;
        Ok(())
    }

    /// Takes note of the envelope with the final state of a command.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn settle_order(&self, id: &str, evidence: i64) -> Result<(), StoreError> {
        self.run(
            "note the end of a command",
            "UPDATE orders SET settled = ?2 WHERE id = ?1",
            params![id, evidence],
        )?;
        Ok(())
    }
}

fn given(row: &rusqlite::Row<'_>) -> rusqlite::Result<Given> {
    let pair =
        |epoch: Option<i64>, session: Option<i64>| epoch.map(number).zip(session.map(number));
    Ok(Given {
        id: row.get(0)?,
        device: row.get(1)?,
        given_at: number(row.get(2)?),
        expires: number(row.get(3)?),
        message: row.get(4)?,
        sent_at: row.get::<_, Option<i64>>(5)?.map(number),
        sent_in: pair(row.get(6)?, row.get(7)?),
        settled: row.get(8)?,
        heard_in: pair(row.get(9)?, row.get(10)?),
    })
}
