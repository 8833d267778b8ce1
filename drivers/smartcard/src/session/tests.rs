//! Sessions against a scripted service.

use std::{collections::VecDeque, sync::Mutex};

use device_api::{Clock, Moment, Patience, Secret, Stop, SystemClock};
use zeroize::Zeroizing;

use super::*;
use crate::{
    activity::Activity,
    backend::{FEATURE_REQUEST, MockCardLink, MockConnector, MockServiceLink},
    board::{Board, ReaderSight, Sighting},
    keypad::{CANCELLED_AT_KEYS, NOBODY_TYPED},
    watcher::Refresher,
};

const READER: &str = "Virtual PCD 00 00";

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
struct HandClock(Mutex<Duration>);

impl HandClock {
    fn advance(&self, span: Duration) {
        *self.0.lock().unwrap() += span;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        Moment::after_origin(*self.0.lock().unwrap())
    }

    fn unix_millis(&self) -> u64 {
        0
    }
}

struct Rig {
    clock: Arc<HandClock>,
    board: Arc<Board>,
    patience: Patience,
}

impl Rig {
    fn new(state: ReaderCondition) -> Self {
        let clock = Arc::new(HandClock::default());
        let board = Arc::new(Board::new());
        let deadline = Deadline::at(clock.now().plus(Duration::from_secs(30)));
        let rig = Self {
            patience: Patience::new(Arc::clone(&clock) as _, deadline),
            clock,
            board,
        };
        rig.show(state, 1);
        rig
    }

    fn show(&self, state: ReaderCondition, events: u32) {
        let reader = ReaderSight {
            name: READER.to_owned(),
            state,
            events,
            has_keys: false,
        };
        self.board.put(Sighting {
            service: Service::Up,
            readers: vec![reader],
        });
    }

    fn reader(&self, links: Vec<Result<MockCardLink, Error>>) -> Reader {
        let links = Mutex::new(VecDeque::from(links));
        let links = Arc::new(links);
        let mut connector = MockConnector::new();
        connector.expect_establish().returning(move || {
            let links = Arc::clone(&links);
            let mut service = MockServiceLink::new();
            service.expect_connect().returning(move |_| {
                let link = links
                    .lock()
                    .unwrap()
                    .pop_front()
                    .unwrap_or(Err(Error::NoSmartcard))?;
                Ok(Box::new(link))
            });
            Ok(Box::new(service))
        });
        self.reader_over(connector)
    }

    fn reader_over(&self, connector: MockConnector) -> Reader {
        let clock: Arc<dyn Clock> = Arc::clone(&self.clock) as _;
        let surroundings = Surroundings {
            board: Arc::clone(&self.board),
            refresher: Refresher::idle(Arc::clone(&self.board)),
            activity: Arc::new(Activity::new(Arc::clone(&clock))),
            clock,
        };
        Reader::over(READER, surroundings, Box::new(connector))
    }

    /// A card that is taken and powered off exactly once, and answers in order.
    fn card(answers: Vec<Result<Vec<u8>, Error>>) -> MockCardLink {
        let mut link = MockCardLink::new();
        link.expect_begin().returning(|| Ok(()));
        link.expect_answer_to_reset()
            .returning(|| Ok(vec![0x3B, 0x80]));
        let answers = Mutex::new(VecDeque::from(answers));
        link.expect_transmit().returning(move |_, _| {
            let next = answers
                .lock()
                .unwrap()
                .pop_front()
                .unwrap_or(Err(Error::NotTransacted));
            next.map(Zeroizing::new)
        });
        link.expect_power_off().times(1).returning(|| Ok(()));
        link
    }
}

fn select() -> Command {
    Command::new(0, 0xA4, 4, 0x0C)
}

fn first_exchange(rig: &Rig, answer: Result<Vec<u8>, Error>) -> ChannelError {
    let mut reader = rig.reader(vec![Ok(Rig::card(vec![answer]))]);
    let mut session = reader.begin(&rig.patience, None).unwrap();
    session.transmit(select()).unwrap_err()
}

#[test]
fn a_session_powers_the_card_off_when_finished_and_when_dropped() {
    let rig = Rig::new(ReaderCondition::Present);
    let mut reader = rig.reader(vec![Ok(Rig::card(vec![])), Ok(Rig::card(vec![]))]);
    reader.begin(&rig.patience, None).unwrap().finish().unwrap();
    drop(reader.begin(&rig.patience, None).unwrap());
}

#[test]
fn a_card_that_leaves_is_told_from_one_that_fails() {
    let rig = Rig::new(ReaderCondition::Present);
    assert_eq!(
        first_exchange(&rig, Err(Error::RemovedCard)),
        ChannelError::Removed
    );
    assert_eq!(
        first_exchange(&rig, Err(Error::NoService)),
        ChannelError::ServiceLost
    );
    assert_eq!(
        first_exchange(&rig, Err(Error::ReaderUnavailable)),
        ChannelError::ReaderGone
    );
    assert_eq!(
        first_exchange(&rig, Err(Error::ResetCard)),
        ChannelError::ResetByOther
    );
    assert_eq!(
        first_exchange(&rig, Err(Error::InsufficientBuffer)),
        ChannelError::Garbled
    );
    assert_eq!(first_exchange(&rig, Ok(vec![0x90])), ChannelError::Garbled);
}

