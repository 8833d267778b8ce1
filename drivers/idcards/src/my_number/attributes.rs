//! EF0001 and EF0002: the individual number and the four attributes (基本4情報).
//!
//! ```text
//! FF10 { 12 digits } filler
//! FF20 { DF21 offsets, DF22 name, DF23 address, DF24 birth date YYYYMMDD, DF25 sex }
//! ```
//!
//! The offsets of DF21 are outside what the issuer signs, so they are not followed: a reader that did
//! could be shown other bytes than those that were signed. The objects are walked one after the other.

use std::fmt;

use crate::personal::{PersonalText, TextNotice};
use crate::tlv::ber::{self, Object};
use crate::{date, personal};

const NUMBER_FILE: u16 = 0xFF10;
const ATTRIBUTES_FILE: u16 = 0xFF20;
const OFFSETS: u16 = 0xDF21;
const NAME: u16 = 0xDF22;
const ADDRESS: u16 = 0xDF23;
const BIRTH_DATE: u16 = 0xDF24;
const SEX: u16 = 0xDF25;

/// The four attributes (基本4情報) as the card holds them. `Debug` shows none of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Attributes {
    /// Name; family and given name are parted by U+3000; variation sequences kept.
    pub name: PersonalText,
    /// Address; variation sequences kept.
    pub address: PersonalText,
    /// `YYYY-MM-DD`, or as the card holds it where that is no date (an unknown day is `00`).
    pub birth_date: PersonalText,
    /// JIS X 0303: `1` male, `2` female, `0` not known, `9` not applicable.
    pub sex: PersonalText,
    /// Characters that a person should look at, by field and position.
    pub notices: Vec<(AttributeName, TextNotice)>,
}

/// An attribute whose characters are examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttributeName {
    /// The name.
    Name,
    /// The address.
    Address,
}

impl Attributes {
    /// `None` when the file is not what it must be; which part, is not told: it would be part of the text.
    pub(super) fn parse(file: &[u8]) -> Option<Self> {
        let objects = ber::all(contents(file, ATTRIBUTES_FILE)?).ok()?;
        let name = PersonalText::from_utf8(only(&objects, NAME)?)?;
        let address = PersonalText::from_utf8(only(&objects, ADDRESS)?)?;
        let birth_date = digits(only(&objects, BIRTH_DATE)?, 8)?;
        let sex = digits(only(&objects, SEX)?, 1)?;
        let notices = [
            (AttributeName::Name, &name),
            (AttributeName::Address, &address),
        ]
        .into_iter()
        .flat_map(|(field, text)| {
            personal::examine(text.expose())
                .into_iter()
                .map(move |notice| (field, notice))
        })
        .collect();
        Some(Self {
            birth_date: PersonalText::new(date::dashed(birth_date.expose())),
            name,
            address,
            sex,
            notices,
        })
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Attributes(..)")
    }
}

/// What the issuer's hash of the attributes covers: everything behind the offsets.
pub(super) fn signed_part(file: &[u8]) -> Option<&[u8]> {
    let (offsets, rest) = ber::split(contents(file, ATTRIBUTES_FILE)?).ok()?;
    (offsets.tag == OFFSETS).then_some(rest)
}

/// The twelve digits of EF0001.
pub(super) fn individual_number(file: &[u8]) -> Option<PersonalText> {
    digits(contents(file, NUMBER_FILE)?, 12)
}

/// What the file's one object holds, if it has this tag.
pub(super) fn contents(file: &[u8], tag: u16) -> Option<&[u8]> {
    let (object, _filler) = ber::split(file).ok()?;
    (object.tag == tag).then_some(object.value)
}

/// The value of the only object with this tag. Of two, a reader could show one and the signer mean the other.
pub(super) fn only<'a>(objects: &[Object<'a>], tag: u16) -> Option<&'a [u8]> {
    let mut found = objects.iter().filter(|object| object.tag == tag);
    let object = found.next()?;
    found.next().is_none().then_some(object.value)
}

fn digits(value: &[u8], count: usize) -> Option<PersonalText> {
    let all_digits = value.len() == count && value.iter().all(u8::is_ascii_digit);
    all_digits.then(|| PersonalText::from_utf8(value)).flatten()
}
