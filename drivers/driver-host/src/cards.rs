//! Card readers of the PC/SC service, as a family of devices.

mod fault;
mod limits;
mod reading;
mod recordings;
mod translate;
mod trust;

use std::sync::Arc;

use device_api::{DeviceClass, FaultCode, Moment};
use host_protocol::{
    Capabilities, Credential, DeviceDescription, DeviceState, HostFault, Make, Product,
    ServiceState, Task,
};
use smartcard::{Activity, Board, Call, Reader, ReaderCondition, Refresher, Service, Surroundings};

pub(crate) use reading::Tools;
pub(crate) use recordings::Recordings;
pub(crate) use trust::anchors;

use crate::{
    floor::{Floor, Nudge, Post, Stuck, Verdict, Watch},
    job::Job,
};
use limits::{Judgement, Limits};

/// Before the name of a PC/SC reader in a device's id.
const ID_PREFIX: &str = "pcsc:";

/// The readers of this machine.
#[derive(Debug)]
pub(crate) struct Cards {
    pub(crate) board: Arc<Board>,
    pub(crate) refresher: Refresher,
    pub(crate) tools: Arc<Tools>,
}

impl Floor for Cards {
    fn settle(&mut self, settings: Option<serde_json::Value>) -> Result<(), String> {
        match settings {
            None => Ok(()),
            Some(_) => Err("card readers take no settings".to_owned()),
        }
    }

    fn standing(&self) -> Vec<String> {
        Vec::new()
    }

    fn is_known(&self) -> bool {
        self.board.sighting().service != Service::Unknown
    }

    fn busy(&self) -> FaultCode {
        FaultCode::ReaderBusy
    }

    fn service(&self) -> ServiceState {
        service_state(self.board.sighting().service)
    }

    fn devices(&self) -> Vec<DeviceDescription> {
        let describe = |reader: &smartcard::ReaderSight| DeviceDescription {
            id: format!("{ID_PREFIX}{}", reader.name),
            class: DeviceClass::CardReader.as_str().to_owned(),
            name: reader.name.clone(),
            state: match reader.state {
                ReaderCondition::Empty => DeviceState::Empty,
                ReaderCondition::Present => DeviceState::CardPresent,
                ReaderCondition::Mute => DeviceState::CardMute,
                ReaderCondition::InUse => DeviceState::InUse,
                ReaderCondition::Unavailable => DeviceState::Unresponsive,
            },
            fault: None,
            warnings: Vec::new(),
            capabilities: Capabilities {
                pin_pad: reader.has_keys,
                ..Capabilities::default()
            },
            make: Make::default(),
            counters: std::collections::BTreeMap::new(),
        };
        self.board.sighting().readers.iter().map(describe).collect()
    }

    fn find(&self, id: &str) -> Result<(), FaultCode> {
        let sighting = self.board.sighting();
        match sighting.service {
            Service::Up => {}
            Service::Unknown | Service::Down => return Err(FaultCode::ServiceAbsent),
            Service::Denied => return Err(FaultCode::ReaderDenied),
        }
        let found = sighting.reader(name_of(id));
        found.map(|_reader| ()).ok_or(FaultCode::ReaderGone)
    }

    fn refuse(&self, task: &Task) -> Option<FaultCode> {
        match task {
            Task::ReadMyNumberCard {
                credential: Credential::PinOnDevice,
                ..
            } => {
                let sighting = self.board.sighting();
                let keys = sighting.readers.iter().any(|reader| reader.has_keys);
                (!keys).then_some(FaultCode::PinNoPad)
            }
            Task::IdentifyCard {} | Task::ReadMyNumberCard { .. } => None,
            Task::ScanCodes {}
            | Task::CaptureSignature { .. }
            | Task::CalibrateTablet {}
            | Task::PrintTicket { .. }
            | Task::ListTickets {}
            | Task::SettleTicket { .. }
            | Task::PrintDocument { .. }
            | Task::ScanDocument { .. }
            | Task::TypeText { .. }
            | Task::HandOver { .. } => Some(FaultCode::DeviceUnsupported),
        }
    }

    fn post(&self, id: &str) -> Option<Box<dyn Post>> {
        let clock = Arc::clone(&self.tools.clock);
        let activity = Arc::new(Activity::new(Arc::clone(&clock)));
        let surroundings = Surroundings {
            board: Arc::clone(&self.board),
            refresher: self.refresher.clone(),
            activity: Arc::clone(&activity),
            clock,
        };
        Some(Box::new(AtReader {
            reader: Reader::new(name_of(id), surroundings),
            tools: Arc::clone(&self.tools),
            activity,
        }))
    }

    fn nudger(&self) -> Nudge {
        let board = Arc::clone(&self.board);
        Arc::new(move || board.nudge())
    }
}

/// The name of the reader; an id of another family names no reader.
fn name_of(id: &str) -> &str {
    id.strip_prefix(ID_PREFIX).unwrap_or_default()
}

/// The one who works at a reader.
struct AtReader {
    reader: Reader,
    tools: Arc<Tools>,
    activity: Arc<Activity>,
}

impl Post for AtReader {
    fn watch(&self) -> Box<dyn Watch> {
        Box::new(ReaderWatch(Arc::clone(&self.activity)))
    }

    fn work(&mut self, job: &Job) -> Result<Product, HostFault> {
        reading::work(job, &mut self.reader, &self.tools)
            .map_err(|error| error.fault(job.patience.check().err()))
    }
}

#[derive(Debug)]
struct ReaderWatch(Arc<Activity>);

impl Watch for ReaderWatch {
    fn judge(&self, deadline: Moment, cancelled: bool, now: Moment) -> Verdict {
        let call = self.0.current();
        match Limits::STANDARD.judge(call, deadline, cancelled, now) {
            Judgement::LookAgain(moment) => Verdict::LookAgain(moment),
            Judgement::GiveUp(code) => match call {
                None => Verdict::GiveUp(code),
                Some((call, _since)) => Verdict::Stuck(code, stuck_in(call)),
            },
        }
    }
}

/// How a reader is shown whose thread does not come back from a call.
const fn stuck_in(call: Call) -> Stuck {
    match call {
        Call::Connecting | Call::TakingTurn => Stuck {
            refusal: FaultCode::ReaderBusy,
            state: DeviceState::InUse,
        },
        Call::Exchanging | Call::ExchangingSecret | Call::Typing | Call::Disconnecting => Stuck {
            refusal: FaultCode::ReaderHung,
            state: DeviceState::Unresponsive,
        },
    }
}

/// What the agent is told of the service; a service that nobody has looked for yet counts as down.
const fn service_state(seen: Service) -> ServiceState {
    match seen {
        Service::Up => ServiceState::Up,
        Service::Unknown | Service::Down => ServiceState::Down,
        Service::Denied => ServiceState::Denied,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_refuses_is_told_apart_from_one_that_does_not_run() {
        for (seen, told) in [
            (Service::Up, ServiceState::Up),
            (Service::Down, ServiceState::Down),
            (Service::Denied, ServiceState::Denied),
        ] {
            assert_eq!(service_state(seen), told);
        }
    }
}
