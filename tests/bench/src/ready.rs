//! How long the agent takes from the start of its process until it serves.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use device_api::{Clock as _, SystemClock};
use harness::{Counter, Door};

use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::{Times, ms};

/// Promised.
const MOST_MS: f64 = 100.0;

/// One start.
struct Start {
    announced: Duration,
    greeted: Duration,
    ended: Duration,
}

/// Starts the agent again and again, on the state that is there and on none.
pub(crate) fn measure(plan: &Plan, counter: &mut Counter) -> anyhow::Result<Section> {
    let mut first = Vec::new();
    for _ in 0..plan.first_starts {
        first.push(start(counter, true)?);
    }
    let mut later = Vec::new();
    for _ in 0..plan.starts {
        later.push(start(counter, false)?);
    }
    let columns = ["ms", "starts", "p50", "most"];
    let mut section = Section::new("Ready", &columns);
    section.note("From the start of the process to the port file, and to the first answer of `GET /v1/hello` over a new connection; with its driver host and a card service that runs.");
    section.note("A first start makes the agent's key and an audit log, which waits for the disk.");
    let later_hello = Times::of(later.iter().map(|start| start.greeted))?;
    for (name, times) in [
        (
            "to the port file",
            Times::of(later.iter().map(|start| start.announced))?,
        ),
        ("to the first hello", later_hello.clone()),
        (
            "first start: to the port file",
            Times::of(first.iter().map(|start| start.announced))?,
        ),
        (
            "first start: to the first hello",
            Times::of(first.iter().map(|start| start.greeted))?,
        ),
        (
            "orderly end",
            Times::of(later.iter().map(|start| start.ended))?,
        ),
    ] {
        section.row([
            name.to_owned(),
            times.count().to_string(),
            ms(times.median()),
            ms(times.most()),
        ]);
    }
    let slowest = later_hello.most().as_secs_f64() * 1e3;
    section.goal("slowest start to the first hello", (slowest, MOST_MS), "ms");
    Ok(section)
}

fn start(counter: &mut Counter, afresh: bool) -> anyhow::Result<Start> {
    let ended = counter.agent.stop()?;
    if afresh {
        let state = counter.agent.state_dir();
        fs::remove_dir_all(&state)?;
        fs::create_dir(&state)?;
        // The agent refuses a state folder that others may enter.
        fs::set_permissions(&state, fs::Permissions::from_mode(0o700))?;
    }
    let clock = SystemClock::new();
    counter.agent.start_again()?;
    // Where the port file came into being while the process was being started, this counts that too.
    let began_to_ready = clock.now();
    Door::new(counter.agent.addresses().api, counter.origin()).hello()?;
    let announced = counter.agent.ready_after();
    Ok(Start {
        announced,
        greeted: announced + clock.now().since(began_to_ready),
        ended,
    })
}
