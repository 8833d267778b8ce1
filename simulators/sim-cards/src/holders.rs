//! The synthetic citizens, read from TOML: those that come with the simulator and those of a test.
//!
//! Dates of expiry may be relative to today, so that "expires soon" stays true.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

use crate::card::{EndOfFile, Quirks};
use crate::date::Date;
use crate::holder::{Anomaly, Holder, HolderError, Label};
use crate::tries::Tries;

/// The holders that come with the simulator.
const EMBEDDED: &str = include_str!("../data/holders.toml");

/// Holders in the order in which they are shown, each id once.
#[derive(Debug, Clone, Default)]
pub struct Holders {
    list: Vec<Holder>,
}

/// Why holders cannot be read.
#[derive(Debug, Error)]
pub enum HoldersError {
    /// The text is not what a holders' file is.
    #[error("the holders' file cannot be understood")]
    Syntax(#[source] Box<toml::de::Error>),
    /// One holder is not as it must be.
    #[error("the holder {id:?} is not as it must be")]
    Holder {
        /// Whose.
        id: String,
        /// What.
        #[source]
        source: HolderError,
    },
    /// An id is used twice.
    #[error("the id {0:?} is used twice")]
    Twice(String),
}

impl Holders {
    /// The holders that come with the simulator, as of `today`.
    ///
    /// # Errors
    ///
    /// When the embedded file is not as it must be, which a test excludes.
    pub fn embedded(today: Date) -> Result<Self, HoldersError> {
        Self::parse(EMBEDDED, today)
    }

    /// Holders from TOML text.
    ///
    /// # Errors
    ///
    /// When the text or a holder is not as it must be.
    pub fn parse(text: &str, today: Date) -> Result<Self, HoldersError> {
        let file: HoldersFile =
            toml::from_str(text).map_err(|error| HoldersError::Syntax(Box::new(error)))?;
        let mut holders = Self::default();
        for raw in file.holder {
            let id = raw.id.clone();
            let holder = raw
                .check(&holders, today)
                .map_err(|source| HoldersError::Holder { id, source })?;
            holders.list.push(holder);
        }
        holders.check_ids()?;
        Ok(holders)
    }

    /// With the holders of `more` after these.
    ///
    /// # Errors
    ///
    /// When an id is in both.
    pub fn and(mut self, more: Self) -> Result<Self, HoldersError> {
        self.list.extend(more.list);
        self.check_ids()?;
        Ok(self)
    }

    /// The holders in order.
    pub fn iter(&self) -> impl Iterator<Item = &Holder> {
        self.list.iter()
    }

    /// The holder with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Holder> {
        self.list.iter().find(|holder| holder.id == id)
    }

    fn check_ids(&self) -> Result<(), HoldersError> {
        let mut seen = BTreeSet::new();
        match self.list.iter().find(|holder| !seen.insert(&holder.id)) {
            Some(twice) => Err(HoldersError::Twice(twice.id.clone())),
            None => Ok(()),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldersFile {
    holder: Vec<RawHolder>,
}

/// A holder as written. The copy of a card has no person of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHolder {
    id: String,
    label: Label,
    pin: String,
    person: Option<RawPerson>,
    tries: Option<Tries>,
    anomaly: Option<Anomaly>,
    #[serde(default)]
    quirks: RawQuirks,
}

/// In what a card differs; what is absent is as on most cards.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RawQuirks {
    refuses_extended_lengths: bool,
    warns_at_end_of_file: bool,
    takes_the_first_command: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerson {
    name: String,
    address: String,
    birth: String,
    sex: String,
    number: String,
    municipality: String,
    serial: String,
    security_code: String,
    expiry: Option<String>,
    expires_in_days: Option<i32>,
}

impl RawHolder {
    fn check(self, earlier: &Holders, today: Date) -> Result<Holder, HolderError> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=40).contains(&self.id.len()) || !self.id.bytes().all(fits) {
            return Err(HolderError::Id);
        }
        check_digits("pin", &self.pin, 4)?;
        if self.tries.is_some_and(|tries| !tries.within(Tries::FULL)) {
            return Err(HolderError::Tries);
        }
        let holder = match (&self.anomaly, self.person) {
            (Some(Anomaly::CloneOf(original)), None) => earlier
                .find(original)
                .cloned()
                .ok_or_else(|| HolderError::NoOriginal(original.clone()))?,
            (_, Some(person)) => person.check(today)?,
            (_, None) => return Err(HolderError::Missing("person")),
        };
        Ok(Holder {
            id: self.id,
            label: self.label,
            pin: self.pin,
            tries: self.tries,
            anomaly: self.anomaly,
            quirks: self.quirks.check(),
            ..holder
        })
    }
}

