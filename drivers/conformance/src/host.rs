//! A host under examination: one process, its pipes, and everything that was said.
//!
//! Invariants: the process is ended and reaped with its [`Session`]; every wait has an end; every message
//! is kept for the checks that look at the whole conversation.

use std::io::{Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use device_api::{Clock as _, Moment, SystemClock};
use host_protocol::{
    AgentMessage, DeviceDescription, HostMessage, Line, LineReader, Task, decode, encode,
};
use serde_json::Value;

use crate::feeder::{self, Feeder};
use crate::transcript::{Heard, Transcript, job_of};

/// How long the suite waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long it listens for what must not come.
pub(crate) const SILENCE: Duration = Duration::from_millis(500);
/// For promises of one second: a busy machine is not the host's fault.
pub(crate) const PROMPTLY: Duration = Duration::from_secs(2);

/// Lines that may wait for the suite; a host that writes more waits.
const QUEUE: usize = 256;
/// How much of a host's log is kept, in bytes.
const MAX_LOG: usize = 4 * 1024 * 1024;
/// How long a dead host's log may take; a grandchild can hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How often to look whether a process without standard output has ended.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// What is examined.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it is told with the welcome; [`crate::FEEDER`] stands for the address of a scanner that the
    /// suite plays.
    pub settings: Option<Value>,
    /// The class of the device to examine; the first of all where none is named.
    pub class: Option<String>,
    /// The name under which the driver is listed, with which its ids must begin.
    pub name: Option<String>,
}

impl Subject {
    /// A host without settings.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, args: Vec<String>) -> Self {
        Self {
            program: program.into(),
            args,
            settings: None,
            class: None,
            name: None,
        }
    }

    /// The command line, for people.
    #[must_use]
    pub fn command_line(&self) -> String {
        let program = self.program.display().to_string();
        let words = [program].into_iter().chain(self.args.iter().cloned());
        words.collect::<Vec<String>>().join(" ")
    }
}

/// Where whole conversations go.
pub(crate) type Transcripts = Arc<Mutex<Vec<Transcript>>>;

/// A started host. Dropping it ends the host and keeps what was said, however the check ended.
pub(crate) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    output: Receiver<Heard>,
    log: Receiver<Vec<u8>>,
    kept: Transcripts,
    settings: Option<Value>,
    pub(crate) feeder: Option<Feeder>,
    clock: SystemClock,
    pub(crate) transcript: Transcript,
}

