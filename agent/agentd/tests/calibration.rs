//! A signature tablet is calibrated over the API of the real program, and stays so when the program was ended.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

const AGENTD: &str = env!("CARGO_BIN_EXE_agentd");
/// A test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);
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

struct Agent {
    process: Child,
    folder: PathBuf,
}

impl Agent {
    fn start(folder: &TempDir, operations: &str) -> Self {
        let path = folder.path();
        let host = path.join("host");
        std::fs::write(&host, HOST).unwrap();
        std::fs::set_permissions(&host, std::fs::Permissions::from_mode(0o755)).unwrap();
        let user = rustix::process::geteuid().as_raw();
        let config = format!(
            "listen = \"127.0.0.1:0\"\npin_listen = \"127.0.0.1:0\"\nstate_dir = \"{folder}/state\"\n\
             [unix_socket]\npath = \"{folder}/agent.sock\"\nallowed_uids = [{user}]\n\
             [driver_host]\nprogram = \"{folder}/host\"\nargs = [\"pcsc\"]\n\
             [[grant]]\norigin = \"unix:{user}\"\noperations = [{operations}]\n\
             [[signature_tablet]]\nname = \"desk\"\nconnection = {{ simulated = \"127.0.0.1:1\" }}\n",
            folder = path.display(),
        );
        std::fs::write(path.join("agent.toml"), config).unwrap();
        let notices = path.join("notify");
        let (Ok(()) | Err(_)) = std::fs::remove_file(&notices);
        let ready = UnixDatagram::bind(&notices).unwrap();
        ready.set_read_timeout(Some(PATIENCE)).unwrap();
        let process = Command::new(AGENTD)
            .arg("--config")
            .arg(path.join("agent.toml"))
            .env("NOTIFY_SOCKET", &notices)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut notice = [0; 16];
        let length = ready.recv(&mut notice).unwrap();
        assert_eq!(&notice[..length], b"READY=1");
        Self {
            process,
            folder: path.to_owned(),
        }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.folder.join("agent.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn ask(&self, call: &str, body: &Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let request = format!(
            "{call} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Madoguchi: 1\r\nIdempotency-Key: once\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_head, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    fn events(&self) -> WebSocket<UnixStream> {
        let opened = tungstenite::client("ws://localhost/v1/events", self.connect());
        let (mut socket, _response) = opened.unwrap();
        let hello = "{\"type\":\"hello\",\"token\":\"\"}";
        socket.send(Message::text(hello)).unwrap();
        let welcome = socket.read().unwrap();
        assert!(welcome.to_text().unwrap().contains("welcome"), "{welcome}");
        socket
    }

    /// Waits until the tablet is there, and asks for its calibration.
    fn calibrate(&self, events: &mut WebSocket<UnixStream>) -> Value {
        let mut now = self.ask("GET /v1/devices", &Value::Null).to_string();
        while !now.contains("signatureTablet:desk") {
            now = events.read().unwrap().to_text().unwrap().to_owned();
        }
        let device = json!({ "device": "signatureTablet:desk", "ttlMs": 20_000 });
        let lease = self.ask("POST /v1/leases", &device);
        let job = json!({
            "lease": lease["id"], "fence": lease["fence"], "purpose": "試験", "deadlineMs": 20_000,
            "task": { "kind": "calibrateTablet", "surface": "citizenScreen" },
        });
        self.ask("POST /v1/jobs", &job)
    }

    fn welcome(&self) -> Value {
        let line = std::fs::read(self.folder.join("welcome")).unwrap();
        serde_json::from_slice(&line).unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.process.wait().unwrap();
        assert!(status.success() || std::thread::panicking());
    }
}

#[test]
fn a_calibration_outlives_the_agent_and_needs_a_grant_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let first = Agent::start(&folder, ALL);
    let mut events = first.events();
    let job = first.calibrate(&mut events);
    let id = job["id"].as_str().unwrap();
    loop {
        let now = first.ask(&format!("GET /v1/jobs/{id}"), &Value::Null);
        if now["resultWaiting"] == json!(true) {
            break;
        }
        assert_eq!(now["error"], Value::Null);
        events.read().unwrap();
    }
    let result = first.ask(&format!("POST /v1/jobs/{id}/result"), &Value::Null);
    let rows = json!({ "x": [0.000_125, 0.0, -0.0125], "y": [0.0, 0.0002, 0.025] });
    let calibration = &result["calibration"];
    assert_eq!(
        (&calibration["x"], &calibration["y"]),
        (&rows["x"], &rows["y"])
    );
    assert_eq!(calibration["worstError"], json!(2.5));
    assert_eq!(first.welcome()["settings"].get("kept"), None);
    drop(first);

    let second = Agent::start(&folder, WITHOUT);
    let mut events = second.events();
    let refused = second.calibrate(&mut events);
    assert_eq!(refused["code"], json!("DOR-GRANT"), "{refused}");
    assert_eq!(second.welcome()["settings"]["kept"]["desk"], rows);
}
