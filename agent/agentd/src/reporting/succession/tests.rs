//! Lives of an agent on a folder in memory, where the power may go at any step.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;

use super::*;
use crate::state_dir::StateDir;

/// A folder whose calls happen as a whole or not at all.
#[derive(Default)]
struct Fake {
    files: Mutex<BTreeMap<String, Vec<u8>>>,
    calls: Cell<usize>,
    /// At which change the power goes, and whether that change still happens.
    cut: Cell<Option<(usize, bool)>>,
}

impl Fake {
    fn change(&self, apply: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> io::Result<()> {
        let call = self.calls.replace(self.calls.get() + 1);
        match self.cut.get() {
            Some((at, happens)) if call >= at => {
                if happens && call == at {
                    apply(&mut self.files.lock().unwrap());
                }
                Err(io::ErrorKind::BrokenPipe.into())
            }
            Some(_) | None => {
                apply(&mut self.files.lock().unwrap());
                Ok(())
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.files.lock().unwrap().keys().cloned().collect()
    }

    fn spoil(&self, name: &str, length: usize) {
        let mut files = self.files.lock().unwrap();
        files.get_mut(name).unwrap().truncate(length);
    }

    fn in_force(&self) -> VerifyingKey {
        key::signer(self).unwrap().verifying_key()
    }
}

impl KeyFolder for Fake {
    fn place(&self, name: &str) -> PathBuf {
        name.into()
    }

    fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.lock().unwrap().get(name).cloned())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.change(|files| drop(files.insert(name.to_owned(), bytes.to_vec())))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change(|files| {
            let bytes = files.remove(from).unwrap();
            files.insert(to.to_owned(), bytes);
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        if !self.files.lock().unwrap().contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change(|files| drop(files.remove(name)))
    }
}

fn device() -> DeviceName {
    DeviceName {
        tenant: "hoshino-shi".parse().unwrap(),
        device: "c-03".parse().unwrap(),
    }
}

/// The key of a statement, which the key in force must be able to state.
fn stated(folder: &Fake, message: &Message) -> VerifyingKey {
    let Message::Key(statement) = message else {
        panic!("another message");
    };
    assert!(statement.is_proved(&device().urn(), &folder.in_force()));
    statement.key
}

/// One life: a start, an order, the monitor's word. `known` is what the monitor knows; what the life signs with.
fn live(folder: &Fake, known: &mut Vec<VerifyingKey>) -> Result<VerifyingKey, KeyError> {
    take_over(folder)?;
    let signs = key::signer(folder)?.verifying_key();
    assert!(known.contains(&signs), "the monitor does not know the key");
    let again = unanswered(folder, &device())?.map(|message| stated(folder, &message));
    let made = make(folder, &device()).map(|message| stated(folder, &message));
    let heard = again.or_else(|| made.ok());
    known.extend(heard);
    if let Some(heard) = heard {
        agree(folder, &heard)?;
    }
    Ok(signs)
}

#[test]
fn the_power_may_go_at_any_step_and_one_known_key_is_in_force() {
    for at in 0..6 {
        for happens in [false, true] {
            let folder = Fake::default();
            let old = folder.in_force();
            let mut known = vec![old];
            folder.cut.set(Some((at + 1, happens)));
            let mut signed = Vec::new();
            // The power goes in one of these lives, and the next one begins with what it left.
            for _ in 0..3 {
                if let Ok(key) = live(&folder, &mut known) {
                    signed.push(key);
                }
            }
            folder.cut.set(None);
            for _ in 0..3 {
                signed.push(live(&folder, &mut known).unwrap());
            }
            let last = signed.last().unwrap();
            assert_ne!(*last, old, "no key followed after {at} {happens}");
            signed.dedup();
            let mut once = signed.clone();
            once.sort_by_key(|key| *key.bytes());
            once.dedup();
            assert_eq!(once.len(), signed.len(), "an old key came back");
        }
    }
}

#[test]
fn a_key_that_no_monitor_has_named_is_never_in_force() {
    let folder = Fake::default();
    let old = folder.in_force();
    assert!(unanswered(&folder, &device()).unwrap().is_none());
    let next = stated(&folder, &make(&folder, &device()).unwrap());
    assert!(!agree(&folder, &old).unwrap());
    for _ in 0..2 {
        assert!(!take_over(&folder).unwrap());
        assert_eq!(folder.in_force(), old);
        let again = unanswered(&folder, &device()).unwrap().unwrap();
        assert_eq!(stated(&folder, &again), next);
        assert_eq!(make(&folder, &device()), Err(Failure::Busy));
    }
    assert!(agree(&folder, &next).unwrap());
    assert!(!agree(&folder, &next).unwrap(), "it is named once more");
    assert_eq!(make(&folder, &device()), Err(Failure::Busy));
    assert_eq!(folder.in_force(), old, "it changes within an epoch");
    assert!(take_over(&folder).unwrap());
    assert_eq!(folder.in_force(), next);
    assert_eq!(folder.names(), [KEY_FILE]);
    assert!(make(&folder, &device()).is_ok());
}

#[test]
fn a_file_that_holds_no_key_takes_no_place() {
    for length in 0..80 {
        let folder = Fake::default();
        let old = folder.in_force();
        let next = stated(&folder, &make(&folder, &device()).unwrap());
        assert!(agree(&folder, &next).unwrap());
        folder.spoil(AGREED_FILE, length);
        assert!(!take_over(&folder).unwrap());
        assert_eq!(folder.in_force(), old);
        // It is in nobody's way.
        let next = stated(&folder, &make(&folder, &device()).unwrap());
        assert!(agree(&folder, &next).unwrap() && take_over(&folder).unwrap());
        assert_eq!((folder.in_force(), folder.names().len()), (next, 1));
    }
}

#[test]
fn a_key_that_could_not_be_stated_is_taken_back_unless_the_monitor_knows_it() {
    let folder = Fake::default();
    let _statement = make(&folder, &device()).unwrap();
    assert_eq!(take_back(&folder), Err(Failure::Storage));
    assert_eq!(folder.names(), [KEY_FILE]);
    let next = stated(&folder, &make(&folder, &device()).unwrap());
    assert!(agree(&folder, &next).unwrap());
    assert_eq!(take_back(&folder), Ok(()));
    assert!(take_over(&folder).unwrap());
}

#[test]
fn a_key_follows_another_in_the_state_folder() {
    let temp = tempfile::tempdir().unwrap();
    let dir = StateDir::open(temp.path()).unwrap();
    let there = |name: &str| temp.path().join(name).exists();
    let old = key::signer(&dir).unwrap().verifying_key();
    let Message::Key(statement) = make(&dir, &device()).unwrap() else {
        panic!("another message");
    };
    assert!(there(KEY_FILE) && there(NEXT_FILE) && !there(AGREED_FILE));
    assert!(agree(&dir, &statement.key).unwrap());
    assert!(!there(NEXT_FILE) && there(AGREED_FILE));
    assert_eq!(key::signer(&dir).unwrap().verifying_key(), old);
    assert!(take_over(&dir).unwrap() && !there(AGREED_FILE));
    let new = key::signer(&dir).unwrap().verifying_key();
    assert_eq!(new, statement.key);
    assert_eq!(make(&dir, &device()).map(|_| ()), Ok(()));
    assert_eq!(take_back(&dir), Err(Failure::Storage));
    assert!(!there(NEXT_FILE));
}
