//! A slot against a reader made of a plain socket, which speaks the wire of `vpcd` by hand.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as expected"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sim_kit::{
    Card, Fault, FaultPlan, Kind, Link, Place, PlanError, Power, ServiceOwner, Side, Slot,
};

const PATIENCE: Duration = Duration::from_secs(10);
const VERIFY: &[u8] = b"\x00\x20\x00\x91\x041234";
const READ: &[u8] = &[0x00, 0xB0, 0x00, 0x00, 0x00];

/// Answers every command with its instruction byte and 9000, and remembers what it saw.
#[derive(Debug, Default)]
struct EchoCard {
    seen: Vec<u8>,
    power: Vec<Power>,
}

impl Card for EchoCard {
    fn atr(&self) -> Vec<u8> {
        vec![0x3B, 0x80, 0x80, 0x01, 0x01]
    }

    fn power(&mut self, change: Power) {
        self.power.push(change);
    }

    fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        self.seen.push(command[1]);
        vec![command[1], 0x90, 0x00]
    }
}

struct Bench {
    slot: Slot,
    card: Arc<Mutex<EchoCard>>,
    listener: TcpListener,
}

impl Bench {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let slot = Slot::start(listener.local_addr().unwrap()).unwrap();
        Self {
            slot,
            card: Arc::default(),
            listener,
        }
    }

    fn insert(&self) -> TcpStream {
        self.slot.insert("echo", self.card.clone()).unwrap();
        let stream = self.listener.accept().unwrap().0;
        // The reader may accept before the slot knows that it is connected.
        let state = self
            .slot
            .wait_for(|state| state.link == Link::Connected, PATIENCE);
        assert_eq!(state.link, Link::Connected);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn plan(&self, place: Place, side: Side, kind: Kind) {
        let fault = Fault {
            place,
            side,
            kind,
            clears_when: Default::default(),
            chance_per_mille: None,
        };
        self.slot
            .plan_faults(FaultPlan {
                seed: 3,
                faults: vec![fault],
            })
            .unwrap();
    }

    /// Waits until the planned fault has struck: a card that is lifted earlier never meets it.
    fn until_struck(&self) {
        while !self.slot.faults().is_empty() {
            std::thread::yield_now();
        }
    }

    fn seen(&self) -> Vec<u8> {
        self.card.lock().unwrap().seen.clone()
    }
}

fn send(stream: &mut TcpStream, message: &[u8]) {
    stream
        .write_all(&u16::try_from(message.len()).unwrap().to_be_bytes())
        .unwrap();
    stream.write_all(message).unwrap();
}

fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut answer).ok()?;
    Some(answer)
}

fn ask(stream: &mut TcpStream, message: &[u8]) -> Option<Vec<u8>> {
    send(stream, message);
    receive(stream)
}

#[test]
fn control_messages_reach_the_card_and_only_the_atr_is_answered() {
    let bench = Bench::new();
    let mut reader = bench.insert();
    assert_eq!(ask(&mut reader, &[4]).unwrap()[0], 0x3B);
    send(&mut reader, &[1]);
    send(&mut reader, &[2]);
    send(&mut reader, &[0]);
    assert_eq!(ask(&mut reader, READ).unwrap(), [0xB0, 0x90, 0x00]);
    assert_eq!(
        bench.card.lock().unwrap().power,
        [Power::On, Power::Reset, Power::Off]
    );
    let counters = bench.slot.counters();
    assert_eq!(
        (counters.power_ons, counters.resets, counters.power_offs),
        (1, 1, 1)
    );
    assert_eq!(
        (counters.apdus, counters.bytes_received, counters.bytes_sent),
        (1, 5, 3)
    );
}

#[test]
fn lifting_closes_the_connection_and_takes_the_power() {
    let bench = Bench::new();
    let mut reader = bench.insert();
    assert!(bench.slot.insert("another", bench.card.clone()).is_err());
    assert_eq!(bench.slot.lift().as_deref(), Some("echo"));
    assert_eq!(receive(&mut reader), None);
    assert_eq!(bench.card.lock().unwrap().power, [Power::Off]);
    assert_eq!(bench.slot.state().link, Link::Empty);
    assert_eq!(bench.slot.lift(), None);
}

