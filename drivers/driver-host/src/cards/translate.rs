//! From what a card application gives to what the protocol says.

use host_protocol as wire;
use host_protocol::SecretText;
use idcards::{
    NoticeKind, PersonalText,
    my_number::{AttributeName, Attributes, Authenticity, CardIdentity, SecretKind, Verdict},
};

/// What a card says of itself; `today` tells whether it has expired.
pub(crate) fn card(identity: &CardIdentity, today: Option<&str>) -> wire::CardFacts {
    wire::CardFacts {
        municipality_code: identity.municipality_code.clone(),
        serial: secret(&identity.serial),
        expires_on: identity.expires_on.clone(),
        expired: today.and_then(|today| identity.expired_on(today)),
    }
}

pub(crate) fn attributes(attributes: &Attributes) -> wire::Attributes {
    wire::Attributes {
        name: secret(&attributes.name),
        address: secret(&attributes.address),
        birth_date: secret(&attributes.birth_date),
        sex: secret(&attributes.sex),
    }
}

pub(crate) fn notices(attributes: &Attributes) -> Vec<wire::TextNotice> {
    let notice = |(field, notice): &(AttributeName, idcards::TextNotice)| wire::TextNotice {
        field: match field {
            AttributeName::Name => wire::AttributeName::Name,
            AttributeName::Address => wire::AttributeName::Address,
        },
        position: notice.position,
        kind: match notice.kind {
            NoticeKind::OutsideJisX0213 => wire::NoticeKind::OutsideJisX0213,
            NoticeKind::PrivateUse => wire::NoticeKind::PrivateUse,
            NoticeKind::VariationSequence => wire::NoticeKind::VariationSequence,
            NoticeKind::Damaged => wire::NoticeKind::Damaged,
        },
    };
    attributes.notices.iter().map(notice).collect()
}

pub(crate) fn authenticity(found: Authenticity) -> wire::Authenticity {
    wire::Authenticity {
        verdict: match found.verdict {
            Verdict::Genuine => wire::Verdict::Genuine,
            Verdict::NotVerified(_) => wire::Verdict::NotVerified,
            Verdict::Forged(_) => wire::Verdict::Forged,
        },
        reason: found.verdict.reason().map(str::to_owned),
        anchor: found.anchor,
    }
}

pub(crate) const fn secret_kind(credential: wire::Credential) -> SecretKind {
    match credential {
        wire::Credential::Pin | wire::Credential::PinOnDevice => SecretKind::Pin,
        wire::Credential::VerificationNumberB => SecretKind::NumberB,
    }
}

pub(crate) const fn question(credential: wire::Credential, tries_left: u8) -> wire::Question {
    match credential {
        wire::Credential::Pin => wire::Question::Pin { tries_left },
        wire::Credential::PinOnDevice => wire::Question::PinOnDevice { tries_left },
        wire::Credential::VerificationNumberB => wire::Question::VerificationNumberB { tries_left },
    }
}

pub(crate) fn secret(text: &PersonalText) -> SecretText {
    SecretText::new(text.expose().to_owned())
}
