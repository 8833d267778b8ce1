//! What goes wrong with a peripheral, as data: where, what, and when it is over.
//!
//! In JSON, a plan looks like this:
//!
//! ```json
//! { "seed": 7, "faults": [
//!   { "where": { "byte": 1000 }, "kind": "powerCut" },
//!   { "where": { "report": 3 }, "kind": { "split": 5 } },
//!   { "where": { "named": "GS V" }, "kind": "cutterError", "clearsWhen": { "after": 2 } },
//!   { "where": "everyReport", "chancePerMille": 20, "kind": { "slow": 50 }, "clearsWhen": "never" } ] }
//! ```
//!
//! One vocabulary serves all devices; [`FaultPlan::check`] refuses what a device cannot suffer, because a
//! fault that silently never strikes makes a test pass for nothing.
//!
//! | place | printer | code scanner | tablet | document scanner |
//! |---|---|---|---|---|
//! | byte | received | - | - | - |
//! | command | interpreted, or asked in real time | - | report fetched or set | request |
//! | report | answer | code sent | pen report | - |
//! | page | paper cut | - | - | page scanned |
//! | connect | connection taken | connection taken | host opens | connection taken |

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The faults of one device, in the order in which they apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FaultPlan {
    /// The seed of everything random in the plan: chances and garbage.
    #[serde(default)]
    pub seed: u64,
    /// The faults.
    pub faults: Vec<Fault>,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What it disturbs.
    #[serde(rename = "where")]
    pub place: Place,
    /// What happens.
    pub kind: Kind,
    /// When it is over.
    #[serde(default)]
    pub clears_when: Clearing,
    /// How likely it is each time that the place matches; certain when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance_per_mille: Option<u16>,
}

/// What a fault disturbs. Everything is counted from 1 since the plan was set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// The n-th byte that the device receives.
    Byte(u64),
    /// The n-th command or request.
    Command(u64),
    /// Every command or request of this name, as the device's counters show it.
    Named(String),
    /// Every command or request.
    EveryCommand,
    /// The n-th message that the device sends: an answer, a scanned code, a pen report.
    Report(u64),
    /// Every message that the device sends.
    EveryReport,
    /// The n-th page: a paper at its cut, a scanned page.
    Page(u64),
    /// Every page.
    EveryPage,
    /// Every time the host connects.
    Connect,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The cable is pulled and stays out.
    Unplug,
    /// The connection ends; the device can be reached again at once.
    Disconnect,
    /// The power goes: what was not yet carried out is lost. Stays off until switched on.
    PowerCut,
    /// Nothing happens any more, until somebody switches the device off and on or pulls the cable.
    Hang,
    /// It takes this many milliseconds longer.
    Slow(u64),
    /// Random bytes of the same length instead of the message.
    Garbage,
    /// The last n bytes of the message are missing.
    Truncate(usize),
    /// The connection ends after n bytes of the message.
    CutAfter(usize),
    /// The message is never sent.
    Lose,
    /// The message is sent twice.
    Twice,
    /// The message comes in pieces of n bytes.
    Split(usize),
    /// The message waits and is sent in one piece with the next one.
    Merge,
    /// The message stops after n bytes; the rest never comes.
    Stall(usize),
    /// The check byte at the end of the frame is wrong.
    WrongCheck,
    /// The report descriptor is of another kind of device.
    WrongDescriptor,
    /// The request is refused as if the device did not know it.
    Refuse,
    /// The paper is used up, or lies there no more.
    PaperOut,
    /// The paper is nearly used up.
    PaperNearEnd,
    /// The cover is opened.
    CoverOpen,
    /// The cutter jams: an error from which the host can recover the printer.
    CutterError,
    /// The head is too hot: an error that passes by itself.
    Overheat,
    /// An error that nothing but switching off ends.
    Unrecoverable,
    /// Offline for no visible reason.
    Offline,
    /// A page jams in the feeder.
    Jam,
    /// Somebody else uses the device.
    Busy,
    /// Somebody stops the job at the device.
    Cancelled,
}

