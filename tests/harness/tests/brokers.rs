//! Each broker, with its shipped configuration, as clients that none of us wrote see it.

use harness::broker::{Broker, Mosquitto, Subscription, publish, publish_as, publish_v5};

const EVERY_UP: &str = "madoguchi/1/+/+/up/#";

/// A device speaks for itself and hears what is said to it; the monitor hears and speaks.
fn both_ways(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let device = broker.admit("counter-07")?;
    let monitor = broker.trust().monitor()?;
    let (address, desk) = (broker.address(0)?, broker.monitor_address(0)?);
    let up = broker.trust().up("counter-07", "st/door");
    let down = broker.trust().down("counter-07", "cmd");
    let hears = Subscription::start(desk, &monitor, EVERY_UP)?;
    publish(address, &device, &up, "open")?;
    assert_eq!(hears.wait_for("open")?, up);
    let listens = broker.trust().down("counter-07", "#");
    let told = Subscription::start(address, &device, &listens)?;
    publish_as("desk", desk, &monitor, &down, "lock")?;
    assert_eq!(told.wait_for("lock")?, down);
    Ok(())
}

/// Nobody speaks in another's name or hears what is said to another, and strangers do neither.
fn nobody_else(broker: &mut dyn Broker) -> anyhow::Result<()> {
    let device = broker.admit("counter-07")?;
    let other = broker.admit("counter-08")?;
    let monitor = broker.trust().monitor()?;
    let (address, desk) = (broker.address(0)?, broker.monitor_address(0)?);
    let up = broker.trust().up("counter-07", "st/door");
    let hears = Subscription::start(desk, &monitor, EVERY_UP)?;
    // Some brokers refuse this at once, some agree and deliver nothing.
    let down = broker.trust().down("counter-07", "#");
    let curious = broker.admit("counter-09")?;
    let curious = Subscription::start(address, &curious, &down);
    let greedy = broker.admit("counter-10")?;
    let greedy = Subscription::start(address, &greedy, "#");
    for (client, forged) in [
        (&other, up.as_str()),
        (&device, &broker.trust().up("counter-08", "st/door")),
        (&device, &broker.trust().down("counter-07", "cmd")),
        (&device, "madoguchi/1/sakura-city/up/up/x"),
        (&monitor, &up),
    ] {
        // Whether the connection is ended or the message dropped is the broker's choice.
        drop(publish(address, client, forged, "forged"));
    }
    for client in [
        broker.trust().nobody(),
        broker.trust().stranger("counter-07")?,
    ] {
        let outcome = publish(address, &client, &up, "forged");
        assert!(outcome.is_err(), "{} let {client:?} in", broker.name());
    }
    let cmd = broker.trust().down("counter-07", "cmd");
    publish_as("desk", desk, &monitor, &cmd, "secret")?;
    // What comes after is the proof that what came before is not on its way.
    publish(address, &device, &up, "true")?;
    hears.wait_for("true")?;
    assert!(!hears.has("forged")?, "{}", broker.name());
    let own = broker.trust().down("counter-10", "cmd");
    publish_as("desk", desk, &monitor, &own, "yours")?;
    if let Ok(greedy) = &greedy {
        greedy.wait_for("yours")?;
    }
    for listener in [curious, greedy].into_iter().flatten() {
        let overheard = listener.has("secret")? || listener.has("true")?;
        assert!(!overheard, "{}", broker.name());
    }
    Ok(())
}

#[test]
fn mosquitto_carries_both_ways_for_the_right_ones_only() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start()?;
    both_ways(&mut broker)?;
    nobody_else(&mut broker)
}

#[test]
fn mosquitto_comes_back_after_a_crash() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start()?;
    broker.kill_node(0)?;
    broker.start_node(0)?;
    both_ways(&mut broker)
}

#[test]
fn mosquitto_says_over_mqtt_5_that_it_refused() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start()?;
    let (device, address) = (broker.admit("counter-07")?, broker.address(0)?);
    let trust = broker.trust();
    publish_v5(address, &device, &trust.up("counter-07", "st/door"), "open")?;
    let forged = publish_v5(address, &device, &trust.up("counter-08", "st/door"), "open");
    assert!(forged.is_err_and(|error| error.to_string().contains("RC:135")));
    Ok(())
}

/// With a client id of its own choice, a device could end another's connection and take over its session.
#[test]
fn mosquitto_lets_no_device_take_the_place_of_another() -> anyhow::Result<()> {
    let mut broker = Mosquitto::start()?;
    let (device, other) = (broker.admit("counter-07")?, broker.admit("counter-08")?);
    let (monitor, trust) = (broker.trust().monitor()?, broker.trust());
    let (address, desk) = (broker.address(0)?, broker.monitor_address(0)?);
    let told = Subscription::start(address, &device, &trust.down("counter-07", "#"))?;
    let up = trust.up("counter-08", "st/door");
    for client in ["counter-07", told.client()] {
        publish_as(client, address, &other, &up, "hello")?;
    }
    publish_as(
        "desk",
        desk,
        &monitor,
        &trust.down("counter-07", "cmd"),
        "lock",
    )?;
    told.wait_for("lock")?;
    Ok(())
}