impl RawQuirks {
    const fn check(&self) -> Quirks {
        Quirks {
            first_command_fails: !self.takes_the_first_command,
            extended_lengths: !self.refuses_extended_lengths,
            end_of_file: if self.warns_at_end_of_file {
                EndOfFile::Warning
            } else {
                EndOfFile::Plain
            },
        }
    }
}

impl RawPerson {
    /// A holder of an ordinary card without id, label and PIN, which the caller adds.
    fn check(self, today: Date) -> Result<Holder, HolderError> {
        check_digits("number", &self.number, 12)?;
        check_digits("municipality", &self.municipality, 5)?;
        check_digits("serial", &self.serial, 15)?;
        check_digits("security_code", &self.security_code, 4)?;
        let birth = Date::parse(&self.birth).ok_or(HolderError::Day("birth"))?;
        birth.era_digits().ok_or(HolderError::Era)?;
        let expiry = match (&self.expiry, self.expires_in_days) {
            (Some(day), None) => Date::parse(day),
            (None, Some(days)) => today.plus_days(days),
            _ => return Err(HolderError::Expiry),
        }
        .ok_or(HolderError::Day("expiry"))?;
        let sex = match self.sex.as_bytes() {
            [sex @ (b'0' | b'1' | b'2' | b'9')] => *sex,
            _ => return Err(HolderError::Sex),
        };
        Ok(Holder {
            id: String::new(),
            label: Label {
                ja: String::new(),
                en: String::new(),
            },
            name: self.name,
            address: self.address,
            birth,
            sex,
            number: self.number,
            municipality: self.municipality,
            serial: self.serial,
            expiry,
            security_code: self.security_code,
            pin: String::new(),
            tries: None,
            anomaly: None,
            quirks: Quirks::default(),
        })
    }
}

