//! What the machine can be told, and how that can end.
//!
//! Nothing here touches a machine: the daemon implements [`Effects`], tests record.
//! An effect must end by itself, within a bound that its implementation sets, because one runs at a time.
//! What an outcome means:
//!
//! | effect | done means |
//! |---|---|
//! | `reboot` | the operating system has taken the order; it ends the agent soon after |
//! | `wipe` | nothing but the journal of commands is left; whether the report can still be signed is not promised |
//! | `rotateKeys` | the next key is made and stated, both on the disk; the old one signs until a start after the monitor's word |
//! | all others | it has happened |

use telemetry::Word;

use crate::bundle::Bundle;
use crate::verb::Verb;

/// What the machine can be told.
pub trait Effects {
    /// Gathers the diagnostics bundle.
    ///
    /// # Errors
    /// Why it cannot be gathered.
    fn collect(&mut self) -> Result<Bundle, Failure>;

    /// Ends a driver host and starts it again.
    ///
    /// # Errors
    /// Why not; the host is as it was, or absent.
    fn restart_driver(&mut self, host: &Word) -> Result<(), Failure>;

    /// Sets aside how a device was calibrated, so that it stands as configured and can be calibrated anew.
    ///
    /// # Errors
    /// Why not.
    fn recalibrate(&mut self, device: &Word) -> Result<(), Failure>;

    /// Takes the kiosk out of service.
    ///
    /// # Errors
    /// Why it is still in service.
    fn lock(&mut self) -> Result<(), Failure>;

    /// Puts the kiosk into service.
    ///
    /// # Errors
    /// Why it is still out of service.
    fn unlock(&mut self) -> Result<(), Failure>;

    /// Makes the next key that signs messages, and states it.
    ///
    /// # Errors
    /// Why no key was made; [`Failure::Busy`] where one waits already.
    fn rotate_keys(&mut self) -> Result<(), Failure>;

    /// Starts the machine anew.
    ///
    /// # Errors
    /// Why the operating system has not taken the order.
    fn reboot(&mut self) -> Result<(), Failure>;

    /// Erases keys and all that is kept, but for the journal of commands.
    ///
    /// # Errors
    /// Why something may be left.
    fn wipe(&mut self) -> Result<(), Failure>;
}

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// It was carried out, and fetched this.
    Fetched(Box<Bundle>),
    /// It was tried, and failed.
    Failed(Failure),
}

/// Why an effect failed: a closed set of stable words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// The agent knows no such host or device.
    NotThere,
    /// A citizen is being served with it, or the same is under way already.
    Busy,
    /// The operating system, or the device, does not permit it.
    Denied,
    /// It did not end within its bound.
    TimedOut,
    /// This machine, or this device, cannot do it.
    Unsupported,
    /// A file could not be read or written.
    Storage,
}

impl Failure {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::NotThere,
        Self::Busy,
        Self::Denied,
        Self::TimedOut,
        Self::Unsupported,
        Self::Storage,
    ];

    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotThere => "notThere",
            Self::Busy => "busy",
            Self::Denied => "denied",
            Self::TimedOut => "timedOut",
            Self::Unsupported => "unsupported",
            Self::Storage => "storage",
        }
    }

    /// The failure of this word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.code() == code)
    }

    /// The word as reports carry it.
    #[must_use]
    pub fn word(self) -> Option<Word> {
        self.code().parse().ok()
    }
}

/// Carries a verb out; only for one that a [`Start`](crate::step::Start) names.
pub fn carry_out(effects: &mut dyn Effects, verb: &Verb) -> Outcome {
    let done = match verb {
        Verb::Diagnostics => {
            return match effects.collect() {
                Ok(bundle) => Outcome::Fetched(Box::new(bundle)),
                Err(failure) => Outcome::Failed(failure),
            };
        }
        Verb::RestartDriver { host } => effects.restart_driver(host),
        Verb::Recalibrate { device } => effects.recalibrate(device),
        Verb::LockKiosk => effects.lock(),
        Verb::UnlockKiosk => effects.unlock(),
        Verb::RotateKeys => effects.rotate_keys(),
        Verb::Reboot => effects.reboot(),
        Verb::Wipe => effects.wipe(),
    };
    match done {
        Ok(()) => Outcome::Done,
        Err(failure) => Outcome::Failed(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_can_be_reported() {
        for failure in Failure::ALL {
            assert_eq!(Failure::of_code(failure.code()), Some(failure));
            assert!(failure.word().is_some());
        }
    }
}
