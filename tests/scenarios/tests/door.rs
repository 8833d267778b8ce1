//! What the running agent promises at its door, seen through a whole counter.

use std::sync::mpsc;
use std::time::Duration;

use agent_api::device::DeviceState;
use agent_api::job::{Credential, Field, JobRequest, Step, Task};
use harness::{Counter, Options};
use scenarios::clerk::{Clerk, Order};
use serde_json::json;

/// Within which the agent must have ended, whatever it was doing.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

#[test]
fn a_nonce_serves_one_privileged_call() -> anyhow::Result<()> {
    let counter = Counter::start(&Options::default())?;
    let mut clerk = Clerk::at(&counter, 0)?;
    let lease = clerk.take_lease()?;
    let request = JobRequest {
        lease: lease.id.clone(),
        fence: lease.fence.unwrap_or_default(),
        purpose: "住民票の写しの交付".to_owned(),
        deadline_ms: 5_000,
        task: Task::ReadMyNumberCard {
            fields: vec![Field::IndividualNumber],
            credential: Credential::PinByApi,
        },
    };
    let without = clerk.door().start_job("a", &request);
    assert_eq!(
        without
            .err()
            .and_then(|error| error.code().map(str::to_owned))
            .as_deref(),
        Some("DOR-NONCE")
    );
    let privileged = clerk.privileged_door()?;
    let job = privileged.start_job("b", &request)?;
    clerk.door().cancel(&job.id)?;
    let again = privileged.start_job("c", &request);
    assert_eq!(
        again
            .err()
            .and_then(|error| error.code().map(str::to_owned))
            .as_deref(),
        Some("DOR-NONCE")
    );
    clerk.door().release(&lease.id)?;
    counter.stop()
}

/// A card that hangs in mid-read, an open stream and an open PIN screen: the agent ends all the same.
#[test]
fn the_agent_ends_in_time_while_a_card_hangs() -> anyhow::Result<()> {
    let mut counter = Counter::start(&Options::default())?;
    let desk = counter.desk()?;
    let mut clerk = Clerk::at(&counter, 0)?;
    counter.control().insert(0, "hanako")?;
    clerk.wait_for_reader(DeviceState::CardPresent)?;
    let fault = json!({ "where": { "command": 3 }, "kind": "hang" });
    counter
        .control()
        .disturb(0, &json!({ "faults": [fault] }))?;
    let agent = &mut counter.agent;
    let (took, reading) = std::thread::scope(|scope| {
        let (under_way, wait) = mpsc::channel();
        let reading = scope.spawn(move || {
            clerk.read_watching(&Order::attributes("1234"), &mut |job| {
                if job.step == Some(Step::Identifying) {
                    // The test may have stopped listening after the first time.
                    let _heard = under_way.send(());
                }
                Ok(())
            })
        });
        let begun = wait.recv_timeout(Duration::from_secs(10));
        let took = agent.stop();
        (begun.map(|()| took), reading.join())
    });
    let took = took??;
    assert!(took < ENDS_WITHIN, "{took:?}");
    assert!(
        reading.is_ok_and(|read| read.is_err()),
        "the stream outlived the agent"
    );
    drop(desk);
    counter.control().lift(0)?;
    counter.stop()
}
