//! The binary at the other end of its pipes, on a machine whose card service does not run.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of an integration test fail by panicking"
)]

use std::{
    fs::File,
    io::Write,
    os::fd::OwnedFd,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
};

use host_protocol::{
    AgentMessage, Credential, Field, HostMessage, Line, LineReader, Outcome, ServiceState, Task,
    decode, encode,
};
use tempfile::TempDir;

/// A driver host without card service.
struct Host {
    child: Child,
    input: Option<ChildStdin>,
    output: LineReader<File>,
    folder: TempDir,
}

impl Host {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = command(folder.path())
            .args(arguments)
            .stderr(log)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = File::from(OwnedFd::from(child.stdout.take().unwrap()));
        let input = child.stdin.take();
        Self {
            child,
            input,
            output: LineReader::new(output),
            folder,
        }
    }

    fn welcomed() -> Self {
        let mut host = Self::start();
        assert!(matches!(host.hear(), HostMessage::Hello { protocols, .. } if protocols == [1]));
        host.say(&AgentMessage::Welcome {
            protocol: 1,
            settings: None,
        });
        host
    }

    fn say(&mut self, message: &AgentMessage) {
        let line = encode(message).unwrap();
        self.say_bytes(&line);
    }

    fn say_bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn hear(&mut self) -> HostMessage {
        match self.output.next_line().unwrap() {
            Some(Line::Whole(line)) => decode(&line).unwrap(),
            other => panic!("{other:?} is no line of the protocol"),
        }
    }

    fn hear_of(&mut self, wanted: impl Fn(&HostMessage) -> bool) -> HostMessage {
        loop {
            let message = self.hear();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Closes the input and returns exit code and log.
    fn end(mut self) -> (Option<i32>, String) {
        drop(self.input.take());
        let status = self.child.wait().unwrap();
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        (status.code(), log)
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_driver-host"));
    command
        .args(["--log", "trace", "pcsc"])
        .env("PCSCLITE_CSOCK_NAME", folder.join("pcscd.comm"));
    command
}

#[test]
fn without_its_service_a_host_serves_and_says_so() {
    let mut host = Host::welcomed();
    let devices = host.hear();
    let HostMessage::Devices { service, devices } = devices else {
        panic!("{devices:?}")
    };
    assert_eq!((service, devices), (ServiceState::Down, vec![]));
    let task = Task::IdentifyCard {};
    let device = "pcsc:Virtual PCD 00 00".to_owned();
    host.say(&AgentMessage::Start {
        id: 7,
        device,
        deadline_ms: 1000,
        task,
    });
    let HostMessage::Finished {
        id: 7,
        outcome: Outcome::Failed { fault },
    } = host.hear()
    else {
        panic!("the job must fail")
    };
    assert_eq!(fault.code, "SVC-ABSENT");
    assert_eq!(host.end().0, Some(0));
}

#[test]
fn lines_that_are_no_messages_are_passed_over_and_never_quoted() {
    let mut host = Host::welcomed();
    host.say_bytes(b"canary-7391\n\n{\"type\":\"canary-7391\"}\n\xFF\xFE\n");
    host.say_bytes(&vec![b'x'; 3 * host_protocol::MAX_LINE]);
    host.say_bytes(b"\n");
    host.say(&AgentMessage::Ping { n: 42 });
    host.hear_of(|message| *message == HostMessage::Pong { n: 42 });
    let (code, log) = host.end();
    assert_eq!(code, Some(0));
    assert!(log.contains("line of the agent refused"), "{log}");
    assert!(!log.contains("7391"), "{log}");
}

#[test]
fn a_job_before_the_version_is_agreed_is_refused() {
    let mut host = Host::start();
    host.hear();
    let (device, task) = ("pcsc:x".to_owned(), Task::IdentifyCard {});
    host.say(&AgentMessage::Start {
        id: 1,
        device,
        deadline_ms: 1000,
        task,
    });
    let HostMessage::Finished {
        id: 1,
        outcome: Outcome::Failed { fault },
    } = host.hear()
    else {
        panic!("the job must fail")
    };
    assert_eq!(fault.code, "HST-UNUSABLE");
}

#[test]
fn a_job_for_the_keys_of_a_reader_is_refused_at_once() {
    let mut host = Host::welcomed();
    let task = Task::ReadMyNumberCard {
        fields: vec![Field::FourAttributes],
        credential: Credential::PinOnDevice,
        today: "2026-11-21".to_owned(),
    };
    host.say(&AgentMessage::Start {
        id: 1,
        device: "pcsc:Virtual PCD 00 00".to_owned(),
        deadline_ms: 60_000,
        task,
    });
    let finished = host.hear_of(|message| !matches!(message, HostMessage::Devices { .. }));
    let HostMessage::Finished {
        id: 1,
        outcome: Outcome::Failed { fault },
    } = finished
    else {
        panic!("{finished:?}")
    };
    assert_eq!(fault.code, "PIN-NO-PAD");
}

#[test]
fn a_version_that_was_not_offered_ends_the_host() {
    let mut host = Host::start();
    host.hear();
    host.say(&AgentMessage::Welcome {
        protocol: 2,
        settings: None,
    });
    assert_eq!(host.child.wait().unwrap().code(), Some(3));
}

#[test]
fn trust_anchors_that_cannot_be_used_end_the_host() {
    let mut host = Host::start_with(&["--trust", "nobody"]);
    assert_eq!(host.child.wait().unwrap().code(), Some(4));
    let mut host = Host::start_with(&["--trust-file", "no-such-file.json"]);
    assert_eq!(host.child.wait().unwrap().code(), Some(4));
}

#[test]
fn arguments_that_make_no_sense_end_the_host() {
    let mut host = Host::start_with(&["--no-such-argument"]);
    assert_eq!(host.child.wait().unwrap().code(), Some(2));
}

impl Drop for Host {
    fn drop(&mut self) {
        // A host whose input is closed ends by itself; this reaps it where a test has failed.
        drop(self.input.take());
        let _status = self.child.wait();
    }
}
