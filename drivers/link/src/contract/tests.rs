//! The contract on links that need no device: in memory, and TCP. Other links keep it in tests of their own.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use device_api::SystemClock;

use super::*;
use crate::memory::{self, Device};
use crate::tcp;

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

pub(crate) fn stream<'a>(
    link: &'a mut dyn Link,
    peer: &'a mut dyn Peer,
    clock: Arc<dyn Clock>,
) -> Subject<'a> {
    Subject {
        link,
        peer,
        clock,
        traffic: Traffic::Stream,
        wakes: Wakes::Never,
    }
}

impl Peer for Device {
    fn sends(&mut self, bytes: &[u8]) {
        Self::sends(self, bytes);
    }

    fn arrived(&mut self, _: usize) -> Vec<u8> {
        self.take_sent().concat()
    }

    fn vanishes(&mut self) {
        Self::vanishes(self);
    }
}

#[test]
fn a_stream_in_memory_keeps_the_contract() {
    let (mut device, mut link) = memory::stream_pair_on(clock());
    let own = device.clock();
    check(stream(&mut link, &mut device, own)).unwrap();
}

#[test]
fn reports_in_memory_keep_the_contract() {
    let (mut device, mut link) = memory::reports_on([], clock());
    let own = device.clock();
    let mut subject = stream(&mut link, &mut device, own);
    subject.traffic = Traffic::Reports {
        input: vec![vec![1, 2, 3], vec![2; 64]],
        output: Some(vec![5, 6]),
    };
    check(subject).unwrap();
}

/// Anything that reads, writes and closes.
#[derive(Debug)]
pub(crate) struct Closing<F>(pub(crate) Option<F>);

impl<F: fmt::Debug> Peer for Closing<F>
where
    for<'a> &'a F: std::io::Read + std::io::Write,
{
    fn sends(&mut self, bytes: &[u8]) {
        (&mut self.0.as_ref().unwrap()).write_all(bytes).unwrap();
    }

    fn arrived(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        (&mut self.0.as_ref().unwrap())
            .read_exact(&mut bytes)
            .unwrap();
        bytes
    }

    fn vanishes(&mut self) {
        self.0 = None;
    }
}

#[test]
fn a_connection_keeps_the_contract() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let clock = clock();
    let soon = Deadline::at(clock.now().plus(LONG));
    let address = listener.local_addr().unwrap();
    let mut link = tcp::connect(address, soon, Arc::clone(&clock)).unwrap();
    let (device, _): (TcpStream, _) = listener.accept().unwrap();
    check(stream(&mut link, &mut Closing(Some(device)), clock)).unwrap();
}

#[test]
fn nobody_listening_is_a_device_that_is_gone() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let clock = clock();
    let soon = Deadline::at(clock.now().plus(LONG));
    assert!(matches!(
        tcp::connect(address, soon, Arc::clone(&clock)),
        Err(LinkError::Gone)
    ));
    let past = Deadline::at(device_api::Moment::default());
    assert!(matches!(
        tcp::connect(address, past, clock),
        Err(LinkError::TimedOut)
    ));
}
