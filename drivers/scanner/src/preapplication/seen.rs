//! Which pre-applications were handed out already.

use std::collections::BTreeSet;

use device_api::FaultCode;
use thiserror::Error;

use super::PreApplication;

/// Remembers what was handed out until it expires.
///
/// For whoever hands codes out: ask where one is about to leave, and take it back where it turns out that
/// nobody received it. It lives in memory; who must recognise a replay after a restart, or at another
/// counter, keeps the ids where those share them.
#[derive(Debug)]
pub struct Seen {
    most: usize,
    /// Ordered by expiry.
    ids: BTreeSet<(u32, [u8; 16])>,
}

/// One that was handed out; for [`Seen::take_back`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandedOut {
    expires: u32,
    id: [u8; 16],
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
    pub fn hand_out(
        &mut self,
        application: &PreApplication,
        now: u64,
    ) -> Result<HandedOut, Replayed> {
        let seconds = u32::try_from(now / 1000).unwrap_or(u32::MAX);
        self.ids = self.ids.split_off(&(seconds, [0; 16]));
        let PreApplication { expires, id, .. } = *application;
        if self.ids.contains(&(expires, id)) {
            return Err(Replayed::Before);
        }
        if self.ids.len() >= self.most {
            return Err(Replayed::Full);
        }
        self.ids.insert((expires, id));
        Ok(HandedOut { expires, id })
    }

    /// Nobody received what was handed out: it may be handed out again.
    pub fn take_back(&mut self, handed: HandedOut) {
        self.ids.remove(&(handed.expires, handed.id));
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
        let mut hand_out = |number, expires, now| {
            let handed = seen.hand_out(&application(number, expires), now);
            handed.map(|_| seen.ids.len())
        };
        assert_eq!(hand_out(1, 100, 0), Ok(1));
        assert_eq!(hand_out(1, 100, 99_999), Err(Replayed::Before));
        assert_eq!(hand_out(2, 200, 0), Ok(2));
        assert_eq!(hand_out(3, 300, 0), Err(Replayed::Full));
        assert_eq!(hand_out(3, 300, 101_000), Ok(2));
    }

    #[test]
    fn one_that_was_taken_back_is_handed_out_again() {
        let mut seen = Seen::new(1);
        let handed = seen.hand_out(&application(1, 100), 0).unwrap();
        seen.take_back(handed);
        assert_eq!(seen.hand_out(&application(1, 100), 0), Ok(handed));
    }
}
