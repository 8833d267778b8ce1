//! Feeder, glass and jobs: what both protocols of a document scanner share.
//!
//! One job at a time, as on real devices: whoever comes second is told "busy".

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::document::page::{Area, ColourMode, PageContent};
use crate::fault::Kind;
use crate::injector::{Injector, Occasion};

/// Names of requests that are counted one by one.
const MOST_NAMES: usize = 64;

/// One sheet in the feeder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SheetContent {
    /// The side that is scanned first.
    pub front: PageContent,
    /// The other side, which only a duplex scan sees.
    pub back: PageContent,
}

/// Where pages come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The glass.
    #[default]
    Glass,
    /// The feeder, front sides.
    Feeder,
    /// The feeder, both sides.
    FeederDuplex,
}

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentCounters {
    /// Connections taken.
    pub connections: u64,
    /// Requests by name; those of the SANE protocol by their call.
    pub requests: BTreeMap<String, u64>,
    /// Jobs begun.
    pub jobs: u64,
    /// Sides scanned.
    pub pages: u64,
    /// Jobs that the host ended before their last page.
    pub cancelled: u64,
    /// Faults that struck.
    pub faults: u64,
}

/// What a host wants scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) source: Source,
    pub(crate) area: Area,
    pub(crate) dpi: u16,
    pub(crate) mode: ColourMode,
}

/// Why there is no page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Somebody else scans.
    Busy,
    /// A page is stuck.
    Jammed,
    /// The cover is open.
    CoverOpen,
    /// There is no page left.
    Empty,
    /// The job was stopped at the device.
    Cancelled,
    /// There is no such job.
    NoJob,
}

/// A page on its way, and what faults will do to it.
#[derive(Debug)]
pub(crate) struct Fed {
    pub(crate) content: PageContent,
    pub(crate) wanted: Wanted,
    pub(crate) kinds: Vec<Kind>,
}

/// The scanner's inside.
#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a lamp of its own, and they are independent"
)]
pub(crate) struct Engine {
    pub(crate) injector: Injector,
    pub(crate) counters: DocumentCounters,
    pub(crate) sheets: VecDeque<SheetContent>,
    pub(crate) glass: Option<PageContent>,
    pub(crate) cover_open: bool,
    pub(crate) jammed: bool,
    pub(crate) hung: bool,
    pub(crate) unplugged: bool,
    job: Option<Job>,
    begun: u64,
}

#[derive(Debug)]
struct Job {
    number: u64,
    wanted: Wanted,
    back: Option<PageContent>,
    pages: u64,
    stopped: bool,
}

impl Engine {
    /// Begins a job. Returns its number.
    pub(crate) fn begin(&mut self, wanted: Wanted) -> Result<u64, Trouble> {
        if self.job.is_some() {
            return Err(Trouble::Busy);
        }
        self.obstacle()?;
        let empty = match wanted.source {
            Source::Glass => false,
            Source::Feeder | Source::FeederDuplex => self.sheets.is_empty(),
        };
        if empty {
            return Err(Trouble::Empty);
        }
        self.begun += 1;
        self.counters.jobs += 1;
        self.job = Some(Job {
            number: self.begun,
            wanted,
            back: None,
            pages: 0,
            stopped: false,
        });
        Ok(self.begun)
    }

    /// The next page of a job. Where there is none, the job is over.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    pub(crate) fn next_page(&mut self, number: u64) -> Result<Fed, Trouble> {
        let mut job = self
            .job
            .take_if(|job| job.number == number)
            .ok_or(Trouble::NoJob)?;
        if job.stopped {
            return Err(Trouble::Cancelled);
        }
        self.obstacle()?;
        let content = self.feed(&mut job).ok_or(Trouble::Empty)?;
        let kinds = self.injector.strike(Occasion::Page);
        self.counters.faults += u64::try_from(kinds.len()).unwrap_or(u64::MAX);
        for kind in &kinds {
            match kind {
                Kind::Jam => self.jammed = true,
                Kind::CoverOpen => self.cover_open = true,
                Kind::Cancelled => return Err(Trouble::Cancelled),
                Kind::Hang => self.hung = true,
                Kind::Unplug => self.unplugged = true,
                _ => {}
            }
        }
        self.obstacle()?;
        job.pages += 1;
        self.counters.pages += 1;
        let wanted = job.wanted;
        self.job = Some(job);
        Ok(Fed {
            content,
            wanted,
            kinds,
        })
    }

    /// The host ends a job; whether there was one.
    pub(crate) fn end(&mut self, number: u64) -> bool {
        let ended = self.job.take_if(|job| job.number == number);
        let more = |job: &Job| job.back.is_some() || !self.sheets.is_empty();
        if ended.as_ref().is_some_and(more) {
            self.counters.cancelled += 1;
        }
        ended.is_some()
    }

    /// A person presses "stop" at the device.
    pub(crate) fn press_stop(&mut self) {
        if let Some(job) = &mut self.job {
            job.stopped = true;
        }
    }

    /// The power goes: jobs are forgotten.
    pub(crate) fn forget(&mut self) {
        self.job = None;
    }

    pub(crate) const fn is_scanning(&self) -> bool {
        self.job.is_some()
    }

    /// Job in progress and its pages so far.
    pub(crate) fn progress(&self) -> Option<(u64, u64)> {
        self.job.as_ref().map(|job| (job.number, job.pages))
    }

    /// Counts a request and says what strikes it.
    pub(crate) fn request(&mut self, name: &str) -> Vec<Kind> {
        let known = self.counters.requests.contains_key(name);
        let name = if known || self.counters.requests.len() < MOST_NAMES {
            name
        } else {
            "other"
        };
        *self.counters.requests.entry(name.to_owned()).or_default() += 1;
        self.struck(Occasion::Command(name))
    }

    /// Counts a connection and says what strikes it.
    pub(crate) fn connected(&mut self) -> Vec<Kind> {
        self.counters.connections += 1;
        self.struck(Occasion::Connect)
    }

    fn struck(&mut self, occasion: Occasion<'_>) -> Vec<Kind> {
        let kinds = self.injector.strike(occasion);
        self.counters.faults += u64::try_from(kinds.len()).unwrap_or(u64::MAX);
        self.hung |= kinds.contains(&Kind::Hang);
        self.unplugged |= kinds.contains(&Kind::Unplug);
        kinds
    }

    const fn obstacle(&self) -> Result<(), Trouble> {
        if self.jammed {
            return Err(Trouble::Jammed);
        }
        if self.cover_open {
            return Err(Trouble::CoverOpen);
        }
        Ok(())
    }

    fn feed(&mut self, job: &mut Job) -> Option<PageContent> {
        if job.wanted.source == Source::Glass {
            let first = job.pages == 0;
            return first.then(|| self.glass.clone().unwrap_or(PageContent::Blank));
        }
        if let Some(back) = job.back.take() {
            return Some(back);
        }
        let sheet = self.sheets.pop_front()?;
        if job.wanted.source == Source::FeederDuplex {
            job.back = Some(sheet.back);
        }
        Some(sheet.front)
    }
}
