//! Each broker, with its shipped configuration, as clients that none of us wrote see it.

use std::net::SocketAddr;

use anyhow::Context as _;
use harness::Patience;
use harness::broker::{
    Broker, ClientFiles, Mosquitto, Nats, RabbitMq, Subscription, publish, publish_as, publish_v5,
};

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

/// A node is gone at once: what is published to another one arrives, and the node comes back.
fn a_node_less(cluster: &mut dyn Broker) -> anyhow::Result<()> {
    let device = cluster.admit("counter-07")?;
    let monitor = cluster.trust().monitor()?;
    let up = cluster.trust().up("counter-07", "st/door");
    let hears = Subscription::start(cluster.monitor_address(1)?, &monitor, EVERY_UP)?;
    publish(cluster.address(0)?, &device, &up, "before")?;
    hears.wait_for("before")?;
    cluster.kill_node(0)?;
    assert!(publish(cluster.address(0)?, &device, &up, "dead").is_err());
    insist(cluster.address(2)?, &device, &up, "after")?;
    hears.wait_for("after")?;
    cluster.start_node(0)?;
    insist(cluster.address(0)?, &device, &up, "again")?;
    hears.wait_for("again")?;
    Ok(())
}

/// While nodes choose who leads, a connection may be refused; a device comes again, and so does this.
fn insist(
    address: SocketAddr,
    device: &ClientFiles,
    topic: &str,
    text: &str,
) -> anyhow::Result<()> {
    let patience = Patience::seconds(60);
    while let Err(error) = publish(address, device, topic, text) {
        patience.left("a connection").context(error)?;
    }
    Ok(())
}

/// What devices say waits for the verifiers, in a queue by device.
fn each_device_has_its_queue(cluster: &mut RabbitMq) -> anyhow::Result<()> {
    let numbered = |device: &str| u32::from(device != "counter-07");
    cluster.declare_queues(numbered)?;
    for (device, times) in [("counter-07", 2), ("counter-08", 1)] {
        let files = cluster.admit(device)?;
        let topic = cluster.trust().up(device, "ev/paper");
        for _ in 0..times {
            publish(cluster.address(0)?, &files, &topic, "out")?;
        }
    }
    // The node that is asked counts every few seconds.
    let patience = Patience::seconds(60);
    while cluster.queue_lengths()? != [2, 1, 0, 0] {
        patience.left("the messages' arrival in their queues")?;
    }
    Ok(())
}

const DEVICES: [&str; 4] = ["counter-07", "counter-08", "counter-09", "counter-10"];

#[test]
fn a_nats_cluster_carries_for_the_right_ones_only_and_loses_a_node() -> anyhow::Result<()> {
    let mut cluster = Nats::start(&DEVICES)?;
    both_ways(&mut cluster)?;
    nobody_else(&mut cluster)?;
    a_node_less(&mut cluster)
}

#[test]
fn a_rabbitmq_cluster_carries_for_the_right_ones_only_and_loses_a_node() -> anyhow::Result<()> {
    let mut cluster = RabbitMq::start(&DEVICES)?;
    both_ways(&mut cluster)?;
    nobody_else(&mut cluster)?;
    each_device_has_its_queue(&mut cluster)?;
    a_node_less(&mut cluster)
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
    publish_as(told.client(), address, &other, &up, "hello")?;
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