#[test]
fn a_card_that_hangs_is_released_when_it_is_lifted() {
    let bench = Bench::new();
    bench.plan(Place::Command(1), Side::Before, Kind::Hang);
    let mut reader = bench.insert();
    send(&mut reader, READ);
    send(&mut reader, &[4]);
    bench.until_struck();
    assert_eq!(bench.slot.lift().as_deref(), Some("echo"));
    assert_eq!(receive(&mut reader), None);

    let mut reader = bench.insert();
    assert_eq!(ask(&mut reader, READ).unwrap(), [0xB0, 0x90, 0x00]);
}

#[test]
fn a_slow_card_can_be_lifted_while_it_is_slow() {
    let bench = Bench::new();
    bench.plan(Place::Every, Side::After, Kind::Slow(3_600_000));
    let mut reader = bench.insert();
    send(&mut reader, READ);
    bench.until_struck();
    bench.slot.lift();
    assert_eq!(receive(&mut reader), None);
}

#[test]
fn a_verify_is_lost_before_or_after_the_card_has_counted_it() {
    for (side, seen) in [(Side::Before, vec![]), (Side::After, vec![0x20])] {
        let bench = Bench::new();
        bench.plan(Place::Verify, side, Kind::Lift);
        let mut reader = bench.insert();
        assert_eq!(ask(&mut reader, VERIFY), None);
        assert_eq!(bench.seen(), seen);
        let state = bench
            .slot
            .wait_for(|state| state.link == Link::Empty, PATIENCE);
        assert_eq!(state.card, None);
        let counters = bench.slot.counters();
        assert_eq!(counters.verifies, u64::try_from(seen.len()).unwrap());
        assert_eq!(
            (counters.apdus, counters.faults, counters.bytes_sent),
            (1, 1, 0)
        );
    }
}

#[test]
fn every_kind_disturbs_the_answer_as_it_says() {
    let answer = |kind| {
        let bench = Bench::new();
        bench.plan(Place::Command(1), Side::After, kind);
        let mut reader = bench.insert();
        let disturbed = ask(&mut reader, READ).unwrap();
        assert_eq!(
            ask(&mut reader, READ).unwrap(),
            [0xB0, 0x90, 0x00],
            "only once: {kind:?}"
        );
        assert_eq!(bench.seen().len(), 2, "the card saw both: {kind:?}");
        disturbed
    };
    assert_eq!(answer(Kind::Status(0x6F00)), [0x6F, 0x00]);
    assert_eq!(answer(Kind::OneByte), [0x90]);
    assert_eq!(answer(Kind::Truncate(1)), [0xB0, 0x90]);
    assert_eq!(answer(Kind::Truncate(9)), [0xB0]);
    assert_eq!(answer(Kind::Shorten(1)), [0x90, 0x00]);
    assert_eq!(answer(Kind::Slow(1)), [0xB0, 0x90, 0x00]);
    let garbage = answer(Kind::Garbage);
    assert_eq!(
        garbage,
        answer(Kind::Garbage),
        "the same seed gives the same garbage"
    );
    assert!(garbage.len() >= 2);
}

#[test]
fn a_fault_before_the_card_answers_in_its_place() {
    let bench = Bench::new();
    bench.plan(Place::Ins(0xB0), Side::Before, Kind::Status(0x6982));
    let mut reader = bench.insert();
    assert_eq!(ask(&mut reader, READ).unwrap(), [0x69, 0x82]);
    assert_eq!(bench.seen(), []);
    assert_eq!(bench.slot.exchanges()[0].status, None);
}

#[test]
fn a_garbled_answer_to_reset_lasts_until_the_power_goes() {
    let bench = Bench::new();
    bench.plan(Place::PowerOn, Side::Before, Kind::Garbage);
    let mut reader = bench.insert();
    assert_eq!(ask(&mut reader, &[4]).unwrap()[0], 0x3B);
    send(&mut reader, &[1]);
    let garbled = ask(&mut reader, &[4]).unwrap();
    assert!(garbled[0] == 0 && garbled.len() <= 33);
    send(&mut reader, &[0]);
    assert_eq!(ask(&mut reader, &[4]).unwrap()[0], 0x3B);
}

