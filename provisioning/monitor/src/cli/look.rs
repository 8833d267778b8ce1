//! Commands that look: they change nothing but what an operator settles.

use std::path::Path;

use anyhow::Context as _;
use device_api::{Clock as _, SystemClock};
use telemetry::name::DeviceName;

use super::{Done, End, print, store};
use monitor::config::Config;
use monitor::print;
use monitor::registry::{Registered, Shard};
use monitor::store::{Store, StoreError};
use monitor::verify;

/// How many envelopes are read at once.
const PAGE: usize = 256;
/// How often somebody who follows is told.
const FOLLOW: std::time::Duration = std::time::Duration::from_millis(500);

/// Shows all devices, or everything about one.
pub(super) fn show(config: &Config, device: Option<&DeviceName>, json: bool) -> Done {
    let store = store(&config.database)?;
    let registry = store.registry(Shard::WHOLE)?;
    let chosen = match device {
        Some(name) => std::slice::from_ref(registry.device(name).ok_or(StoreError::NoDevice)?),
        None => registry.devices(),
    };
    if json {
        for row in print::devices_json(&store, chosen)? {
            print(&format!("{row}\n"));
        }
        return Ok(End::Well);
    }
    let text = match (device, chosen) {
        (Some(_), [one]) => print::device(&store, one)?,
        _ => print::devices(&store, chosen)?,
    };
    print(&text);
    Ok(End::Well)
}

/// Prints what comes, until nobody reads it.
pub(super) fn follow(config: &Config, json: bool) -> Done {
    let store = store(&config.database)?;
    let mut evidence = store.newest_evidence()?;
    let mut happening = store.happenings_after(0)?.last().map_or(0, |last| last.id);
    // Nobody sends; the channel is the way to wait.
    let (_never, wait) = std::sync::mpsc::channel::<()>();
    loop {
        let mut lines = String::new();
        for one in store.evidence_after(evidence, None, PAGE)? {
            evidence = one.id;
            if json {
                lines.push_str(&format!("{}\n", print::message_json(&one)));
            } else {
                lines.push_str(&print::message(&one));
            }
        }
        for one in store.happenings_after(happening)? {
            happening = one.id;
            if json {
                lines.push_str(&format!("{}\n", print::happening_json(&one)));
            } else {
                lines.push_str(&print::happening(&one));
            }
        }
        if lines.is_empty() {
            let (Ok(()) | Err(_)) = wait.recv_timeout(FOLLOW);
        } else if !print(&lines) {
            return Ok(End::Well);
        }
    }
}

/// Prints the alarms, or settles one.
pub(super) fn alarms(config: &Config, all: bool, json: bool, settle: Option<i64>) -> Done {
    let store = store(&config.database)?;
    if let Some(id) = settle {
        let settled = store.settle(id, SystemClock::new().unix_millis())?;
        anyhow::ensure!(settled, "there is no open alarm #{id}");
        print(&format!("#{id}: settled\n"));
        return Ok(End::Well);
    }
    let found = store.alarms(None, all)?;
    if json {
        for alarm in &found {
            print(&format!("{}\n", print::alarm_json(alarm)));
        }
    } else {
        print(&print::alarms(&found));
    }
    let open = found.iter().any(|alarm| alarm.settled_at.is_none());
    Ok(if open { End::Found } else { End::Well })
}

/// Hands evidence out.
pub(super) fn export(config: &Config, device: Option<&DeviceName>, files: Option<&Path>) -> Done {
    let store = store(&config.database)?;
    let registry = store.registry(Shard::WHOLE)?;
    let id = match device {
        Some(name) => Some(registry.device(name).ok_or(StoreError::NoDevice)?.id),
        None => None,
    };
    if let Some(folder) = files {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to make {}", folder.display()))?;
    }
    each(&store, id, |evidence| {
        let Some(folder) = files else {
            return Ok(print(&format!("{}\n", print::evidence_json(evidence))));
        };
        let path = folder.join(format!("{:012}", evidence.id));
        std::fs::write(path.with_extension("cose"), &evidence.envelope)
            .and_then(|()| std::fs::write(path.with_extension("topic"), evidence.topic.to_string()))
            .with_context(|| format!("failed to write {}", path.display()))?;
        Ok(true)
    })?;
    Ok(End::Well)
}

/// Verifies all evidence again.
pub(super) fn verify(config: &Config) -> Done {
    let store = store(&config.database)?;
    let registry = store.registry(Shard::WHOLE)?;
    let (mut good, mut bad) = (0_u64, 0_u64);
    each(&store, None, |evidence| {
        let topic = evidence.topic.to_string();
        let known = registry
            .device(&evidence.topic.from)
            .ok_or(StoreError::NoDevice)?;
        // What was signed in an earlier life is verified with the keys of that life.
        let then = monitor::registry::Registry::new(vec![Registered {
            life: evidence.life,
            keys: store.keys(known.id, evidence.life)?,
            ..known.clone()
        }]);
        let proved = verify::open(&then, &topic, &evidence.envelope)
            .map_err(|refused| refused.alarm)
            .and_then(|opened| verify::prove(&opened));
        match proved {
            Ok(_message) => good += 1,
            Err(alarm) => {
                bad += 1;
                print(&format!(
                    "#{} {topic}: {} {}\n",
                    evidence.id,
                    alarm.kind.code(),
                    alarm.detail
                ));
            }
        }
        Ok(true)
    })?;
    print(&format!("{good} verified, {bad} not\n"));
    Ok(if bad > 0 { End::Found } else { End::Well })
}

/// Does something with each envelope, in the order in which they came, until it says `false`.
fn each(
    store: &Store,
    device: Option<i64>,
    mut with: impl FnMut(&monitor::store::evidence::Evidence) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut after = 0;
    loop {
        let page = store.evidence_after(after, device, PAGE)?;
        if page.is_empty() {
            return Ok(());
        }
        for evidence in page {
            after = evidence.id;
            if !with(&evidence)? {
                return Ok(());
            }
        }
    }
}
