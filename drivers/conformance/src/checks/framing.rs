//! Lines.

use host_protocol::{HostMessage, MAX_LINE};

use super::{Bench, CANARY, Check, Stop};
use crate::host::{PROMPTLY, Session, word};

/// Of what came, only the list of devices may come by itself.
fn nothing_but_devices(heard: &[HostMessage]) -> Check {
    match heard.iter().find(|message| word(message) != "devices") {
        Some(answer) => Err(Stop::Failed(format!("it was answered by {}", word(answer)))),
        None => Ok(()),
    }
}

fn ping_line(number: u64) -> String {
    format!("{{\"type\":\"ping\",\"n\":{number}}}")
}

/// DH-002: a line that would be a message if it were shorter.
pub(super) fn oversized(bench: &Bench<'_>) -> Check {
    let mut session = bench.welcomed()?;
    let mut line = ping_line(21).into_bytes();
    line.resize(MAX_LINE + 1, b' ');
    line.push(b'\n');
    session.say_bytes(&line)?;
    let answer = session.ping(22)?;
    session.close();
    nothing_but_devices(&answer)
}

/// DH-003.
pub(super) fn garbage(bench: &Bench<'_>) -> Check {
    let mut session = bench.welcomed()?;
    for line in rubbish() {
        session.say_bytes(&line)?;
        session.say_bytes(b"\n")?;
    }
    let answer = session.ping(33)?;
    session.close();
    nothing_but_devices(&answer)
}

fn rubbish() -> Vec<Vec<u8>> {
    let texts = [
        String::new(),
        "{}".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        CANARY.to_owned(),
        format!("{{\"type\":\"{CANARY}\"}}"),
        "{\"type\":\"ping\",\"n\":31,\"more\":true}".to_owned(),
        "{\"type\":\"ping\"}".to_owned(),
        "{\"type\":\"ping\",\"n\":-31}".to_owned(),
        "{\"type\":\"ping\",\"n\":\"31\"}".to_owned(),
        "{\"type\":\"ping\",\"n\":true}".to_owned(),
        format!("{} {}", ping_line(31), ping_line(32)),
        ping_line(31).replace('}', ""),
        "[".repeat(20_000),
        format!("{{\"type\":\"answer\",\"id\":7,\"ask\":1,\"answer\":\"{CANARY}\"}}"),
    ];
    let mut lines: Vec<Vec<u8>> = texts.into_iter().map(String::into_bytes).collect();
    lines.push(vec![0xFF, 0xFE, 0x00, 0x80]);
    lines.push(vec![0; 1000]);
    lines
}

/// DH-004: the end of the input does not end a line.
pub(super) fn unfinished(bench: &Bench<'_>) -> Check {
    let mut session = bench.welcomed()?;
    session.say_bytes(ping_line(41).as_bytes())?;
    session.end_input();
    let ended = session.ended(PROMPTLY);
    let answered = pongs(&session);
    session.close();
    match (ended, answered) {
        (Some(_), 0) => Ok(()),
        (None, 0) => Err(super::failed("the host did not end")),
        (_, _) => Err(super::failed("it was answered by pong")),
    }
}

fn pongs(session: &Session) -> usize {
    let heard = session.transcript.heard.iter();
    heard.filter(|message| word(message) == "pong").count()
}
