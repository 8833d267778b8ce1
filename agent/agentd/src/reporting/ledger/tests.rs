//! Devices that come, fail, wear out and go, and a disk that is full meanwhile.

use agent_core::effect::CardService;
use device_api::{DeviceClass, DeviceFacts, DeviceId, Make};

use super::*;

fn printer(state: State, trouble: Option<FaultCode>) -> DeviceView {
    let make = Make {
        model: "TM-T88VI".into(),
        ..Make::default()
    };
    let counters = [("cuts", 900), ("cutsLeft", 100), ("millimetres", 5_500)];
    DeviceView {
        id: DeviceId::new("printer:1"),
        class: DeviceClass::TicketPrinter,
        name: "発券機".into(),
        state,
        trouble,
        warnings: Vec::new(),
        facts: DeviceFacts {
            make,
            counters: counters.map(|(name, count)| (name.into(), count)).into(),
            ..DeviceFacts::default()
        },
    }
}

fn list(devices: Vec<DeviceView>) -> DeviceListView {
    DeviceListView {
        devices,
        card_service: CardService::Unused,
    }
}

/// Gives what is due to the store.
fn turn(ledger: &mut Ledger) -> Vec<String> {
    let due = ledger.due();
    due.iter().for_each(|change| ledger.kept(change));
    due.iter()
        .map(|change| match change {
            Change::Fault(change) => format!("{} {}", change.fault, change.raised),
            Change::Device(state) => format!("{:?}", state.health),
        })
        .collect()
}

#[test]
fn what_changed_is_reported_once() {
    let mut ledger = Ledger::default();
    ledger.devices(&list(vec![printer(State::Ready, None)]));
    assert_eq!(turn(&mut ledger), ["Working"]);
    assert!(turn(&mut ledger).is_empty());
    let out = Some(FaultCode::PrinterPaperOut);
    ledger.devices(&list(vec![printer(State::NotReady, out)]));
    assert_eq!(turn(&mut ledger), ["PRN-PAPER-OUT true", "Faulty"]);
    ledger.devices(&list(vec![printer(State::Ready, None)]));
    assert_eq!(turn(&mut ledger), ["PRN-PAPER-OUT false", "Working"]);
    ledger.devices(&list(Vec::new()));
    assert_eq!(turn(&mut ledger), ["Absent"]);
}

#[test]
fn what_the_disk_refused_comes_again_as_it_is_then() {
    let mut ledger = Ledger::default();
    let out = Some(FaultCode::PrinterPaperOut);
    ledger.devices(&list(vec![printer(State::NotReady, out)]));
    let due = ledger.due();
    assert_eq!(turn(&mut ledger).len(), 2);
    due.iter().for_each(|change| ledger.not_kept(change));
    assert_eq!(ledger.due(), due);
    ledger.devices(&list(vec![printer(State::Ready, None)]));
    assert_eq!(turn(&mut ledger), ["Working"]);
}

#[test]
fn faults_of_the_agent_outlast_a_change_of_devices() {
    let mut ledger = Ledger::default();
    ledger.agent_fault(FaultCode::AuditUnavailable, true);
    ledger.devices(&list(vec![printer(State::Ready, None)]));
    assert_eq!(turn(&mut ledger).len(), 2);
    ledger.agent_fault(FaultCode::AuditUnavailable, false);
    assert_eq!(
        turn(&mut ledger),
        [format!("{} false", FaultCode::AuditUnavailable.as_str())]
    );
}

#[test]
fn wear_is_told_beside_its_rated_life_and_names_by_people_are_not() {
    let mut ledger = Ledger::default();
    ledger.devices(&list(vec![printer(State::Ready, None)]));
    let due = ledger.due();
    let Some(Change::Device(state)) = due.first() else {
        panic!("{due:?}");
    };
    let wear: Vec<_> = state
        .wear
        .iter()
        .map(|wear| (wear.part.as_str(), wear.used, wear.rated))
        .collect();
    assert_eq!(wear, [("cutter", 900, 1_000)]);
    assert!(!format!("{state:?}").contains("発券機"));
}
