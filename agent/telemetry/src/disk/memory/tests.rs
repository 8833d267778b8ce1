//! What the folder in memory promises to tests.

use super::*;

#[test]
fn only_what_was_synced_is_certain_to_survive() {
    let mut disk = MemoryDisk::new();
    disk.create("a").unwrap();
    disk.write("a", 0, b"one").unwrap();
    disk.sync("a").unwrap();
    disk.sync_folder().unwrap();
    disk.write("a", 3, b"two").unwrap();
    disk.create("b").unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for chance in 0..200 {
        let mut left = disk.cut_power(chance);
        let content = left.read("a", 0, 100).unwrap();
        assert!(content.starts_with(b"one"));
        seen.insert((content, left.list().unwrap().len()));
    }
    // Nothing, each torn end with and without its bytes, all of it; each with and without the new file.
    assert!(seen.len() >= 8, "{seen:?}");
    assert!(seen.contains(&(b"onetwo".to_vec(), 1)));
    assert!(seen.contains(&(b"one".to_vec(), 2)));
}

#[test]
fn a_failed_sync_forgets_and_the_next_one_succeeds() {
    let mut disk = MemoryDisk::new();
    disk.create("a").unwrap();
    disk.sync_folder().unwrap();
    disk.write("a", 0, b"one").unwrap();
    disk.fail_at(disk.calls(), Fault::Io);
    disk.sync("a").unwrap_err();
    disk.sync("a").unwrap();
    assert_eq!(disk.read("a", 0, 9).unwrap(), b"one");
    assert_eq!(disk.cut_power(1).read("a", 0, 9).unwrap(), b"");
}

#[test]
fn a_full_disk_takes_a_part_and_faults_come_when_they_are_planned() {
    let mut disk = MemoryDisk::new();
    disk.limit(Some(5));
    disk.create("a").unwrap();
    let full = disk.write("a", 0, b"1234567").unwrap_err();
    assert!(crate::disk::is_full(&full));
    assert_eq!(disk.read("a", 0, 9).unwrap(), b"12345");
    disk.limit(None);
    disk.fail_at(disk.calls(), Fault::Torn);
    disk.write("a", 5, b"6789").unwrap_err();
    assert_eq!(disk.read("a", 0, 9).unwrap(), b"1234567");
    disk.fail_at(disk.calls(), Fault::PowerCut);
    disk.replace("a", b"new").unwrap_err();
    disk.list().unwrap_err();
    assert_eq!(disk.restart().used(), 7);
}

#[test]
fn a_replaced_file_is_the_old_or_the_new_one() {
    for cut in 0..6 {
        let mut disk = MemoryDisk::new();
        disk.tamper("a", |content| content.extend(b"old"));
        disk.fail_at(cut, Fault::PowerCut);
        let done = disk.replace("a", b"newer").is_ok();
        for chance in 0..50 {
            let content = disk.cut_power(chance).read("a", 0, 9).unwrap();
            assert!(content == b"newer" || (!done && content == b"old"));
        }
    }
}
