//! The watcher's look, against a scripted service.

use std::collections::VecDeque;

use super::*;
use crate::backend::MockWatching;

fn reader(index: u8) -> CString {
    CString::new(format!("Virtual PCD 00 {index:02}")).unwrap()
}

fn watcher() -> (Watcher, Arc<Mutex<Vec<Sighting>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let page = Arc::clone(&seen);
    let watcher = Watcher {
        board: Arc::new(Board::new()),
        door: ServiceDoor::usual(),
        on_change: Box::new(move |sighting| page.lock().unwrap().push(sighting.clone())),
        shared: Arc::default(),
        to_ask: mpsc::channel().0,
    };
    (watcher, seen)
}

/// One turn: which readers are listed, and what the wait then says of each.
type Turn = (Vec<CString>, Result<Vec<State>, Error>);

fn play(turns: Vec<Turn>) -> (Vec<Vec<ReaderCondition>>, Error) {
    let (mut watcher, seen) = watcher();
    let mut service = MockWatching::new();
    let lists: VecDeque<_> = turns.iter().map(|(names, _)| names.clone()).collect();
    let lists = Mutex::new(lists);
    service
        .expect_readers()
        .returning(move || lists.lock().unwrap().pop_front().ok_or(Error::NoService));
    let waits = Mutex::new(
        turns
            .into_iter()
            .map(|(_, wait)| wait)
            .collect::<VecDeque<_>>(),
    );
    service.expect_wait_change().returning(move |known| {
        let states = waits.lock().unwrap().pop_front().unwrap()?;
        for (reader, state) in known.iter_mut().skip(1).zip(states) {
            reader.state = state | State::CHANGED;
        }
        Ok(())
    });
    let ended = watcher.watch_readers(&service);
    let sightings = seen.lock().unwrap().clone();
    let states = sightings
        .iter()
        .map(|sighting| sighting.readers.iter().map(|reader| reader.state).collect())
        .collect();
    (states, ended)
}

#[test]
fn readers_plugged_and_pulled_and_cards_in_and_out_are_put_up_once_each() {
    use ReaderCondition::{Empty, Present};
    let one = vec![reader(0)];
    let two = vec![reader(0), reader(1)];
    let (states, ended) = play(vec![
        (vec![], Ok(vec![])),
        (one.clone(), Ok(vec![State::EMPTY])),
        (one.clone(), Ok(vec![State::PRESENT])),
        (one.clone(), Ok(vec![State::PRESENT])),
        (two.clone(), Ok(vec![State::PRESENT, State::EMPTY])),
        (two.clone(), Ok(vec![State::EMPTY, State::EMPTY])),
        (two, Ok(vec![State::EMPTY, State::EMPTY])),
        (one, Ok(vec![State::EMPTY])),
        (vec![], Err(Error::CommError)),
    ]);
    assert_eq!(
        states,
        [
            vec![],
            vec![Empty],
            vec![Present],
            vec![Present, Empty],
            vec![Empty, Empty],
            vec![Empty],
            vec![]
        ]
    );
    assert_eq!(ended, Error::CommError);
}

#[test]
fn a_wait_cut_short_or_a_reader_gone_in_between_does_not_end_the_watch() {
    let one = vec![reader(0)];
    let (states, ended) = play(vec![
        (one.clone(), Err(Error::UnknownReader)),
        (one.clone(), Err(Error::Cancelled)),
        (one.clone(), Ok(vec![State::EMPTY])),
        (one, Err(Error::NoService)),
    ]);
    assert_eq!(states, [vec![ReaderCondition::Empty]]);
    assert_eq!(ended, Error::NoService);
}

#[test]
fn state_words_are_read_as_people_understand_them() {
    let check = |state: State, expected: ReaderCondition| assert_eq!(condition(state), expected);
    check(State::EMPTY, ReaderCondition::Empty);
    check(State::PRESENT | State::INUSE, ReaderCondition::Present);
    check(State::PRESENT | State::MUTE, ReaderCondition::Mute);
    check(State::PRESENT | State::EXCLUSIVE, ReaderCondition::InUse);
    check(State::UNAVAILABLE, ReaderCondition::Unavailable);
}

#[test]
fn a_service_that_refuses_us_is_told_from_one_that_is_away() {
    assert_eq!(unreachable_as(Error::SecurityViolation), Service::Denied);
    assert_eq!(unreachable_as(Error::NoService), Service::Down);
}
