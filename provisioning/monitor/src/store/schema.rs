//! The tables, as SQL.

/// How every connection is set.
///
/// `FULL` syncs the write-ahead log at each commit: what is acknowledged is on the disk.
pub(super) const SETTINGS: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
PRAGMA cache_size = -65536;
PRAGMA wal_autocheckpoint = 4000;
";

/// Makes an empty database.
pub(super) const TABLES: &str = "
BEGIN;
CREATE TABLE devices (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    life INTEGER NOT NULL DEFAULT 0,
    quarantine TEXT,
    rollback INTEGER
);
CREATE TABLE keys (
    device INTEGER NOT NULL REFERENCES devices (id),
    key BLOB NOT NULL UNIQUE,
    life INTEGER NOT NULL,
    from_epoch INTEGER NOT NULL,
    until_epoch INTEGER,
    stated_by BLOB,
    stated_epoch INTEGER,
    stated_number INTEGER,
    waits INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE people (
    key BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    device INTEGER NOT NULL,
    life INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    lane TEXT NOT NULL,
    number INTEGER NOT NULL,
    class TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    envelope BLOB NOT NULL
);
CREATE UNIQUE INDEX evidence_names ON evidence (device, life, epoch, lane, number);
CREATE TABLE streams (
    device INTEGER NOT NULL,
    life INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    lane TEXT NOT NULL,
    last INTEGER,
    said INTEGER NOT NULL,
    made INTEGER NOT NULL,
    received BLOB NOT NULL,
    excused BLOB NOT NULL,
    PRIMARY KEY (device, life, epoch, lane)
) WITHOUT ROWID;
CREATE TABLE finished (
    device INTEGER NOT NULL,
    life INTEGER NOT NULL,
    epochs BLOB NOT NULL,
    PRIMARY KEY (device, life)
) WITHOUT ROWID;
CREATE TABLE presence (
    device INTEGER PRIMARY KEY,
    life INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    session INTEGER NOT NULL,
    number INTEGER NOT NULL,
    made INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    epoch_began INTEGER NOT NULL,
    session_began INTEGER NOT NULL,
    beat_seconds INTEGER NOT NULL,
    heard_at INTEGER NOT NULL,
    challenge TEXT,
    ended INTEGER NOT NULL,
    hint_lost INTEGER,
    standing TEXT NOT NULL
);
CREATE TABLE facts (
    device INTEGER NOT NULL,
    class TEXT NOT NULL,
    subject TEXT NOT NULL,
    life INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    number INTEGER NOT NULL,
    raised INTEGER NOT NULL,
    evidence INTEGER NOT NULL,
    PRIMARY KEY (device, class, subject)
) WITHOUT ROWID;
CREATE TABLE alarms (
    id INTEGER PRIMARY KEY,
    device INTEGER,
    kind TEXT NOT NULL,
    epoch INTEGER,
    lane TEXT,
    number INTEGER,
    first_at INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    n INTEGER NOT NULL,
    detail TEXT NOT NULL,
    topic TEXT,
    envelope BLOB,
    other BLOB,
    settled_at INTEGER
);
CREATE UNIQUE INDEX alarms_open ON alarms (ifnull(device, 0), kind, ifnull(epoch, -1), ifnull(lane, ''))
    WHERE settled_at IS NULL;
CREATE TABLE happenings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    device INTEGER,
    what TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    device INTEGER NOT NULL REFERENCES devices (id),
    given_at INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    message BLOB NOT NULL,
    sent_at INTEGER,
    epoch INTEGER,
    session INTEGER,
    settled INTEGER
) WITHOUT ROWID;
CREATE INDEX orders_open ON orders (device) WHERE settled IS NULL;
CREATE TABLE counts (
    name TEXT PRIMARY KEY,
    n INTEGER NOT NULL
) WITHOUT ROWID;
PRAGMA application_id = 1296320333;
PRAGMA user_version = 2;
COMMIT;
";

/// Makes format 2 of format 1: keys that devices state themselves.
pub(super) const FROM_1_TO_2: &str = "
ALTER TABLE keys ADD COLUMN stated_by BLOB;
ALTER TABLE keys ADD COLUMN stated_epoch INTEGER;
ALTER TABLE keys ADD COLUMN stated_number INTEGER;
ALTER TABLE keys ADD COLUMN waits INTEGER NOT NULL DEFAULT 0;
PRAGMA user_version = 2;
";
