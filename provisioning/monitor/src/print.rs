//! What the commands print, for people and, with `--json`, for programs.
//!
//! Every fact comes out of its envelope at the moment at which it is shown.
//! Texts are in plain English with fixed words; times are UTC.

use std::fmt::Write as _;

use serde_json::{Value, json};
use telemetry::message::Message;
use telemetry::{Class, Envelope};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::presence::{Presence, Standing};
use crate::registry::Registered;
use crate::store::alarms::{Happening, KeptAlarm};
use crate::store::evidence::Evidence;
use crate::store::{Store, StoreError};
use crate::watch::Watched;

mod plain;

/// A moment in milliseconds since 1970, as people write it.
#[must_use]
pub fn moment(millis: u64) -> String {
    i64::try_from(millis / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("{millis} ms"))
}

/// One line for each device: how it stands, since when it was heard, what is wrong with it.
///
/// # Errors
/// Where the database fails.
pub fn devices(store: &Store, all: &[Registered]) -> Result<String, StoreError> {
    let mut text = format!(
        "{:<32} {:<11} {:<21} {:>7} {:>6} {:>6}\n",
        "DEVICE", "STANDING", "HEARD", "MISSING", "FAULTS", "ALARMS"
    );
    for device in all {
        let row = Overview::read(store, device)?;
        let heard = row.heard();
        let _infallible = writeln!(
            text,
            "{:<32} {:<11} {heard:<21} {:>7} {:>6} {:>6}",
            device.name.to_string(),
            row.standing(device),
            row.missing,
            row.faults,
            row.alarms
        );
    }
    Ok(text)
}

/// The same for programs: one object for each device.
///
/// # Errors
/// Where the database fails.
pub fn devices_json(store: &Store, all: &[Registered]) -> Result<Vec<Value>, StoreError> {
    all.iter()
        .map(|device| {
            let row = Overview::read(store, device)?;
            Ok(json!({
                "device": device.name.to_string(),
                "standing": row.standing(device),
                "heardAt": row.presence.heard_at,
                "epoch": row.presence.epoch,
                "session": row.presence.session,
                "missing": row.missing,
                "faults": row.faults,
                "alarms": row.alarms,
            }))
        })
        .collect()
}

/// Everything about one device.
///
/// # Errors
/// Where the database fails.
pub fn device(store: &Store, device: &Registered) -> Result<String, StoreError> {
    let row = Overview::read(store, device)?;
    let mut text = format!("{}\n", device.name);
    let mut line = |key: &str, value: &str| {
        let _infallible = writeln!(text, "  {key:<10} {value}");
    };
    line("standing", row.standing(device));
    if let Some(reason) = &device.quarantine {
        line("quarantine", reason);
    }
    line("heard", &row.heard());
    line(
        "session",
        &format!("{} of epoch {}", row.presence.session, row.presence.epoch),
    );
    if let Some(at) = row.presence.hint_lost {
        line(
            "hint",
            &format!("the broker said at {} that it is lost", moment(at)),
        );
    }
    line("missing", &row.missing.to_string());
    for key in &device.keys {
        let until = key
            .until_epoch
            .map_or_else(String::new, |until| format!(" to {until}"));
        let waits = if key.waits {
            ", stated, has not signed yet"
        } else {
            ""
        };
        let range = format!("{} from epoch {}{until}{waits}", key.id, key.from_epoch);
        line("key", &range);
    }
    for class in [
        Class::Machine,
        Class::Device,
        Class::Queue,
        Class::Jobs,
        Class::Fault,
        Class::Command,
        Class::Dropped,
    ] {
        for evidence in store.facts(device.id, class)? {
            let _infallible = writeln!(text, "  {:<10} {}", class.code(), said(&evidence));
        }
    }
    for alarm in store.alarms(Some(device.id), false)? {
        text.push_str(&one_alarm(&alarm));
    }
    Ok(text)
}

/// The alarms, each with what to do.
#[must_use]
pub fn alarms(all: &[KeptAlarm]) -> String {
    if all.is_empty() {
        return "no alarm\n".to_owned();
    }
    all.iter().map(one_alarm).collect()
}

/// An alarm for programs.
#[must_use]
pub fn alarm_json(alarm: &KeptAlarm) -> Value {
    json!({
        "id": alarm.id,
        "kind": alarm.kind.code(),
        "severity": alarm.kind.severity().code(),
        "device": alarm.device,
        "place": alarm.place,
        "detail": alarm.detail,
        "times": alarm.times,
        "firstAt": alarm.first_at,
        "lastAt": alarm.last_at,
        "settledAt": alarm.settled_at,
    })
}

