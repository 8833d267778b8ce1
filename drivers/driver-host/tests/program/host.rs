//! A driver host, run and spoken to as the agent does it.

use std::{
    fs::File,
    io::Write,
    os::fd::OwnedFd,
    process::{Child, ChildStdin, Command, Stdio},
};

use host_protocol::{AgentMessage, HostMessage, Line, LineReader, Outcome, Task, decode, encode};
use serde_json::Value;

/// The running process; it ends when dropped.
pub(crate) struct Host {
    child: Child,
    input: Option<ChildStdin>,
    output: LineReader<File>,
    jobs: u64,
}

impl Host {
    /// A host of this class of devices, which was given its settings.
    pub(crate) fn of(class: &str, settings: Value) -> Self {
        let mut host = Self::run(command().args(["--log", "warn", class]));
        host.welcome(Some(settings));
        host
    }

    /// Runs a command of the binary.
    pub(crate) fn run(command: &mut Command) -> Self {
        let mut child = command
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
            jobs: 0,
        }
    }

    /// Hears its greeting and answers it.
    pub(crate) fn welcome(&mut self, settings: Option<Value>) {
        let greeting = self.hear();
        assert!(
            matches!(&greeting, HostMessage::Hello { protocols, .. } if *protocols == [1]),
            "{greeting:?}"
        );
        self.say(&AgentMessage::Welcome {
            protocol: 1,
            settings,
        });
    }

    pub(crate) fn say(&mut self, message: &AgentMessage) {
        let line = encode(message).unwrap();
        self.say_bytes(&line);
    }

    pub(crate) fn say_bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn hear(&mut self) -> HostMessage {
        match self.output.next_line().unwrap() {
            Some(Line::Whole(line)) => decode(&line).unwrap(),
            other => panic!("{other:?} is no line of the protocol"),
        }
    }

    /// The next message that is wanted; those before it are passed over.
    pub(crate) fn hear_of(&mut self, wanted: impl Fn(&HostMessage) -> bool) -> HostMessage {
        loop {
            let message = self.hear();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Starts a job; says its number.
    pub(crate) fn begin(&mut self, device: &str, task: Task, deadline_ms: u64) -> u64 {
        self.jobs += 1;
        self.say(&AgentMessage::Start {
            id: self.jobs,
            device: device.to_owned(),
            deadline_ms,
            task,
        });
        self.jobs
    }

    /// How a job ends, the only one that runs.
    pub(crate) fn outcome(&mut self, job: u64) -> Outcome {
        loop {
            if let HostMessage::Finished { id, outcome } = self.hear() {
                assert_eq!(id, job);
                return outcome;
            }
        }
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Closes its input, by which it ends.
    pub(crate) fn close(&mut self) {
        drop(self.input.take());
    }

    /// Waits for its end, and says its exit code.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.close();
        let _status = self.child.wait();
    }
}

/// The binary, without arguments.
pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_driver-host"))
}
