//! One page between scanner and file: turned, straightened, brought to the colours that were asked for.

use device_api::Patience;
use zeroize::Zeroizing;

use super::RawPage;
use crate::ScanError;
use crate::connection::check;
use crate::image::{Kind, Picture, blank, hash_of, skew, turn};
use crate::output::Content;
use crate::scanner::{ColourMode, ScanRequest, ScannedPage, Turn};

/// A page that lies less askew than this, in degrees, stays as it is: it is twice the error of measuring,
/// and straightening costs the scanner's own JPEG.
pub(super) const STRAIGHT: f64 = 0.2;

/// A page as it goes into the file.
pub(super) struct Finished {
    picture: Picture,
    jpeg: Option<Zeroizing<Vec<u8>>>,
    /// What is told of it.
    pub(super) told: ScannedPage,
}

impl Finished {
    /// What goes into the file.
    pub(super) fn content(&self) -> Content<'_> {
        match &self.jpeg {
            Some(bytes) => Content::Jpeg(bytes, &self.picture),
            None => Content::Picture(&self.picture),
        }
    }
}

/// Does to the page what was asked.
pub(super) fn finish(
    raw: RawPage,
    request: &ScanRequest,
    patience: &Patience,
) -> Result<Finished, ScanError> {
    const ATTEMPTED: &str = "finishing a page";
    let dpi = request.resolution;
    let (mut picture, mut jpeg) = match raw {
        RawPage::Picture(picture) => (picture, None),
        RawPage::Jpeg(bytes, picture) => (picture, Some(bytes)),
    };
    let blank = blank::is_blank(&picture, dpi);
    check(patience, ATTEMPTED)?;
    let angle = match request.deskew && !blank {
        true => skew::skew(&picture, dpi).filter(|angle| angle.abs() >= STRAIGHT),
        false => None,
    };
    check(patience, ATTEMPTED)?;
    if let Some(angle) = angle {
        picture = turn::by_degrees(&picture, angle);
        jpeg = None;
    }
    if request.turn != Turn::None {
        picture = turn::by_quarters(picture, request.turn);
        jpeg = None;
    }
    check(patience, ATTEMPTED)?;
    // After straightening, because gray edges straighten better than jagged ones.
    let changed = match (request.colour, picture.kind()) {
        (ColourMode::Bilevel, Kind::Gray | Kind::Colour) => Some(picture.bilevel()),
        (ColourMode::Gray, Kind::Colour) => Some(picture.gray()),
        (ColourMode::Bilevel | ColourMode::Gray | ColourMode::Colour, _) => None,
    };
    if let Some(changed) = changed {
        (picture, jpeg) = (changed, None);
    }
    let told = ScannedPage {
        picture: jpeg
            .as_ref()
            .map_or_else(|| picture.hash(), |bytes| hash_of(bytes)),
        width: picture.width(),
        height: picture.height(),
        dpi,
        straightened: hundredths(angle.unwrap_or(0.0)),
        blank,
        kept: true,
    };
    Ok(Finished {
        picture,
        jpeg,
        told,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "an angle of a few degrees; a conversion from float saturates"
)]
fn hundredths(angle: f64) -> i32 {
    (angle * 100.0).round() as i32
}
