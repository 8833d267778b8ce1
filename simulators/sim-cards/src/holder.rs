//! One synthetic citizen and what is odd about the card.
//!
//! `Debug` shows the id alone, because tests plant words here that must be found nowhere.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::card::Quirks;
use crate::date::Date;
use crate::tries::Tries;

/// A citizen and their card, checked.
#[derive(Clone)]
pub struct Holder {
    /// Short name for controls and file names: lower-case letters, digits, hyphens.
    pub id: String,
    /// What the card is for.
    pub label: Label,
    /// Name; family and given name separated by U+3000.
    pub name: String,
    /// Address.
    pub address: String,
    /// Day of birth.
    pub birth: Date,
    /// Sex by JIS X 0303: 1 male, 2 female, 0 unknown, 9 not applicable.
    pub sex: u8,
    /// Individual number, 12 digits; also verification number A.
    pub number: String,
    /// Municipality code, 5 digits.
    pub municipality: String,
    /// Manufacturer's and serial number, 15 digits.
    pub serial: String,
    /// The card's last valid day.
    pub expiry: Date,
    /// Security code printed on the card, 4 digits.
    pub security_code: String,
    /// PIN of the card-surface input application, 4 digits.
    pub pin: String,
    /// Tries at first use, where they are not all there.
    pub tries: Option<Tries>,
    /// What is wrong with the card.
    pub anomaly: Option<Anomaly>,
    /// In what the card differs from others of its kind.
    pub quirks: Quirks,
}

/// What a card is for, in both languages of the bench page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Japanese.
    pub ja: String,
    /// English.
    pub en: String,
}

/// What is wrong with a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anomaly {
    /// The attributes were changed after the authority had signed them.
    AttributesChanged,
    /// One bit of the signature over the data is wrong.
    SignatureBroken,
    /// The signing certificate names the right authority, whose key never signed it.
    WrongAuthority,
    /// The signing certificate names an authority that nobody knows.
    UnknownAuthority,
    /// The files are a copy of the card of the holder named here, without that card's private key.
    CloneOf(String),
    /// The bytes of the name are no text.
    DamagedText,
}

/// What is wrong with a holder's data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HolderError {
    /// The id could not be a file name.
    #[error("an id has 1 to 40 lower-case letters, digits and hyphens")]
    Id,
    /// A field that must consist of so many digits.
    #[error("{field} must be {digits} digits")]
    Digits {
        /// Which field.
        field: &'static str,
        /// How many digits.
        digits: usize,
    },
    /// A field that must be a day of the calendar, in digits `YYYYMMDD`.
    #[error("{0} is no day of the calendar")]
    Day(&'static str),
    /// A birth date before the Meiji era has no verification number B.
    #[error("the birth date lies before the first era")]
    Era,
    /// A sex that JIS X 0303 does not know.
    #[error("sex must be 0, 1, 2 or 9")]
    Sex,
    /// Neither or both of `expiry` and `expires_in_days`.
    #[error("a card has either expiry or expires_in_days")]
    Expiry,
    /// More tries than the card grants.
    #[error("more tries than the card grants")]
    Tries,
    /// A field that may not be missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// The holder whose card was copied is unknown.
    #[error("the copied card {0:?} is unknown; it must come first")]
    NoOriginal(String),
}

impl Holder {
    /// Verification number B: birth date with the year of the era, Western year of expiry, security code.
    /// (`myna-card`, confirmed on a test card. How a foreign resident's birth date enters it is not
    /// known; they are treated alike here.)
    #[must_use]
    pub fn verification_number_b(&self) -> String {
        let birth = self.birth.era_digits().unwrap_or_default();
        let (year, _, _) = self.expiry.parts();
        format!("{birth}{year:04}{}", self.security_code)
    }
}

impl fmt::Debug for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Holder({})", self.id)
    }
}
