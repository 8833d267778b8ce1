//! Jobs.

use std::time::Duration;

use host_protocol::{
    Act, AgentMessage, Answer, HostMessage, Outcome, SecretBytes, SecretText, Task,
};

use super::{Bench, CANARY, Check, Stop, failed, foreign, harmless};
use crate::host::{PATIENCE, PROMPTLY, Session, word};

/// What the protocol gives a host to end a cancelled job.
const CANCEL_WITHIN: Duration = Duration::from_secs(3);
/// A deadline that is tried.
const SOON: Duration = Duration::from_millis(300);

/// The first word about a job must be a `finished` with one of these faults.
fn refused(session: &mut Session, id: u64, codes: &[&str]) -> Check {
    match session.hear_of(id, PATIENCE)? {
        HostMessage::Finished {
            outcome: Outcome::Failed { fault },
            ..
        } if codes.contains(&fault.code.as_str()) => Ok(()),
        HostMessage::Finished {
            outcome: Outcome::Failed { fault },
            ..
        } => Err(Stop::Failed(format!(
            "finished with {}, not {}",
            fault.code,
            codes.join(" or ")
        ))),
        other => Err(Stop::Failed(format!("it was answered by {}", word(&other)))),
    }
}

/// DH-016.
pub(super) fn before_welcome(bench: &Bench<'_>) -> Check {
    let mut session = bench.start()?;
    session.hello()?;
    session.start_job(161, "any", (Task::ScanCodes {}, PATIENCE))?;
    let found = refused(&mut session, 161, &["HST-UNUSABLE"]);
    session.close();
    found
}

/// DH-017.
pub(super) fn ended_with_the_input(bench: &Bench<'_>) -> Check {
    let (mut session, _device) = bench.with_job(171)?;
    session.end_input();
    let found = session.finished(171, PROMPTLY);
    session.close();
    found.map(drop).map_err(Stop::from)
}

/// DH-030 and DH-035.
pub(super) fn cancelled(bench: &Bench<'_>) -> Check {
    let (mut session, _device) = bench.with_job(351)?;
    session.say(&AgentMessage::Cancel { id: 351 })?;
    let found = session.finished(351, CANCEL_WITHIN);
    // A second word about the job would come now.
    session.ping(352)?;
    session.close();
    found.map(drop).map_err(Stop::from)
}

/// DH-032.
pub(super) fn unknown_device(bench: &Bench<'_>) -> Check {
    let (mut session, device) = bench.with_device()?;
    let task = harmless(&device).unwrap_or(Task::ListTickets {});
    session.start_job(321, "no-such-device:1", (task, PATIENCE))?;
    let found = refused(&mut session, 321, &["DEV-GONE", "RDR-GONE"]);
    session.close();
    found
}

/// DH-033.
pub(super) fn foreign_task(bench: &Bench<'_>) -> Check {
    let (mut session, device) = bench.with_device()?;
    session.start_job(331, &device.id, (foreign(&device), PATIENCE))?;
    let found = refused(&mut session, 331, &["DEV-UNSUPPORTED"]);
    session.close();
    found
}

/// DH-034.
pub(super) fn second_job(bench: &Bench<'_>) -> Check {
    let (mut session, device) = bench.with_job(341)?;
    session.start_job(342, &device.id, (harmless(&device)?, PATIENCE))?;
    refused(&mut session, 342, &["DEV-BUSY", "RDR-BUSY"])?;
    let meanwhile = session.ping(343)?;
    let ended = meanwhile
        .iter()
        .any(|message| matches!(message, HostMessage::Finished { id: 341, .. }));
    session.close();
    if ended {
        return Err(failed("the second job ended the first"));
    }
    Ok(())
}

/// DH-036.
pub(super) fn deadline(bench: &Bench<'_>) -> Check {
    let (mut session, device) = bench.with_device()?;
    session.start_job(361, &device.id, (harmless(&device)?, SOON))?;
    let found = session.finished(361, SOON + PROMPTLY);
    session.close();
    found.map(drop).map_err(Stop::from)
}

/// DH-037.
pub(super) fn words_for_no_job(bench: &Bench<'_>) -> Check {
    let mut session = bench.welcomed()?;
    let id = 371;
    let answer = Answer::Secret {
        value: SecretText::new(CANARY.to_owned()),
        last_try_allowed: false,
    };
    for message in [
        AgentMessage::Cancel { id },
        AgentMessage::Answer { id, ask: 1, answer },
        AgentMessage::Received { id, n: 1 },
        AgentMessage::Part {
            id,
            attachment: 1,
            data: SecretBytes::new(CANARY.as_bytes().to_vec()),
            last: true,
        },
        AgentMessage::Act {
            id,
            act: Act::Confirm {},
        },
    ] {
        session.say(&message)?;
    }
    let answers = session.ping(372)?;
    session.close();
    match answers.iter().find(|message| word(message) != "devices") {
        Some(answer) => Err(Stop::Failed(format!("it was answered by {}", word(answer)))),
        None => Ok(()),
    }
}

/// DH-039.
pub(super) fn own_task(bench: &Bench<'_>) -> Check {
    let (session, _device) = bench.with_job(391)?;
    session.close();
    Ok(())
}

/// DH-050.
pub(super) fn ping_while_busy(bench: &Bench<'_>) -> Check {
    let (mut session, busy) = match bench.with_job(501) {
        Ok((session, _device)) => (session, Ok(())),
        Err(lacking @ Stop::Lacking(_)) => (bench.welcomed()?, Err(lacking)),
        Err(stop) => return Err(stop),
    };
    for number in 0..20 {
        session.ping(number)?;
    }
    session.close();
    // Without a job it was answered, which is less than the half of it.
    busy
}
