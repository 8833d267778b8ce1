//! Which check belongs to which requirement, and what they share.

mod framing;
mod items;
mod jobs;
mod life;

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use host_protocol::{DeviceDescription, Task};

use crate::host::{Session, Subject, Transcripts};
use crate::report::{Finding, Report, Verdict};
use crate::requirement::{REQUIREMENTS, Seen};
use crate::transcript::Transcript;

/// Stands in what is sent and scanned; no log may show it.
pub(crate) const CANARY: &str = "canary-90417-canary";

/// Why a check did not pass.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The host breaks the requirement.
    Failed(String),
    /// It cannot be tried here.
    Lacking(&'static str),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

pub(crate) type Check = Result<(), Stop>;

pub(crate) fn failed(why: &str) -> Stop {
    Stop::Failed(why.to_owned())
}

/// What the checks work with.
#[derive(Debug)]
pub(crate) struct Bench<'a> {
    pub(crate) subject: &'a Subject,
    transcripts: Transcripts,
    /// Set once no device came, so that not every check waits for one again.
    deviceless: AtomicBool,
}

/// Examines a host. Takes some seconds; starts it some thirty times.
#[must_use]
pub fn examine(subject: &Subject) -> Report {
    report(subject, &|_| true)
}

/// Examines some requirements, by their numbers.
#[must_use]
pub fn examine_only(subject: &Subject, ids: &[&str]) -> Report {
    report(subject, &|id| ids.contains(&id))
}

fn report(subject: &Subject, wanted: &dyn Fn(&str) -> bool) -> Report {
    let bench = Bench {
        subject,
        transcripts: Transcripts::default(),
        deviceless: AtomicBool::new(false),
    };
    let examined = REQUIREMENTS
        .iter()
        .filter(|requirement| requirement.seen == Seen::FromOutside && wanted(requirement.id));
    // Those that look at whole conversations come last, when there are some.
    let live: Vec<(&str, Option<Check>)> = examined
        .clone()
        .map(|requirement| (requirement.id, bench.live(requirement.id)))
        .collect();
    let findings = examined.zip(live).map(|(requirement, (id, live))| {
        let checked = match live.unwrap_or(Ok(())) {
            Ok(()) => bench.over_all(id),
            stopped => stopped,
        };
        let verdict = match checked {
            Ok(()) => Verdict::Passed,
            Err(Stop::Failed(why)) => Verdict::Failed { why },
            Err(Stop::Lacking(why)) => Verdict::NotApplicable {
                why: why.to_owned(),
            },
        };
        Finding::new(requirement, verdict)
    });
    Report {
        host: subject.command_line(),
        findings: findings.collect(),
    }
}

