//! GS1 element strings: application identifiers with their values.
//!
//! GS1 General Specifications: 7.8 (element strings, separators), 7.9.1 (check digits), 7.12 (dates),
//! 7.11 (character sets).
//! A value ends where its identifier's predefined length ends, or at FNC1, which scanners transmit as
//! GS (1D), or at the end. A message is read whole or not at all: a misread length shifts everything
//! behind it.

mod table;

use std::fmt;

use thiserror::Error;
use zeroize::Zeroizing;

use table::{ROWS, Row};

/// FNC1, as transmitted.
const SEPARATOR: u8 = 0x1D;

/// A GS1 message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gs1Message {
    /// Its element strings, in their order.
    pub elements: Vec<Element>,
}

/// An application identifier with its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    /// The identifier, two to four digits.
    pub ai: String,
    /// Its value.
    pub value: Zeroizing<String>,
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}){} characters", self.ai, self.value.len())
    }
}

/// A date of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Date {
    /// The year, with its century.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31; `None` where the value leaves it open, which means the last day of the month.
    pub day: Option<u8>,
}

/// Why bytes are no GS1 message.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum Gs1Error {
    /// There is nothing.
    #[error("the message is empty")]
    Empty,
    /// No identifier stands where one must.
    #[error("no application identifier is known at byte {at}")]
    UnknownAi {
        /// Where.
        at: usize,
    },
    /// A value has the wrong length or characters.
    #[error("the value of ({ai}) has the wrong form")]
    Form {
        /// Whose.
        ai: String,
    },
    /// A check digit is wrong.
    #[error("the check digit of ({ai}) is wrong")]
    CheckDigit {
        /// Whose.
        ai: String,
    },
    /// A date does not exist.
    #[error("the date of ({ai}) does not exist")]
    Date {
        /// Whose.
        ai: String,
    },
}

#[derive(Debug, Clone, Copy)]
enum Part {
    /// So many characters at least and at most.
    Field(Charset, usize, usize),
    /// Exactly so many, or none.
    Optional(Charset, usize),
    /// A minus sign, or nothing.
    Minus,
}

#[derive(Debug, Clone, Copy)]
enum Charset {
    Digits,
    /// Character set 82.
    Text,
    /// Character set 39.
    Upper,
    /// Character set 64.
    Base64,
}

#[derive(Debug, Clone, Copy)]
enum Rule {
    Plain,
    /// The last of the first so many digits is their check digit.
    Check(usize),
    /// It begins with a date, YYMMDD.
    Date,
}

/// Reads the element strings of `content`.
///
/// # Errors
/// Where any part of it is not as the specification has it.
pub fn parse(content: &[u8]) -> Result<Gs1Message, Gs1Error> {
    let mut elements = Vec::new();
    let mut rest = content;
    while let Some(first) = rest.first() {
        if *first == SEPARATOR {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let at = content.len() - rest.len();
        let row = find(rest).ok_or(Gs1Error::UnknownAi { at })?;
        let (ai, after) = rest.split_at(row.digits.min(rest.len()));
        let ai = String::from_utf8_lossy(ai).into_owned();
        let (value, behind) = after.split_at(row.length(&ai, after));
        row.check(&ai, value)?;
        elements.push(Element {
            ai,
            value: Zeroizing::new(String::from_utf8_lossy(value).into_owned()),
        });
        rest = behind;
    }
    if elements.is_empty() {
        return Err(Gs1Error::Empty);
    }
    Ok(Gs1Message { elements })
}

fn find(rest: &[u8]) -> Option<&'static Row> {
    (2..=4).find_map(|digits| {
        let ai = rest.get(..digits)?;
        if !ai.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let ai: u16 = str::from_utf8(ai).ok()?.parse().ok()?;
        ROWS.iter()
            .find(|row| row.digits == digits && (row.first..=row.last).contains(&ai))
    })
}

/// Identifiers whose values have a predefined length need no separator (7.8.5, figure 7.8.5-2).
fn predefined(ai: &str) -> bool {
    matches!(
        ai.get(..2),
        Some(
            "00" | "01"
                | "02"
                | "03"
                | "04"
                | "11"
                | "12"
                | "13"
                | "14"
                | "15"
                | "16"
                | "17"
                | "18"
                | "19"
                | "20"
                | "31"
                | "32"
                | "33"
                | "34"
                | "35"
                | "36"
                | "41"
        )
    )
}

impl Row {
    /// How many of the bytes after the identifier are its value.
    fn length(&self, ai: &str, after: &[u8]) -> usize {
        let separator = after.iter().position(|byte| *byte == SEPARATOR);
        let to_separator = separator.unwrap_or(after.len());
        if !predefined(ai) {
            return to_separator;
        }
        let most = self.parts.iter().map(|part| match part {
            Part::Field(_, _, most) | Part::Optional(_, most) => *most,
            Part::Minus => 1,
        });
        to_separator.min(most.sum())
    }

