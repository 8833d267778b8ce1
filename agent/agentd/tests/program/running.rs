//! One run of the program in a folder of the test's own.
//!
//! Readiness comes as the service manager would get it, so no test waits for a guess of time.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use device_api::{Clock as _, SystemClock};
use rustix::process::{Pid, Signal, geteuid, kill_process};
use serde_json::Value;
use tungstenite::{Message, WebSocket};

pub(crate) const AGENTD: &str = env!("CARGO_BIN_EXE_agentd");
/// A test that waits this long has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// With [`SILENT_ARGS`] it becomes `cat`, which speaks no protocol, never ends by itself, and ends when its
/// input does; further arguments do not disturb it.
pub(crate) const SILENT_HOST: &str = "/bin/sh";
pub(crate) const SILENT_ARGS: [&str; 2] = ["-c", "exec cat"];

/// How each configuration begins: ports that are free, this user at the native door, one driver host.
pub(crate) fn config(folder: &Path, host: &str, args: &[&str]) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\npin_listen = \"127.0.0.1:0\"\nstate_dir = \"{folder}/state\"\nlog = \"trace\"\n\
         [unix_socket]\npath = \"{folder}/agent.sock\"\nallowed_uids = [{}]\n\
         [driver_host]\nprogram = \"{host}\"\nargs = {args:?}\n",
        geteuid().as_raw(),
        folder = folder.display(),
    )
}

/// The program while it runs; what is dropped was told to end, and did so well.
pub(crate) struct Agent {
    process: Child,
    folder: PathBuf,
    log: Receiver<String>,
}

/// How a run ended.
pub(crate) struct Ended {
    pub(crate) took: Duration,
    pub(crate) status: ExitStatus,
    /// What it had logged since it was last asked for.
    pub(crate) log: String,
}

impl Agent {
    /// Returns once the program says that it is ready.
    pub(crate) fn start(folder: &Path, config: &str) -> Self {
        std::fs::write(folder.join("agent.toml"), config).unwrap();
        let notices = folder.join("notify");
        let (Ok(()) | Err(_)) = std::fs::remove_file(&notices);
        let ready = UnixDatagram::bind(&notices).unwrap();
        ready.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut process = Command::new(AGENTD)
            .arg("--config")
            .arg(folder.join("agent.toml"))
            .env("NOTIFY_SOCKET", &notices)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let (line, log) = channel();
        // Read all the time: a full pipe would hold the agent up.
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            while stderr
                .read_until(b'\n', &mut bytes)
                .is_ok_and(|read| read > 0)
            {
                let _heard = line.send(String::from_utf8_lossy(&bytes).into_owned());
                bytes.clear();
            }
        });
        let mut notice = [0; 64];
        let length = ready.recv(&mut notice).unwrap();
        assert_eq!(&notice[..length], b"READY=1");
        Self {
            process,
            folder: folder.to_owned(),
            log,
        }
    }

    /// The processes that it has started and that still run.
    pub(crate) fn children(&self) -> Vec<u32> {
        let pid = self.process.id();
        let list = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        list.split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }

    /// The first line of the log that says all of this.
    pub(crate) fn logged(&self, words: &[&str]) -> String {
        loop {
            let line = self.log.recv_timeout(PATIENCE).unwrap();
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }

    /// A connection to the native door.
    pub(crate) fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.folder.join("agent.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Calls the native door; the whole answer.
    pub(crate) fn call(&self, call: &str, body: &str) -> String {
        let request = format!(
            "{call} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Madoguchi: 1\r\nIdempotency-Key: once\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The native door's event stream, once it has said welcome.
    pub(crate) fn events(&self) -> WebSocket<UnixStream> {
        let opened = tungstenite::client("ws://localhost/v1/events", self.connect());
        let (mut socket, _response) = opened.unwrap();
        let hello = "{\"type\":\"hello\",\"token\":\"\"}";
        socket.send(Message::text(hello)).unwrap();
        let welcome = socket.read().unwrap();
        assert!(welcome.to_text().unwrap().contains("welcome"), "{welcome}");
        socket
    }

    /// Tells it to end, and waits until it has.
    pub(crate) fn stop(mut self) -> Ended {
        let clock = SystemClock::new();
        let status = self.end();
        Ended {
            took: clock.now().since_origin(),
            status,
            log: self.log.iter().collect(),
        }
    }

    fn end(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        self.process.wait().unwrap()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        if self.process.try_wait().unwrap().is_none() {
            let status = self.end();
            assert!(status.success() || std::thread::panicking());
        }
    }
}

/// What an answer's body says.
pub(crate) fn body_of(answer: &str) -> Value {
    let (_head, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap_or(Value::Null)
}