impl Bench<'_> {
    /// The check that speaks to the host, where the requirement has one.
    fn live(&self, id: &str) -> Option<Check> {
        Some(match id {
            "DH-002" => framing::oversized(self),
            "DH-003" => framing::garbage(self),
            "DH-004" => framing::unfinished(self),
            "DH-010" | "DH-011" => life::hello(self),
            "DH-012" => life::unknown_version(self),
            "DH-013" => life::quiet_before_welcome(self),
            "DH-014" => life::welcome_twice(self),
            "DH-015" => life::wrong_settings(self),
            "DH-016" => jobs::before_welcome(self),
            "DH-017" => jobs::ended_with_the_input(self),
            "DH-018" => life::end_of_input(self),
            "DH-021" => life::devices(self),
            "DH-022" => life::stable_ids(self),
            "DH-023" => life::own_ids(self),
            "DH-030" | "DH-035" => jobs::cancelled(self),
            "DH-032" => jobs::unknown_device(self),
            "DH-033" => jobs::foreign_task(self),
            "DH-034" => jobs::second_job(self),
            "DH-036" => jobs::deadline(self),
            "DH-037" => jobs::words_for_no_job(self),
            "DH-039" => jobs::own_task(self),
            "DH-050" => jobs::ping_while_busy(self),
            "DH-051" => life::pong(self),
            "DH-071" => items::one_at_a_time(self),
            "DH-072" => items::stray(self),
            "DH-073" => items::counted(self),
            "DH-074" => items::next_job(self),
            _over_all => return None,
        })
    }

    /// The check that looks at everything that was said, where the requirement has one.
    fn over_all(&self, id: &str) -> Check {
        let transcripts = self
            .transcripts
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let each = |check: &dyn Fn(&Transcript) -> Result<(), String>| {
            transcripts.iter().try_for_each(check).map_err(Stop::from)
        };
        let some = |count: &dyn Fn(&Transcript) -> Result<usize, String>, lacking| {
            let mut seen = 0;
            for transcript in transcripts.iter() {
                seen += count(transcript)?;
            }
            match seen {
                0 => Err(Stop::Lacking(lacking)),
                _some => Ok(()),
            }
        };
        match id {
            "DH-001" => each(&Transcript::only_messages),
            "DH-005" => each(&|transcript| transcript.silent_log(&[CANARY])),
            "DH-010" => each(&Transcript::one_hello),
            "DH-021" => each(&Transcript::whole_lists),
            "DH-024" => some(&Transcript::known_devices, "no device was offered"),
            "DH-030" => each(&Transcript::accepted_first),
            "DH-031" => each(&Transcript::one_finished),
            "DH-038" => each(&Transcript::known_faults),
            "DH-070" => some(&Transcript::items_in_order, "no item was given"),
            "DH-080" => some(&Transcript::attachments_whole, "no attachment was sent"),
            _live_only => Ok(()),
        }
    }

    pub(crate) fn start(&self) -> Result<Session, Stop> {
        Ok(Session::start(self.subject, &self.transcripts)?)
    }

    pub(crate) fn welcomed(&self) -> Result<Session, Stop> {
        Ok(Session::welcomed(self.subject, &self.transcripts)?)
    }

    /// A welcomed host and the device that is examined.
    pub(crate) fn with_device(&self) -> Result<(Session, DeviceDescription), Stop> {
        const NONE: Stop = Stop::Lacking("the host offers no device of the class that is examined");
        if self.deviceless.load(Ordering::Relaxed) {
            return Err(NONE);
        }
        let mut session = self.welcomed()?;
        let class = self.subject.class.as_deref();
        let found = session.device(|device| class.is_none_or(|class| class == device.class));
        match found {
            Some(device) => Ok((session, device)),
            None => {
                self.deviceless.store(true, Ordering::Relaxed);
                session.close();
                Err(NONE)
            }
        }
    }

    /// A welcomed host with a job that waits and does nothing by itself, accepted.
    pub(crate) fn with_job(&self, id: u64) -> Result<(Session, DeviceDescription), Stop> {
        let (mut session, device) = self.with_device()?;
        let task = harmless(&device)?;
        session.start_job(id, &device.id, (task, crate::PATIENCE))?;
        match session.hear_of(id, crate::PATIENCE)? {
            host_protocol::HostMessage::Accepted { .. } => Ok((session, device)),
            other => Err(Stop::Failed(format!(
                "{} instead of accepted",
                crate::host::word(&other)
            ))),
        }
    }
}

/// A task of the device's class that waits for a person.
pub(crate) fn harmless(device: &DeviceDescription) -> Result<Task, Stop> {
    match device.class.as_str() {
        "codeScanner" => Ok(Task::ScanCodes {}),
        "cardReader" => Ok(Task::IdentifyCard {}),
        _acts_at_once => Err(Stop::Lacking(
            "no task of this class waits without doing anything",
        )),
    }
}

/// A task of another class.
pub(crate) fn foreign(device: &DeviceDescription) -> Task {
    match device.class.as_str() {
        "codeScanner" => Task::IdentifyCard {},
        _other => Task::ScanCodes {},
    }
}
