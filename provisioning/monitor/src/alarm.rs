//! Everything that can be wrong with what devices report, by name.
//!
//! | severity | a person |
//! |---|---|
//! | notice | need not act: it is counted, and shown beside the device |
//! | warning | looks into it today |
//! | critical | looks into it now: a device or its key is not what it was |
//!
//! The codes are stable; `docs/protocol/telemetry.md` says what they mean.
//! Invariant: what nobody has proved, such as a message with a wrong signature, is never more than a warning,
//! because anybody who reaches the broker can cause it.

use telemetry::Lane;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {
    /// It is no message of this protocol.
    Malformed,
    /// It is longer than an envelope may be.
    TooLong,
    /// Nobody told the monitor of this device.
    UnknownDevice,
    /// Nobody told the monitor of this key.
    UnknownKey,
    /// The key does not fit the signature.
    Forged,
    /// It says that another device made it, or that it belongs to another lane.
    WrongTopic,
    /// It was accepted long ago, and comes again without need.
    Replayed,
    /// Two different messages bear one name.
    Equivocation,
    /// Two machines speak with one key.
    Cloned,
    /// A device goes on in an epoch that is older than one which it has begun.
    RolledBack,
    /// A message never came, and the device no longer keeps it.
    GapUnexplained,
    /// The device says that it keeps a message, and it does not come.
    Suppressed,
    /// The device's clock is wrong.
    ClockWrong,
    /// A sign of life of a session that is over.
    StaleSession,
    /// The broker says that a device is lost, and it lives.
    ForgedDeath,
    /// A device that is in quarantine speaks.
    Quarantined,
    /// A device has stated its next key.
    NewKey,
    /// A device has stated a next key that cannot be its.
    KeyRefused,
}

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nobody needs to act.
    Notice,
    /// Somebody looks into it today.
    Warning,
    /// Somebody looks into it now.
    Critical,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// What.
    pub kind: AlarmKind,
    /// In which epoch and lane, where it is about one.
    pub stream: Option<(u64, Lane)>,
    /// The number of the message, where it is about one.
    pub number: Option<u64>,
    /// What exactly, in words; nothing in it comes from a message that is not verified, but numbers.
    pub detail: String,
}

impl AlarmKind {
    /// Every one.
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::TooLong,
        Self::UnknownDevice,
        Self::UnknownKey,
        Self::Forged,
        Self::WrongTopic,
        Self::Replayed,
        Self::Equivocation,
        Self::Cloned,
        Self::RolledBack,
        Self::GapUnexplained,
        Self::Suppressed,
        Self::ClockWrong,
        Self::StaleSession,
        Self::ForgedDeath,
        Self::Quarantined,
        Self::NewKey,
        Self::KeyRefused,
    ];

    /// How it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLong => "tooLong",
            Self::UnknownDevice => "unknownDevice",
            Self::UnknownKey => "unknownKey",
            Self::Forged => "forged",
            Self::WrongTopic => "wrongTopic",
            Self::Replayed => "replayed",
            Self::Equivocation => "equivocation",
            Self::Cloned => "cloned",
            Self::RolledBack => "rolledBack",
            Self::GapUnexplained => "gapUnexplained",
            Self::Suppressed => "suppressed",
            Self::ClockWrong => "clockWrong",
            Self::StaleSession => "staleSession",
            Self::ForgedDeath => "forgedDeath",
            Self::Quarantined => "quarantined",
            Self::NewKey => "newKey",
            Self::KeyRefused => "keyRefused",
        }
    }

    /// The one that is written so.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// How urgent it is.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Replayed | Self::StaleSession | Self::Quarantined | Self::NewKey => {
                Severity::Notice
            }
            Self::Malformed
            | Self::TooLong
            | Self::UnknownDevice
            | Self::UnknownKey
            | Self::Forged
            | Self::WrongTopic
            | Self::Suppressed
            | Self::ClockWrong
            | Self::ForgedDeath
            | Self::GapUnexplained
            | Self::KeyRefused => Severity::Warning,
            Self::Equivocation | Self::Cloned | Self::RolledBack => Severity::Critical,
        }
    }

    /// What an operator does about it.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Malformed | Self::TooLong | Self::Forged | Self::WrongTopic => {
                "somebody who is no device writes to the broker: check its access list and who connected"
            }
            Self::UnknownDevice => "register the device, or find out who speaks in its name",
            Self::UnknownKey => "if the device has a new key, compare it on the spot and add it",
            Self::Replayed => "nothing; where it goes on, the broker repeats old messages",
            Self::Equivocation => {
                "the device was copied or its disk restored: visit it, and enrol it with a new key"
            }
            Self::Cloned => {
                "two machines use one key: visit both, and enrol each with a key of its own"
            }
            Self::RolledBack => {
                "the device's disk was restored: enrol it with a new key, or release it if this was intended"
            }
            Self::GapUnexplained => {
                "messages are lost for good: check the broker and the device's disk"
            }
            Self::Suppressed => "the way to the monitor holds messages back: check the broker",
            Self::ClockWrong => "check the device's clock",
            Self::StaleSession => "nothing; a message of an earlier connection came late",
            Self::ForgedDeath => "the broker says what is not true: check it",
            Self::Quarantined => "release the device, or enrol it anew",
            Self::NewKey => {
                "if nobody ordered rotateKeys, somebody else has the device's key: visit it, and enrol it anew"
            }
            Self::KeyRefused => {
                "the device, or whoever has its key, states a key that it cannot have: visit it"
            }
        }
    }
}

impl Severity {
    /// How it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl Alarm {
    /// Something that is wrong as a whole.
    #[must_use]
    pub fn new(kind: AlarmKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            stream: None,
            number: None,
            detail: detail.into(),
        }
    }

    /// The same, about a message.
    #[must_use]
    pub const fn about(mut self, epoch: u64, lane: Lane, number: u64) -> Self {
        self.stream = Some((epoch, lane));
        self.number = Some(number);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_back() {
        for kind in AlarmKind::ALL {
            assert_eq!(AlarmKind::of_code(kind.code()), Some(kind));
            assert!(!kind.advice().is_empty());
        }
        assert_eq!(AlarmKind::of_code("x"), None);
    }
}
