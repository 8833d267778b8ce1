//! Recording and replaying, together.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use super::*;
use crate::memory::{self, Device};
use crate::record::{Consent, Recorded};
use crate::recording::{minimise, read};

/// What was written, kept for the test.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8(bytes.clone()).unwrap()
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn soon(clock: &dyn Clock) -> Deadline {
    Deadline::at(clock.now().plus(Duration::from_secs(1)))
}

fn device() -> (Device, memory::MemoryReportLink) {
    let (device, link) = memory::reports([0x05, 0x8c]);
    device.answers(|sent| vec![[sent, &[0xaa]].concat()]);
    device.answers_features(|report| (report == 2).then(|| vec![2, 0x33]));
    (device, link)
}

/// A conversation with every kind of entry.
fn converse(link: &mut impl ReportLink, clock: &dyn Clock) -> Result<Vec<u8>, LinkError> {
    let features = link.feature(2, soon(clock))?;
    link.set_feature(&Frame::plain([2, 0x44]), soon(clock))?;
    link.send(&Frame::plain([0x10]), soon(clock))?;
    link.send(&Frame::personal([0x99]), soon(clock))?;
    let first = link.receive(soon(clock))?;
    let second = link.receive(soon(clock))?;
    let nothing = link.receive(soon(clock));
    assert!(matches!(nothing, Err(LinkError::TimedOut)), "{nothing:?}");
    Ok([features.bytes(), first.bytes(), second.bytes()].concat())
}

fn recorded(consent: Consent) -> (String, Vec<u8>) {
    let (device, link) = device();
    let (paper, clock) = (Paper::default(), device.clock());
    let out = Box::new(paper.clone());
    let mut link = Recorded::with_descriptor(link, out, Arc::clone(&clock), consent);
    let said = converse(&mut link, clock.as_ref()).unwrap();
    (paper.text(), said)
}

#[test]
fn a_recording_of_a_test_device_plays_as_it_was() {
    let (text, said) = recorded(Consent::TestDevice);
    let mut replay = Replay::of(read(text.as_bytes()).unwrap());
    let clock = replay.clock();
    assert_eq!(replay.descriptor(), [0x05, 0x8c]);
    assert_eq!(converse(&mut replay, clock.as_ref()).unwrap(), said);
    assert!(replay.is_finished());
}

#[test]
fn at_a_counter_nothing_of_a_citizen_is_written_down() {
    let (text, said) = recorded(Consent::Counter);
    for personal in ["99", "aa", "33"] {
        assert!(!text.contains(personal), "{personal} in {text}");
    }
    assert!(text.contains(r#""bytes":"10""#) && text.contains(r#""bytes":"0244""#));
    let entries = read(text.as_bytes()).unwrap();
    let mut replay = Replay::of(entries.clone());
    let clock = replay.clock();
    assert!(converse(&mut replay, clock.as_ref()).is_err());
    assert_eq!(replay.departure().unwrap().entry, 2);
    let mut replay = Replay::of(entries)
        .supplying(2, [2, 0x33])
        .supplying(6, [0x10, 0xaa])
        .supplying(7, [0x99, 0xaa]);
    let clock = replay.clock();
    assert_eq!(converse(&mut replay, clock.as_ref()).unwrap(), said);
}

#[test]
fn a_driver_that_does_something_else_is_told_where_and_finds_the_device_gone() {
    let (text, _) = recorded(Consent::TestDevice);
    let entries = read(text.as_bytes()).unwrap();
    let far = Deadline::at(Moment::after_origin(Duration::from_secs(9)));
    let mut replay = Replay::of(entries.clone());
    assert!(replay.feature(3, far).is_err());
    assert_eq!(replay.departure().unwrap().entry, 2);
    assert!(matches!(replay.feature(2, far), Err(LinkError::Gone)));
    let mut replay = Replay::of(entries.clone());
    replay.feature(2, far).unwrap();
    assert!(replay.set_feature(&Frame::plain([2, 0x45]), far).is_err());
    assert_eq!(
        replay.departure().unwrap().why,
        "other bytes were sent here"
    );
    let mut replay = Replay::of(entries);
    assert!(replay.receive(far).is_err());
    assert!(!replay.is_finished());
    let mut ended = Replay::of([]);
    assert!(ended.receive(far).is_err());
    assert_eq!(ended.departure().unwrap().entry, 1);
}

#[test]
fn a_long_recording_shrinks_to_what_shows_the_problem() {
    let (device, link) = memory::stream_pair();
    let (paper, clock) = (Paper::default(), device.clock());
    let out = Box::new(paper.clone());
    let mut link = Recorded::new(link, out, Arc::clone(&clock), Consent::TestDevice);
    for number in 0..50_u8 {
        device.sends([number]);
        link.receive(soon(clock.as_ref())).unwrap();
    }
    let entries = read(paper.text().as_bytes()).unwrap();
    // The problem: a driver that forgets to unlock (33) after it was locked (7).
    let shows = |some: &[Entry]| {
        let mut replay = Replay::of(some.to_vec());
        let far = Deadline::at(Moment::default());
        let bytes: Vec<u8> = std::iter::from_fn(|| replay.receive(far).ok())
            .flat_map(|frame| frame.bytes().to_vec())
            .collect();
        bytes.contains(&7) && bytes.contains(&33)
    };
    let short = minimise(&entries, shows);
    let texts: Vec<_> = short
        .iter()
        .filter_map(|entry| entry.bytes.as_deref())
        .collect();
    assert_eq!(texts, ["07", "21"]);
}
