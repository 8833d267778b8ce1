//! The stream against a device that writes its bytes by hand.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use device_api::SystemClock;

use super::*;
use crate::contract::{self, Peer, Subject, Traffic, Wakes};

const LONG: Duration = Duration::from_secs(20);

/// One for link and test: the moments of two clocks cannot be compared.
fn clock() -> Arc<dyn Clock> {
    static CLOCK: LazyLock<SystemClock> = LazyLock::new(SystemClock::new);
    Arc::new(*CLOCK)
}

fn soon(clock: &Arc<dyn Clock>) -> Deadline {
    Deadline::at(clock.now().plus(LONG))
}

/// A device that has sent `greeting`, and what became of connecting to it.
fn meeting(greeting: &[u8]) -> (TcpStream, Result<HidStreamLink, LinkError>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let clock = clock();
    std::thread::scope(|threads| {
        let connecting = threads.spawn(|| connect(address, soon(&clock), Arc::clone(&clock)));
        let (mut device, _) = listener.accept().unwrap();
        device.write_all(greeting).unwrap();
        (device, connecting.join().unwrap())
    })
}

const GREETING: &[u8] = &[b'D', 0, 3, 0x05, 0x0d, 0xc0];

/// The device's end, as the contract plays it.
#[derive(Debug)]
struct Simulated(Option<TcpStream>);

impl Peer for Simulated {
    fn sends(&mut self, bytes: &[u8]) {
        let mut message = vec![b'I', 0, u8::try_from(bytes.len()).unwrap()];
        message.extend(bytes);
        self.0.as_ref().unwrap().write_all(&message).unwrap();
    }

    fn arrived(&mut self, length: usize) -> Vec<u8> {
        let mut message = vec![0; 3 + length];
        self.0.as_ref().unwrap().read_exact(&mut message).unwrap();
        assert_eq!(message[..3], [b'O', 0, u8::try_from(length).unwrap()]);
        message.split_off(3)
    }

    fn vanishes(&mut self) {
        self.0 = None;
    }
}

#[test]
fn the_contract_is_kept() {
    let (device, link) = meeting(GREETING);
    let (mut peer, mut link) = (Simulated(Some(device)), link.unwrap());
    assert_eq!(link.descriptor(), [0x05, 0x0d, 0xc0]);
    contract::check(Subject {
        link: &mut link,
        peer: &mut peer,
        clock: clock(),
        traffic: Traffic::Reports {
            input: vec![vec![1, 2], vec![1; 64], vec![3]],
            output: Some(vec![4, 5, 6]),
        },
        wakes: Wakes::Never,
    })
    .unwrap();
}

#[test]
fn a_report_that_comes_before_an_answer_is_not_lost() {
    let (mut device, link) = meeting(GREETING);
    let (mut link, deadline) = (link.unwrap(), soon(&clock()));
    device
        .write_all(&[b'I', 0, 1, 9, b'A', 0, 2, 2, 7])
        .unwrap();
    assert_eq!(link.feature(2, deadline).unwrap().bytes(), [2, 7]);
    assert_eq!(link.receive(deadline).unwrap().bytes(), [9]);
    device.write_all(&[b'A', 0, 0]).unwrap();
    link.set_feature(&Frame::plain([2, 8]), deadline).unwrap();
    device.write_all(&[b'R', 0, 0]).unwrap();
    let refused = link.feature(3, deadline);
    assert!(matches!(refused, Err(LinkError::Malformed { .. })));
    let mut asked = [0; 13];
    device.read_exact(&mut asked).unwrap();
    let expected = [b'G', 0, 1, 2, b'S', 0, 2, 2, 8, b'G', 0, 1, 3];
    assert_eq!(asked, expected);
}

/// A job that began at the moment at which its tablet was found lost it: whoever had waited for the pen was told to
/// stop, waited no more, and the first question of the job was interrupted in its place.
#[test]
fn an_interruption_that_nobody_waited_for_ends_no_question() {
    let (mut device, link) = meeting(GREETING);
    let (mut link, deadline) = (link.unwrap(), soon(&clock()));
    for _time in 0..2 {
        link.interrupter().interrupt();
    }
    device.write_all(&[b'A', 0, 2, 2, 7]).unwrap();
    assert_eq!(link.feature(2, deadline).unwrap().bytes(), [2, 7]);
    for _time in 0..2 {
        let interrupted = link.receive(deadline);
        assert!(matches!(interrupted, Err(LinkError::Interrupted)));
    }
    device.write_all(&[b'I', 0, 1, 9]).unwrap();
    assert_eq!(link.receive(deadline).unwrap().bytes(), [9]);
}

#[test]
fn an_answer_that_comes_too_late_is_not_taken_for_the_next_one() {
    let (mut device, link) = meeting(GREETING);
    let (mut link, clock) = (link.unwrap(), clock());
    let early = Deadline::at(clock.now());
    let late = link.feature(2, early);
    assert!(matches!(late, Err(LinkError::TimedOut)), "{late:?}");
    device
        .write_all(&[b'A', 0, 2, 2, 1, b'A', 0, 2, 3, 4])
        .unwrap();
    assert_eq!(link.feature(3, soon(&clock)).unwrap().bytes(), [3, 4]);
}

#[test]
fn something_else_that_answers_is_no_device() {
    for greeting in [&b"HTTP/1.1 400"[..], b"I\0\x01x", b"SSH-2.0-x"] {
        let (_device, link) = meeting(greeting);
        assert!(matches!(link, Err(LinkError::Malformed { .. })), "{link:?}");
    }
    let (mut device, link) = meeting(GREETING);
    let (mut link, deadline) = (link.unwrap(), soon(&clock()));
    device.write_all(b"A\0\0").unwrap();
    let unasked = link.receive(deadline);
    assert!(matches!(unasked, Err(LinkError::Malformed { .. })));
    assert!(matches!(link.receive(deadline), Err(LinkError::Gone)));
}

#[test]
fn a_device_of_another_machine_is_refused_without_being_asked() {
    let clock = clock();
    let elsewhere = SocketAddr::from(([192, 0, 2, 1], 9));
    let refused = connect(elsewhere, soon(&clock), Arc::clone(&clock));
    assert!(matches!(refused, Err(LinkError::Denied)));
}
