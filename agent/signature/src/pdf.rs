//! A pen signature in the PDF that was signed, without changing a byte of it.
//!
//! Everything is one incremental update (ISO 32000-1 §7.5.6): the original stays as the beginning of
//! the result. The ink is drawn by the appearance of an annotation, the InkML and the container are
//! files attached to that appearance (ISO 32000-2 §14.13). [`enclose_and_sign`] makes the annotation
//! the field of a signature by the municipality's key: PAdES level B-B (ETSI EN 319 142-1).
//!
//! In a document that carries signatures already nothing but the new field, its page's list of
//! annotations and the list of fields is touched, so that validators go on to accept the older ones;
//! the files are then not listed in the catalog and are found through the annotation alone.
//! No text is drawn, and nothing says 電子署名: the citizen made a pen signature.

mod appearance;
mod increment;
mod objects;
mod original;
mod signing;
mod structure;
mod syntax;

use std::fmt;

use ring::rand::SecureRandom;
use thiserror::Error;

use crate::identity::{Identity, IdentityError};
use crate::inkml::{self, InkmlError};
use objects::Seal;
use original::Original;

/// The longest document that is read, in bytes.
pub const LONGEST_PDF: usize = 64 << 20;

/// Where the ink goes, in points of the page as it is seen: turned as it says, from its top left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Which page, from 1.
    pub page: u32,
    /// From the left.
    pub left: f64,
    /// From the top.
    pub top: f64,
    /// How wide.
    pub width: f64,
    /// How high.
    pub height: f64,
}

/// What goes into the document.
#[derive(Clone, Copy)]
pub struct Enclosure<'a> {
    /// The ink as InkML; it is drawn and attached.
    pub inkml: &'a [u8],
    /// The container; it is attached.
    pub container: &'a [u8],
}

/// By whom and when the document is signed.
#[derive(Clone, Copy)]
pub struct Signing<'a> {
    /// The municipality's key and certificates.
    pub identity: &'a Identity,
    /// Randomness for the signature.
    pub random: &'a dyn SecureRandom,
    /// The time to state, in seconds since 1970.
    pub unix_s: i64,
    /// Who signs: the municipality, not the citizen.
    pub name: &'a str,
}

/// Why nothing was put into the document.
#[derive(Debug, Error)]
pub enum PdfError {
    /// Longer than [`LONGEST_PDF`].
    #[error("{0} bytes are more than {LONGEST_PDF}")]
    TooLong(usize),
    /// It does not begin as a PDF.
    #[error("the document does not begin as a PDF")]
    NotPdf,
    /// It is encrypted.
    #[error("the document is encrypted")]
    Encrypted,
    /// Its structure is damaged, so that nothing can safely be appended.
    #[error("the structure of the document is damaged: {0}")]
    Damaged(&'static str),
    /// There is no such page.
    #[error("the document has no page {0}")]
    NoPage(u32),
    /// The place is not on the page.
    #[error("the place for the ink is not on the page")]
    Outside,
    /// It carries signatures; an unsigned addition would make them doubtful.
    #[error("the document is signed, and nothing may be added without signing")]
    Signed,
    /// Its first signer certified it; a new visible field makes that doubtful to strict validators,
    /// whatever level of changes was permitted.
    #[error("the document is certified, and a new signature would make that doubtful")]
    Certified,
    /// It has as many objects as a PDF can have.
    #[error("the document has too many objects")]
    TooManyObjects,
    /// The ink cannot be read.
    #[error("the ink cannot be read")]
    Ink(#[source] InkmlError),
    /// The time to state is not from 1970 to 9999.
    #[error("the time of signing is not from 1970 to 9999")]
    Time,
    /// The municipality's key could not be used.
    #[error("the document could not be signed")]
    Sign(#[source] IdentityError),
}

/// Puts ink, InkML and container into a document without signatures, and does not sign it.
///
/// # Errors
/// Where the document is no sound, open PDF without signatures, or the place is not on the page.
pub fn enclose(
    original: &[u8],
    placement: &Placement,
    enclosure: &Enclosure<'_>,
) -> Result<Vec<u8>, PdfError> {
    let original = Original::read(original)?;
    if original.signatures() > 0 {
        return Err(PdfError::Signed);
    }
    let ink = inkml::read(enclosure.inkml).map_err(PdfError::Ink)?;
    let drawn = appearance::draw(&original, placement, &ink)?;
    let update = objects::update(&original, &drawn, enclosure, None)?;
    Ok(update.finish()?.bytes)
}

/// Puts ink, InkML and container into a document and signs all of it with the municipality's key.
///
/// # Errors
/// Where the document is no sound, open PDF, forbids changes, or the place is not on the page.
pub fn enclose_and_sign(
    original: &[u8],
    placement: &Placement,
    enclosure: &Enclosure<'_>,
    signing: &Signing<'_>,
) -> Result<Vec<u8>, PdfError> {
    let original = Original::read(original)?;
    if original.is_certified() {
        return Err(PdfError::Certified);
    }
    let ink = inkml::read(enclosure.inkml).map_err(PdfError::Ink)?;
    let drawn = appearance::draw(&original, placement, &ink)?;
    let space = signing::Space::new(signing)?;
    let seal = Seal(space.dictionary());
    let update = objects::update(&original, &drawn, enclosure, Some(seal))?;
    signing::fill(update.finish()?, &space, signing)
}

impl fmt::Debug for Enclosure<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enclosure(..)")
    }
}

impl fmt::Debug for Signing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing")
            .field("identity", self.identity)
            .field("unix_s", &self.unix_s)
            .finish_non_exhaustive()
    }
}