/// When a fault is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Clearing {
    /// After it has struck once.
    #[default]
    Once,
    /// After it has struck this many times.
    After(u32),
    /// When the cable was pulled and put back, or the power was off and on, after it has struck.
    OnReplug,
    /// Only with the plan.
    Never,
}

/// Which of the four a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Device {
    /// A ticket or receipt printer.
    Printer,
    /// A code scanner.
    CodeScanner,
    /// A signature tablet.
    Tablet,
    /// A document scanner.
    DocumentScanner,
}

/// A plan that cannot be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Everything is counted from one.
    #[error("fault {index}: counted from 1")]
    CountedFromOne {
        /// Which fault, counted from zero.
        index: usize,
    },
    /// A chance above a thousand per mille.
    #[error("fault {index}: a chance is at most 1000 per mille")]
    Chance {
        /// Which fault, counted from zero.
        index: usize,
    },
    /// A fault that is over before it begins.
    #[error("fault {index}: a fault strikes at least once")]
    NeverStrikes {
        /// Which fault, counted from zero.
        index: usize,
    },
    /// This device cannot suffer this there.
    #[error("fault {index}: a {device:?} cannot suffer this at this place")]
    NotHere {
        /// Which fault, counted from zero.
        index: usize,
        /// The device.
        device: Device,
    },
}

impl FaultPlan {
    /// Whether `device` can carry the plan out.
    ///
    /// # Errors
    ///
    /// The first fault that it cannot.
    pub fn check(&self, device: Device) -> Result<(), PlanError> {
        for (index, fault) in self.faults.iter().enumerate() {
            let counted = match fault.place {
                Place::Byte(n) | Place::Command(n) | Place::Report(n) | Place::Page(n) => n,
                Place::Named(_)
                | Place::EveryCommand
                | Place::EveryReport
                | Place::EveryPage
                | Place::Connect => 1,
            };
            if counted == 0 || fault.kind == Kind::Split(0) {
                return Err(PlanError::CountedFromOne { index });
            }
            if fault.chance_per_mille.is_some_and(|chance| chance > 1000) {
                return Err(PlanError::Chance { index });
            }
            if fault.clears_when == Clearing::After(0) {
                return Err(PlanError::NeverStrikes { index });
            }
            if !suffers(device, &fault.place, fault.kind) {
                return Err(PlanError::NotHere { index, device });
            }
        }
        Ok(())
    }
}

