//! Why an order is not carried out: a closed set of stable words.
//!
//! | about | words | kept in the journal |
//! |---|---|---|
//! | a message, which proves nothing about the order | `malformed` `notForThisDevice` `unknownApprover` `notAllowed` `signatureWrong` `sameApproverTwice` `oneApproverOnly` `alreadyKnown` `counterOld` | no |
//! | the order itself, which is refused for good | `expired` `notYet` `clockTooUncertain` `challengeMissing` `challengeOld` `preconditionFailed` `insideOpeningHours` `tooMany` `approverRemoved` | yes |
//!
//! Anybody who can publish, or hold messages back, can cause the first kind with a spoilt copy, so it must not
//! use up an order's id; the second kind takes the approvers' own signatures.

use telemetry::Word;

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// It is not what the specification says.
    Malformed,
    /// It came by another device's topic, or names another device.
    NotForThisDevice,
    /// Nobody whom this device knows has that key, or the name beside the key is not theirs.
    UnknownApprover,
    /// An approver may not approve this class, or the issuer is not among the approvers.
    NotAllowed,
    /// A signature is not of the key that it names, or was made for another topic.
    SignatureWrong,
    /// Both approvals are of one person.
    SameApproverTwice,
    /// It takes two people, and one has approved.
    OneApproverOnly,
    /// Another order had this id.
    AlreadyKnown,
    /// The issuer's counter was used, or is not above what this device has forgotten.
    CounterOld,
    /// Its time is over.
    Expired,
    /// Its time begins further ahead than an order may wait.
    NotYet,
    /// This device does not know the time, and no fresh challenge says that the order is new.
    ClockTooUncertain,
    /// It takes a challenge, and has none.
    ChallengeMissing,
    /// Its challenge is not of a beat of the last five minutes.
    ChallengeOld,
    /// Version or configuration are not those that the order was made for.
    PreconditionFailed,
    /// It may not be carried out while the counter is open.
    InsideOpeningHours,
    /// Too many orders wait.
    TooMany,
    /// While it waited, an approver lost the right to approve it.
    ApproverRemoved,
}

impl Refusal {
    /// Every one.
    pub const ALL: [Self; 18] = [
        Self::Malformed,
        Self::NotForThisDevice,
        Self::UnknownApprover,
        Self::NotAllowed,
        Self::SignatureWrong,
        Self::SameApproverTwice,
        Self::OneApproverOnly,
        Self::AlreadyKnown,
        Self::CounterOld,
        Self::Expired,
        Self::NotYet,
        Self::ClockTooUncertain,
        Self::ChallengeMissing,
        Self::ChallengeOld,
        Self::PreconditionFailed,
        Self::InsideOpeningHours,
        Self::TooMany,
        Self::ApproverRemoved,
    ];

    /// The stable word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NotForThisDevice => "notForThisDevice",
            Self::UnknownApprover => "unknownApprover",
            Self::NotAllowed => "notAllowed",
            Self::SignatureWrong => "signatureWrong",
            Self::SameApproverTwice => "sameApproverTwice",
            Self::OneApproverOnly => "oneApproverOnly",
            Self::AlreadyKnown => "alreadyKnown",
            Self::CounterOld => "counterOld",
            Self::Expired => "expired",
            Self::NotYet => "notYet",
            Self::ClockTooUncertain => "clockTooUncertain",
            Self::ChallengeMissing => "challengeMissing",
            Self::ChallengeOld => "challengeOld",
            Self::PreconditionFailed => "preconditionFailed",
            Self::InsideOpeningHours => "insideOpeningHours",
            Self::TooMany => "tooMany",
            Self::ApproverRemoved => "approverRemoved",
        }
    }

    /// The refusal of this word.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }

    /// Whether it is about a message alone: the order that the message names may still come, and be done.
    #[must_use]
    pub const fn is_of_message(self) -> bool {
        match self {
            Self::Malformed
            | Self::NotForThisDevice
            | Self::UnknownApprover
            | Self::NotAllowed
            | Self::SignatureWrong
            | Self::SameApproverTwice
            | Self::OneApproverOnly
            | Self::AlreadyKnown
            | Self::CounterOld => true,
            Self::Expired
            | Self::NotYet
            | Self::ClockTooUncertain
            | Self::ChallengeMissing
            | Self::ChallengeOld
            | Self::PreconditionFailed
            | Self::InsideOpeningHours
            | Self::TooMany
            | Self::ApproverRemoved => false,
        }
    }

    /// The word as reports carry it.
    #[must_use]
    pub fn word(self) -> Option<Word> {
        self.code().parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_can_be_reported() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::of_code(refusal.code()), Some(refusal));
            assert!(refusal.word().is_some());
        }
        assert_eq!(Refusal::of_code("whatever"), None);
    }
}
