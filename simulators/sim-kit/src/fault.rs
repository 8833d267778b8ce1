//! What goes wrong, as data: where, what, and when it is over.
//!
//! In JSON, a plan looks like this:
//!
//! ```json
//! { "seed": 7, "faults": [
//!   { "where": { "command": 5 }, "kind": "lift" },
//!   { "where": "verify", "side": "after", "kind": "lift" },
//!   { "where": { "ins": "B0" }, "kind": { "status": "6F00" }, "clearsWhen": { "after": 3 } },
//!   { "where": "every", "chancePerMille": 20, "kind": { "slow": 50 }, "clearsWhen": "never" } ] }
//! ```
//!
//! The side decides whether the card has processed the command: a VERIFY that is lost *after* the card
//! has counted it is the case that blocks citizens' cards, so both sides can be asked for.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::hex_text;

/// The faults of one slot, in the order in which they apply.
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
    /// Which command it disturbs.
    #[serde(rename = "where")]
    pub place: Place,
    /// Whether the card has processed the command.
    #[serde(default)]
    pub side: Side,
    /// What happens.
    pub kind: Kind,
    /// When it is over.
    #[serde(default)]
    pub clears_when: Clearing,
    /// How likely it is each time that the place matches; certain when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chance_per_mille: Option<u16>,
}

/// Which command a fault disturbs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// The n-th command, counted from 1 since the plan was set or the card was put down,
    /// whichever came later.
    Command(u64),
    /// Every command with this instruction byte.
    Ins(#[serde(with = "hex_text::byte")] u8),
    /// Every VERIFY that carries a secret; the empty one, which only asks for the tries, is left alone.
    Verify,
    /// Every command.
    Every,
    /// The moment at which the reader powers the card.
    PowerOn,
}

/// On which side of the card's processing a fault lies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The card never sees the command.
    #[default]
    Before,
    /// The card has processed the command; only the answer is disturbed.
    After,
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// The card is lifted off the reader and stays off.
    Lift,
    /// The answer is random bytes. At power-on: the answer to reset is.
    Garbage,
    /// The last n bytes of the answer are missing, status word included; at least one byte remains.
    /// Lies on the after side, always.
    Truncate(usize),
    /// The last n bytes of the answer's data are missing, while the status word is intact.
    /// Lies on the after side, always.
    Shorten(usize),
    /// The answer is a single byte, the shortest that the virtual reader survives.
    OneByte,
    /// The answer comes this many milliseconds late.
    Slow(u64),
    /// The answer never comes, until the card is lifted or the service ends.
    Hang,
    /// The PC/SC service is killed by its owner, as in a crash; the answer never comes.
    /// The card stays on the reader, loses its power, and is back when the service is.
    ServiceKilled,
    /// The answer is this status word and nothing else.
    Status(#[serde(with = "hex_text::word")] u16),
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
    /// When the card is put down again.
    OnReinsert,
    /// When the reader resets the card or powers it anew.
    OnReset,
    /// Only with the plan.
    Never,
}

/// A plan that cannot be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PlanError {
    /// Commands are counted from one.
    #[error("fault {index}: commands are counted from 1")]
    CommandZero {
        /// Which fault, counted from zero.
        index: usize,
    },
    /// A chance above a thousand per mille.
    #[error("fault {index}: a chance is at most 1000 per mille")]
    Chance {
        /// Which fault, counted from zero.
        index: usize,
    },
    /// There is no answer at power-on that this kind could disturb.
    #[error(
        "fault {index}: at power-on a card can be lifted, garbled, slow or hang, and its service be killed"
    )]
    PowerOn {
        /// Which fault, counted from zero.
        index: usize,
    },
    /// The slot knows nobody who could kill the service.
    #[error("fault {index}: nobody is named who can kill the card service")]
    NoServiceOwner {
        /// Which fault, counted from zero.
        index: usize,
    },
    /// A fault that is over before it begins.
    #[error("fault {index}: a fault strikes at least once")]
    NeverStrikes {
        /// Which fault, counted from zero.
        index: usize,
    },
}

