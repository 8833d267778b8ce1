//! Words that can stand in topics and payloads.
//!
//! There is no free text in what is reported: a [`Word`] is a short run of plain letters, digits and a few
//! signs, such as a model, a version or a code: no Japanese, no sentence, and no twelve digits in a row.
//! A name in Latin letters, or a number in groups with hyphens, would pass; what keeps them out is where
//! words come from: descriptors of devices, the configuration, and this program.
//! A [`Label`] is stricter, because it stands in topics, where brokers and their access lists read it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest label, in characters.
const LONGEST_LABEL: usize = 32;
/// The longest word, in characters.
const LONGEST_WORD: usize = 64;
/// The most digits in a row: a date of a firmware fits, a telephone or individual number does not.
const DIGITS_IN_A_ROW: usize = 8;

/// A text that is no label or no word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NameError {
    /// Not 1 to 32 of `a-z`, `0-9` and `-`, with no `-` at either end.
    #[error("a name in a topic is 1 to 32 of a-z, 0-9 and -, with no - at either end")]
    Label,
    /// Not 1 to 64 of `A-Z`, `a-z`, `0-9` and `._+:/-`, or more than 8 digits in a row.
    #[error("a word is 1 to 64 of A-Z, a-z, 0-9 and ._+:/-, with at most 8 digits in a row")]
    Word,
    /// Not 64 of `0-9` and `a-f`.
    #[error("a digest is 64 of 0-9 and a-f")]
    Digest,
}

/// The name of a tenant, a device or an issuer: 1 to 32 of `a-z`, `0-9` and `-`.
///
/// There is one case only, because brokers and databases disagree about others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Label(String);

/// A code, a version, a model: 1 to 64 of `A-Z`, `a-z`, `0-9` and `._+:/-`, at most 8 digits in a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Word(String);

/// A SHA-256, written as 64 of `0-9` and `a-f`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// Which agent speaks: its municipality, and its own name there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceName {
    /// The municipality (自治体).
    pub tenant: Label,
    /// The machine.
    pub device: Label,
}

impl Label {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Word {
    /// The text with whatever cannot stand in a word left out, cut to the longest; `None` if nothing is left.
    ///
    /// For what devices say of themselves, such as a model.
    #[must_use]
    pub fn cleaned(text: &str) -> Option<Self> {
        let mut run = 0;
        let kept: String = text
            .chars()
            .map(|c| if c == ' ' { '-' } else { c })
            .filter(|c| in_word(*c))
            .filter(|c| {
                run = if c.is_ascii_digit() { run + 1 } else { 0 };
                run <= DIGITS_IN_A_ROW
            })
            .take(LONGEST_WORD)
            .collect();
        kept.parse().ok()
    }

    /// The text cleaned, or `unnamed` if nothing is left of it.
    #[must_use]
    pub fn or_unnamed(text: &str) -> Self {
        Self::cleaned(text).unwrap_or_else(|| Self("unnamed".to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Digest {
    /// The SHA-256 of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
        Self(hex::encode(digest.as_ref()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl DeviceName {
    /// The name under which an envelope says who signed it.
    #[must_use]
    pub fn urn(&self) -> String {
        format!("urn:madoguchi:{}:{}", self.tenant, self.device)
    }
}

fn in_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._+:/-".contains(c)
}

impl FromStr for Label {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let fits = (1..=LONGEST_LABEL).contains(&text.len())
            && text
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Label)
        }
    }
}

impl FromStr for Word {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let few_digits = text
            .split(|c: char| !c.is_ascii_digit())
            .all(|run| run.len() <= DIGITS_IN_A_ROW);
        if (1..=LONGEST_WORD).contains(&text.len()) && text.chars().all(in_word) && few_digits {
            Ok(Self(text.to_owned()))
        } else {
            Err(NameError::Word)
        }
    }
}

impl TryFrom<String> for Label {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl TryFrom<String> for Word {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl TryFrom<String> for Digest {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        let plain = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
        if text.len() == 64 && text.bytes().all(plain) {
            Ok(Self(text))
        } else {
            Err(NameError::Digest)
        }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl From<Label> for String {
    fn from(label: Label) -> Self {
        label.0
    }
}

impl From<Word> for String {
    fn from(word: Word) -> Self {
        word.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_words_hold_no_free_text() {
        for good in ["a", "counter-03", "0-9"] {
            assert_eq!(good.parse::<Label>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-a",
            "a-",
            "A",
            "a/b",
            "a+",
            "#",
            "窓口",
            &"a".repeat(33),
        ] {
            assert_eq!(bad.parse::<Label>(), Err(NameError::Label), "{bad}");
        }
        for good in ["PRN-PAPER-OUT", "TM-T88VI", "1.2.3+dev", "usb:1-2/3"] {
            assert_eq!(good.parse::<Word>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "two words",
            "山田",
            "a@b",
            "a\n",
            "123456789",
            &"a".repeat(65),
        ] {
            assert_eq!(bad.parse::<Word>(), Err(NameError::Word), "{bad}");
        }
    }

    #[test]
    fn what_a_device_says_of_itself_is_cleaned() {
        let cleaned = |text| Word::cleaned(text).map(String::from);
        assert_eq!(
            cleaned("Virtual PCD 00 00"),
            Some("Virtual-PCD-00-00".into())
        );
        assert_eq!(cleaned("機種A"), Some("A".into()));
        assert_eq!(cleaned("窓口"), None);
        assert_eq!(cleaned("v123456789012"), Some("v12345678".into()));
    }
}
