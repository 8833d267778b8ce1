//! What is refused, and what survives.

use super::*;

fn path() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("monitor.db");
    (folder, path)
}

#[test]
fn a_newer_format_and_another_programs_database_are_refused_and_left_alone() {
    let (_folder, path) = path();
    let store = Store::open(&path).unwrap();
    store.db.pragma_update(None, "user_version", 3).unwrap();
    drop(store);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 3 }), "{error}");

    let other = path.with_extension("other");
    let db = Connection::open(&other).unwrap();
    db.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(
        Store::open(&other).unwrap_err(),
        StoreError::Foreign
    ));
}

#[test]
fn a_database_of_the_first_format_goes_on_with_its_keys() {
    let (_folder, path) = path();
    let name = super::devices::name("hoshino-shi/c-03").unwrap();
    let key = telemetry::VerifyingKey::new([3; 32]);
    let store = Store::open(&path).unwrap();
    let id = store.add_device(&name, &key).unwrap();
    for column in ["stated_by", "stated_epoch", "stated_number", "waits"] {
        let drop = format!("ALTER TABLE keys DROP COLUMN {column}");
        store.db.execute_batch(&drop).unwrap();
    }
    store.db.pragma_update(None, "user_version", 1).unwrap();
    drop(store);
    for _ in 0..2 {
        let keys = Store::open(&path).unwrap().keys(id, 0).unwrap();
        assert_eq!((keys.len(), keys[0].key, keys[0].waits), (1, key, false));
    }
}

#[test]
fn one_process_at_a_time_takes_messages_in() {
    let (_folder, path) = path();
    let writer = Store::writer(&path).unwrap();
    assert!(matches!(
        Store::writer(&path).unwrap_err(),
        StoreError::InUse
    ));
    drop(writer);
    Store::writer(&path).unwrap();
}

#[test]
fn every_start_has_an_epoch_of_its_own() {
    let (_folder, path) = path();
    for epoch in 1..4 {
        assert_eq!(Store::open(&path).unwrap().next_epoch().unwrap(), epoch);
    }
}

#[test]
fn commits_are_synced() {
    let (_folder, path) = path();
    let store = Store::open(&path).unwrap();
    let read = |name| -> String {
        let value = store
            .db
            .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        format!("{:?}", value.unwrap())
    };
    assert_eq!(read("journal_mode"), r#"Text("wal")"#);
    assert_eq!(read("synchronous"), "Integer(2)");
}
