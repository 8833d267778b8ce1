//! Chaining, joining and repeating, against a card of a few lines; and what reaches log and recording.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Mutex, Once, PoisonError},
};

use device_api::{Secret, SystemClock};

use super::*;

/// Answers in order and keeps what it was sent.
struct Script {
    answers: VecDeque<Vec<u8>>,
    seen: Vec<Vec<u8>>,
}

impl Carrier for Script {
    fn carry(&mut self, exchange: &Exchange<'_>) -> Result<Zeroizing<Vec<u8>>, ChannelError> {
        self.seen.push(exchange.encode().to_vec());
        self.answers
            .pop_front()
            .map(Zeroizing::new)
            .ok_or(ChannelError::Mute)
    }
}

fn talk(answers: &[&[u8]]) -> Talk<Script> {
    talk_recorded(answers, None)
}

fn talk_recorded(answers: &[&[u8]], recorder: Option<Recorder>) -> Talk<Script> {
    let answers = answers.iter().map(|answer| answer.to_vec()).collect();
    let script = Script {
        answers,
        seen: Vec::new(),
    };
    Talk::new(
        script,
        "reader".to_owned(),
        Arc::new(SystemClock::new()),
        recorder,
    )
}

fn send(talk: &mut Talk<Script>, command: &Command) -> Result<Response, ChannelError> {
    talk.transmit(command, CardLengths::default())
}

fn read_binary() -> Command {
    Command::new(0x00, 0xB0, 0x00, 0x00).expecting(256)
}

#[test]
fn an_answer_in_parts_is_joined() {
    let mut talk = talk(&[&[1, 2, 0x61, 0x03], &[3, 0x61, 0x00], &[4, 5, 0x90, 0x00]]);
    let answer = send(&mut talk, &read_binary()).unwrap();
    assert_eq!(
        (answer.data(), answer.status()),
        (&[1, 2, 3, 4, 5][..], StatusWord::OK)
    );
    let seen = &talk.carrier_mut().seen;
    assert_eq!(seen[1..], [vec![0, 0xC0, 0, 0, 3], vec![0, 0xC0, 0, 0, 0]]);
}

#[test]
fn a_card_that_promises_more_for_ever_is_garbled() {
    let mut talk = talk(&[&[0x61, 0x10], &[0x61, 0x10]]);
    assert_eq!(
        send(&mut talk, &read_binary()).unwrap_err(),
        ChannelError::Garbled
    );
    let endless: Vec<Vec<u8>> = (0..400)
        .map(|_| [vec![7; 256], vec![0x61, 0x00]].concat())
        .collect();
    let endless: Vec<&[u8]> = endless.iter().map(Vec::as_slice).collect();
    let mut talk = self::talk(&endless);
    assert_eq!(
        send(&mut talk, &read_binary()).unwrap_err(),
        ChannelError::Garbled
    );
}

#[test]
fn a_wrong_length_is_corrected_once() {
    let mut talk = talk(&[&[0x6C, 0x02], &[1, 2, 0x90, 0x00]]);
    assert_eq!(send(&mut talk, &read_binary()).unwrap().data(), [1, 2]);
    assert_eq!(talk.carrier_mut().seen[1], [0, 0xB0, 0, 0, 2]);
    let mut talk = self::talk(&[&[0x6C, 0x02], &[0x6C, 0x02]]);
    assert_eq!(
        send(&mut talk, &read_binary()).unwrap().status(),
        StatusWord(0x6C02)
    );
}

#[test]
fn the_first_command_after_power_up_is_repeated_when_the_card_was_not_awake() {
    let mut talk = talk(&[&[0x6F, 0x00], &[0x90, 0x00], &[0x6F, 0x00]]);
    assert!(send(&mut talk, &read_binary()).unwrap().status().is_ok());
    // Later the same answer is the card's own.
    assert_eq!(
        send(&mut talk, &read_binary()).unwrap().status(),
        StatusWord(0x6F00)
    );
    assert_eq!(talk.carrier_mut().seen.len(), 3);
}

#[test]
fn a_secret_is_sent_once_whatever_the_card_answers() {
    for status in [[0x6C, 0x04], [0x6F, 0x00], [0x63, 0xC2], [0x69, 0x84]] {
        let mut talk = talk(&[&status, &[0x90, 0x00]]);
        let verify = Command::new(0, 0x20, 0, 0x91).with_secret(Secret::new(b"1234".to_vec()));
        let answer = send(&mut talk, &verify).unwrap();
        assert_eq!(answer.status().0.to_be_bytes(), status);
        assert_eq!(talk.carrier_mut().seen.len(), 1);
    }
}

