//! The binary on a machine whose card service does not run: what is agreed, refused and logged.

use std::fs::File;

use host_protocol::{AgentMessage, Credential, Field, HostMessage, Outcome, ServiceState, Task};
use tempfile::TempDir;

use crate::host::{self, Host};

/// A driver host without card service, and its log.
struct Alone {
    host: Host,
    folder: TempDir,
}

impl Alone {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = host::command();
        command
            .args(["--log", "trace", "pcsc"])
            .args(arguments)
            .env("PCSCLITE_CSOCK_NAME", folder.path().join("pcscd.comm"))
            .stderr(log);
        let host = Host::run(&mut command);
        Self { host, folder }
    }

    fn welcomed() -> Self {
        let mut alone = Self::start();
        alone.host.welcome(None);
        alone
    }

    /// Closes the input and returns exit code and log.
    fn end(mut self) -> (Option<i32>, String) {
        self.host.close();
        let code = self.host.exit_code();
        let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap();
        (code, log)
    }
}

#[test]
fn without_its_service_a_host_serves_and_says_so() {
    let mut alone = Alone::welcomed();
    let devices = alone.host.hear();
    let HostMessage::Devices { service, devices } = devices else {
        panic!("{devices:?}")
    };
    assert_eq!((service, devices), (ServiceState::Down, vec![]));
    let task = Task::IdentifyCard {};
    let device = "pcsc:Virtual PCD 00 00".to_owned();
    alone.host.say(&AgentMessage::Start {
        id: 7,
        device,
        deadline_ms: 1000,
        task,
    });
    let HostMessage::Finished {
        id: 7,
        outcome: Outcome::Failed { fault },
    } = alone.host.hear()
    else {
        panic!("the job must fail")
    };
    assert_eq!(fault.code, "SVC-ABSENT");
    assert_eq!(alone.end().0, Some(0));
}

#[test]
fn lines_that_are_no_messages_are_passed_over_and_never_quoted() {
    let mut alone = Alone::welcomed();
    alone
        .host
        .say_bytes(b"canary-7391\n\n{\"type\":\"canary-7391\"}\n\xFF\xFE\n");
    alone
        .host
        .say_bytes(&vec![b'x'; 3 * host_protocol::MAX_LINE]);
    alone.host.say_bytes(b"\n");
    alone.host.say(&AgentMessage::Ping { n: 42 });
    alone
        .host
        .hear_of(|message| *message == HostMessage::Pong { n: 42 });
    let (code, log) = alone.end();
    assert_eq!(code, Some(0));
    assert!(log.contains("line of the agent refused"), "{log}");
    assert!(!log.contains("7391"), "{log}");
}

#[test]
fn a_job_before_the_version_is_agreed_is_refused() {
    let mut alone = Alone::start();
    alone.host.hear();
    let (device, task) = ("pcsc:x".to_owned(), Task::IdentifyCard {});
    alone.host.say(&AgentMessage::Start {
        id: 1,
        device,
        deadline_ms: 1000,
        task,
    });
    let HostMessage::Finished {
        id: 1,
        outcome: Outcome::Failed { fault },
    } = alone.host.hear()
    else {
        panic!("the job must fail")
    };
    assert_eq!(fault.code, "HST-UNUSABLE");
}

#[test]
fn a_job_for_the_keys_of_a_reader_is_refused_at_once() {
    let mut alone = Alone::welcomed();
    let task = Task::ReadMyNumberCard {
        fields: vec![Field::FourAttributes],
        credential: Credential::PinOnDevice,
        today: "2026-11-21".to_owned(),
    };
    alone.host.say(&AgentMessage::Start {
        id: 1,
        device: "pcsc:Virtual PCD 00 00".to_owned(),
        deadline_ms: 60_000,
        task,
    });
    let finished = alone
        .host
        .hear_of(|message| !matches!(message, HostMessage::Devices { .. }));
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
    let mut alone = Alone::start();
    alone.host.hear();
    alone.host.say(&AgentMessage::Welcome {
        protocol: 2,
        settings: None,
    });
    assert_eq!(alone.host.exit_code(), Some(3));
}

#[test]
fn trust_anchors_that_cannot_be_used_end_the_host() {
    let mut alone = Alone::start_with(&["--trust", "nobody"]);
    assert_eq!(alone.host.exit_code(), Some(4));
    let mut alone = Alone::start_with(&["--trust-file", "no-such-file.json"]);
    assert_eq!(alone.host.exit_code(), Some(4));
}

#[test]
fn arguments_that_make_no_sense_end_the_host() {
    let mut alone = Alone::start_with(&["--no-such-argument"]);
    assert_eq!(alone.host.exit_code(), Some(2));
}
