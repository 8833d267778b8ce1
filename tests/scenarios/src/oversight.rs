//! A counter that is watched: what happens at it reaches the monitor, signed and complete, and what is false
//! is found out.

use anyhow::{Context as _, ensure};
use harness::broker::{Broker as _, publish};
use harness::{Counter, Options, Oversight, Told};
use serde_json::Value;

/// What a signed command line of the monitor gives back when an alarm is open.
const FOUND: i32 = 3;

/// Plays everything with a counter of its own; what holds when it ends well.
///
/// # Errors
/// When something does not hold.
pub fn scenes() -> anyhow::Result<String> {
    let mut counter = Counter::start(&Options {
        devices: true,
        overseen: true,
        slots: 1,
        ..Options::default()
    })?;
    comes_to_be_known(&mut counter).context("the counter comes to be known")?;
    broker_gone(&mut counter).context("the broker goes and comes back")?;
    monitor_gone(&mut counter).context("the monitor is killed and comes back")?;
    something_false(&mut counter).context("something false arrives")?;
    proof(oversight(&mut counter)?)?;
    counter.stop()?;
    Ok(
        "a fault while the broker was dead and one while the monitor was dead arrive once; \
        rubbish and a stranger are named; all evidence verifies"
            .to_owned(),
    )
}

fn oversight(counter: &mut Counter) -> anyhow::Result<&mut Oversight> {
    counter.oversight.as_mut().context("nobody watches")
}

/// A message about the ticket printer's paper.
fn paper_out(told: &Told, raised: bool) -> bool {
    told.class.as_deref() == Some("fault")
        && told.said.get("fault").and_then(Value::as_str) == Some("PRN-PAPER-OUT")
        && told.said.get("raised").and_then(Value::as_bool) == Some(raised)
}

/// Birth, machine and every device are told.
fn comes_to_be_known(counter: &mut Counter) -> anyhow::Result<()> {
    let oversight = oversight(counter)?;
    oversight.wait_for("the machine", |told| {
        told.class.as_deref() == Some("machine")
    })?;
    oversight.wait_for("a working printer", |told| {
        told.said.get("class").and_then(Value::as_str) == Some("ticketPrinter")
            && told.said.get("health").and_then(Value::as_str) == Some("working")
    })?;
    Ok(())
}

/// What happens while no broker can be reached is kept, and comes when one can.
fn broker_gone(counter: &mut Counter) -> anyhow::Result<()> {
    oversight(counter)?.broker().kill_node(0)?;
    counter.control().act("printer", "takePaperOut")?;
    oversight(counter)?.broker().start_node(0)?;
    oversight(counter)?.wait_for("paper that ended", |told| paper_out(told, true))?;
    Ok(())
}

/// What comes while the monitor is dead is sent again until it has it.
fn monitor_gone(counter: &mut Counter) -> anyhow::Result<()> {
    oversight(counter)?.kill_monitor()?;
    counter.control().act("printer", "putPaperIn")?;
    oversight(counter)?.start_monitor()?;
    oversight(counter)?.wait_for("paper that is back", |told| paper_out(told, false))?;
    Ok(())
}

/// Rubbish in the device's own name is named; nobody else can speak in it.
fn something_false(counter: &mut Counter) -> anyhow::Result<()> {
    let oversight = oversight(counter)?;
    let broker = oversight.broker();
    let (address, topic) = (
        broker.address(0)?,
        broker.trust().up("counter-01", "st/device"),
    );
    let device = broker.trust().device("counter-01")?;
    let stranger = broker.trust().stranger("counter-01")?;
    let refused = publish(address, &stranger, &topic, "forged").is_err();
    ensure!(refused, "the broker took what a stranger said");
    publish(address, &device, &topic, "rubbish")?;
    oversight.wait_for("an alarm", |told| {
        told.detail
            .as_deref()
            .is_some_and(|detail| detail.starts_with("malformed"))
    })?;
    Ok(())
}

/// All evidence verifies, nothing is missing, and the one alarm is the one that was provoked.
fn proof(oversight: &Oversight) -> anyhow::Result<()> {
    let verified = oversight.ask(&["verify"])?;
    let text = String::from_utf8_lossy(&verified.stdout).into_owned();
    ensure!(
        verified.status.success() && text.ends_with(" verified, 0 not\n"),
        "{text}"
    );
    let alarms = oversight.ask(&["alarms", "--json"])?;
    let text = String::from_utf8_lossy(&alarms.stdout);
    ensure!(
        alarms.status.code() == Some(FOUND) && text.lines().count() == 1,
        "the open alarms are {text}"
    );
    let shown = oversight.ask(&["show", "--json"])?;
    let row: Value = serde_json::from_slice(&shown.stdout)?;
    ensure!(
        row.get("missing").and_then(Value::as_u64) == Some(0),
        "{row}"
    );
    Ok(())
}