impl Session {
    /// Starts the host.
    pub(crate) fn start(subject: &Subject, kept: &Transcripts) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot start the host: {error}");
        let feeder = if feeder::is_named(subject.settings.as_ref()) {
            Some(Feeder::open().map_err(failed)?)
        } else {
            None
        };
        let settings = subject.settings.as_ref().map(|settings| {
            let address = feeder.as_ref().map(Feeder::address);
            feeder::with_address(settings, address.unwrap_or_default())
        });
        let mut child = Command::new(&subject.program)
            .args(&subject.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let input = child.stdin.take();
        let (heard, output) = sync_channel(QUEUE);
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || listen(stdout, &heard));
        }
        let (logged, log) = channel();
        if let Some(stderr) = child.stderr.take() {
            thread::spawn(move || read_log(stderr, &logged));
        }
        Ok(Self {
            child,
            input,
            output,
            log,
            kept: Arc::clone(kept),
            settings,
            feeder,
            clock: SystemClock::new(),
            transcript: Transcript::default(),
        })
    }

    /// Starts the host and welcomes it.
    pub(crate) fn welcomed(subject: &Subject, kept: &Transcripts) -> Result<Self, String> {
        let mut session = Self::start(subject, kept)?;
        session.hello()?;
        session.welcome()?;
        Ok(session)
    }

    /// Waits for the first message, which must be `hello`.
    pub(crate) fn hello(&mut self) -> Result<Vec<u32>, String> {
        match self.hear(PATIENCE)? {
            HostMessage::Hello { protocols, .. } => Ok(protocols),
            other => Err(format!("the first message was {}", word(&other))),
        }
    }

    pub(crate) fn welcome(&mut self) -> Result<(), String> {
        let settings = self.settings.clone();
        self.say(&AgentMessage::Welcome {
            protocol: 1,
            settings,
        })
    }

    pub(crate) fn say(&mut self, message: &AgentMessage) -> Result<(), String> {
        if let AgentMessage::Start { id, .. } = message {
            self.transcript.started.push(*id);
        }
        let line = encode(message).map_err(|error| error.to_string())?;
        self.say_bytes(&line)
    }

    pub(crate) fn say_bytes(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(input) = &mut self.input else {
            return Err("the input was closed".to_owned());
        };
        let sent = input.write_all(bytes).and_then(|()| input.flush());
        sent.map_err(|error| format!("the host does not read: {error}"))
    }

    pub(crate) fn start_job(
        &mut self,
        id: u64,
        device: &str,
        (task, deadline): (Task, Duration),
    ) -> Result<(), String> {
        self.say(&AgentMessage::Start {
            id,
            device: device.to_owned(),
            deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
            task,
        })
    }

    /// The next message. Lines that are none are kept and passed over.
    pub(crate) fn hear(&mut self, within: Duration) -> Result<HostMessage, String> {
        match self.listen_until(self.clock.now().plus(within)) {
            Ok(message) => Ok(message),
            Err(RecvTimeoutError::Timeout) => Err(format!("nothing came within {within:?}")),
            Err(RecvTimeoutError::Disconnected) => Err("the host closed its output".to_owned()),
        }
    }

    /// Everything that comes within so long.
    pub(crate) fn overhear(&mut self, within: Duration) -> Vec<HostMessage> {
        let until = self.clock.now().plus(within);
        std::iter::from_fn(|| self.listen_until(until).ok()).collect()
    }

    /// The next message about this job.
    pub(crate) fn hear_of(&mut self, id: u64, within: Duration) -> Result<HostMessage, String> {
        let until = self.clock.now().plus(within);
        loop {
            let left = until.since(self.clock.now());
            let message = self
                .hear(left)
                .map_err(|why| format!("of job {id}: {why}"))?;
            if job_of(&message) == Some(id) {
                return Ok(message);
            }
        }
    }

    /// The end of this job; what comes before it is passed over.
    pub(crate) fn finished(&mut self, id: u64, within: Duration) -> Result<HostMessage, String> {
        let until = self.clock.now().plus(within);
        loop {
            let message = self.hear_of(id, until.since(self.clock.now()))?;
            if matches!(message, HostMessage::Finished { .. }) {
                return Ok(message);
            }
        }
    }

    /// Asks for a `pong` and returns what came before it: whatever was said earlier is done with by then.
    pub(crate) fn ping(&mut self, number: u64) -> Result<Vec<HostMessage>, String> {
        self.say(&AgentMessage::Ping { n: number })?;
        let until = self.clock.now().plus(PROMPTLY);
        let mut before = Vec::new();
        loop {
            let left = until.since(self.clock.now());
            match self.hear(left).map_err(|why| format!("no pong: {why}"))? {
                HostMessage::Pong { n } if n == number => return Ok(before),
                other => before.push(other),
            }
        }
    }

    /// Waits for a device that `wanted` likes; `None` where none comes.
    pub(crate) fn device(
        &mut self,
        wanted: impl Fn(&DeviceDescription) -> bool,
    ) -> Option<DeviceDescription> {
        let until = self.clock.now().plus(PATIENCE);
        while let Ok(message) = self.listen_until(until) {
            if let HostMessage::Devices { devices, .. } = message
                && let Some(found) = devices.into_iter().find(&wanted)
            {
                return Some(found);
            }
        }
        None
    }

    pub(crate) fn feed(&mut self, code: &str) -> Result<(), String> {
        match &mut self.feeder {
            Some(feeder) => feeder.feed(code, PATIENCE),
            None => Err("there is no feeder".to_owned()),
        }
    }

    /// Closes the host's input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits for the host to end by itself; how it ended, or `None`.
    pub(crate) fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = self.clock.now().plus(within);
        while self.listen_until(until).is_ok() {}
        let (_never, pause) = channel::<()>();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    self.transcript.ended = true;
                    return Some(status);
                }
                Ok(None) if self.clock.now() < until => {
                    let _time_is_over = pause.recv_timeout(LOOK_AGAIN);
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Lets the host end in order.
    pub(crate) fn close(mut self) {
        self.end_input();
        // Where it does not, it is killed now.
        let _status = self.ended(PROMPTLY);
    }

    fn listen_until(&mut self, until: Moment) -> Result<HostMessage, RecvTimeoutError> {
        loop {
            let left = until.since(self.clock.now());
            match self.output.recv_timeout(left)? {
                Heard::Message(message) => {
                    self.transcript.heard.push((*message).clone());
                    return Ok(*message);
                }
                Heard::Wrong(why) => self.transcript.wrong.push(why),
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _already_ended = self.child.kill();
        let _reaped = self.child.wait();
        let until = self.clock.now().plus(LAST_WORDS);
        while self.listen_until(until).is_ok() {}
        let mut transcript = std::mem::take(&mut self.transcript);
        while let Ok(part) = self.log.recv_timeout(until.since(self.clock.now())) {
            transcript.log.extend(part);
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(transcript);
    }
}

/// Reads a host's log to its end, so that it never waits for room; what is too much is thrown away.
fn read_log(mut log: impl Read, logged: &Sender<Vec<u8>>) {
    let mut chunk = [0; 4096];
    let mut sent = 0;
    while let Ok(count @ 1..) = log.read(&mut chunk) {
        sent += count;
        let part = chunk.get(..count).unwrap_or_default();
        if sent <= MAX_LOG && logged.send(part.to_vec()).is_err() {
            return;
        }
    }
}

/// Hands over every line as a message, or says what is wrong with it.
fn listen(output: impl Read, heard: &SyncSender<Heard>) {
    let mut lines = LineReader::new(output);
    while let Ok(Some(line)) = lines.next_line() {
        let what = match line {
            Line::Whole(line) => match decode::<HostMessage>(&line) {
                Ok(message) => Heard::Message(Box::new(message)),
                Err(error) => Heard::Wrong(error.to_string()),
            },
            Line::TooLong { length } => Heard::Wrong(format!("a line of {length} bytes")),
        };
        if heard.send(what).is_err() {
            return;
        }
    }
}

/// A message's type. Never its content, which can be of a citizen.
pub(crate) const fn word(message: &HostMessage) -> &'static str {
    match message {
        HostMessage::Hello { .. } => "hello",
        HostMessage::Devices { .. } => "devices",
        HostMessage::Accepted { .. } => "accepted",
        HostMessage::Progress { .. } => "progress",
        HostMessage::Ask { .. } => "ask",
        HostMessage::Item { .. } => "item",
        HostMessage::Part { .. } => "part",
        HostMessage::Finished { .. } => "finished",
        HostMessage::Pong { .. } => "pong",
    }
}