#[test]
fn a_card_put_down_before_the_service_is_up_is_seen_when_it_comes() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let slot = Slot::start(address).unwrap();
    slot.insert("early", Arc::new(Mutex::new(EchoCard::default())))
        .unwrap();
    assert_eq!(slot.state().link, Link::Waiting);

    let listener = TcpListener::bind(address).unwrap();
    let mut reader = listener.accept().unwrap().0;
    assert_eq!(ask(&mut reader, READ).unwrap(), [0xB0, 0x90, 0x00]);
    assert_eq!(
        slot.wait_for(|state| state.link == Link::Connected, PATIENCE)
            .link,
        Link::Connected
    );
}

#[test]
fn a_card_stays_down_when_the_service_is_killed_and_comes_back_powered_off() {
    let bench = Bench::new();
    let reader = bench.insert();
    drop(reader);
    let mut reader = bench.listener.accept().unwrap().0;
    assert_eq!(ask(&mut reader, READ).unwrap(), [0xB0, 0x90, 0x00]);
    assert_eq!(bench.card.lock().unwrap().power, [Power::Off]);
    assert_eq!(bench.slot.counters().insertions, 1);
}

#[test]
fn a_planned_kill_of_the_service_asks_its_owner_once_and_leaves_the_card_lying() {
    for (side, seen) in [(Side::Before, vec![]), (Side::After, vec![0xB0])] {
        let bench = Bench::new();
        let (asked, kills) = std::sync::mpsc::channel();
        bench.slot.set_service_owner(ServiceOwner::new(move || {
            asked.send(()).map_err(std::io::Error::other)
        }));
        bench.plan(Place::Command(1), side, Kind::ServiceKilled);
        let mut reader = bench.insert();
        send(&mut reader, READ);
        kills.recv_timeout(PATIENCE).unwrap();
        assert_eq!(bench.seen(), seen, "{side:?}");
        reader.set_nonblocking(true).unwrap();
        assert_eq!(receive(&mut reader), None, "no answer overtakes the kill");
        // The service dies, and with it the connection.
        drop(reader);
        let mut reader = bench.listener.accept().unwrap().0;
        assert_eq!(ask(&mut reader, READ).unwrap(), [0xB0, 0x90, 0x00]);
        assert_eq!(bench.slot.counters().insertions, 1);
        assert!(kills.try_recv().is_err(), "killed once");
    }
}

#[test]
fn a_plan_that_kills_a_service_without_known_owner_is_refused() {
    let fault = |kind| Fault {
        place: Place::Every,
        side: Side::Before,
        kind,
        clears_when: Default::default(),
        chance_per_mille: None,
    };
    let plan = FaultPlan {
        seed: 1,
        faults: vec![fault(Kind::Hang), fault(Kind::ServiceKilled)],
    };
    assert_eq!(
        Bench::new().slot.plan_faults(plan),
        Err(PlanError::NoServiceOwner { index: 1 })
    );
}

#[test]
fn bytes_that_are_no_command_reach_the_card_and_are_counted() {
    let bench = Bench::new();
    let mut reader = bench.insert();
    assert_eq!(ask(&mut reader, &[0x00, 0xB0]).unwrap(), [0xB0, 0x90, 0x00]);
    assert_eq!(bench.slot.counters().by_header.get("00 B0 00 00"), Some(&1));
}

#[test]
fn an_unknown_control_message_ends_the_connection_and_the_card_comes_back() {
    let bench = Bench::new();
    let mut reader = bench.insert();
    send(&mut reader, &[9]);
    assert_eq!(receive(&mut reader), None);
    let mut reader = bench.listener.accept().unwrap().0;
    assert_eq!(ask(&mut reader, READ).unwrap(), [0xB0, 0x90, 0x00]);
}
