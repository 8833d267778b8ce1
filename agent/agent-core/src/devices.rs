//! The devices of this machine, as their driver hosts report them.
//!
//! Invariants: a device belongs to the first host that offered it; a device that was seen stays listed
//! with the reason why it cannot be used; the list is bounded.

use std::collections::{BTreeMap, BTreeSet};

use device_api::{DeviceClass, DeviceId, FaultCode, Pen};

use crate::effect::{CardService, DeviceListView, DeviceView};
use crate::event::{DeviceReport, DeviceState, ServiceState};
use crate::ids::HostId;

/// How many devices are remembered. Sixteen readers are the most that one PC/SC service has.
const MAX_DEVICES: usize = 64;

/// All devices that were seen in this run.
#[derive(Debug)]
pub(crate) struct Devices {
    /// The host that serves card readers, where there is one.
    card_host: Option<HostId>,
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
    /// The classes of which anything that clients see is different.
    pub(crate) changed: BTreeSet<DeviceClass>,
    /// Devices that another host serves already.
    pub(crate) offered_twice: Vec<DeviceId>,
}

impl Devices {
    pub(crate) const fn new(card_host: Option<HostId>) -> Self {
        Self {
            card_host,
            known: BTreeMap::new(),
            services: BTreeMap::new(),
        }
    }

    /// Takes in the whole list of a host.
    pub(crate) fn report(
        &mut self,
        host: HostId,
        service: ServiceState,
        reports: Vec<DeviceReport>,
    ) -> Reported {
        let mut reported = Reported::default();
        if self.services.insert(host, service) != Some(service) {
            reported.changed.extend(self.classes_of(host));
        }
        for (id, known) in self
            .known
            .iter_mut()
            .filter(|(_, known)| known.host == host)
        {
            let gone = !reports.iter().any(|report| report.id == *id);
            if gone && (known.report.state != DeviceState::Absent || !known.served) {
                known.report.state = DeviceState::Absent;
                known.served = true;
                reported.changed.insert(known.report.class);
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
            if self.known.get(&id) != Some(&fresh) {
                reported.changed.insert(fresh.report.class);
            }
            self.known.insert(id, fresh);
        }
        reported
    }

    /// A host is gone: its devices do not answer until it is back.
    pub(crate) fn host_lost(&mut self, host: HostId) -> BTreeSet<DeviceClass> {
        let mut changed = BTreeSet::new();
        if self.services.remove(&host).is_some() {
            changed.extend(self.classes_of(host));
        }
        for known in self
            .known
            .values_mut()
            .filter(|known| known.host == host && known.served)
        {
            known.served = false;
            changed.insert(known.report.class);
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
            .map_or(Some(FaultCode::DeviceGone), |known| self.trouble_of(known))
    }

    /// Whether a device answers at all.
    pub(crate) fn answers(&self, id: &DeviceId) -> bool {
        let answers = |known: &Known| {
            known.served
                && match known.report.state {
                    DeviceState::Empty
                    | DeviceState::CardPresent
                    | DeviceState::CardMute
                    | DeviceState::Ready
                    | DeviceState::NotReady => true,
                    DeviceState::InUse
                    | DeviceState::Denied
                    | DeviceState::Unresponsive
                    | DeviceState::Absent => false,
                }
        };
        self.known.get(id).is_some_and(answers)
    }

    /// Whether the PIN can be typed on a device itself.
    pub(crate) fn has_keys(&self, id: &DeviceId) -> bool {
        self.known
            .get(id)
            .is_some_and(|known| known.report.facts.capabilities.pin_pad)
    }

    /// Whether a signature tablet takes part in its calibration.
    pub(crate) fn calibrates(&self, id: &DeviceId) -> bool {
        self.known
            .get(id)
            .is_some_and(|known| known.report.facts.capabilities.calibrates)
    }

    /// Who shows a document on a signature tablet.
    pub(crate) fn pen_of(&self, id: &DeviceId) -> Option<Pen> {
        self.known.get(id)?.report.facts.capabilities.pen
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
            warnings: known.report.warnings.clone(),
            facts: known.report.facts.clone(),
        });
        let devices = devices.collect();
        // Who may not see card readers learns nothing of their service either.
        let card_service = match self.card_host {
            Some(host) if may_see(DeviceClass::CardReader) => self
                .services
                .get(&host)
                .map_or(CardService::Starting, |state| CardService::Known(*state)),
            Some(_) | None => CardService::Unused,
        };
        DeviceListView {
            devices,
            card_service,
        }
    }

    /// The classes that a host serves. Card readers may be none now and are served even so.
    fn classes_of(&self, host: HostId) -> BTreeSet<DeviceClass> {
        let seen = self.known.values().filter(|known| known.host == host);
        let cards = (self.card_host == Some(host)).then_some(DeviceClass::CardReader);
        seen.map(|known| known.report.class).chain(cards).collect()
    }

    fn trouble_of(&self, known: &Known) -> Option<FaultCode> {
        if !known.served {
            return Some(FaultCode::HostDied);
        }
        let card = known.report.class == DeviceClass::CardReader;
        let of_card = |reader, device| Some(if card { reader } else { device });
        match known.report.state {
            DeviceState::Empty
            | DeviceState::CardPresent
            | DeviceState::CardMute
            | DeviceState::Ready => None,
            DeviceState::NotReady => Some(known.report.fault.unwrap_or(FaultCode::DeviceFailed)),
            DeviceState::Denied => of_card(FaultCode::ReaderDenied, FaultCode::DeviceDenied),
            DeviceState::InUse => of_card(FaultCode::ReaderBusy, FaultCode::DeviceBusy),
            DeviceState::Unresponsive => of_card(FaultCode::ReaderHung, FaultCode::DeviceHung),
            DeviceState::Absent => match self.services.get(&known.host) {
                Some(ServiceState::Down) => Some(FaultCode::ServiceAbsent),
                Some(ServiceState::Denied) => {
                    of_card(FaultCode::ReaderDenied, FaultCode::DeviceDenied)
                }
                Some(ServiceState::Up) | None => {
                    of_card(FaultCode::ReaderGone, FaultCode::DeviceGone)
                }
            },
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
