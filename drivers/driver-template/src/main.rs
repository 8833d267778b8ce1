//! A whole driver host, to be copied: it serves one code scanner whose codes come over TCP, a code a line.
//!
//! Read it from the top to the bottom; it needs the protocol's crate and the standard library only.
//! The numbers (DH-...) are requirements of `docs/protocol/driver-host.md`.
//!
//! ```text
//! thread from-agent: standard input --\
//! thread scanner:    TCP --------------+--> one queue --> Host (this thread) --> standard output
//! threads deadline:  one for each job -/
//! ```
//! Everything that can happen is an [`Event`] in one queue, and [`Host`] handles one at a time: so it can
//! never be held up by the device (DH-050), and there is nothing to lock.
//! For a device of your own, replace [`scanner`], [`Settings`], and what [`Host`] does with a task.

mod scanner;

use std::fmt::Display;
use std::io::{self, Read, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use host_protocol::{
    AgentMessage, Capabilities, DeviceDescription, DeviceState, HostFault, HostMessage, HostName,
    Item, Line, LineReader, Make, Outcome, PROTOCOL_VERSION, Product, Scan, ScanCount, SecretBytes,
    SecretText, ServiceState, Step, Task, TextRule, decode, encode,
};

/// The name under which the operator lists this driver; the device's id begins with it (DH-023).
const NAME: &str = "driver-template";
/// The counter of codes that were scanned while no job waited for them.
const STRAY: &str = "strayScans";
/// How many codes wait behind the one that is under way.
const MAX_WAITING: usize = 64;
/// The longest a job may take, a day.
const LONGEST_JOB: Duration = Duration::from_secs(24 * 60 * 60);

/// The exit codes of DH-019.
mod exit {
    /// The agent closed the input.
    pub(crate) const INPUT_ENDED: u8 = 0;
    /// The operating system refused something, or the agent stopped reading.
    pub(crate) const SYSTEM: u8 = 1;
    /// No common version of the protocol.
    pub(crate) const VERSION: u8 = 3;
    /// The settings cannot be used.
    pub(crate) const SETTINGS: u8 = 5;
}

/// Everything that can happen.
enum Event {
    /// The agent said something.
    Heard(AgentMessage),
    /// The agent closed our input.
    InputEnded,
    /// The scanner came or went.
    Scanner { there: bool },
    /// A code was scanned.
    Scanned(Vec<u8>),
    /// The deadline of this job has come.
    Deadline(u64),
}

fn main() -> ExitCode {
    let (events, queue) = channel();
    let heard = events.clone();
    // A host that is given PINs reads an unbuffered file instead: the buffer of `stdin` is never erased.
    thread::spawn(move || listen(io::stdin().lock(), &heard));
    let code = match Host::new(events).run(&queue) {
        Ok(code) => code,
        Err(error) => {
            log(format_args!("the agent cannot be reached: {error}"));
            exit::SYSTEM
        }
    };
    // The other threads end with the process.
    ExitCode::from(code)
}

/// Standard error is the log. Whatever was scanned is of a citizen and never goes there (DH-005).
#[expect(clippy::print_stderr, reason = "standard error is a driver host's log")]
fn log(what: impl Display) {
    eprintln!("{what}");
}

/// Reads what the agent says until it closes the input. The reader keeps no line that is too long
/// (DH-002); a line that is no message is dropped and never shown, because it can hold a PIN (DH-003).
fn listen(input: impl Read, events: &Sender<Event>) {
    let mut lines = LineReader::new(input);
    loop {
        let event = match lines.next_line() {
            Ok(Some(Line::Whole(line))) => match decode(&line) {
                Ok(message) => Event::Heard(message),
                Err(error) => {
                    log(format_args!("a line of the agent is no message: {error}"));
                    continue;
                }
            },
            Ok(Some(Line::TooLong { length })) => {
                log(format_args!("a line of {length} bytes is too long"));
                continue;
            }
            Ok(None) | Err(_) => Event::InputEnded,
        };
        let end = matches!(event, Event::InputEnded);
        if events.send(event).is_err() || end {
            return;
        }
    }
}

/// What the operator writes under `[vendor_driver.settings]`; it comes with `welcome`.
struct Settings {
    /// Where the scanner is, such as `127.0.0.1:4001`.
    address: String,
    /// What it is called.
    name: String,
}

impl Settings {
    /// Reads them strictly: a misspelt key must not go unnoticed (DH-015).
    fn read(welcome: &AgentMessage) -> Option<Self> {
        let AgentMessage::Welcome {
            settings: Some(told),
            ..
        } = welcome
        else {
            return None;
        };
        let table = told.as_object()?;
        let text = |key: &str| Some(table.get(key)?.as_str()?.to_owned());
        let settings = Self {
            address: text("address")?,
            name: text("name")?,
        };
        (table.len() == 2).then_some(settings)
    }
}

/// What a job is given of its life, and what comes of it.
struct Job {
    id: u64,
    /// The number of the last item.
    last_item: u32,
    /// Whether that item is on its way and was not `received` yet.
    under_way: bool,
    /// What was scanned meanwhile.
    waiting: Vec<Vec<u8>>,
    delivered: u32,
    /// Dropped with the job, which ends the thread that waits for its deadline.
    _deadline: Sender<()>,
}

/// The host: what it knows, and what it does about each event.
struct Host {
    events: Sender<Event>,
    settings: Option<Settings>,
    there: bool,
    stray: u64,
    job: Option<Job>,
}

impl Host {
    const fn new(events: Sender<Event>) -> Self {
        Self {
            events,
            settings: None,
            there: false,
            stray: 0,
            job: None,
        }
    }

    /// Serves until the agent closes the input; the error says that the agent reads nothing any more.
    fn run(mut self, queue: &Receiver<Event>) -> io::Result<u8> {
        // DH-010: hello is the first word.
        say(&HostMessage::Hello {
            protocols: vec![PROTOCOL_VERSION],
            host: HostName {
                name: NAME.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
        })?;
        while let Ok(event) = queue.recv() {
            match event {
                Event::Heard(message @ AgentMessage::Welcome { protocol, .. }) => {
                    if let Some(code) = self.welcome(protocol, Settings::read(&message))? {
                        return Ok(code);
                    }
                }
                Event::Heard(message) => self.heed(message)?,
                Event::InputEnded => break,
                Event::Scanner { there } => {
                    self.there = there;
                    if !there {
                        self.end_job(Some(fault("DEV-GONE", "the scanner is gone")))?;
                    }
                    self.tell_devices()?;
                }
                Event::Scanned(code) => self.scanned(code)?,
                Event::Deadline(id) => self.end_this(id)?,
            }
        }
        // DH-018: the jobs end, each with its own word.
        self.end_job(None)?;
        Ok(exit::INPUT_ENDED)
    }

    /// The version is agreed and the settings are known: from here on there are devices.
    fn welcome(&mut self, protocol: u32, settings: Option<Settings>) -> io::Result<Option<u8>> {
        if protocol != PROTOCOL_VERSION {
            return Ok(Some(exit::VERSION));
        }
        if self.settings.is_some() {
            return Ok(None);
        }
        let Some(settings) = settings else {
            log("the settings must have the texts `address` and `name`, and nothing else");
            return Ok(Some(exit::SETTINGS));
        };
        let (address, events) = (settings.address.clone(), self.events.clone());
        self.settings = Some(settings);
        thread::spawn(move || scanner::watch(&address, &events));
        self.tell_devices()?;
        Ok(None)
    }

    fn heed(&mut self, message: AgentMessage) -> io::Result<()> {
        match message {
            AgentMessage::Ping { n } => say(&HostMessage::Pong { n }),
            AgentMessage::Start {
                id,
                device,
                deadline_ms,
                task,
            } => match self.refusal(&device, &task) {
                // DH-032 to DH-034: what is not taken on is finished and was never accepted.
                Some(refusal) => say(&failed(id, refusal)),
                None => self.start(id, Duration::from_millis(deadline_ms)),
            },
            AgentMessage::Received { id, n } => self.received(id, n),
            AgentMessage::Cancel { id } => self.end_this(id),
            // A scanner asks nothing, takes no attachment and shows nothing: not for a job of ours.
            AgentMessage::Answer { .. }
            | AgentMessage::Part { .. }
            | AgentMessage::Act { .. }
            | AgentMessage::Welcome { .. } => Ok(()),
        }
    }

    /// Why a job cannot be taken on.
    fn refusal(&self, device: &str, task: &Task) -> Option<HostFault> {
        let Some(own) = self.device_id() else {
            return Some(fault("HST-UNUSABLE", "a job before the welcome"));
        };
        if device != own || !self.there {
            return Some(fault("DEV-GONE", "no such device"));
        }
        if !matches!(task, Task::ScanCodes {}) {
            return Some(fault("DEV-UNSUPPORTED", "not a task of a code scanner"));
        }
        let busy = self.job.is_some();
        busy.then(|| fault("DEV-BUSY", "the scanner has a job"))
    }

    fn start(&mut self, id: u64, span: Duration) -> io::Result<()> {
        let (deadline, dropped) = channel();
        let events = self.events.clone();
        let span = span.min(LONGEST_JOB);
        thread::spawn(move || {
            // Ends early when the job drops the other end.
            if dropped.recv_timeout(span) == Err(RecvTimeoutError::Timeout) {
                // The host may have ended.
                let _unheard = events.send(Event::Deadline(id));
            }
        });
        self.job = Some(Job {
            id,
            last_item: 0,
            under_way: false,
            waiting: Vec::new(),
            delivered: 0,
            _deadline: deadline,
        });
        say(&HostMessage::Accepted { id })?;
        let (step, card) = (Step::WaitingForCode, None);
        say(&HostMessage::Progress { id, step, card })
    }

    /// DH-072: what is scanned while nobody waits is counted and thrown away.
    fn scanned(&mut self, code: Vec<u8>) -> io::Result<()> {
        let Some(job) = &mut self.job else {
            self.stray += 1;
            return self.tell_devices();
        };
        if job.waiting.len() >= MAX_WAITING {
            job.waiting.remove(0);
        }
        job.waiting.push(code);
        job.hand_on()
    }

    fn received(&mut self, id: u64, n: u32) -> io::Result<()> {
        match &mut self.job {
            Some(job) if job.id == id && job.under_way && job.last_item == n => {
                job.under_way = false;
                job.delivered += 1;
                job.hand_on()
            }
            // It crossed with the job's end.
            Some(_) | None => Ok(()),
        }
    }

    /// Ends this job if it still runs: a cancel and a deadline are ordinary ends of `scanCodes`.
    fn end_this(&mut self, id: u64) -> io::Result<()> {
        if self.job.as_ref().is_some_and(|job| job.id == id) {
            self.end_job(None)?;
        }
        Ok(())
    }

    /// DH-031: the one place that ends a job; taking it out is what makes `finished` come once.
    fn end_job(&mut self, fault: Option<HostFault>) -> io::Result<()> {
        let Some(job) = self.job.take() else {
            return Ok(());
        };
        if let Some(fault) = fault {
            return say(&failed(job.id, fault));
        }
        let left = job.waiting.len() + usize::from(job.under_way);
        let count = ScanCount {
            delivered: job.delivered,
            undelivered: u32::try_from(left).unwrap_or(u32::MAX),
        };
        let product = Box::new(Product::Scans { count });
        say(&HostMessage::Finished {
            id: job.id,
            outcome: Outcome::Done { product },
        })
    }

    fn device_id(&self) -> Option<String> {
        let settings = self.settings.as_ref()?;
        Some(format!("{NAME}:{}", settings.name))
    }

    /// DH-021: always the whole list. A scanner that is not connected is not in it.
    fn tell_devices(&self) -> io::Result<()> {
        let mut devices = Vec::new();
        if let (true, Some(id), Some(settings)) =
            (self.there, self.device_id(), self.settings.as_ref())
        {
            devices.push(DeviceDescription {
                id,
                class: "codeScanner".to_owned(),
                name: settings.name.clone(),
                state: DeviceState::Ready,
                fault: None,
                warnings: Vec::new(),
                capabilities: Capabilities::default(),
                make: Make::default(),
                counters: [(STRAY.to_owned(), self.stray)].into(),
            });
        }
        say(&HostMessage::Devices {
            service: ServiceState::Up,
            devices,
        })
    }
}

impl Job {
    /// DH-071: one code at a time; the next follows when the last one was received.
    fn hand_on(&mut self) -> io::Result<()> {
        if self.under_way || self.waiting.is_empty() {
            return Ok(());
        }
        self.under_way = true;
        self.last_item += 1;
        let scan = Box::new(scan(self.waiting.remove(0)));
        say(&HostMessage::Item {
            id: self.id,
            n: self.last_item,
            item: Item::Scan { scan },
        })
    }
}

/// Says which text the bytes are, as far as that is certain.
fn scan(bytes: Vec<u8>) -> Scan {
    let text = String::from_utf8(bytes.clone()).ok();
    let rule = match &text {
        Some(text) if text.is_ascii() => TextRule::Ascii,
        Some(_) => TextRule::Utf8,
        None => TextRule::Binary,
    };
    Scan {
        bytes: SecretBytes::new(bytes),
        symbology: None,
        text: text.map(SecretText::new),
        rule,
        certain: rule != TextRule::Utf8,
        gs1: Vec::new(),
        parts: 1,
        pre_application: None,
        fault: None,
    }
}

/// A code of `docs/errors.md`, and for the log what was being attempted.
fn fault(code: &str, detail: &str) -> HostFault {
    HostFault {
        code: code.to_owned(),
        detail: detail.to_owned(),
        about: None,
        tries_left: None,
    }
}

const fn failed(id: u64, fault: HostFault) -> HostMessage {
    HostMessage::Finished {
        id,
        outcome: Outcome::Failed { fault },
    }
}

/// DH-001: nothing but messages on standard output. `print!` must not be used anywhere in a host.
fn say(message: &HostMessage) -> io::Result<()> {
    let line = encode(message).map_err(io::Error::other)?;
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