impl FaultPlan {
    /// Whether the plan can be carried out.
    ///
    /// # Errors
    ///
    /// The first fault that cannot.
    pub fn check(&self) -> Result<(), PlanError> {
        for (index, fault) in self.faults.iter().enumerate() {
            if fault.place == Place::Command(0) {
                return Err(PlanError::CommandZero { index });
            }
            if fault.chance_per_mille.is_some_and(|chance| chance > 1000) {
                return Err(PlanError::Chance { index });
            }
            if fault.clears_when == Clearing::After(0) {
                return Err(PlanError::NeverStrikes { index });
            }
            let fits = matches!(
                fault.kind,
                Kind::Lift | Kind::Garbage | Kind::Slow(_) | Kind::Hang | Kind::ServiceKilled
            );
            if fault.place == Place::PowerOn && !fits {
                return Err(PlanError::PowerOn { index });
            }
        }
        Ok(())
    }
}

impl Fault {
    /// The side on which the fault really lies: what shortens an answer needs one.
    pub(crate) const fn true_side(&self) -> Side {
        match self.kind {
            Kind::Truncate(_) | Kind::Shorten(_) => Side::After,
            Kind::Lift
            | Kind::Garbage
            | Kind::OneByte
            | Kind::Slow(_)
            | Kind::Hang
            | Kind::ServiceKilled
            | Kind::Status(_) => self.side,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_of_the_documentation_is_read_as_meant() {
        let text = r#"{ "seed": 7, "faults": [
            { "where": { "command": 5 }, "kind": "lift" },
            { "where": "verify", "side": "after", "kind": "lift" },
            { "where": { "ins": "B0" }, "kind": { "status": "6F00" }, "clearsWhen": { "after": 3 } },
            { "where": "every", "chancePerMille": 20, "kind": { "slow": 50 }, "clearsWhen": "never" }
        ] }"#;
        let plan: FaultPlan = serde_json::from_str(text).unwrap();
        plan.check().unwrap();
        let [lift, lost, status, slow] = plan.faults.as_slice() else {
            panic!("four faults")
        };
        assert_eq!((lift.place, lift.side), (Place::Command(5), Side::Before));
        assert_eq!((lost.place, lost.side), (Place::Verify, Side::After));
        assert_eq!(
            (status.place, status.kind),
            (Place::Ins(0xB0), Kind::Status(0x6F00))
        );
        assert_eq!(status.clears_when, Clearing::After(3));
        assert_eq!(
            (slow.kind, slow.chance_per_mille),
            (Kind::Slow(50), Some(20))
        );

        let again: FaultPlan =
            serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
    }

    #[test]
    fn a_plan_that_cannot_be_carried_out_is_refused() {
        let check = |fault: &str| {
            let plan: FaultPlan =
                serde_json::from_str(&format!(r#"{{"faults":[{fault}]}}"#)).unwrap();
            plan.check()
        };
        assert_eq!(
            check(r#"{"where":{"command":0},"kind":"lift"}"#),
            Err(PlanError::CommandZero { index: 0 })
        );
        assert_eq!(
            check(r#"{"where":"every","kind":"hang","chancePerMille":1001}"#),
            Err(PlanError::Chance { index: 0 })
        );
        assert_eq!(
            check(r#"{"where":"powerOn","kind":{"status":"6F00"}}"#),
            Err(PlanError::PowerOn { index: 0 })
        );
        assert_eq!(
            check(r#"{"where":"every","kind":"hang","clearsWhen":{"after":0}}"#),
            Err(PlanError::NeverStrikes { index: 0 })
        );
        assert_eq!(check(r#"{"where":"powerOn","kind":"hang"}"#), Ok(()));
        assert_eq!(
            check(r#"{"where":{"command":5},"kind":"serviceKilled"}"#),
            Ok(())
        );
    }

    #[test]
    fn unknown_words_and_broken_hexadecimal_are_refused() {
        for text in [
            r#"{"faults":[{"where":"sometimes","kind":"lift"}]}"#,
            r#"{"faults":[{"where":"every","kind":"lift","colour":"red"}]}"#,
            r#"{"faults":[{"where":{"ins":"B"},"kind":"lift"}]}"#,
            r#"{"faults":[{"where":"every","kind":{"status":"90"}}]}"#,
        ] {
            assert!(serde_json::from_str::<FaultPlan>(text).is_err(), "{text}");
        }
    }
}
