//! Reports on their way: from the agent to the disk, to a broker, to the monitor.
//!
//! | module | measures |
//! |---|---|
//! | `publish` | messages through a station beside a loop that only signs and publishes |
//! | `intake` | messages into the monitor beside their signatures alone |
//! | `disk` | a report until it is on the disk beside one `fdatasync` |
//! | `fleet` | the processor time of a monitor to which thousands of devices report |
//! | `alone` | what a station takes of a machine on which nothing happens |
//! | `share` | what telemetry adds to an agent on which nothing happens |
//!
//! The broker is Mosquitto, where rates are compared without TLS, so that its share hides nothing of ours.

mod alone;
mod broker;
mod disk;
mod fleet;
mod intake;
mod publish;
mod share;

use std::fs;
use std::time::Duration;

use anyhow::Context as _;
use device_api::{Clock, Moment, SystemClock};
use telemetry::link::{Connection, Endpoint, ProtocolChoice, Security};
use telemetry::message::device::{Counter, DeviceState, Health};
use telemetry::{DeviceName, Message};

pub(crate) use alone::{ROLE, serve};

use crate::plan::Plan;
use crate::report::Section;
use broker::PlainBroker;

/// Measures everything.
pub(crate) fn measure(plan: &Plan) -> anyhow::Result<Vec<Section>> {
    let broker = PlainBroker::start()?;
    Ok(vec![
        publish::measure(plan, &broker).context("messages through a station")?,
        intake::measure(plan).context("messages into the monitor")?,
        disk::measure(plan).context("a report until it is on the disk")?,
        fleet::measure(plan).context("a fleet that reports")?,
        alone::measure(plan, &broker).context("a station alone")?,
        share::measure(plan).context("an agent with and without telemetry")?,
    ])
}

/// The time for which this thread had a processor.
#[derive(Debug)]
struct Processor(SystemClock);

impl Processor {
    fn new() -> Self {
        Self(SystemClock::new())
    }
}

impl Clock for Processor {
    fn now(&self) -> Moment {
        let nanos = nanos_of("/proc/thread-self/schedstat").unwrap_or(0);
        Moment::after_origin(Duration::from_nanos(nanos))
    }

    fn unix_millis(&self) -> u64 {
        self.0.unix_millis()
    }
}

/// The processor time that the kernel notes in such a file, to the nanosecond.
fn nanos_of(schedstat: &str) -> Option<u64> {
    let text = fs::read_to_string(schedstat).ok()?;
    text.split_whitespace().next()?.parse().ok()
}

/// The processor time of all threads that a process has.
fn processor_time(process: u32) -> anyhow::Result<Duration> {
    let mut nanos = 0;
    for entry in fs::read_dir(format!("/proc/{process}/task"))? {
        let file = entry?.path().join("schedstat");
        nanos += nanos_of(&file.display().to_string()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanos))
}

fn device(name: &str) -> anyhow::Result<DeviceName> {
    Ok(DeviceName {
        tenant: "bench".parse()?,
        device: name.parse()?,
    })
}

/// How a printer stands, as agents report it.
fn state(count: u64) -> anyhow::Result<Message> {
    Ok(Message::Device(DeviceState {
        device: "printer-1".parse()?,
        class: "ticketPrinter".parse()?,
        health: Health::Working,
        fault: None,
        model: Some("TM-T88VI".parse()?),
        firmware: Some("30.42".parse()?),
        counters: vec![Counter {
            name: "tickets".parse()?,
            count,
        }],
        wear: Vec::new(),
    }))
}

fn connection(client_id: &str, port: u16) -> Connection {
    Connection {
        endpoints: vec![Endpoint {
            host: "127.0.0.1".to_owned(),
            port,
        }],
        security: Security::PlainLoopback,
        client_id: client_id.to_owned(),
        keep_alive: Duration::from_secs(30),
        will: None,
        subscriptions: Vec::new(),
        window: Connection::MOST_UNDER_WAY,
        protocol: ProtocolChoice::Newest,
    }
}