    fn check(&self, ai: &str, value: &[u8]) -> Result<(), Gs1Error> {
        let ai = || ai.to_owned();
        let mut rest = value;
        for part in self.parts {
            rest = part.take(rest).ok_or_else(|| Gs1Error::Form { ai: ai() })?;
        }
        if !rest.is_empty() {
            return Err(Gs1Error::Form { ai: ai() });
        }
        match self.rule {
            Rule::Check(digits) if !value.get(..digits).is_some_and(check_digit_fits) => {
                Err(Gs1Error::CheckDigit { ai: ai() })
            }
            Rule::Date if value.get(..6).and_then(date_parts).is_none() => {
                Err(Gs1Error::Date { ai: ai() })
            }
            Rule::Plain | Rule::Check(_) | Rule::Date => Ok(()),
        }
    }
}

impl Part {
    /// What is left of `value` behind this part.
    fn take(self, value: &[u8]) -> Option<&[u8]> {
        match self {
            Self::Minus => Some(value.strip_prefix(b"-").unwrap_or(value)),
            Self::Optional(_, _) if value.is_empty() => Some(value),
            Self::Optional(charset, exactly) => Self::Field(charset, exactly, exactly).take(value),
            Self::Field(charset, least, most) => {
                let fitting = value
                    .iter()
                    .take(most)
                    .take_while(|byte| charset.has(**byte));
                let length = fitting.count();
                (length >= least).then(|| value.get(length..)).flatten()
            }
        }
    }
}

impl Charset {
    const fn has(self, byte: u8) -> bool {
        match self {
            Self::Digits => byte.is_ascii_digit(),
            Self::Text => {
                matches!(byte, b'!'..=b'"' | b'%'..=b'?' | b'A'..=b'Z' | b'_' | b'a'..=b'z')
            }
            Self::Upper => matches!(byte, b'#' | b'-' | b'/' | b'0'..=b'9' | b'A'..=b'Z'),
            Self::Base64 => matches!(byte, b'-' | b'_' | b'=') || byte.is_ascii_alphanumeric(),
        }
    }
}

/// Whether the last digit is the check digit of those before it: weights 3 and 1 from the right.
#[must_use]
pub fn check_digit_fits(digits: &[u8]) -> bool {
    let sum = digits
        .iter()
        .rev()
        .enumerate()
        .try_fold(0u32, |sum, (index, digit)| {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit <= 9)?;
            let weight = if index % 2 == 0 { 1 } else { 3 };
            sum.checked_add(u32::from(digit) * weight)
        });
    sum.is_some_and(|sum| sum % 10 == 0) && digits.len() >= 2
}

fn date_parts(value: &[u8]) -> Option<(u16, u8, u8)> {
    let text = str::from_utf8(value.get(..6)?).ok()?;
    let year: u16 = text.get(..2)?.parse().ok()?;
    let month: u8 = text.get(2..4)?.parse().ok()?;
    let day: u8 = text.get(4..6)?.parse().ok()?;
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        // The century is not known here, and only 2100 would make a difference.
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        _ => return None,
    };
    (day <= last).then_some((year, month, day))
}

impl Element {
    /// How many of the value's last digits stand behind the decimal point, where the identifier says so.
    #[must_use]
    pub fn decimals(&self) -> Option<u8> {
        let digits = self.ai.as_bytes();
        let [first, second, _, last] = *digits else {
            return None;
        };
        let measure = first == b'3' && (b'1'..=b'6').contains(&second);
        let amount = matches!(
            digits.get(..3),
            Some(b"390" | b"391" | b"392" | b"393" | b"394" | b"395")
        );
        (measure || amount).then(|| last - b'0')
    }

    /// The date that the value begins with, where the identifier is one of a date.
    ///
    /// `this_year` decides the century: the year that is at most 49 years back and 50 ahead (7.12).
    #[must_use]
    pub fn date(&self, this_year: u16) -> Option<Date> {
        let row = find(self.ai.as_bytes()).filter(|row| matches!(row.rule, Rule::Date))?;
        debug_assert_eq!(row.digits, self.ai.len());
        let (year, month, day) = date_parts(self.value.as_bytes())?;
        let century = this_year / 100 * 100;
        let year = century + year;
        let year = if year > this_year.saturating_add(50) {
            year.checked_sub(100)?
        } else if year.saturating_add(50) <= this_year {
            year.checked_add(100)?
        } else {
            year
        };
        Some(Date {
            year,
            month,
            day: (day != 0).then_some(day),
        })
    }
}

#[cfg(test)]
mod tests;
