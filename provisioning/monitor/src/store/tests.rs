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
    store.db.pragma_update(None, "user_version", 2).unwrap();
    drop(store);
    let error = Store::open(&path).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2 }), "{error}");

    let other = path.with_extension("other");
    let db = Connection::open(&other).unwrap();
    db.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(matches!(
        Store::open(&other).unwrap_err(),
        StoreError::Foreign
    ));
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
