//! Retry counters, which survive the card's power, the PC/SC service and the simulator.
//!
//! Invariant: a changed counter is in its file before the card answers; when that fails, the card says
//! so and the try is spent all the same.
//! The file is not synced to the disk: a power cut of the whole machine may give a simulated card a try
//! back, and syncing would cost some 7 ms for each wrong PIN, which no card takes.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Number of the stored format.
const FORMAT: u32 = 1;

/// Tries left per secret of the card-surface input application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tries {
    /// Of the PIN.
    pub pin: u8,
    /// Of verification number A.
    pub a: u8,
    /// Of verification number B.
    pub b: u8,
}

/// The secrets that have a retry counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secret {
    Pin,
    A,
    B,
}

/// The counters of one card.
#[derive(Debug)]
pub struct TryCounters {
    granted: Tries,
    initial: Tries,
    left: Tries,
    file: Option<PathBuf>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    left: Tries,
}

impl Tries {
    /// What a card grants: three for the PIN (two projects agree), ten for verification numbers A and
    /// B (recalled, not confirmed; holders' files can set less).
    pub const FULL: Self = Self {
        pin: 3,
        a: 10,
        b: 10,
    };

    pub(crate) const fn of(self, secret: Secret) -> u8 {
        match secret {
            Secret::Pin => self.pin,
            Secret::A => self.a,
            Secret::B => self.b,
        }
    }

    pub(crate) const fn within(self, granted: Self) -> bool {
        self.pin <= granted.pin && self.a <= granted.a && self.b <= granted.b
    }

    const fn set(&mut self, secret: Secret, tries: u8) {
        match secret {
            Secret::Pin => self.pin = tries,
            Secret::A => self.a = tries,
            Secret::B => self.b = tries,
        }
    }
}

impl TryCounters {
    /// Counters that live as long as the value.
    #[must_use]
    pub const fn in_memory(initial: Tries) -> Self {
        Self {
            granted: Tries::FULL,
            initial,
            left: initial,
            file: None,
        }
    }

    /// Counters kept in `file`, which is made when it is not there.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written, or holds something else.
    pub fn in_file(initial: Tries, file: PathBuf) -> io::Result<Self> {
        let mut counters = Self::in_memory(initial);
        match fs::read(&file) {
            Ok(bytes) => {
                let stored: Stored = serde_json::from_slice(&bytes)?;
                if stored.format != FORMAT || !stored.left.within(Tries::FULL) {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "retry counters of another format",
                    ));
                }
                counters.left = stored.left;
                counters.file = Some(file);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                counters.file = Some(file);
                counters.store()?;
            }
            Err(error) => return Err(error),
        }
        Ok(counters)
    }

    /// Tries left.
    #[must_use]
    pub const fn left(&self) -> Tries {
        self.left
    }

    /// Puts the counters back to what they were on the card's first day.
    ///
    /// # Errors
    ///
    /// When they cannot be stored.
    pub fn start_over(&mut self) -> io::Result<()> {
        self.left = self.initial;
        self.store()
    }

    /// Spends one try of a secret that has one. Returns how many are left.
    pub(crate) fn spend(&mut self, secret: Secret) -> io::Result<u8> {
        let left = self.left.of(secret).saturating_sub(1);
        self.left.set(secret, left);
        self.store()?;
        Ok(left)
    }

    /// Gives back all tries after the right secret was presented.
    pub(crate) fn restore(&mut self, secret: Secret) -> io::Result<()> {
        if self.left.of(secret) == self.granted.of(secret) {
            return Ok(());
        }
        self.left.set(secret, self.granted.of(secret));
        self.store()
    }

    fn store(&self) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let beside = file.with_extension("new");
        fs::write(
            &beside,
            serde_json::to_vec(&Stored {
                format: FORMAT,
                left: self.left,
            })?,
        )?;
        fs::rename(&beside, file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spent_tries_stay_spent_when_the_file_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("card.json");
        let mut counters = TryCounters::in_file(Tries::FULL, file.clone()).unwrap();
        assert_eq!(counters.spend(Secret::Pin).unwrap(), 2);
        assert_eq!(counters.spend(Secret::B).unwrap(), 9);
        drop(counters);

        let mut counters = TryCounters::in_file(Tries::FULL, file.clone()).unwrap();
        assert_eq!(
            counters.left(),
            Tries {
                pin: 2,
                a: 10,
                b: 9
            }
        );
        counters.restore(Secret::Pin).unwrap();
        drop(counters);
        let counters = TryCounters::in_file(Tries::FULL, file).unwrap();
        assert_eq!(
            counters.left(),
            Tries {
                pin: 3,
                a: 10,
                b: 9
            }
        );
    }

    #[test]
    fn starting_over_restores_the_first_day_not_the_most() {
        let one_left = Tries {
            pin: 1,
            ..Tries::FULL
        };
        let mut counters = TryCounters::in_memory(one_left);
        assert_eq!(counters.spend(Secret::Pin).unwrap(), 0);
        counters.start_over().unwrap();
        assert_eq!(counters.left(), one_left);
    }

    #[test]
    fn a_file_of_another_format_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("card.json");
        let other = r#"{"format":2,"left":{"pin":3,"a":10,"b":10}}"#;
        fs::write(&file, other).unwrap();
        assert!(TryCounters::in_file(Tries::FULL, file.clone()).is_err());
        assert_eq!(fs::read_to_string(file).unwrap(), other);
    }

    #[test]
    fn a_try_is_spent_even_when_it_cannot_be_stored() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("card.json");
        let mut counters = TryCounters::in_file(Tries::FULL, file).unwrap();
        drop(folder);
        assert!(counters.spend(Secret::Pin).is_err());
        assert_eq!(counters.left().pin, 2);
    }
}
