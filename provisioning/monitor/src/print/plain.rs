//! What a message says, in words for people.

use telemetry::Message;
use telemetry::message::device::{DeviceState, Health};
use telemetry::message::gaps::DropReason;
use telemetry::message::machine::{MachineState, TimeQuality};
use telemetry::message::outcome::{CommandState, Progress};
use telemetry::message::presence::LeavingReason;
use telemetry::message::work::{JobCount, JobCounts, JobOutcome};

/// One line.
#[must_use]
pub(super) fn said(message: &Message) -> String {
    match message {
        Message::Birth(birth) => format!(
            "connected as session {}, version {} on {}, a sign of life every {} s",
            birth.session, birth.version, birth.platform, birth.beat_seconds
        ),
        Message::Beat(beat) => {
            let kept: u64 = beat.lanes.iter().map(|mark| mark.kept).sum();
            format!("lives, session {}, {kept} kept", beat.session)
        }
        Message::Leaving(leaving) => match leaving.reason {
            LeavingReason::Stopped => "ends, because it was stopped".to_owned(),
            LeavingReason::Restarting => "ends, and starts anew".to_owned(),
        },
        Message::Lost(lost) => format!("the broker says that session {} is lost", lost.session),
        Message::Dropped(dropped) => {
            let why = match dropped.reason {
                DropReason::Quota => "its lane was full",
                DropReason::Expired => "too old",
                DropReason::Damaged => "the disk was damaged",
            };
            format!(
                "{} to {} of lane {} in epoch {} will not come: {why}",
                dropped.first,
                dropped.last,
                dropped.lane.code(),
                dropped.epoch
            )
        }
        Message::Closed(closed) => {
            let last = closed
                .last
                .iter()
                .map(|last| format!("{} {}", last.lane.code(), last.number));
            let last: Vec<String> = last.collect();
            format!("epoch {} ended at {}", closed.epoch, last.join(", "))
        }
        Message::Fault(change) => {
            let what = if change.raised { "raised" } else { "cleared" };
            format!("{} at {} {what}", change.fault, change.device)
        }
        Message::Command(state) => command(state),
        Message::Part(part) => format!(
            "part {} of {} of what command {} fetched",
            part.part + 1,
            part.of,
            part.command
        ),
        Message::Key(statement) => format!(
            "key {} is to follow the key that signs this",
            statement.key.id()
        ),
        Message::Device(state) => device(state),
        Message::Machine(state) => machine(state),
        Message::Queue(queue) => format!(
            "{} at {}: {} wait, the longest {} min, {} counters, {} of {} served today",
            queue.service,
            queue.site,
            queue.waiting,
            queue.longest_wait_seconds / 60,
            queue.counters,
            queue.served,
            queue.issued
        ),
        Message::Jobs(counts) => jobs(counts),
    }
}

fn device(state: &DeviceState) -> String {
    let health = match state.health {
        Health::Working => "working",
        Health::Attention => "ATTENTION",
        Health::Faulty => "FAULTY",
        Health::Absent => "ABSENT",
    };
    let mut text = format!("{:<36} {health:<9}", state.device.as_str());
    for known in [&state.fault, &state.model, &state.firmware]
        .into_iter()
        .flatten()
    {
        text.push_str(&format!(" {known}"));
    }
    for wear in &state.wear {
        let percent = u128::from(wear.used) * 100 / u128::from(wear.rated.max(1));
        text.push_str(&format!(", {} {percent} % worn", wear.part));
    }
    text
}

fn machine(state: &MachineState) -> String {
    let versions = state
        .versions
        .iter()
        .map(|version| format!("{} {}", version.part, version.version));
    let versions: Vec<String> = versions.collect();
    let clock = match state.clock.quality {
        TimeQuality::Synchronised => "synchronised",
        TimeQuality::Free => "not synchronised",
        TimeQuality::Floor => "wrong",
    };
    let within = state
        .clock
        .error_millis
        .map(|millis| format!(" within {millis} ms"));
    format!(
        "{}, {} of {} MiB free, clock {clock}{}, certificate ends in {} days, up {} h, configuration {}",
        versions.join(", "),
        state.disk.free_mib,
        state.disk.total_mib,
        within.unwrap_or_default(),
        state.certificate_days,
        state.uptime_seconds / 3_600,
        state.configuration.as_str().get(..12).unwrap_or_default()
    )
}

fn jobs(counts: &JobCounts) -> String {
    if counts.jobs.is_empty() {
        return format!("none in {} s", counts.seconds);
    }
    let jobs: Vec<String> = counts.jobs.iter().map(one_kind).collect();
    format!("in {} s: {}", counts.seconds, jobs.join("; "))
}

fn one_kind(job: &JobCount) -> String {
    let outcome = match job.outcome {
        JobOutcome::Done => "done",
        JobOutcome::Failed => "failed",
        JobOutcome::Cancelled => "cancelled",
    };
    let fault = job
        .fault
        .as_ref()
        .map_or_else(String::new, |fault| format!(" ({fault})"));
    format!(
        "{} {} {outcome}{fault}, {} ms on average",
        job.count,
        job.task,
        job.total_millis / job.count.max(1)
    )
}

fn command(state: &CommandState) -> String {
    let progress = match state.progress {
        Progress::Accepted => "accepted",
        Progress::Refused => "refused",
        Progress::Running => "running",
        Progress::Done => "done",
        Progress::Failed => "failed",
        Progress::Unknown => "UNKNOWN whether it took effect",
    };
    let reason = state
        .reason
        .as_ref()
        .map_or_else(String::new, |reason| format!(": {reason}"));
    format!("command {} {progress}{reason}", state.command)
}

#[cfg(test)]
mod tests {
    use telemetry::Word;
    use telemetry::message::device::{FaultChange, Wear};
    use telemetry::message::machine::{ClockState, Disk};
    use telemetry::name::Digest;

    use super::*;

    fn word(text: &str) -> Word {
        text.parse().unwrap()
    }

    #[test]
    fn an_operator_reads_what_is_wrong_first() {
        let state = DeviceState {
            device: word("ticketPrinter:1"),
            class: word("ticketPrinter"),
            health: Health::Faulty,
            fault: Some(word("PRN-PAPER-OUT")),
            model: Some(word("TM-T88VI")),
            firmware: None,
            counters: Vec::new(),
            wear: vec![Wear {
                part: word("cutter"),
                used: 900,
                rated: 1_000,
            }],
        };
        let text = said(&Message::Device(state));
        assert!(
            text.contains("FAULTY    PRN-PAPER-OUT TM-T88VI, cutter 90 % worn"),
            "{text}"
        );
        let change = FaultChange {
            device: word("agent"),
            fault: word("AGT-AUDIT"),
            raised: true,
        };
        assert_eq!(said(&Message::Fault(change)), "AGT-AUDIT at agent raised");
    }

    #[test]
    fn a_clock_is_said_with_its_bound_where_it_has_one() {
        let mut state = MachineState {
            versions: Vec::new(),
            configuration: Digest::of(b"configuration"),
            disk: Disk {
                total_mib: 2,
                free_mib: 1,
            },
            clock: ClockState {
                quality: TimeQuality::Synchronised,
                error_millis: Some(25),
            },
            certificate_days: 90,
            uptime_seconds: 0,
        };
        assert!(machine(&state).contains("clock synchronised within 25 ms, certificate"));
        state.clock.error_millis = None;
        assert!(machine(&state).contains("clock synchronised, certificate"));
    }
}