/// A message, in one line.
#[must_use]
pub fn message(evidence: &Evidence) -> String {
    let topic = &evidence.topic;
    let name = Envelope::read(&evidence.envelope).map_or_else(
        |_| String::new(),
        |envelope| {
            let stamp = envelope.header().stamp;
            format!("{}/{}/{}", stamp.epoch, stamp.lane.code(), stamp.number)
        },
    );
    format!(
        "{} {} {} {name} {}\n",
        moment(evidence.received_at),
        topic.from,
        topic.class.code(),
        said(evidence)
    )
}

/// A message for programs.
#[must_use]
pub fn message_json(evidence: &Evidence) -> Value {
    let read = Envelope::read(&evidence.envelope).ok();
    let stamp = read.map(|envelope| envelope.header().stamp);
    json!({
        "receivedAt": evidence.received_at,
        "device": evidence.topic.from.to_string(),
        "class": evidence.topic.class.code(),
        "epoch": stamp.map(|stamp| stamp.epoch),
        "lane": stamp.map(|stamp| stamp.lane.code()),
        "number": stamp.map(|stamp| stamp.number),
        "issuedAt": stamp.map(|stamp| stamp.issued_at),
        "said": payload(evidence),
    })
}

/// Something that happened, in one line.
#[must_use]
pub fn happening(happening: &Happening) -> String {
    format!(
        "{} {} {} {}\n",
        moment(happening.at),
        happening.device.as_deref().unwrap_or("-"),
        happening.what,
        happening.detail
    )
}

/// Something that happened, for programs.
#[must_use]
pub fn happening_json(happening: &Happening) -> Value {
    json!({
        "at": happening.at,
        "device": happening.device,
        "what": happening.what,
        "detail": happening.detail,
    })
}

/// Evidence for whoever verifies it elsewhere.
#[must_use]
pub fn evidence_json(evidence: &Evidence) -> Value {
    json!({
        "topic": evidence.topic.to_string(),
        "receivedAt": evidence.received_at,
        "envelope": hex::encode(&evidence.envelope),
    })
}

fn one_alarm(alarm: &KeptAlarm) -> String {
    let times = if alarm.times == 1 {
        moment(alarm.first_at)
    } else {
        format!(
            "{} times, {} to {}",
            alarm.times,
            moment(alarm.first_at),
            moment(alarm.last_at)
        )
    };
    let settled = alarm
        .settled_at
        .map_or_else(String::new, |at| format!(" (settled {})", moment(at)));
    format!(
        "  #{} {} {}{settled}\n      {} {}\n      {times}: {}\n      -> {}\n",
        alarm.id,
        alarm.kind.severity().code(),
        alarm.kind.code(),
        alarm.device.as_deref().unwrap_or("-"),
        alarm.place,
        alarm.detail,
        alarm.kind.advice()
    )
}

/// What a message says, in words in one line.
fn said(evidence: &Evidence) -> String {
    read(evidence).map_or_else(
        || "(unreadable)".to_owned(),
        |message| plain::said(&message),
    )
}

fn payload(evidence: &Evidence) -> Option<Value> {
    serde_json::to_value(read(evidence)?).ok()
}

fn read(evidence: &Evidence) -> Option<Message> {
    let envelope = Envelope::read(&evidence.envelope).ok()?;
    Message::decode(evidence.topic.class, envelope.payload()).ok()
}

/// What is shown of a device in one line.
struct Overview {
    presence: Presence,
    missing: u64,
    faults: usize,
    alarms: usize,
}

impl Overview {
    fn read(store: &Store, device: &Registered) -> Result<Self, StoreError> {
        let progress = store.progress(device.id, device.life)?;
        let now = device_api::Moment::default();
        let watched = Watched::new(device.id, device.life, device.name.clone(), progress, now);
        Ok(Self {
            missing: watched.missing(),
            presence: watched.presence,
            faults: store.fact_count(device.id, Class::Fault)?,
            alarms: store.alarms(Some(device.id), false)?.len(),
        })
    }

    fn standing(&self, device: &Registered) -> &'static str {
        if device.quarantine.is_some() {
            "quarantine"
        } else {
            self.presence.standing.code()
        }
    }

    fn heard(&self) -> String {
        if self.presence.heard_at == 0 || self.presence.standing == Standing::Unheard {
            "never".to_owned()
        } else {
            moment(self.presence.heard_at)
        }
    }
}
