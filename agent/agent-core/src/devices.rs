//! The devices of this machine, as their driver hosts report them.
//!
//! Invariants: a device belongs to the first host that offered it; a device that was seen stays listed
//! with the reason why it cannot be used; the list is bounded.

use std::collections::BTreeMap;

use device_api::{DeviceClass, DeviceId, FaultCode};

use crate::effect::{DeviceListView, DeviceView};
use crate::event::{DeviceReport, DeviceState, ServiceState};
use crate::ids::HostId;

/// How many devices are remembered. Sixteen readers are the most that one PC/SC service has.
const MAX_DEVICES: usize = 64;

/// All devices that were seen in this run.
#[derive(Debug, Default)]
pub(crate) struct Devices {
    known: BTreeMap<DeviceId, Known>,
    services: BTreeMap<HostId, ServiceState>,
}

#[derive(Debug, PartialEq, Eq)]
struct Known {
    host: HostId,
    report: DeviceReport,
    /// Whether the host that serves it is in service.
    served: bool,
}

/// What a report changed.
#[derive(Debug, Default)]
pub(crate) struct Reported {
    /// Whether anything that clients see is different.
    pub(crate) changed: bool,
    /// Devices that another host serves already.
    pub(crate) offered_twice: Vec<DeviceId>,
}

impl Devices {
    /// Takes in the whole list of a host.
    pub(crate) fn report(
        &mut self,
        host: HostId,
        service: ServiceState,
        reports: Vec<DeviceReport>,
    ) -> Reported {
        let mut reported = Reported::default();
        reported.changed |= self.services.insert(host, service) != Some(service);
        for (id, known) in self
            .known
            .iter_mut()
            .filter(|(_, known)| known.host == host)
        {
            let gone = !reports.iter().any(|report| report.id == *id);
            if gone && (known.report.state != DeviceState::Absent || !known.served) {
                known.report.state = DeviceState::Absent;
                known.served = true;
                reported.changed = true;
            }
        }
        for report in reports {
            if self
                .known
                .get(&report.id)
                .is_some_and(|known| known.host != host)
            {
                reported.offered_twice.push(report.id);
                continue;
            }
            if !self.known.contains_key(&report.id) && !self.make_room() {
                continue;
            }
            let fresh = Known {
                host,
                report,
                served: true,
            };
            let id = fresh.report.id.clone();
            reported.changed |= self.known.get(&id) != Some(&fresh);
            self.known.insert(id, fresh);
        }
        reported
    }

    /// A host is gone: its devices do not answer until it is back.
    pub(crate) fn host_lost(&mut self, host: HostId) -> bool {
        let mut changed = self.services.remove(&host).is_some();
        for known in self
            .known
            .values_mut()
            .filter(|known| known.host == host && known.served)
        {
            known.served = false;
            changed = true;
        }
        changed
    }

    /// The class of a device that was seen.
    pub(crate) fn class_of(&self, id: &DeviceId) -> Option<DeviceClass> {
        self.known.get(id).map(|known| known.report.class)
    }

    /// The host that serves a device.
    pub(crate) fn host_of(&self, id: &DeviceId) -> Option<HostId> {
        self.known.get(id).map(|known| known.host)
    }

    /// Why no job can be started on a device; `None` where one can.
    pub(crate) fn trouble(&self, id: &DeviceId) -> Option<FaultCode> {
        self.known
            .get(id)
            .map_or(Some(FaultCode::ReaderGone), |known| self.trouble_of(known))
    }

    /// Whether the PIN can be typed on a device itself.
    pub(crate) fn has_keys(&self, id: &DeviceId) -> bool {
        self.known.get(id).is_some_and(|known| known.report.pin_pad)
    }

    /// The devices of the classes that the viewer may see.
    pub(crate) fn view(&self, may_see: impl Fn(DeviceClass) -> bool) -> DeviceListView {
        let visible = self
            .known
            .values()
            .filter(|known| may_see(known.report.class));
        let devices = visible.map(|known| DeviceView {
            id: known.report.id.clone(),
            class: known.report.class,
            name: known.report.name.clone(),
            state: if known.served {
                known.report.state
            } else {
                DeviceState::Unresponsive
            },
            trouble: self.trouble_of(known),
            pin_pad: known.report.pin_pad,
        });
        DeviceListView {
            devices: devices.collect(),
            service: self.services.values().max().copied(),
        }
    }

    fn trouble_of(&self, known: &Known) -> Option<FaultCode> {
        if !known.served {
            return Some(FaultCode::HostDied);
        }
        match known.report.state {
            DeviceState::Empty | DeviceState::CardPresent | DeviceState::CardMute => None,
            DeviceState::InUse => Some(FaultCode::ReaderBusy),
            DeviceState::Unresponsive => Some(FaultCode::ReaderHung),
            DeviceState::Absent => Some(match self.services.get(&known.host) {
                Some(ServiceState::Down) => FaultCode::ServiceAbsent,
                Some(ServiceState::Denied) => FaultCode::ReaderDenied,
                Some(ServiceState::Up) | None => FaultCode::ReaderGone,
            }),
        }
    }

    /// Forgets an absent device where the list is full; false where none can be forgotten.
    fn make_room(&mut self) -> bool {
        if self.known.len() < MAX_DEVICES {
            return true;
        }
        let absent = self
            .known
            .iter()
            .find(|(_, known)| known.report.state == DeviceState::Absent);
        match absent.map(|(id, _)| id.clone()) {
            Some(id) => self.known.remove(&id).is_some(),
            None => false,
        }
    }
}
