//! What stands on a ticket, from top to bottom.
//!
//! Plain values without dots or fonts; [`crate::render`] makes the picture.
//! A ticket can hold a citizen's name, so `Debug` shows kinds and lengths only.

use std::fmt;

use thiserror::Error;

/// A ticket's name, given by whoever counts: at most 64 visible ASCII characters, never used twice.
///
/// It stands in the journal and in logs, so it must not be of a citizen; put the day into it, such as
/// `2026-11-21/A/014`, because a number comes back every morning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TicketId(String);

impl TicketId {
    /// Names a ticket.
    ///
    /// # Errors
    /// Where the name is empty, too long, or not of visible ASCII characters.
    pub fn new(id: impl Into<String>) -> Result<Self, BadTicketId> {
        let id = id.into();
        let good = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if good { Ok(Self(id)) } else { Err(BadTicketId) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A ticket's name that cannot be one.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("a ticket's name is 1 to 64 visible ASCII characters")]
pub struct BadTicketId;

/// A whole ticket.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ticket {
    /// From top to bottom.
    pub elements: Vec<Element>,
}

/// One thing on a ticket.
#[derive(Clone, PartialEq, Eq)]
pub enum Element {
    /// A paragraph; a line feed begins a new line.
    Text(Text),
    /// A number as large as the paper is wide, such as `A-014`.
    Number(String),
    /// A line across the paper.
    Rule,
    /// White paper, in tenths of a millimetre.
    Space(u16),
    /// A QR code.
    Code(Code),
    /// A picture.
    Picture(Picture),
    /// White letters on black across the paper, such as 再発行.
    Mark(String),
}

/// A paragraph.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    /// What it says.
    pub content: String,
    /// How large.
    pub size: Size,
    /// Whether in bold letters.
    pub bold: bool,
    /// Where on the line.
    pub align: Align,
}

impl Text {
    /// A paragraph of normal size at the left.
    #[must_use]
    pub fn plain(content: impl Into<String>) -> Self {
        Self {
            content: content.into(),
            size: Size::Normal,
            bold: false,
            align: Align::Left,
        }
    }
}

/// How large letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 11 points: what JIS S 0032 gives for fifty years of age at half a metre.
    Small,
    /// 14 points: the same for 64 years.
    Normal,
    /// 20 points.
    Large,
    /// 32 points.
    Huge,
}

impl Size {
    /// In points.
    #[must_use]
    pub const fn points(self) -> u16 {
        match self {
            Self::Small => 11,
            Self::Normal => 14,
            Self::Large => 20,
            Self::Huge => 32,
        }
    }
}

/// Where on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left edge.
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
}

/// A QR code.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// What it holds, byte for byte; ASCII only is read alike by every reader.
    pub data: Vec<u8>,
    /// How much of it may be damaged.
    pub level: Level,
    /// Dots for the side of a module; half a millimetre where nothing is said.
    pub module: Option<u8>,
}

/// How much of a QR code may be damaged (ISO/IEC 18004).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// About 7 %.
    L,
    /// About 15 %.
    M,
    /// About 25 %.
    Q,
    /// About 30 %.
    H,
}

/// A picture of black and white dots, printed in the middle as it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// Dots in a row.
    pub width: u16,
    /// The rows, each begun in a new byte, most significant bit leftmost, one is black.
    pub rows: Vec<u8>,
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => text.fmt(f),
            Self::Number(number) => write!(f, "Number({} bytes)", number.len()),
            Self::Rule => f.write_str("Rule"),
            Self::Space(tenths) => write!(f, "Space({tenths})"),
            Self::Code(code) => code.fmt(f),
            Self::Picture(picture) => picture.fmt(f),
            Self::Mark(mark) => write!(f, "Mark({} bytes)", mark.len()),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({:?}, {} bytes)", self.size, self.content.len())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({:?}, {} bytes)", self.level, self.data.len())
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} wide, {} bytes)", self.width, self.rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_hides_what_it_says() {
        let ticket = Ticket {
            elements: vec![
                Element::Text(Text::plain("山田花子")),
                Element::Number("A-014".into()),
                Element::Mark("再発行".into()),
                Element::Code(Code {
                    data: b"secret".to_vec(),
                    level: Level::M,
                    module: None,
                }),
            ],
        };
        let shown = format!("{ticket:?}");
        for hidden in ["山田", "A-014", "secret", "115"] {
            assert!(!shown.contains(hidden), "{shown}");
        }
    }

    #[test]
    fn a_ticket_name_fits_a_line_of_the_journal() {
        for bad in ["", "a b", "a\nb", "番号", &"a".repeat(65)] {
            assert!(TicketId::new(bad).is_err());
        }
        assert_eq!(
            TicketId::new("2026-11-21/A/014").unwrap().as_str(),
            "2026-11-21/A/014"
        );
    }
}
