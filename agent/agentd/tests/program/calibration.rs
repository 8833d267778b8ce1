//! A signature tablet is calibrated over the API of the real program, and stays so when the program was ended.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};
use tungstenite::WebSocket;

use crate::running::{Agent, body_of, config};

const ALL: &str =
    "\"signatureTablet.see\", \"signatureTablet.capture\", \"signatureTablet.calibrate\"";
const WITHOUT: &str = "\"signatureTablet.see\", \"signatureTablet.capture\"";

/// The driver hosts: that of tablets writes down what it is welcomed with, and has one tablet, which gives this
/// calibration for every job. Any other says nothing.
const HOST: &str = r#"#!/bin/sh
[ "$1" = tablet ] || exec cat
echo '{"type":"hello","protocols":[1],"host":{"name":"test","version":"1"}}'
while read -r line; do
  id=${line#*\"id\":}
  id=${id%%,*}
  n=${line#*\"n\":}
  case "$line" in
    *'"welcome"'*)
      echo "$line" >"${0%/*}/welcome"
      echo '{"type":"devices","service":"up","devices":[{"id":"signatureTablet:desk","class":"signatureTablet","name":"desk","state":"ready","capabilities":{"pen":"ownScreen","calibrates":true}}]}'
      ;;
    *'"ping"'*) echo '{"type":"pong","n":'"${n%%\}*}"'}' ;;
    *'"calibrateTablet"'*)
      echo '{"type":"accepted","id":'"$id"'}'
      echo '{"type":"finished","id":'"$id"',"outcome":{"kind":"done","product":{"kind":"calibration","calibration":{"x":[0.000125,0.0,-0.0125],"y":[0.0,0.0002,0.025],"worstError":2.5}}}}'
      ;;
  esac
done
"#;

fn start(folder: &Path, operations: &str) -> Agent {
    let host = folder.join("host");
    std::fs::write(&host, HOST).unwrap();
    std::fs::set_permissions(&host, std::fs::Permissions::from_mode(0o755)).unwrap();
    let user = rustix::process::geteuid().as_raw();
    let devices = format!(
        "[[grant]]\norigin = \"unix:{user}\"\noperations = [{operations}]\n\
         [[signature_tablet]]\nname = \"desk\"\nconnection = {{ simulated = \"127.0.0.1:1\" }}\n"
    );
    let config = config(folder, host.to_str().unwrap(), &["pcsc"]);
    Agent::start(folder, &(config + &devices))
}

fn ask(agent: &Agent, call: &str) -> Value {
    body_of(&agent.call(call, ""))
}

/// Waits until the tablet is there, and asks for its calibration.
fn calibrate(agent: &Agent, events: &mut WebSocket<UnixStream>) -> Value {
    let mut now = ask(agent, "GET /v1/devices").to_string();
    while !now.contains("signatureTablet:desk") {
        now = events.read().unwrap().to_text().unwrap().to_owned();
    }
    let device = json!({ "device": "signatureTablet:desk", "ttlMs": 20_000 });
    let lease = body_of(&agent.call("POST /v1/leases", &device.to_string()));
    let job = json!({
        "lease": lease["id"], "fence": lease["fence"], "purpose": "試験", "deadlineMs": 20_000,
        "task": { "kind": "calibrateTablet", "surface": "citizenScreen" },
    });
    body_of(&agent.call("POST /v1/jobs", &job.to_string()))
}

/// What the host of tablets was welcomed with.
fn welcome(folder: &Path) -> Value {
    let line = std::fs::read(folder.join("welcome")).unwrap();
    serde_json::from_slice(&line).unwrap()
}

#[test]
fn a_calibration_outlives_the_agent_and_needs_a_grant_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let first = start(folder.path(), ALL);
    let mut events = first.events();
    let job = calibrate(&first, &mut events);
    let id = job["id"].as_str().unwrap();
    loop {
        let now = ask(&first, &format!("GET /v1/jobs/{id}"));
        if now["resultWaiting"] == json!(true) {
            break;
        }
        assert_eq!(now["error"], Value::Null);
        events.read().unwrap();
    }
    let result = ask(&first, &format!("POST /v1/jobs/{id}/result"));
    let rows = json!({ "x": [0.000_125, 0.0, -0.0125], "y": [0.0, 0.0002, 0.025] });
    let calibration = &result["calibration"];
    assert_eq!(
        (&calibration["x"], &calibration["y"]),
        (&rows["x"], &rows["y"])
    );
    assert_eq!(calibration["worstError"], json!(2.5));
    assert_eq!(welcome(folder.path())["settings"].get("kept"), None);
    drop(first);

    let second = start(folder.path(), WITHOUT);
    let mut events = second.events();
    let refused = calibrate(&second, &mut events);
    assert_eq!(refused["code"], json!("DOR-GRANT"), "{refused}");
    assert_eq!(welcome(folder.path())["settings"]["kept"]["desk"], rows);
}
