//! What is recorded can be played back, as far as it may be recorded.

use std::sync::Mutex;

use device_api::Secret;
use proptest::prelude::*;

use super::*;
use crate::apdu::StatusWord;

const RECORDING: &str = "\
{\"header\":\"00A4040C\",\"sent\":2,\"data\":\"D392\",\"received\":0,\"answer\":\"\",\"sw\":\"9000\",\"micros\":90}
{\"header\":\"00200091\",\"sent\":4,\"received\":0,\"answer\":\"\",\"sw\":\"63C2\",\"micros\":90}
{\"header\":\"00B08200\",\"sent\":0,\"data\":\"\",\"expected\":256,\"received\":3,\"sw\":\"9000\",\"micros\":90}
";

fn select() -> Command {
    Command::new(0x00, 0xA4, 0x04, 0x0C).with_data([0xD3, 0x92])
}

fn verify(pin: &[u8]) -> Command {
    Command::new(0x00, 0x20, 0x00, 0x91).with_secret(Secret::new(pin.to_vec()))
}

fn read() -> Command {
    Command::new(0x00, 0xB0, 0x82, 0x00)
        .expecting(256)
        .answered_with_personal_data()
}

#[test]
fn a_recording_answers_as_the_card_did() {
    let mut replay = Replay::read(RECORDING.as_bytes())
        .unwrap()
        .supplying(3, b"abc");
    assert!(replay.transmit(select()).unwrap().status().is_ok());
    // Which secret it was is not recorded, so any of its length plays.
    assert_eq!(
        replay.transmit(verify(b"9999")).unwrap().status(),
        StatusWord(0x63C2)
    );
    assert_eq!(replay.transmit(read()).unwrap().data(), b"abc");
    assert_eq!((replay.played(), replay.departure()), (3, None));
}

#[test]
fn a_departure_from_the_recording_is_named() {
    let check = |command: Command, expected: &str| {
        let mut replay = Replay::read(RECORDING.as_bytes()).unwrap();
        assert_eq!(replay.transmit(command).unwrap_err(), ChannelError::Mute);
        assert_eq!(replay.departure().as_deref(), Some(expected));
    };
    check(
        verify(b"9999"),
        "exchange 1: another command was recorded here",
    );
    check(
        Command::new(0x00, 0xA4, 0x04, 0x0C).with_data([0xD3, 0x93]),
        "exchange 1: other data were recorded here",
    );
}

#[test]
fn a_personal_answer_that_nobody_supplied_is_a_departure() {
    let mut replay = Replay::read(RECORDING.as_bytes()).unwrap();
    replay.transmit(select()).unwrap();
    replay.transmit(verify(b"1234")).unwrap();
    assert_eq!(replay.transmit(read()).unwrap_err(), ChannelError::Mute);
    let departure = replay.departure().unwrap();
    assert_eq!(
        departure,
        "exchange 3: the answer was not recorded and not supplied"
    );
}

#[test]
fn a_line_that_is_no_exchange_is_named() {
    let error = Replay::read(b"{\"header\":1}\n".as_slice()).unwrap_err();
    assert_eq!(error.to_string(), "line 1 of the recording is no exchange");
}

/// Lets a recorder's output be looked at.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_a_recorder_wrote_can_be_played() {
    let page = Page::default();
    let tape = Replay::read(RECORDING.as_bytes())
        .unwrap()
        .supplying(3, b"abc");
    let tape = tape
        .talk
        .into_recorded(Recorder::new(Box::new(page.clone())));
    let mut first = Replay { talk: tape };
    first.transmit(select()).unwrap();
    first.transmit(verify(b"1234")).unwrap();
    first.transmit(read()).unwrap();
    let written = page.0.lock().unwrap().clone();
    let mut second = Replay::read(written.as_slice())
        .unwrap()
        .supplying(3, b"xyz");
    second.transmit(select()).unwrap();
    second.transmit(verify(b"5678")).unwrap();
    assert_eq!(second.transmit(read()).unwrap().data(), b"xyz");
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in ".{0,200}") {
        let _result = Replay::read(text.as_bytes());
    }
}
