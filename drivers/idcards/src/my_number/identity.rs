//! What a My Number card says of itself without any secret.
//!
//! Record 1 of file 1 of the common application is a simple TLV object: tag `01`, length 28, then ASCII
//! digits: 15 of the maker's serial, 5 of the municipality, 8 of the last day of validity.
//! None of it is signed: it serves to recognise a card that is obviously of no use before a citizen types
//! anything, and proves nothing.

use smartcard::CardChannel;

use super::error::{Attempt, CardError};
use super::wire;
use crate::{date, personal::PersonalText, tlv::simple};

/// What a My Number card says of itself without any secret, and without proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardIdentity {
    /// Five digits of the municipality that issued the card.
    pub municipality_code: String,
    /// Fifteen digits of the maker's serial. It names a card, so it is treated as personal.
    pub serial: PersonalText,
    /// Last day of validity: `YYYY-MM-DD`, or the eight digits as they stand where they are no date.
    pub expires_on: String,
}

impl CardIdentity {
    /// Whether the last day of validity lies before `today`, `YYYY-MM-DD`.
    ///
    /// `None` where one of the two is no date.
    #[must_use]
    pub fn expired_on(&self, today: &str) -> Option<bool> {
        // Dates of this form compare as text.
        (date::is_date(&self.expires_on) && date::is_date(today))
            .then(|| self.expires_on.as_str() < today)
    }

    fn parse(record: &[u8]) -> Option<Self> {
        let (object, _filler) = simple::split(record).ok()?;
        let digits = std::str::from_utf8(object.value).ok()?;
        if object.tag != 0x01 || digits.len() != 28 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let (serial, rest) = digits.split_at_checked(15)?;
        let (municipality_code, expiry) = rest.split_at_checked(5)?;
        Some(Self {
            municipality_code: municipality_code.to_owned(),
            serial: PersonalText::new(serial.to_owned()),
            expires_on: date::dashed(expiry),
        })
    }
}

/// Reads what the card says of itself. Two exchanges.
///
/// Selects the common application: whatever was verified on the card before is forgotten.
///
/// # Errors
/// [`CardError::NotMyNumber`] when the card lacks the application; otherwise see [`CardError`].
pub fn identify(channel: &mut dyn CardChannel) -> Result<CardIdentity, CardError> {
    wire::select(channel, &wire::COMMON_AP)?;
    let record = wire::read_first_record(channel)?;
    CardIdentity::parse(record.data()).ok_or(CardError::Malformed {
        attempt: Attempt::ReadCardRecord,
    })
}