/// The table of who can suffer what where.
fn suffers(device: Device, place: &Place, kind: Kind) -> bool {
    use Kind as K;
    let connection = matches!(kind, K::Unplug | K::Disconnect | K::Hang | K::Slow(_));
    let message = matches!(
        kind,
        K::Slow(_) | K::Garbage | K::Truncate(_) | K::Lose | K::Twice
    );
    let printer = matches!(
        kind,
        K::PowerCut
            | K::PaperOut
            | K::PaperNearEnd
            | K::CoverOpen
            | K::CutterError
            | K::Overheat
            | K::Unrecoverable
            | K::Offline
    );
    match (device, place) {
        (Device::Printer, Place::Report(_) | Place::EveryReport) => message,
        (Device::Printer, Place::Connect) => connection,
        (Device::Printer, _) => connection || printer,
        (Device::CodeScanner, Place::Report(_) | Place::EveryReport) => {
            let framing = matches!(
                kind,
                K::Split(_) | K::Merge | K::Stall(_) | K::WrongCheck | K::Unplug | K::Hang
            );
            message || framing
        }
        (Device::CodeScanner, Place::Connect) => {
            matches!(kind, K::Unplug | K::Disconnect | K::Garbage)
        }
        (Device::Tablet, Place::Report(_) | Place::EveryReport) => {
            message || matches!(kind, K::Unplug | K::Hang)
        }
        (Device::Tablet, Place::Command(_) | Place::Named(_) | Place::EveryCommand) => {
            matches!(kind, K::Refuse | K::Truncate(_) | K::Garbage) || connection
        }
        (Device::Tablet, Place::Connect) => {
            matches!(kind, K::Unplug | K::Disconnect | K::WrongDescriptor)
        }
        (Device::DocumentScanner, Place::Command(_) | Place::Named(_) | Place::EveryCommand) => {
            let answer = matches!(
                kind,
                K::Busy | K::Refuse | K::Garbage | K::Truncate(_) | K::CutAfter(_)
            );
            answer || connection
        }
        (Device::DocumentScanner, Place::Page(_) | Place::EveryPage) => {
            let page = matches!(
                kind,
                K::Jam | K::CoverOpen | K::Cancelled | K::Truncate(_) | K::CutAfter(_)
            );
            page || connection
        }
        (Device::DocumentScanner, Place::Connect) => connection,
        (Device::CodeScanner | Device::Tablet | Device::DocumentScanner, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_of_the_documentation_is_read_as_meant() {
        let text = r#"{ "seed": 7, "faults": [
            { "where": { "byte": 1000 }, "kind": "powerCut" },
            { "where": { "named": "GS V" }, "kind": "cutterError", "clearsWhen": { "after": 2 } },
            { "where": "everyReport", "chancePerMille": 20, "kind": { "slow": 50 }, "clearsWhen": "never" }
        ] }"#;
        let plan: FaultPlan = serde_json::from_str(text).unwrap();
        plan.check(Device::Printer).unwrap();
        let again: FaultPlan =
            serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
        let split = r#"{"faults":[{ "where": { "report": 3 }, "kind": { "split": 5 } }]}"#;
        let plan: FaultPlan = serde_json::from_str(split).unwrap();
        assert_eq!(plan.check(Device::CodeScanner), Ok(()));
    }

    #[test]
    fn what_a_device_cannot_suffer_is_refused() {
        let check = |device, fault: &str| {
            let plan: FaultPlan =
                serde_json::from_str(&format!(r#"{{"faults":[{fault}]}}"#)).unwrap();
            plan.check(device)
        };
        let not_here = |device| Err(PlanError::NotHere { index: 0, device });
        let jam = r#"{"where":{"page":1},"kind":"jam"}"#;
        assert_eq!(check(Device::DocumentScanner, jam), Ok(()));
        assert_eq!(check(Device::Printer, jam), not_here(Device::Printer));
        let paper = r#"{"where":{"report":1},"kind":"paperOut"}"#;
        assert_eq!(check(Device::Tablet, paper), not_here(Device::Tablet));
        let zero = r#"{"where":{"byte":0},"kind":"hang"}"#;
        assert_eq!(
            check(Device::Printer, zero),
            Err(PlanError::CountedFromOne { index: 0 })
        );
        let never = r#"{"where":"everyCommand","kind":"hang","clearsWhen":{"after":0}}"#;
        assert_eq!(
            check(Device::Printer, never),
            Err(PlanError::NeverStrikes { index: 0 })
        );
        let chance = r#"{"where":"everyCommand","kind":"hang","chancePerMille":1001}"#;
        assert_eq!(
            check(Device::Printer, chance),
            Err(PlanError::Chance { index: 0 })
        );
    }

    #[test]
    fn unknown_words_are_refused() {
        for text in [
            r#"{"faults":[{"where":"sometimes","kind":"jam"}]}"#,
            r#"{"faults":[{"where":"everyPage","kind":"jam","colour":"red"}]}"#,
            r#"{"faults":[{"where":{"page":-1},"kind":"jam"}]}"#,
        ] {
            assert!(serde_json::from_str::<FaultPlan>(text).is_err(), "{text}");
        }
    }
}
