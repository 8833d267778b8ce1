//! What a device reports in these scenarios: messages that carry their own number.

use telemetry::message::Message;
use telemetry::message::device::{Counter, DeviceState, FaultChange, Health};
use telemetry::message::work::{JobCount, JobCounts, JobOutcome};
use telemetry::name::NameError;
use telemetry::{Lane, Word};

/// The lane for a number below a hundred: mostly counts, sometimes states, now and then a fault.
#[must_use]
pub const fn lane(of: u8) -> Lane {
    match of {
        0..15 => Lane::Alerts,
        15..40 => Lane::State,
        _ => Lane::Telemetry,
    }
}

/// The report that will be the lane's number so and so; one of jobs has so many entries.
///
/// # Errors
/// Never, in practice.
pub fn message(lane: Lane, number: u64, entries: u16) -> Result<Message, NameError> {
    let word = |text: &str| text.parse::<Word>();
    Ok(match lane {
        Lane::Alerts => Message::Fault(FaultChange {
            device: word("printer")?,
            fault: word("PRN-PAPER-OUT")?,
            raised: number % 2 == 1,
        }),
        Lane::State => Message::Device(DeviceState {
            device: word("printer")?,
            class: word("ticketPrinter")?,
            health: Health::Working,
            fault: None,
            model: None,
            firmware: None,
            counters: vec![Counter {
                name: word("cuts")?,
                count: number,
            }],
            wear: Vec::new(),
        }),
        Lane::Telemetry | Lane::Drops | Lane::Commands | Lane::Presence => {
            let entry = JobCount {
                task: word("printTicket")?,
                outcome: JobOutcome::Done,
                fault: None,
                count: number,
                total_millis: 1000,
                longest_millis: 300,
            };
            Message::Jobs(JobCounts {
                seconds: 60,
                jobs: vec![entry; usize::from(entries)],
            })
        }
    })
}

/// The number that a report carries; none for a fault and for what the station says itself.
#[must_use]
pub fn carried(message: &Message) -> Option<u64> {
    match message {
        Message::Device(state) => state.counters.first().map(|counter| counter.count),
        Message::Jobs(jobs) => jobs.jobs.first().map(|jobs| jobs.count),
        Message::Birth(_)
        | Message::Beat(_)
        | Message::Leaving(_)
        | Message::Lost(_)
        | Message::Dropped(_)
        | Message::Closed(_)
        | Message::Fault(_)
        | Message::Command(_)
        | Message::Part(_)
        | Message::Key(_)
        | Message::Machine(_)
        | Message::Queue(_) => None,
    }
}
