//! A whole counter of real processes starts, reads a card, and leaves nothing behind.

use agent_api::device::{DeviceList, DeviceState};
use agent_api::event::Event;
use agent_api::job::{Credential, Field, Job, JobRequest, JobResult, JobState, Task, Verdict};
use agent_api::lease::LeaseRequest;
use anyhow::Context as _;
use harness::{Counter, Desk, Options, Patience, process_tree};
use serde_json::json;

/// What came of a reading.
struct Read {
    job: Job,
    /// Whether no card was there at some moment before the job had ended.
    card_was_gone: bool,
}

fn read_with_pin(desk: &mut Desk, reader: &str, pin: &str) -> anyhow::Result<Read> {
    let session = Some(desk.events.session().to_owned());
    let request = LeaseRequest {
        device: reader.to_owned(),
        ttl_ms: 60_000,
        session,
    };
    let lease = desk.door.lease(&request)?;
    let request = JobRequest {
        lease: lease.id.clone(),
        fence: lease.fence.context("the lease waits")?,
        purpose: "住民票の写しの交付".to_owned(),
        deadline_ms: 60_000,
        task: Task::ReadMyNumberCard {
            fields: vec![Field::FourAttributes],
            credential: Credential::PinOnScreen,
        },
    };
    // Lease ids are never used twice, so each reading has a key of its own.
    let started = desk.door.start_job(&lease.id, &request)?;
    let question = desk.screen.wait_question(Patience::seconds(20))?;
    assert_eq!(question.word, started.word);
    desk.screen.enter(&question, pin)?;
    let mut card_was_gone = false;
    let job = desk.events.wait_for(Patience::seconds(20), |event| {
        let job = match event {
            Event::Job { job } => job,
            Event::Devices { devices } => {
                card_was_gone |= !lies_there(&devices, reader);
                return None;
            }
            Event::Lease { .. } | Event::LeaseEnded { .. } | Event::PinScreens { .. } => {
                return None;
            }
        };
        let ended = matches!(
            job.state,
            JobState::Succeeded | JobState::Failed | JobState::Cancelled
        );
        (ended && job.id == started.id).then_some(*job)
    })?;
    desk.door.release(&lease.id)?;
    Ok(Read { job, card_was_gone })
}

fn lies_there(list: &DeviceList, reader: &str) -> bool {
    let mut devices = list.devices.iter();
    devices.any(|device| device.id == reader && device.state == DeviceState::CardPresent)
}

fn wait_for_card(desk: &mut Desk, reader: &str) -> anyhow::Result<()> {
    if lies_there(&desk.door.devices()?, reader) {
        return Ok(());
    }
    wait_until(desk, |devices| lies_there(devices, reader))
}

fn wait_until(desk: &mut Desk, is_so: impl Fn(&DeviceList) -> bool) -> anyhow::Result<()> {
    desk.events
        .wait_for(Patience::seconds(10), |event| match event {
            Event::Devices { devices } if is_so(&devices) => Some(()),
            Event::Devices { .. }
            | Event::Lease { .. }
            | Event::LeaseEnded { .. }
            | Event::Job { .. }
            | Event::PinScreens { .. } => None,
        })
}

#[test]
fn a_card_is_read_through_the_whole_counter_and_nothing_is_left() -> anyhow::Result<()> {
    let mut counter = Counter::start(&Options::default())?;
    let reader = format!(
        "pcsc:{}",
        counter.pcscd.readers().first().context("no reader")?
    );
    let card = counter
        .control()
        .cards()?
        .into_iter()
        .next()
        .context("no card")?;
    counter.control().insert(0, &card.id)?;
    let mut desk = counter.desk()?;
    wait_for_card(&mut desk, &reader)?;
    let Read { job, .. } = read_with_pin(&mut desk, &reader, &card.pin)?;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    let JobResult::Reading {
        attributes,
        authenticity,
        ..
    } = desk.door.take_result(&job.id)?
    else {
        anyhow::bail!("another kind of result");
    };
    assert_eq!(authenticity.verdict, Verdict::Genuine);
    assert_eq!(
        attributes.context("no attributes")?.name.expose(),
        card.name
    );
    assert_eq!(counter.control().counters(0)?.verifies, 1);

    let names: Vec<String> = counter
        .figures()?
        .into_iter()
        .map(|process| process.name)
        .collect();
    assert_eq!(names, ["agentd", "driver-host"]);
    let folder = counter.folder().to_owned();
    counter.stop()?;
    assert!(!folder.exists());
    Ok(())
}

#[test]
fn a_planned_fault_kills_the_real_card_service_in_mid_read_and_it_comes_back() -> anyhow::Result<()>
{
    let counter = Counter::start(&Options::default())?;
    let reader = format!(
        "pcsc:{}",
        counter.pcscd.readers().first().context("no reader")?
    );
    let cards = counter.control().cards()?;
    let card = cards.first().context("no card")?;
    counter.control().insert(0, &card.id)?;
    let mut desk = counter.desk()?;
    wait_for_card(&mut desk, &reader)?;

    let service = counter.pcscd.id();
    let first = process_tree(service.context("no service")?)?;
    let plan = json!({ "faults": [{ "where": { "command": 8 }, "kind": "serviceKilled" }] });
    counter.control().disturb(0, &plan)?;
    let Read { job, card_was_gone } = read_with_pin(&mut desk, &reader, &card.pin)?;
    let code = job.error.as_ref().map(|error| error.code.as_str());
    assert_eq!((job.state, code), (JobState::Failed, Some("SVC-LOST")));

    // The job that was served may end before the list of devices tells of the loss.
    if !card_was_gone {
        wait_until(&mut desk, |devices| !lies_there(devices, &reader))?;
    }
    wait_for_card(&mut desk, &reader)?;
    assert_ne!(counter.pcscd.id(), service);
    assert!(first.iter().all(|process| !process.still_runs()));
    let Read { job, .. } = read_with_pin(&mut desk, &reader, &card.pin)?;
    assert_eq!(job.state, JobState::Succeeded, "{:?}", job.error);
    counter.stop()
}

#[test]
fn an_agent_that_was_killed_starts_again_at_the_same_address() -> anyhow::Result<()> {
    let mut counter = Counter::start(&Options::default())?;
    let before = counter.agent.addresses();
    counter.agent.kill()?;
    counter.agent.start_again()?;
    let after = counter.agent.addresses();
    assert_eq!((before.api, before.pin), (after.api, after.pin));
    assert_eq!(counter.door()?.hello()?.protocol, "madoguchi-agent");
    counter.stop()
}