#[test]
fn a_refused_link_ends_its_chain() {
    let mut talk = talk(&[&[0x68, 0x84], &[0x90, 0x00]]);
    let long = Command::new(0, 0xDA, 0, 0).with_data(vec![0; 300]);
    assert_eq!(send(&mut talk, &long).unwrap().status(), StatusWord(0x6884));
    assert_eq!(talk.carrier_mut().seen.len(), 1);
}

#[test]
fn a_get_response_keeps_channel_and_drops_proprietary_class() {
    for (cla, expected) in [(0x02, 0x02), (0x80, 0x00)] {
        let mut talk = talk(&[&[0x61, 0x01], &[1, 0x90, 0x00]]);
        send(&mut talk, &Command::new(cla, 0x2A, 0, 0)).unwrap();
        assert_eq!(talk.carrier_mut().seen[1][0], expected);
    }
}

#[test]
fn an_answer_without_status_word_or_beyond_what_was_asked_is_garbled() {
    for answer in [vec![], vec![0x90], vec![0; 300]] {
        let mut talk = talk(&[&answer]);
        assert_eq!(
            send(&mut talk, &read_binary()).unwrap_err(),
            ChannelError::Garbled
        );
    }
}

/// Collects what is written.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Page {
    fn text(&self) -> String {
        String::from_utf8(
            self.0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        )
        .unwrap()
    }
}

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

thread_local! {
    static LOG: Page = Page::default();
}

/// Writes to the page of the thread that logs.
struct OwnPage;

impl io::Write for OwnPage {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.with(|log| log.clone().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What this thread logs at trace level while it does `work`.
///
/// There is one subscriber for the whole test program: with one for each test, a test that ended switched
/// the log off for another that was running, and that one found nothing.
fn logged<T>(work: impl FnOnce() -> T) -> String {
    static SUBSCRIBER: Once = Once::new();
    SUBSCRIBER.call_once(|| {
        tracing_subscriber::fmt()
            .with_writer(|| OwnPage)
            .with_max_level(tracing::Level::TRACE)
            .init();
    });
    work();
    LOG.with(Page::text)
}

#[test]
fn neither_log_nor_recording_holds_a_secret_or_a_citizens_data() {
    let recording = Page::default();
    let log = logged(|| {
        let recorder = Recorder::new(Box::new(recording.clone()));
        let canary_answer = [b"CANARY-NAME".as_slice(), &[0x90, 0x00]].concat();
        let ok: &[u8] = &[0x90, 0x00];
        let mut talk = talk_recorded(&[ok, ok, ok, ok, ok, &canary_answer], Some(recorder));
        let secret = || Secret::new(b"7391".to_vec());
        let long = |count: usize| Secret::new(b"7391".repeat(count));
        let verify = |secret| Command::new(0, 0x20, 0, 0x91).with_secret(secret);
        send(&mut talk, &verify(secret())).unwrap();
        talk.transmit(&verify(long(100)), CardLengths { extended: true })
            .unwrap();
        send(&mut talk, &verify(long(150))).unwrap();
        let read = read_binary().answered_with_personal_data();
        assert_eq!(send(&mut talk, &read).unwrap().data(), b"CANARY-NAME");
        format!("{talk:?}")
    });
    for written in [log, recording.text()] {
        // That something was written at all shows that the test looks at the right place.
        assert!(written.contains("00200091"), "{written}");
        assert!(written.lines().count() >= 6, "{written}");
        for canary in ["7391", "37333931", "CANARY", "43414E415259"] {
            assert!(!written.contains(canary), "{canary} in {written}");
        }
    }
}

#[test]
fn open_data_are_logged_so_that_the_test_above_can_fail() {
    let text = logged(|| {
        let mut talk = talk(&[&[0xCA, 0xFE, 0x90, 0x00]]);
        let select = Command::new(0, 0xA4, 4, 0x0C).with_data([0xD3, 0x92]);
        send(&mut talk, &select).unwrap();
    });
    assert!(
        text.contains("D392") && text.contains("CAFE") && text.contains("9000"),
        "{text}"
    );
}

/// The redaction's own proof: the same exchanges, not marked as secret or personal, are found in both.
#[test]
fn what_is_not_marked_stands_in_log_and_recording() {
    let recording = Page::default();
    let log = logged(|| {
        let recorder = Recorder::new(Box::new(recording.clone()));
        let canary_answer = [b"CANARY-NAME".as_slice(), &[0x90, 0x00]].concat();
        let ok: &[u8] = &[0x90, 0x00];
        let mut talk = talk_recorded(&[ok, &canary_answer], Some(recorder));
        let verify = Command::new(0, 0x20, 0, 0x91).with_data(b"7391".to_vec());
        send(&mut talk, &verify).unwrap();
        send(&mut talk, &read_binary()).unwrap();
    });
    for written in [log, recording.text()] {
        for canary in ["37333931", "43414E415259"] {
            assert!(written.contains(canary), "{canary} not in {written}");
        }
    }
}