#[test]
fn success_with_nothing_in_hand_is_a_lost_card() {
    let rig = Rig::new(ReaderCondition::Present);
    let mut reader = rig.reader(vec![Ok(Rig::card(vec![Ok(vec![])]))]);
    let mut session = reader.begin(&rig.patience, None).unwrap();
    rig.show(ReaderCondition::Empty, 2);
    assert_eq!(
        session.transmit(select()).unwrap_err(),
        ChannelError::Removed
    );
}

#[test]
fn a_card_that_was_lifted_and_put_back_is_removed_all_the_same() {
    let rig = Rig::new(ReaderCondition::Present);
    let mut reader = rig.reader(vec![Ok(Rig::card(vec![Err(Error::NotTransacted)]))]);
    let mut session = reader.begin(&rig.patience, None).unwrap();
    rig.show(ReaderCondition::Present, 3);
    assert_eq!(
        session.transmit(select()).unwrap_err(),
        ChannelError::Removed
    );
}

#[test]
fn nothing_is_sent_once_the_work_is_stopped() {
    let rig = Rig::new(ReaderCondition::Present);
    let mut reader = rig.reader(vec![Ok(Rig::card(vec![Ok(vec![0x90, 0])]))]);
    let mut session = reader.begin(&rig.patience, None).unwrap();
    rig.patience.stop();
    let verify = Command::new(0, 0x20, 0, 0x91).with_secret(Secret::new(b"1234".to_vec()));
    assert_eq!(
        session.transmit(verify).unwrap_err(),
        ChannelError::Cancelled
    );
}

#[test]
fn a_deadline_that_passed_stops_the_work_too() {
    let rig = Rig::new(ReaderCondition::Present);
    let mut reader = rig.reader(vec![]);
    rig.clock.advance(Duration::from_secs(31));
    let error = reader.begin(&rig.patience, None).unwrap_err();
    assert_eq!(error, BeginError::Stopped(Stop::Deadline));
}

#[test]
fn a_reset_by_another_program_before_our_first_command_costs_nothing() {
    let rig = Rig::new(ReaderCondition::Present);
    let mut link = MockCardLink::new();
    let mut begun = VecDeque::from([Err(Error::ResetCard), Ok(())]);
    link.expect_begin()
        .times(2)
        .returning(move || begun.pop_front().unwrap());
    link.expect_reconnect().times(1).returning(|| Ok(()));
    link.expect_answer_to_reset()
        .returning(|| Ok(vec![0x3B, 0x80]));
    link.expect_transmit()
        .returning(|_, _| Ok(Zeroizing::new(vec![0x90, 0])));
    link.expect_power_off().times(1).returning(|| Ok(()));
    let mut reader = rig.reader(vec![Ok(link)]);
    let mut session = reader.begin(&rig.patience, None).unwrap();
    assert!(session.transmit(select()).unwrap().status().is_ok());
}

#[test]
fn a_context_that_outlived_its_service_is_replaced() {
    let rig = Rig::new(ReaderCondition::Present);
    let mut reader = rig.reader(vec![
        Ok(Rig::card(vec![])),
        Err(Error::NoService),
        Ok(Rig::card(vec![])),
    ]);
    reader.begin(&rig.patience, None).unwrap().finish().unwrap();
    reader.begin(&rig.patience, None).unwrap().finish().unwrap();
}

#[test]
fn a_service_that_does_not_run_is_absent_and_one_that_refuses_is_denied() {
    let check = |error: Error, expected: BeginError| {
        let rig = Rig::new(ReaderCondition::Present);
        let mut connector = MockConnector::new();
        connector.expect_establish().returning(move || Err(error));
        let mut reader = rig.reader_over(connector);
        assert_eq!(reader.begin(&rig.patience, None).unwrap_err(), expected);
    };
    check(Error::NoService, BeginError::ServiceAbsent);
    check(Error::SecurityViolation, BeginError::Denied);
}

#[test]
fn a_reader_in_exclusive_use_is_waited_for() {
    let rig = Rig::new(ReaderCondition::InUse);
    let mut reader = rig.reader(vec![Err(Error::SharingViolation), Ok(Rig::card(vec![]))]);
    // Real time: where the release comes before we look, the pause must be able to end.
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let deadline = Deadline::at(clock.now().plus(Duration::from_secs(30)));
    let patience = Patience::new(clock, deadline);
    std::thread::scope(|scope| {
        scope.spawn(|| rig.show(ReaderCondition::Present, 1));
        reader.begin(&patience, None).unwrap().finish().unwrap();
    });
}

