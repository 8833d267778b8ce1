//! How soon the agent tells of what changes around it.

use std::time::Duration;

use agent_api::device::DeviceState;
use anyhow::bail;
use device_api::{Clock as _, SystemClock};
use harness::Counter;
use scenarios::clerk::{Clerk, Order, Outcome};

use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::{Times, ms};

const SLOT: usize = 0;
const HOLDER: &str = "hanako";
const PIN: &str = "1234";

/// Puts and lifts a card, then kills the card service, again and again.
pub(crate) fn measure(plan: &Plan, counter: &mut Counter) -> anyhow::Result<Section> {
    let mut clerk = Clerk::at(counter, SLOT)?;
    let (mut put, mut lifted) = (Vec::new(), Vec::new());
    for _ in 0..plan.insertions {
        let control = counter.control();
        clerk.wait_for_reader(DeviceState::Empty)?;
        put.push(until(&mut clerk, DeviceState::CardPresent, || {
            control.insert(SLOT, HOLDER)
        })?);
        lifted.push(until(&mut clerk, DeviceState::Empty, || {
            control.lift(SLOT)
        })?);
    }
    counter.control().insert(SLOT, HOLDER)?;
    clerk.wait_for_reader(DeviceState::CardPresent)?;
    let mut back = Vec::new();
    for _ in 0..plan.outages {
        back.push(outage(counter, &mut clerk)?);
    }
    counter.control().lift(SLOT)?;

    let mut section = Section::new("Changes", &["ms", "times", "p50", "most"]);
    section.note("The card service looks at a reader every 400 ms, and each card is put or lifted right after such a look: these are the longest waits.");
    for (name, times) in [
        ("a card is put, until the event `cardPresent`", put),
        ("a card is lifted, until the event `empty`", lifted),
        (
            "the card service runs again after it was killed, until a read has ended",
            back,
        ),
    ] {
        let times = Times::of(times)?;
        section.row([
            name.to_owned(),
            times.count().to_string(),
            ms(times.median()),
            ms(times.most()),
        ]);
    }
    Ok(section)
}

fn until(
    clerk: &mut Clerk,
    state: DeviceState,
    act: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Duration> {
    let clock = SystemClock::new();
    act()?;
    clerk.wait_for_reader(state)?;
    Ok(clock.now().since_origin())
}

/// From the moment at which the service runs again.
fn outage(counter: &mut Counter, clerk: &mut Clerk) -> anyhow::Result<Duration> {
    counter.pcscd.kill()?;
    counter.pcscd.start_again()?;
    let clock = SystemClock::new();
    clerk.wait_for_reader(DeviceState::CardPresent)?;
    match clerk.read(&Order::attributes(PIN))? {
        Outcome::Result(_) => Ok(clock.now().since_origin()),
        Outcome::Failed(error) => bail!("after the service came back: {error:?}"),
    }
}
