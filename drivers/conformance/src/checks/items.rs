//! Codes of scanners, with a feeder that plays the scanner.

use host_protocol::{
    AgentMessage, DeviceDescription, HostMessage, Item, Outcome, Product, ScanCount, Task,
};

use super::{Bench, CANARY, Check, Stop, failed};
use crate::host::{PATIENCE, SILENCE, Session, word};

const NO_FEEDER: Stop = Stop::Lacking("the settings do not name $FEEDER, or it is no code scanner");

/// A code that no log may show.
fn code(letter: char) -> String {
    format!("{CANARY}-{letter}")
}

/// A host whose scanner the suite plays.
fn scanner(bench: &Bench<'_>) -> Result<(Session, DeviceDescription), Stop> {
    let (session, device) = bench.with_device()?;
    if session.feeder.is_none() || device.class != "codeScanner" {
        return Err(NO_FEEDER);
    }
    Ok((session, device))
}

fn wait_for_codes(session: &mut Session, id: u64, device: &str) -> Check {
    session.start_job(id, device, (Task::ScanCodes {}, PATIENCE))?;
    match session.hear_of(id, PATIENCE)? {
        HostMessage::Accepted { .. } => Ok(()),
        other => Err(Stop::Failed(format!(
            "{} instead of accepted",
            word(&other)
        ))),
    }
}

/// Waits for an item with this number and code; progress may come before it.
fn expect_code(session: &mut Session, (id, number): (u64, u32), letter: char) -> Check {
    loop {
        match session.hear_of(id, PATIENCE)? {
            HostMessage::Progress { .. } => {}
            HostMessage::Item {
                n,
                item: Item::Scan { scan },
                ..
            } => {
                return if n == number && scan.bytes.expose() == code(letter).as_bytes() {
                    Ok(())
                } else {
                    Err(Stop::Failed(format!(
                        "item {n} is not the code that was due"
                    )))
                };
            }
            other => return Err(Stop::Failed(format!("{} instead of item", word(&other)))),
        }
    }
}

/// DH-071.
pub(super) fn one_at_a_time(bench: &Bench<'_>) -> Check {
    let (mut session, device) = scanner(bench)?;
    wait_for_codes(&mut session, 711, &device.id)?;
    session.feed(&code('A'))?;
    session.feed(&code('B'))?;
    expect_code(&mut session, (711, 1), 'A')?;
    let early = session.overhear(SILENCE);
    session.say(&AgentMessage::Received { id: 711, n: 1 })?;
    let second = expect_code(&mut session, (711, 2), 'B');
    session.close();
    if early.iter().any(|message| word(message) == "item") {
        return Err(failed("the second code came before the first was received"));
    }
    second
}

/// DH-072. Only a host that counts such codes shows that it has heard one.
pub(super) fn stray(bench: &Bench<'_>) -> Check {
    let (mut session, device) = scanner(bench)?;
    session.feed(&code('C'))?;
    let counted = session.overhear(SILENCE * 2);
    let noticed = counted.iter().any(|message| match message {
        HostMessage::Devices { devices, .. } => devices
            .iter()
            .any(|seen| seen.id == device.id && seen.counters != device.counters),
        _other => false,
    });
    if !noticed {
        session.close();
        return Err(Stop::Lacking(
            "the host does not count codes that nobody waits for",
        ));
    }
    wait_for_codes(&mut session, 721, &device.id)?;
    session.feed(&code('D'))?;
    let found = expect_code(&mut session, (721, 1), 'D');
    session.close();
    found
}

/// DH-073: one received, one under way.
pub(super) fn counted(bench: &Bench<'_>) -> Check {
    let (mut session, device) = scanner(bench)?;
    wait_for_codes(&mut session, 731, &device.id)?;
    session.feed(&code('E'))?;
    expect_code(&mut session, (731, 1), 'E')?;
    session.say(&AgentMessage::Received { id: 731, n: 1 })?;
    session.feed(&code('F'))?;
    expect_code(&mut session, (731, 2), 'F')?;
    session.say(&AgentMessage::Cancel { id: 731 })?;
    let end = session.finished(731, PATIENCE)?;
    session.close();
    let HostMessage::Finished {
        outcome: Outcome::Done { product },
        ..
    } = end
    else {
        return Err(failed("a cancelled scanCodes did not end with its product"));
    };
    let right = ScanCount {
        delivered: 1,
        undelivered: 1,
    };
    match *product {
        Product::Scans { count } if count == right => Ok(()),
        Product::Scans { count } => Err(Stop::Failed(format!(
            "{} delivered and {} not, instead of one each",
            count.delivered, count.undelivered
        ))),
        _other => Err(failed("the product is none of scanCodes")),
    }
}

/// DH-074.
pub(super) fn next_job(bench: &Bench<'_>) -> Check {
    let (mut session, device) = scanner(bench)?;
    for (id, letter) in [(741, 'G'), (742, 'H')] {
        wait_for_codes(&mut session, id, &device.id)?;
        session.feed(&code(letter))?;
        expect_code(&mut session, (id, 1), letter)?;
        session.say(&AgentMessage::Received { id, n: 1 })?;
        session.say(&AgentMessage::Cancel { id })?;
        session.finished(id, PATIENCE)?;
    }
    session.close();
    Ok(())
}
