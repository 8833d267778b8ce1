//! Tickets whose every row says which paper it belongs to, so that papers can be read row by row.

use super::paper::Row;
use crate::raster::Raster;
use crate::render::{ContentError, Typeset};
use crate::ticket::{Element, Ticket, TicketId};

/// What a row of our tickets says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) ticket: u8,
    pub(crate) copy: u8,
    pub(crate) row: u8,
}

impl Mark {
    /// Rows of a ticket; not a multiple of a band.
    pub(crate) const ROWS: u8 = 10;

    fn row(self) -> [u8; 8] {
        // The high bit keeps every byte from being a command.
        [
            0xA5,
            0x80 | self.ticket,
            0x80 | self.copy,
            0x80 | self.row,
            0xDA,
            0xC3,
            0xBC,
            0xE1,
        ]
    }

    pub(crate) fn read(row: &Row) -> Option<Self> {
        match row.as_slice() {
            [0xA5, ticket, copy, row, 0xDA, 0xC3, 0xBC, 0xE1] => Some(Self {
                ticket: ticket & 0x7F,
                copy: copy & 0x7F,
                row: row & 0x7F,
            }),
            _ => None,
        }
    }
}

/// Draws no letters: each row says which paper it belongs to.
#[derive(Debug)]
pub(crate) struct Stamp;

impl Typeset for Stamp {
    fn typeset(&self, ticket: &Ticket, reissue: Option<u32>) -> Result<Raster, ContentError> {
        let [Element::Number(number)] = ticket.elements.as_slice() else {
            return Err(ContentError::Empty);
        };
        let nothing = ContentError::Character {
            element: 0,
            place: 0,
        };
        let ticket: u8 = number.parse().ok().ok_or(nothing)?;
        let copy = u8::try_from(reissue.unwrap_or(0)).unwrap_or(0x7F);
        let mut raster = Raster::new(64, usize::from(Mark::ROWS));
        for row in 0..Mark::ROWS {
            for (at, byte) in (Mark { ticket, copy, row }).row().into_iter().enumerate() {
                for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                    raster.blacken(at * 8 + bit, usize::from(row));
                }
            }
        }
        raster.scrub();
        Ok(raster)
    }
}

/// The ticket of this number.
pub(crate) fn document(number: u8) -> Ticket {
    Ticket {
        elements: vec![Element::Number(number.to_string())],
    }
}

/// The name of the ticket of this number.
pub(crate) fn name(number: u8) -> Option<TicketId> {
    TicketId::new(format!("T{number}")).ok()
}