fn check_digits(field: &'static str, text: &str, digits: usize) -> Result<(), HolderError> {
    if text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(HolderError::Digits { field, digits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> Date {
        Date::parse("20260401").unwrap()
    }

    /// The check digit of an individual number: weights 2 to 7 and again 2 to 6 from the right, modulo
    /// 11, as the ordinance of 2014 (平成26年総務省令第85号, article 5) lays down.
    fn check_digit(number: &str) -> u32 {
        let sum: u32 = number
            .bytes()
            .take(11)
            .map(|byte| u32::from(byte - b'0'))
            .zip([6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2])
            .map(|(digit, weight)| digit * weight)
            .sum();
        match sum % 11 {
            0 | 1 => 0,
            rest => 11 - rest,
        }
    }

    #[test]
    fn the_embedded_holders_are_at_least_a_dozen_and_clearly_invented() {
        assert_eq!(
            check_digit("537686677188"),
            8,
            "the published test card's number"
        );
        let holders = Holders::embedded(today()).unwrap();
        assert!(holders.iter().count() >= 12);
        for holder in holders.iter() {
            assert!(holder.number.starts_with("000000000"), "{}", holder.id);
            let last = u32::from(holder.number.as_bytes()[11] - b'0');
            assert_eq!(check_digit(&holder.number), last, "{}", holder.id);
        }
    }

    #[test]
    fn every_anomaly_and_kind_of_character_has_a_holder() {
        let holders = Holders::embedded(today()).unwrap();
        let any = |test: &dyn Fn(&Holder) -> bool| holders.iter().any(test);
        for anomaly in [
            Anomaly::AttributesChanged,
            Anomaly::SignatureBroken,
            Anomaly::WrongAuthority,
            Anomaly::UnknownAuthority,
            Anomaly::DamagedText,
        ] {
            assert!(
                any(&|holder| holder.anomaly.as_ref() == Some(&anomaly)),
                "{anomaly:?}"
            );
        }
        assert!(any(&|holder| matches!(
            holder.anomaly,
            Some(Anomaly::CloneOf(_))
        )));
        let character = |low: u32, high: u32| {
            any(&|holder| {
                holder
                    .name
                    .chars()
                    .any(|c| (low..=high).contains(&u32::from(c)))
            })
        };
        assert!(character(0x20000, 0x2A6DF), "CJK extension B");
        assert!(character(0xE0100, 0xE01EF), "variation selectors");
        assert!(character(0x0010_0000, 0x0010_FFFD), "private use, plane 16");
        assert!(any(&|holder| holder.expiry < today()));
        assert!(any(&|holder| holder
            .tries
            .is_some_and(|tries| tries.pin == 0)));
        assert!(any(&|holder| holder
            .tries
            .is_some_and(|tries| tries.pin == 1)));
        assert!(any(&|holder| !holder.quirks.extended_lengths));
        assert!(any(
            &|holder| holder.quirks.end_of_file == EndOfFile::Warning
        ));
    }

    #[test]
    fn a_copy_shows_the_person_of_the_original() {
        let holders = Holders::embedded(today()).unwrap();
        let copy = holders.find("cloned").unwrap();
        let Some(Anomaly::CloneOf(original)) = &copy.anomaly else {
            panic!("a copy")
        };
        assert_eq!(copy.number, holders.find(original).unwrap().number);
    }

    #[test]
    fn relative_expiry_follows_today() {
        let expires = |today: &str| {
            let holders = Holders::embedded(Date::parse(today).unwrap()).unwrap();
            holders.find("expires-soon").unwrap().expiry
        };
        assert_eq!(expires("20260401"), Date::parse("20260531").unwrap());
        assert_eq!(expires("20270401"), Date::parse("20270531").unwrap());
    }

    #[test]
    fn a_holder_that_is_not_as_it_must_be_is_refused_with_the_reason() {
        let text = |pin: &str, number: &str, sex: &str| {
            format!(
                "[[holder]]\nid = \"x\"\nlabel = {{ ja = \"x\", en = \"x\" }}\npin = \"{pin}\"\n\
                 [holder.person]\nname = \"n\"\naddress = \"a\"\nbirth = \"19800217\"\n\
                 sex = \"{sex}\"\nnumber = \"{number}\"\nmunicipality = \"13299\"\n\
                 serial = \"900000000000001\"\nsecurity_code = \"1234\"\nexpiry = \"20350217\"\n"
            )
        };
        let refusal = |text: &str| match Holders::parse(text, today()) {
            Err(HoldersError::Holder { source, .. }) => Some(source),
            _ => None,
        };
        assert_eq!(refusal(&text("1234", "000000000019", "1")), None);
        assert_eq!(
            refusal(&text("12345", "000000000019", "1")),
            Some(HolderError::Digits {
                field: "pin",
                digits: 4
            })
        );
        assert_eq!(
            refusal(&text("1234", "00000000001", "1")),
            Some(HolderError::Digits {
                field: "number",
                digits: 12
            })
        );
        assert_eq!(
            refusal(&text("1234", "000000000019", "3")),
            Some(HolderError::Sex)
        );

        let good = Holders::parse(&text("1234", "000000000019", "1"), today()).unwrap();
        assert!(matches!(good.clone().and(good), Err(HoldersError::Twice(id)) if id == "x"));
    }

    #[test]
    fn debug_output_shows_no_person() {
        let holders = Holders::embedded(today()).unwrap();
        let text = format!("{holders:?}");
        assert!(text.contains("Holder(hanako)"), "{text}");
        assert!(
            !text.contains("見本") && !text.contains("0000000"),
            "{text}"
        );
    }

    #[test]
    fn verification_number_b_of_the_published_test_card_comes_out() {
        let text = "[[holder]]\nid = \"x\"\nlabel = { ja = \"x\", en = \"x\" }\npin = \"1234\"\n\
             [holder.person]\nname = \"n\"\naddress = \"a\"\nbirth = \"19800217\"\nsex = \"1\"\n\
             number = \"537686677188\"\nmunicipality = \"13221\"\nserial = \"400000012719843\"\n\
             security_code = \"2285\"\nexpiry = \"20350217\"\n";
        let holders = Holders::parse(text, today()).unwrap();
        assert_eq!(
            holders.find("x").unwrap().verification_number_b(),
            "55021720352285"
        );
    }
}
