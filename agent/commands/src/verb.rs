//! All that can be ordered, and how dangerous it is.
//!
//! | class | verbs | approved by |
//! |---|---|---|
//! | A, reads only | `diagnostics` | one person |
//! | B, can be taken back from afar | `restartDriver` `recalibrate` `lockKiosk` `unlockKiosk` | one person |
//! | C, cannot | `rotateKeys` `reboot` `wipe` | two, with a fresh challenge |
//!
//! `rotateKeys` is of class C: the machine is someone else to everybody after it, and one that went wrong,
//! or that an attacker ordered, is cured only by a person who goes there.
//! Invariant: no verb holds a text that could be run, a path or an address; a [`Word`] names a host or a
//! device that the agent knows, or nothing.

use serde::{Deserialize, Serialize};
use telemetry::Word;

/// What is ordered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(
    tag = "name",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Verb {
    /// Send the diagnostics bundle.
    Diagnostics,
    /// End a driver host and start it again.
    RestartDriver {
        /// Which, by the agent's name for it.
        host: Word,
    },
    /// Set aside how a device was calibrated, so that it stands as configured and can be calibrated anew.
    Recalibrate {
        /// Which, by the agent's id for it.
        device: Word,
    },
    /// Show citizens that the kiosk is out of service, and serve nobody.
    LockKiosk,
    /// Serve again.
    UnlockKiosk,
    /// Make a new key for messages.
    RotateKeys,
    /// Start the machine anew; only outside opening hours.
    Reboot,
    /// Erase keys and all that is kept, but for the journal of commands.
    Wipe,
}

/// How dangerous a verb is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Danger {
    /// Class A: it reads.
    ReadOnly,
    /// Class B: it can be taken back from afar.
    Reversible,
    /// Class C: it cannot.
    Destructive,
}

impl Verb {
    /// How it is written.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Diagnostics => "diagnostics",
            Self::RestartDriver { .. } => "restartDriver",
            Self::Recalibrate { .. } => "recalibrate",
            Self::LockKiosk => "lockKiosk",
            Self::UnlockKiosk => "unlockKiosk",
            Self::RotateKeys => "rotateKeys",
            Self::Reboot => "reboot",
            Self::Wipe => "wipe",
        }
    }

    /// How dangerous it is.
    #[must_use]
    pub const fn danger(&self) -> Danger {
        match self {
            Self::Diagnostics => Danger::ReadOnly,
            Self::RestartDriver { .. }
            | Self::Recalibrate { .. }
            | Self::LockKiosk
            | Self::UnlockKiosk => Danger::Reversible,
            Self::RotateKeys | Self::Reboot | Self::Wipe => Danger::Destructive,
        }
    }

    /// Whether it must wait until nobody can stand at the counter.
    ///
    /// Not so `wipe`: a machine that was stolen is wiped at any hour.
    #[must_use]
    pub const fn only_when_closed(&self) -> bool {
        matches!(self, Self::Reboot)
    }
}

impl Danger {
    /// How many people must approve.
    #[must_use]
    pub const fn approvers(self) -> usize {
        match self {
            Self::ReadOnly | Self::Reversible => 1,
            Self::Destructive => 2,
        }
    }

    /// Whether the order must repeat a fresh challenge of the device.
    #[must_use]
    pub const fn needs_challenge(self) -> bool {
        matches!(self, Self::Destructive)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use telemetry::cbor;

    use super::*;

    /// One of each.
    pub(crate) fn every_verb() -> Vec<Verb> {
        vec![
            Verb::Diagnostics,
            Verb::RestartDriver {
                host: "printer".parse().unwrap(),
            },
            Verb::Recalibrate {
                device: "ticketPrinter:1".parse().unwrap(),
            },
            Verb::LockKiosk,
            Verb::UnlockKiosk,
            Verb::RotateKeys,
            Verb::Reboot,
            Verb::Wipe,
        ]
    }

    #[test]
    fn every_verb_is_read_back_and_named_as_it_is_written() {
        #[derive(Deserialize)]
        struct Name {
            name: String,
        }
        for verb in every_verb() {
            let bytes = cbor::encode(&verb).unwrap();
            assert_eq!(cbor::decode::<Verb>(&bytes).unwrap(), verb);
            assert_eq!(cbor::decode::<Name>(&bytes).unwrap().name, verb.code());
        }
    }

    #[test]
    fn what_cannot_be_taken_back_takes_two_people_and_a_challenge() {
        let dangers = every_verb().into_iter().map(|verb| verb.danger());
        let two = dangers
            .filter(|danger| danger.approvers() == 2 && danger.needs_challenge())
            .count();
        assert_eq!(two, 3);
    }
}
