//! Which pre-applications were handed out already.

use std::collections::BTreeSet;

use device_api::FaultCode;
use thiserror::Error;

use super::PreApplication;

/// Remembers what was handed out until it expires.
///
/// For whoever hands codes out: ask once the page is sure to get it. It lives in memory; who must
/// recognise a replay after a restart, or at another counter, keeps the ids where those share them.
#[derive(Debug)]
pub struct Seen {
    most: usize,
    /// Ordered by expiry.
    ids: BTreeSet<(u32, [u8; 16])>,
}

/// A pre-application is not to be handed out.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum Replayed {
    /// It was handed out before.
    #[error("the pre-application was used before")]
    Before,
    /// Too many are remembered to be sure.
    #[error("too many pre-applications are remembered")]
    Full,
}

impl Replayed {
    /// The code under which people are told.
    #[must_use]
    pub const fn fault(self) -> FaultCode {
        match self {
            Self::Before => FaultCode::ScannerReplayed,
            Self::Full => FaultCode::ScannerUntrusted,
        }
    }
}

impl Seen {
    /// Remembers at most `most`.
    #[must_use]
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            ids: BTreeSet::new(),
        }
    }

    /// Notes at `now`, in milliseconds since 1970, that `application` is handed out.
    ///
    /// # Errors
    /// Where it was handed out before, or that cannot be known. Nothing is forgotten that is still valid,
    /// so that nobody can make room for a replay by showing many codes.
    pub fn hand_out(&mut self, application: &PreApplication, now: u64) -> Result<(), Replayed> {
        let seconds = u32::try_from(now / 1000).unwrap_or(u32::MAX);
        self.ids = self.ids.split_off(&(seconds, [0; 16]));
        let key = (application.expires, application.id);
        if self.ids.contains(&key) {
            return Err(Replayed::Before);
        }
        if self.ids.len() >= self.most {
            return Err(Replayed::Full);
        }
        self.ids.insert(key);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Application;
    use super::*;

    fn application(number: u8, expires: u32) -> PreApplication {
        PreApplication {
            application: Application::default(),
            id: [number; 16],
            issued: 0,
            expires,
            form_key: 1,
            sealed: false,
        }
    }

    #[test]
    fn each_is_handed_out_once_and_forgotten_when_it_has_expired() {
        let mut seen = Seen::new(2);
        assert_eq!(seen.hand_out(&application(1, 100), 0), Ok(()));
        assert_eq!(
            seen.hand_out(&application(1, 100), 99_999),
            Err(Replayed::Before)
        );
        assert_eq!(seen.hand_out(&application(2, 200), 0), Ok(()));
        assert_eq!(seen.hand_out(&application(3, 300), 0), Err(Replayed::Full));
        assert_eq!(seen.hand_out(&application(3, 300), 101_000), Ok(()));
        assert_eq!(seen.ids.len(), 2);
    }
}
