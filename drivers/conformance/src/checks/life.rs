//! From hello to the end of the input.

use std::collections::BTreeSet;
use std::process::ExitStatus;

use host_protocol::{AgentMessage, HostMessage};

use super::{Bench, Check, Stop, failed, harmless};
use crate::host::{PATIENCE, PROMPTLY, word};

/// DH-010 and DH-011.
pub(super) fn hello(bench: &Bench<'_>) -> Check {
    let mut session = bench.start()?;
    let offered = session.hello()?;
    session.close();
    if offered.contains(&1) {
        Ok(())
    } else {
        Err(failed("hello does not offer version 1"))
    }
}

/// DH-012.
pub(super) fn unknown_version(bench: &Bench<'_>) -> Check {
    let mut session = bench.start()?;
    session.hello()?;
    session.say(&AgentMessage::Welcome {
        protocol: 4_000_000_000,
        settings: None,
    })?;
    let status = session.ended(PATIENCE);
    session.close();
    ended_with(status, 3)
}

/// DH-013.
pub(super) fn quiet_before_welcome(bench: &Bench<'_>) -> Check {
    let mut session = bench.start()?;
    session.hello()?;
    let before = session.ping(131)?;
    let later = session.overhear(crate::host::SILENCE);
    session.close();
    match before.iter().chain(&later).next() {
        Some(message) => Err(Stop::Failed(format!("{} before welcome", word(message)))),
        None => Ok(()),
    }
}

/// DH-014.
pub(super) fn welcome_twice(bench: &Bench<'_>) -> Check {
    let mut session = bench.welcomed()?;
    session.welcome()?;
    session.ping(141)?;
    session.close();
    Ok(())
}

/// DH-015.
pub(super) fn wrong_settings(bench: &Bench<'_>) -> Check {
    if bench.subject.settings.is_none() {
        return Err(Stop::Lacking("no settings were given to the suite"));
    }
    let mut session = bench.start()?;
    session.hello()?;
    session.say(&AgentMessage::Welcome {
        protocol: 1,
        settings: Some(serde_json::json!({"noSuchSetting": true})),
    })?;
    let status = session.ended(PATIENCE);
    session.close();
    ended_with(status, 5)
}

/// DH-018, with a job under way where one can be.
pub(super) fn end_of_input(bench: &Bench<'_>) -> Check {
    let mut session = match bench.with_device() {
        Ok((mut session, device)) => {
            if let Ok(task) = harmless(&device) {
                session.start_job(181, &device.id, (task, PATIENCE))?;
                session.hear_of(181, PATIENCE)?;
            }
            session
        }
        Err(Stop::Lacking(_no_device)) => bench.welcomed()?,
        Err(stop) => return Err(stop),
    };
    session.end_input();
    let status = session.ended(PROMPTLY);
    session.close();
    ended_with(status, 0)
}

/// DH-021.
pub(super) fn devices(bench: &Bench<'_>) -> Check {
    let mut session = bench.welcomed()?;
    let told = session.hear(PATIENCE);
    session.close();
    match told? {
        HostMessage::Devices { .. } => Ok(()),
        other => Err(Stop::Failed(format!("{} instead of devices", word(&other)))),
    }
}

/// DH-022.
pub(super) fn stable_ids(bench: &Bench<'_>) -> Check {
    let mut ids = BTreeSet::new();
    for _life in 0..2 {
        let (session, device) = bench.with_device()?;
        session.close();
        ids.insert(device.id);
    }
    match ids.len() {
        1 => Ok(()),
        _differ => Err(failed("the device had another id after a restart")),
    }
}

/// DH-023.
pub(super) fn own_ids(bench: &Bench<'_>) -> Check {
    let Some(name) = bench.subject.name.clone() else {
        return Err(Stop::Lacking("no name was given to the suite (--name)"));
    };
    let (session, device) = bench.with_device()?;
    session.close();
    match device.id.strip_prefix(name.as_str()) {
        Some(rest) if rest.starts_with(':') && rest.len() > 1 => Ok(()),
        Some(_) | None => Err(Stop::Failed(format!(
            "{:?} does not begin with {name:?} and a colon",
            device.id
        ))),
    }
}

/// DH-051.
pub(super) fn pong(bench: &Bench<'_>) -> Check {
    let mut session = bench.welcomed()?;
    for number in [0, 1, u64::from(u32::MAX) + 1, u64::MAX] {
        session.ping(number)?;
    }
    session.close();
    Ok(())
}

fn ended_with(status: Option<ExitStatus>, code: i32) -> Check {
    match status {
        Some(status) if status.code() == Some(code) => Ok(()),
        Some(status) => Err(Stop::Failed(format!("it ended with {status}, not {code}"))),
        None => Err(failed("it did not end in time")),
    }
}
