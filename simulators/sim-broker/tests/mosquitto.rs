//! Mosquitto's clients, as judges of what the broker says.

use std::io::Read;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use sim_broker::{Broker, Counts, Fault, Kind, Plan};

const PATIENCE: Duration = Duration::from_secs(10);

fn client(program: &str, broker: &Broker, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args([
            "-h",
            "127.0.0.1",
            "-p",
            &broker.address().port().to_string(),
        ])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn publish(broker: &Broker, arguments: &[&str]) -> Output {
    client("mosquitto_pub", broker, &["-V", "311"])
        .args(arguments)
        .output()
        .expect("mosquitto_pub of Debian's mosquitto-clients")
}

/// A subscriber that ends by itself after so many messages, or by the time it has.
fn subscriber(broker: &Broker, messages: &str, arguments: &[&str]) -> Child {
    client("mosquitto_sub", broker, &["-V", "311", "-W", "10"])
        .args(["-C", messages, "-F", "%t %p %r"])
        .args(arguments)
        .spawn()
        .expect("mosquitto_sub of Debian's mosquitto-clients")
}

fn lines(subscriber: Child) -> Vec<String> {
    let output = subscriber.wait_with_output().expect("it ran");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(ToOwned::to_owned).collect()
}

/// Waits for the subscriber's SUBACK: what comes after it is delivered.
fn subscribed(broker: &Broker, probe: &str) {
    assert!(broker.wait(PATIENCE, |counts| counts.connected >= 1));
    // The subscription follows the connection; a retained probe comes with it.
    let given = broker.counts().given;
    broker.inject_retained(probe, b"ready");
    assert!(broker.wait(PATIENCE, |counts: &Counts| counts.given > given));
}

#[test]
fn messages_reach_mosquitto_sub_by_wildcards_at_both_qualities() {
    let broker = Broker::start(Plan::honest()).unwrap();
    let subscriber = subscriber(&broker, "4", &["-q", "1", "-t", "a/+/c", "-t", "z/#"]);
    subscribed(&broker, "z/probe");
    assert!(
        publish(&broker, &["-q", "1", "-t", "a/b/c", "-m", "one"])
            .status
            .success()
    );
    assert!(
        publish(&broker, &["-q", "1", "-t", "a/b", "-m", "not"])
            .status
            .success()
    );
    assert!(
        publish(&broker, &["-q", "0", "-t", "z", "-m", "two"])
            .status
            .success()
    );
    assert!(
        publish(&broker, &["-q", "1", "-t", "z/y/x", "-m", "three"])
            .status
            .success()
    );
    let mut lines = lines(subscriber);
    // The probe comes as retained or not, depending on which was first.
    assert!(lines.remove(0).starts_with("z/probe ready"));
    assert_eq!(lines, ["a/b/c one 0", "z two 0", "z/y/x three 0"]);
    assert!(broker.wait(PATIENCE, |counts| counts.taken == 3));
}

#[test]
fn what_is_retained_comes_with_the_subscription() {
    let broker = Broker::start(Plan::honest()).unwrap();
    publish(&broker, &["-q", "1", "-r", "-t", "kept", "-m", "1"]);
    publish(&broker, &["-q", "1", "-r", "-t", "kept", "-m", "2"]);
    let now = lines(subscriber(&broker, "1", &["-t", "#"]));
    assert_eq!(now, ["kept 2 1"]);
    broker.roll_back();
    let then = lines(subscriber(&broker, "1", &["-t", "#"]));
    assert_eq!(then, ["kept 1 1"]);
}

#[test]
fn a_session_that_is_kept_delivers_what_was_missed() {
    let broker = Broker::start(Plan::honest()).unwrap();
    let keep = ["-c", "-i", "kept", "-q", "1", "-t", "a"];
    let first = subscriber(&broker, "1", &keep);
    subscribed(&broker, "a");
    assert_eq!(lines(first).len(), 1);
    assert!(broker.wait(PATIENCE, |counts| counts.connected == 0));
    publish(&broker, &["-q", "1", "-t", "a", "-m", "missed"]);
    let lines = lines(subscriber(&broker, "2", &keep));
    assert!(lines.contains(&"a missed 0".to_owned()), "{lines:?}");
}

#[test]
fn a_client_that_is_killed_leaves_its_will() {
    let broker = Broker::start(Plan::honest()).unwrap();
    let watcher = subscriber(&broker, "2", &["-t", "state/#"]);
    subscribed(&broker, "state/probe");
    let mut mortal = client("mosquitto_sub", &broker, &["-V", "311", "-t", "x"])
        .args(["--will-topic", "state/mortal", "--will-payload", "lost"])
        .spawn()
        .unwrap();
    assert!(broker.wait(PATIENCE, |counts| counts.connected == 2));
    mortal.kill().unwrap();
    mortal.wait().unwrap();
    assert_eq!(lines(watcher).pop().unwrap(), "state/mortal lost 0");
    assert_eq!(broker.counts().wills, 1);
}

#[test]
fn mqtt_5_is_refused_in_a_way_that_mosquitto_understands() {
    let broker = Broker::start(Plan::honest()).unwrap();
    let mut refused = client("mosquitto_pub", &broker, &["-V", "5", "-t", "a", "-m", "x"])
        .spawn()
        .unwrap();
    let mut said = String::new();
    refused
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    assert!(!refused.wait().unwrap().success());
    assert_eq!(broker.counts().other_versions, 1, "{said}");
    assert_eq!(broker.counts().published, 0);
}

#[test]
fn refusals_and_lost_messages_show_at_the_client() {
    let plan = Plan {
        seed: 5,
        faults: vec![
            Fault::every(Kind::Refuse(5)).times(1),
            Fault::every(Kind::Drop).within("lost"),
        ],
    };
    let broker = Broker::start(plan).unwrap();
    let refused = publish(&broker, &["-t", "a", "-m", "x"]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).to_lowercase();
    assert!(said.contains("not authori"), "{said}");
    // Acknowledged, so that the client is content, and given to nobody.
    assert!(
        publish(&broker, &["-q", "1", "-t", "lost", "-m", "x"])
            .status
            .success()
    );
    let counts = broker.counts();
    assert_eq!(
        (counts.published, counts.acknowledged, counts.given),
        (1, 1, 0)
    );
    assert_eq!(counts.struck(Kind::Drop), 1);
}

#[test]
fn a_silent_broker_and_one_that_closes_end_the_client() {
    let broker = Broker::start(Plan::of(1, Fault::every(Kind::GoSilent).within("s"))).unwrap();
    let mut stuck = client("mosquitto_pub", &broker, &["-V", "311", "-q", "1"])
        .args(["-t", "s", "-m", "x"])
        .spawn()
        .unwrap();
    assert!(broker.wait(PATIENCE, |counts| counts.struck(Kind::GoSilent) == 1));
    if let Some(status) = stuck.try_wait().unwrap() {
        let said = stuck.wait_with_output().unwrap().stderr;
        panic!("{status}: {}", String::from_utf8_lossy(&said));
    }
    broker.cut_all();
    broker.stop();
    stuck.kill().unwrap();
    stuck.wait().unwrap();
}