#[test]
fn a_reader_that_stays_in_exclusive_use_is_busy_at_the_deadline() {
    let rig = Rig::new(ReaderCondition::InUse);
    let mut reader = rig.reader(vec![Err(Error::SharingViolation)]);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.clock.advance(Duration::from_secs(31));
            rig.board.nudge();
        });
        let error = reader.begin(&rig.patience, None).unwrap_err();
        assert!(
            matches!(
                error,
                BeginError::Busy | BeginError::Stopped(Stop::Deadline)
            ),
            "{error:?}"
        );
    });
}

#[test]
fn waiting_for_a_card_names_what_is_in_the_way() {
    let rig = Rig::new(ReaderCondition::Empty);
    let wait = |rig: &Rig| rig.reader(vec![]).wait_for_card(&rig.patience);
    rig.board.put(Sighting {
        service: Service::Up,
        readers: vec![],
    });
    assert_eq!(wait(&rig), Err(BeginError::ReaderGone));
    rig.board.put(Sighting {
        service: Service::Down,
        readers: vec![],
    });
    assert_eq!(wait(&rig), Err(BeginError::ServiceAbsent));
    rig.board.put(Sighting {
        service: Service::Denied,
        readers: vec![],
    });
    assert_eq!(wait(&rig), Err(BeginError::Denied));
    rig.show(ReaderCondition::Present, 2);
    assert_eq!(wait(&rig), Ok(()));
    rig.show(ReaderCondition::Empty, 3);
    rig.clock.advance(Duration::from_secs(31));
    assert_eq!(wait(&rig), Err(BeginError::NoCard));
    rig.show(ReaderCondition::InUse, 3);
    assert_eq!(wait(&rig), Err(BeginError::Busy));
}

#[test]
fn waiting_for_a_card_ends_when_cancelled() {
    let rig = Rig::new(ReaderCondition::Empty);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            rig.patience.stop();
            rig.board.nudge();
        });
        let ended = rig.reader(vec![]).wait_for_card(&rig.patience);
        assert_eq!(ended, Err(BeginError::Stopped(Stop::Cancelled)));
    });
}

#[test]
fn a_card_that_leaves_while_a_person_thinks_is_noticed() {
    let rig = Rig::new(ReaderCondition::Present);
    let presence = rig.reader(vec![]).presence();
    assert_eq!(presence.attend(&rig.patience, || Some(7)), Ok(7));
    rig.show(ReaderCondition::Present, 3);
    let attended = presence.attend::<()>(&rig.patience, || None);
    assert_eq!(attended, Err(BeginError::NoCard));
}

/// What a reader with keys tells of itself, and the code of its order to take a PIN.
const KEYS: (&[u8], pcsc::ffi::DWORD) = (&[0x06, 4, 0x42, 0x33, 0x00, 0x06], 0x4233_0006);

/// A card on a reader that says of itself what `features` says, and whose person types with this end.
fn card_with_keys(features: &'static [u8], typed: &'static [u8]) -> MockCardLink {
    let mut link = Rig::card(vec![Ok(vec![0x63, 0xC3])]);
    link.expect_control().returning(move |code, order| {
        if code == FEATURE_REQUEST {
            return Ok(Zeroizing::new(features.to_vec()));
        }
        assert_eq!(code, KEYS.1);
        assert!(!order.contains(&b'7'), "a PIN left this program");
        Ok(Zeroizing::new(typed.to_vec()))
    });
    link
}

fn verify_with(digits: &[u8]) -> Command {
    Command::new(0, 0x20, 0, 0x91).with_secret(Secret::new(digits.to_vec()))
}

#[test]
fn a_pin_that_is_typed_on_the_reader_is_never_sent_from_here() {
    for (typed, status) in [
        (&[0x90, 0x00], 0x9000),
        (&[0x63, 0xC2], 0x63C2),
        (&[0x64, 0x00], NOBODY_TYPED.0),
        (&[0x64, 0x01], CANCELLED_AT_KEYS.0),
    ] {
        let rig = Rig::new(ReaderCondition::Present);
        let mut reader = rig.reader(vec![Ok(card_with_keys(KEYS.0, typed))]);
        let mut session = reader.begin(&rig.patience, None).unwrap();
        assert!(session.take_pins_from_keys().unwrap());
        // The tries are asked of the card as ever.
        let tries = session.transmit(Command::new(0, 0x20, 0, 0x91)).unwrap();
        assert_eq!(tries.status().0, 0x63C3);
        let answer = session.transmit(verify_with(b"7777")).unwrap();
        assert_eq!(answer.status().0, status);
    }
}

#[test]
fn a_reader_without_keys_stays_as_it_is() {
    let rig = Rig::new(ReaderCondition::Present);
    let mut reader = rig.reader(vec![Ok(card_with_keys(&[], &[]))]);
    let mut session = reader.begin(&rig.patience, None).unwrap();
    assert!(!session.take_pins_from_keys().unwrap());
    let answer = session.transmit(verify_with(b"7777")).unwrap();
    assert_eq!(answer.status().0, 0x63C3, "it went to the card");
}
