//! Devices that the settings name, as a family: code scanners, tablets, printers, document scanners, the
//! keyboard, handover folders.
//!
//! Each stands at a [`Station`]: its thread works from the beginning, also while it is unplugged, and
//! writes on its [`Sheet`] what there is to see.
//!
//! | module | serves |
//! |---|---|
//! | [`scanner`] | code scanners |
//! | [`printer`] | ticket printers |
//! | [`page`] | page printers |
//! | [`document`] | document scanners |
//! | [`tablet`] | signature tablets |
//! | [`keyboard`] | typing into forms of other programs |
//! | [`handover`] | files for other systems |

mod bell;
mod document;
mod handover;
mod keyboard;
mod page;
mod printer;
mod scanner;
mod sheet;
mod tablet;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, mpsc::sync_channel},
    time::Duration,
};

use device_api::{Clock, FaultCode, Moment, Patience};
use host_protocol::{DeviceDescription, DeviceState, ServiceState, Task};

pub(crate) use sheet::Sheet;

use bell::Bell;

use crate::{
    cli,
    floor::{Floor, Nudge, Post, Stuck, Verdict, Watch},
};

/// What a thread is given to notice that its job's deadline has passed or that it was cancelled.
const TO_NOTICE: Duration = Duration::from_millis(2500);

/// Told when a sheet has changed.
pub(crate) type OnChange = Arc<dyn Fn() + Send + Sync>;

/// One device that the settings name.
pub(crate) struct Station {
    /// What there is to see.
    pub(crate) sheet: Arc<Sheet>,
    /// Makes the one who works at it.
    pub(crate) post: Box<dyn Fn() -> Box<dyn Post> + Send>,
}

/// What stations are made with.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_change: OnChange,
    /// Rung when the agent has said something for a job.
    pub(crate) bell: Bell,
}

/// All devices of one family that the settings name.
pub(crate) struct Stations {
    family: cli::Stations,
    tools: Tools,
    stations: BTreeMap<String, Station>,
}

impl Stations {
    pub(crate) fn new(family: cli::Stations, clock: Arc<dyn Clock>, on_change: OnChange) -> Self {
        Self {
            family,
            tools: Tools {
                clock,
                on_change,
                bell: Bell::default(),
            },
            stations: BTreeMap::new(),
        }
    }
}

impl Floor for Stations {
    fn settle(&mut self, settings: Option<serde_json::Value>) -> Result<(), String> {
        let settings = settings.unwrap_or_else(|| serde_json::json!({}));
        let stations = open(self.family, settings, &self.tools)?;
        for station in stations {
            let id = station.sheet.id().to_owned();
            if self.stations.insert(id.clone(), station).is_some() {
                return Err(format!("two devices are named {id}"));
            }
        }
        Ok(())
    }

    fn standing(&self) -> Vec<String> {
        self.stations.keys().cloned().collect()
    }

    fn is_known(&self) -> bool {
        true
    }

    fn busy(&self) -> FaultCode {
        FaultCode::DeviceBusy
    }

    fn service(&self) -> ServiceState {
        ServiceState::Up
    }

    fn devices(&self) -> Vec<DeviceDescription> {
        let present = self.stations.values().filter_map(|at| at.sheet.shown());
        present.collect()
    }

    fn find(&self, id: &str) -> Result<(), FaultCode> {
        match self.stations.get(id) {
            Some(_) => Ok(()),
            None => Err(FaultCode::DeviceGone),
        }
    }

    fn refuse(&self, task: &Task) -> Option<FaultCode> {
        (!takes(self.family, task)).then_some(FaultCode::DeviceUnsupported)
    }

    fn post(&self, id: &str) -> Option<Box<dyn Post>> {
        self.stations.get(id).map(|station| (station.post)())
    }

    fn nudger(&self) -> Nudge {
        // Whoever waits on its job is woken by it; who waits on its device is tied to the bell.
        let bell = self.tools.bell.clone();
        Arc::new(move || bell.ring())
    }
}

impl fmt::Debug for Stations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stations")
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}

/// The stations of a family.
fn open(
    family: cli::Stations,
    settings: serde_json::Value,
    tools: &Tools,
) -> Result<Vec<Station>, String> {
    match family {
        cli::Stations::Scanner => scanner::open(settings, tools),
        cli::Stations::TicketPrinter => printer::open(settings, tools),
        cli::Stations::PagePrinter => page::open(settings, tools),
        cli::Stations::DocumentScanner => document::open(settings, tools),
        cli::Stations::Tablet => tablet::open(settings, tools),
        cli::Stations::Keyboard => keyboard::open(settings, tools),
        cli::Stations::Handover => handover::open(settings, tools),
    }
}

/// Whether a family has devices that take such a task.
const fn takes(family: cli::Stations, task: &Task) -> bool {
    match family {
        cli::Stations::Scanner => scanner::takes(task),
        cli::Stations::TicketPrinter => printer::takes(task),
        cli::Stations::PagePrinter => page::takes(task),
        cli::Stations::DocumentScanner => document::takes(task),
        cli::Stations::Tablet => tablet::takes(task),
        cli::Stations::Keyboard => keyboard::takes(task),
        cli::Stations::Handover => handover::takes(task),
    }
}

/// Rests for so long, or until `rest` is stopped.
pub(crate) fn rest_for(rest: &Patience, span: Duration) {
    let (wake, woken) = sync_channel(1);
    let _registered = rest.when_stopped(move || {
        // Woken once is enough.
        let _awake_already = wake.try_send(());
    });
    let _woken_or_over = woken.recv_timeout(span);
}

/// An error with everything that caused it, for the log.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let causes = causes.map(|cause| format!(": {cause}"));
    std::iter::once(error.to_string()).chain(causes).collect()
}

/// Gives up on a thread only some time after it should have ended by itself.
#[derive(Debug)]
pub(crate) struct PatientWatch;

impl Watch for PatientWatch {
    fn judge(&self, deadline: Moment, _cancelled: bool, now: Moment) -> Verdict {
        let until = deadline.plus(TO_NOTICE);
        if now < until {
            return Verdict::LookAgain(until);
        }
        let stuck = Stuck {
            refusal: FaultCode::DeviceHung,
            state: DeviceState::Unresponsive,
        };
        Verdict::Stuck(FaultCode::DeviceHung, stuck)
    }
}
