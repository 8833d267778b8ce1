//! What can be set at a scanner, and to what (SANE standard 1.06, clauses 4.2.9 and 4.3.6).

use super::words::{ELEMENTS, Reader};
use crate::wire::{WireError, malformed};

/// The largest value of an option. Gamma tables of 16 bits are the largest that backends have.
pub const VALUE_BYTES: usize = 256 * 1024;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Zero or one.
    Bool,
    /// Whole numbers.
    Int,
    /// Numbers with 16 bits behind the point.
    Fixed,
    /// A text with a final zero.
    Text,
    /// Something to press.
    Button,
    /// A heading; nothing can be set.
    Group,
}

impl Kind {
    /// The number on the wire.
    #[must_use]
    pub const fn to_word(self) -> u32 {
        match self {
            Self::Bool => 0,
            Self::Int => 1,
            Self::Fixed => 2,
            Self::Text => 3,
            Self::Button => 4,
            Self::Group => 5,
        }
    }

    /// The kind of this number.
    ///
    /// # Errors
    /// [`WireError::Malformed`] for a number that the standard does not know.
    pub const fn from_word(word: u32) -> Result<Self, WireError> {
        Ok(match word {
            0 => Self::Bool,
            1 => Self::Int,
            2 => Self::Fixed,
            3 => Self::Text,
            4 => Self::Button,
            5 => Self::Group,
            _ => return Err(malformed("type of an option")),
        })
    }
}

/// A value of an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Zero or one.
    Bool(Vec<i32>),
    /// Whole numbers; one in nearly all options.
    Int(Vec<i32>),
    /// Numbers in units of 1/65536.
    Fixed(Vec<i32>),
    /// A text, filled up with zeros to the option's size.
    Text(Vec<u8>),
    /// Pressed.
    Button,
}

impl Value {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Bool(_) => Kind::Bool,
            Self::Int(_) => Kind::Int,
            Self::Fixed(_) => Kind::Fixed,
            Self::Text(_) => Kind::Text,
            Self::Button => Kind::Button,
        }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u32 {
        let size = match self {
            Self::Bool(words) | Self::Int(words) | Self::Fixed(words) => words.len() * 4,
            Self::Text(bytes) => bytes.len(),
            Self::Button => 0,
        };
        u32::try_from(size).unwrap_or(u32::MAX)
    }

    /// The first number, in units of 1/65536 whatever the kind.
    #[must_use]
    pub fn in_65536ths(&self) -> Option<i64> {
        match self {
            Self::Bool(words) | Self::Int(words) => {
                words.first().map(|word| i64::from(*word) << 16)
            }
            Self::Fixed(words) => words.first().map(|word| i64::from(*word)),
            Self::Text(_) | Self::Button => None,
        }
    }

    /// The text up to its final zero.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Text(bytes) => {
                let end = bytes.iter().position(|byte| *byte == 0);
                Some(super::words::latin1(
                    bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default(),
                ))
            }
            Self::Bool(_) | Self::Int(_) | Self::Fixed(_) | Self::Button => None,
        }
    }

    /// Reads type, size and elements.
    ///
    /// # Errors
    /// [`WireError`] where they do not fit each other or their limits.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let kind = Kind::from_word(reader.word()?)?;
        let size = reader.count("size of a value", VALUE_BYTES)?;
        match kind {
            Kind::Bool => Ok(Self::Bool(words(reader, size)?)),
            Kind::Int => Ok(Self::Int(words(reader, size)?)),
            Kind::Fixed => Ok(Self::Fixed(words(reader, size)?)),
            Kind::Text => {
                let count = reader.count("length of a value", VALUE_BYTES)?;
                Ok(Self::Text(reader.bytes(count)?.to_vec()))
            }
            Kind::Button => Ok(Self::Button),
            Kind::Group => Err(malformed("value of a heading")),
        }
    }
}

fn words(reader: &mut Reader<'_>, size: usize) -> Result<Vec<i32>, WireError> {
    let count = reader.count("elements of a value", VALUE_BYTES / 4)?;
    // An answer that refuses may carry the size that was asked for, and no elements.
    if count != 0 && count * 4 != size {
        return Err(malformed("size of a value"));
    }
    let mut inner = Reader::new(reader.bytes(count * 4)?);
    (0..count).map(|_| inner.int()).collect()
}

/// What an option's value is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Picture elements.
    Pixel,
    /// Millimetres.
    Millimetre,
    /// Dots per inch.
    Dpi,
    /// Anything else, or nothing.
    Other,
}

/// What an option may be set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constraint {
    /// Anything of its type.
    Free,
    /// From a smallest to a largest value, in steps where `step` is not zero.
    Range {
        /// The smallest.
        min: i32,
        /// The largest.
        max: i32,
        /// The distance between two values.
        step: i32,
    },
    /// One of these numbers.
    Words(Vec<i32>),
    /// One of these texts.
    Texts(Vec<String>),
}

/// Something that can be set at a scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Its name for programs, such as `resolution`.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// What it is measured in.
    pub unit: Unit,
    /// The size of its value in bytes.
    pub size: u32,
    /// What can be done with it, as bits.
    pub abilities: u32,
    /// What it may be.
    pub constraint: Constraint,
}

impl Descriptor {
    /// Whether a program can set it now (bit 0: settable by software; bit 5: inactive).
    #[must_use]
    pub const fn settable(&self) -> bool {
        self.abilities & 0x01 != 0 && self.abilities & 0x20 == 0
    }

    /// Whether its value can be read now (bit 2: readable by software).
    #[must_use]
    pub const fn readable(&self) -> bool {
        self.abilities & 0x04 != 0 && self.abilities & 0x20 == 0
    }

    /// Reads one descriptor.
    ///
    /// # Errors
    /// [`WireError`] where it makes no sense.
    pub fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let name = reader.string()?;
        let (_title, _description) = (reader.string()?, reader.string()?);
        let kind = Kind::from_word(reader.word()?)?;
        let unit = match reader.word()? {
            1 => Unit::Pixel,
            3 => Unit::Millimetre,
            4 => Unit::Dpi,
            _ => Unit::Other,
        };
        Ok(Self {
            name,
            kind,
            unit,
            size: reader.word()?,
            abilities: reader.word()?,
            constraint: Constraint::decode(reader)?,
        })
    }
}

impl Constraint {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        match reader.word()? {
            0 => Ok(Self::Free),
            1 if !reader.present()? => Ok(Self::Free),
            1 => Ok(Self::Range {
                min: reader.int()?,
                max: reader.int()?,
                step: reader.int()?,
            }),
            2 => {
                // The first word counts the others; the array's own length counts it too.
                let length = reader.count("choices of an option", ELEMENTS)?;
                if length == 0 {
                    return Ok(Self::Words(Vec::new()));
                }
                let choices = reader.count("choices of an option", ELEMENTS)?;
                if choices + 1 != length {
                    return Err(malformed("list of choices"));
                }
                let values = (0..choices).map(|_| reader.int());
                Ok(Self::Words(values.collect::<Result<_, _>>()?))
            }
            3 => {
                let length = reader.count("choices of an option", ELEMENTS)?;
                let texts: Vec<String> = (0..length)
                    .map(|_| reader.string())
                    .collect::<Result<_, _>>()?;
                // The list ends with an absent text.
                Ok(Self::Texts(
                    texts.into_iter().filter(|text| !text.is_empty()).collect(),
                ))
            }
            _ => Err(malformed("constraint of an option")),
        }
    }
}
