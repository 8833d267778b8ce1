//! The database: evidence as it came, and what follows from it, in one file.
//!
//! One transaction holds a batch of messages with everything that follows from them, and is synced
//! (`synchronous=FULL`, write-ahead log), so that after any crash a message is in the file with all its
//! consequences or not at all.
//! Acknowledgements are made after the commit.
//! Other processes may read, and change the registry; one process at a time may take messages in
//! ([`Writer`]).
//!
//! | module | what it keeps |
//! |---|---|
//! | [`devices`] | devices, their keys, people who may command |
//! | [`succession`] | keys that devices state themselves |
//! | [`evidence`] | envelopes, byte for byte |
//! | [`progress`] | ledgers, presence, counts |
//! | [`orders`] | commands that were given, and how far their sending has come |
//! | [`facts`] | how things stand: the newest state, faults, commands |
//! | [`alarms`] | what was wrong, and what happened |

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

pub mod alarms;
pub mod devices;
pub mod evidence;
pub mod facts;
pub mod orders;
pub mod progress;
mod schema;
pub mod succession;

/// The version of what the file holds.
pub const FORMAT: i64 = 2;
/// Marks the file as ours: "MDGM".
const APPLICATION: i64 = 0x4D44_474D;

/// The database.
#[derive(Debug)]
pub struct Store {
    db: Connection,
}

/// The right to take messages in; it ends with the value, and with the process.
#[derive(Debug)]
pub struct Writer(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

/// The database cannot be used, or not for this.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be opened.
    #[error("the database {path} cannot be opened")]
    Open {
        /// Which.
        path: String,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A later version of this program made it.
    #[error(
        "the database is of format {found}, and this program knows formats up to {FORMAT}: use the program that made it"
    )]
    Newer {
        /// Its format.
        found: i64,
    },
    /// It is a database of another program.
    #[error("the file is a database of another program")]
    Foreign,
    /// Another process takes messages into it.
    #[error("another monitor uses the database")]
    InUse,
    /// The file that keeps others out cannot be made.
    #[error("the lock beside the database cannot be made")]
    Lock {
        /// What the system says.
        source: std::io::Error,
    },
    /// SQLite refuses.
    #[error("the database failed to {doing}")]
    Database {
        /// What was attempted.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// What is stored makes no sense.
    #[error("the database is damaged: {what}")]
    Damaged {
        /// Where.
        what: &'static str,
    },
    /// There is no such device.
    #[error("no such device is registered")]
    NoDevice,
    /// There is such a device, person or key already.
    #[error("it is registered already")]
    Taken,
}

impl Store {
    /// Opens the database, and makes it where there is none.
    ///
    /// # Errors
    /// [`StoreError::Open`], [`StoreError::Newer`], [`StoreError::Foreign`]; nothing in the file was changed.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let opened = |source| StoreError::Open {
            path: path.display().to_string(),
            source,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(opened)?;
        Self::prepare(db, opened)
    }

    fn prepare(
        db: Connection,
        opened: impl Fn(rusqlite::Error) -> StoreError,
    ) -> Result<Self, StoreError> {
        let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let format = pragma("user_version").map_err(&opened)?;
        let application = pragma("application_id").map_err(&opened)?;
        let tables: i64 = db
            .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
            .map_err(&opened)?;
        if tables > 0 && application != APPLICATION {
            return Err(StoreError::Foreign);
        }
        if format > FORMAT {
            return Err(StoreError::Newer { found: format });
        }
        db.busy_timeout(std::time::Duration::from_secs(10))
            .map_err(&opened)?;
        db.set_prepared_statement_cache_capacity(64);
        db.execute_batch(schema::SETTINGS).map_err(&opened)?;
        if tables == 0 {
            db.execute_batch(schema::TABLES).map_err(&opened)?;
        } else if format < FORMAT {
            upgrade(&db).map_err(&opened)?;
        }
        Ok(Self { db })
    }

    /// Takes the right to take messages in.
    ///
    /// # Errors
    /// [`StoreError::InUse`] where another process has it, [`StoreError::Lock`].
    pub fn writer(path: &Path) -> Result<Writer, StoreError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let file = File::create(beside).map_err(|source| StoreError::Lock { source })?;
        match file.try_lock() {
            Ok(()) => Ok(Writer(file)),
            Err(std::fs::TryLockError::WouldBlock) => Err(StoreError::InUse),
            Err(std::fs::TryLockError::Error(source)) => Err(StoreError::Lock { source }),
        }
    }

    /// Begins a batch.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn begin(&self) -> Result<(), StoreError> {
        self.batch("begin a batch", "BEGIN IMMEDIATE")
    }

    /// Ends a batch; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Database`]; whether the batch is there shows after the next [`Self::open`].
    pub fn commit(&self) -> Result<(), StoreError> {
        self.batch("commit a batch", "COMMIT")
    }

    /// Takes back a batch.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn roll_back(&self) -> Result<(), StoreError> {
        if self.db.is_autocommit() {
            return Ok(());
        }
        self.batch("take back a batch", "ROLLBACK")
    }

    /// A number that changes when another process has changed the database.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn changed_by_others(&self) -> Result<i64, StoreError> {
        self.db
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(failed("look for changes"))
    }

    /// Begins a new epoch of what the monitor signs; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`StoreError::Database`].
    pub fn next_epoch(&self) -> Result<u64, StoreError> {
        let epoch: i64 = self
            .db
            .query_row(
                "INSERT INTO counts (name, n) VALUES ('epoch', 1)
                 ON CONFLICT (name) DO UPDATE SET n = n + 1 RETURNING n",
                [],
                |row| row.get(0),
            )
            .map_err(failed("begin an epoch"))?;
        Ok(number(epoch))
    }

    fn batch(&self, doing: &'static str, sql: &str) -> Result<(), StoreError> {
        self.db.execute_batch(sql).map_err(failed(doing))
    }

    /// Runs a prepared statement.
    fn run(
        &self,
        doing: &'static str,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<usize, StoreError> {
        self.db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(values))
            .map_err(failed(doing))
    }

    /// The rows of a question.
    fn rows<T>(
        &self,
        doing: &'static str,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let read_all = || {
            let mut statement = self.db.prepare_cached(sql)?;
            let rows = statement.query_map(values, read)?;
            rows.collect()
        };
        let all: rusqlite::Result<Vec<T>> = read_all();
        all.map_err(failed(doing))
    }
}

/// Brings a database of format 1 up to this one, where no other process has done so meanwhile.
fn upgrade(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch("BEGIN IMMEDIATE")?;
    let format: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if format < FORMAT {
        db.execute_batch(schema::FROM_1_TO_2)?;
    }
    db.execute_batch("COMMIT")
}

/// Says what was attempted.
fn failed(doing: &'static str) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| {
        let code = source.sqlite_error().map(|error| error.extended_code);
        let twice = [
            rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE,
            rusqlite::ffi::SQLITE_CONSTRAINT_PRIMARYKEY,
        ];
        if code.is_some_and(|code| twice.contains(&code)) {
            StoreError::Taken
        } else {
            StoreError::Database { doing, source }
        }
    }
}

/// As SQLite keeps it; the ledger refuses greater numbers before.
fn sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// As it was before [`sql`].
fn number(sql: i64) -> u64 {
    u64::try_from(sql).unwrap_or(0)
}

#[cfg(test)]
mod tests;
