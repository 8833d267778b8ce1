//! From a ticket to dots: everything that is printed is drawn here, so that every character prints.
//!
//! Printers' own fonts depend on model, memory switches and the country of sale, and none has the
//! characters of rare names; a drawn ticket looks the same everywhere.
//! A character that no font has is an error that names its place, never a box on the paper.
//!
//! | module | job |
//! |---|---|
//! | [`fonts`] | files, clusters of characters, the glyph for each |
//! | [`lines`] | where lines break |
//! | [`typeset`] | elements one below the other |

pub mod fonts;
pub mod lines;
pub mod typeset;

use thiserror::Error;

use crate::raster::Raster;
use crate::ticket::Ticket;

/// Makes the picture of a ticket.
pub trait Typeset: Send + std::fmt::Debug {
    /// The ticket as dots, exactly as wide as the printer prints and free of real-time commands.
    ///
    /// `reissue` is the number of the copy; such a paper carries a mark that says so.
    ///
    /// # Errors
    /// Where the ticket cannot be printed whole.
    fn typeset(&self, ticket: &Ticket, reissue: Option<u32>) -> Result<Raster, ContentError>;
}

/// Why a ticket cannot be printed whole.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum ContentError {
    /// No font has a character, or it has not the form that its variation selector asks for.
    ///
    /// The character itself is not said here, because it can be of a citizen's name.
    #[error("no font has the character at place {place} of element {element}")]
    Character {
        /// The element, counted from 0.
        element: usize,
        /// The place in its text, in characters counted from 0.
        place: usize,
    },
    /// The element is wider than the paper.
    #[error("element {element} is wider than the paper")]
    TooWide {
        /// The element, counted from 0.
        element: usize,
    },
    /// The ticket is longer than a metre.
    #[error("the ticket is too long")]
    TooLong,
    /// The data do not fit any QR code of this level.
    #[error("the data of element {element} do not fit a QR code")]
    CodeTooLong {
        /// The element, counted from 0.
        element: usize,
    },
    /// The picture's bytes are no whole rows.
    #[error("the picture of element {element} has no whole rows")]
    Picture {
        /// The element, counted from 0.
        element: usize,
    },
    /// There is nothing on it.
    #[error("the ticket is empty")]
    Empty,
}

/// The picture as a PNG file: exactly the dots that are sent.
///
/// # Errors
/// Where the picture has no rows, which a typeset ticket never has.
pub fn preview(raster: &Raster) -> Result<Vec<u8>, png::EncodingError> {
    let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side(raster.width()), side(raster.rows()));
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    // PNG says one for white, printers say one for black.
    let inverted: Vec<u8> = raster.bytes().iter().map(|byte| !byte).collect();
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&inverted)?;
    writer.finish()?;
    Ok(file)
}
