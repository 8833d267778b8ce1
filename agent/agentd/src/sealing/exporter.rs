//! The forms in which a sealed signature is given out besides its container.

use agent_api::signature::{Export, Place};
use host_protocol::Area;
use ring::rand::SystemRandom;
use signature::pdf::{self, Enclosure, Placement};
use signature::{Identity, Ink, iso, picture};
use thiserror::Error;
use zeroize::Zeroizing;

/// Points in a tenth of a millimetre (ISO 32000-1, 8.3.2.3: 72 points in an inch).
const POINTS: f64 = 72.0 / 254.0;

/// The municipality that signs documents.
#[derive(Debug)]
pub struct Municipality {
    /// Its key and certificates.
    pub identity: Identity,
    /// Its name, as it stands in the signature.
    pub name: String,
}

/// Why a form cannot be made.
#[derive(Debug, Error)]
pub(super) enum ExportError {
    /// The document takes no signature.
    #[error("the document takes no signature")]
    Pdf(#[from] pdf::PdfError),
    /// The ink cannot be written in that form.
    #[error("the ink cannot be written in the form of ISO/IEC 19794-7")]
    Iso(#[from] iso::ExportError),
    /// The ink cannot be drawn.
    #[error("the ink cannot be drawn")]
    Picture(#[from] picture::PictureError),
    /// Nobody said where in the document the ink goes.
    #[error("the order names no place in the document")]
    NoPlace,
}

/// A form: its role, its media type, and its bytes.
pub(super) type Exported = (&'static str, &'static str, Zeroizing<Vec<u8>>);

/// Makes forms of one signature.
pub(super) struct Exporter<'a> {
    /// The ink.
    pub(super) ink: &'a Ink,
    /// The same as InkML.
    pub(super) inkml: &'a [u8],
    /// The container.
    pub(super) container: &'a [u8],
    /// Where it was written; a picture of it is as large.
    pub(super) area: &'a Area,
    /// The document that was signed.
    pub(super) document: &'a [u8],
    /// Where in the document the ink goes.
    pub(super) place: Option<&'a Place>,
    /// Who signs the document, where that is configured.
    pub(super) municipality: Option<&'a Municipality>,
    /// When it is made, in milliseconds since 1970.
    pub(super) unix_millis: u64,
}

impl Exporter<'_> {
    /// Makes one of them.
    pub(super) fn make(&self, export: Export) -> Result<Exported, ExportError> {
        let (width, height) = (self.area.width, self.area.height);
        Ok(match export {
            Export::Inkml => (
                "inkml",
                "application/inkml+xml",
                Zeroizing::new(self.inkml.to_vec()),
            ),
            Export::Iso19794 => (
                "iso19794",
                "application/octet-stream",
                iso::write(self.ink)?,
            ),
            Export::Svg => {
                let drawn = picture::svg(self.ink, width, height)?;
                ("svg", "image/svg+xml", Zeroizing::new(drawn.into_bytes()))
            }
            Export::Png => {
                let drawn = picture::png(self.ink, width, height)?;
                ("png", "image/png", Zeroizing::new(drawn))
            }
            Export::Pdf => ("pdf", "application/pdf", self.pdf()?),
        })
    }

    /// The document with ink and container in it, signed where the municipality's key is configured.
    fn pdf(&self) -> Result<Zeroizing<Vec<u8>>, ExportError> {
        let Place {
            page,
            area: [left, top, width, height],
        } = *self.place.ok_or(ExportError::NoPlace)?;
        let placement = Placement {
            page,
            left: f64::from(left) * POINTS,
            top: f64::from(top) * POINTS,
            width: f64::from(width) * POINTS,
            height: f64::from(height) * POINTS,
        };
        let enclosure = Enclosure {
            inkml: self.inkml,
            container: self.container,
        };
        let made = match self.municipality {
            None => pdf::enclose(self.document, &placement, &enclosure)?,
            Some(municipality) => {
                let by = pdf::Signing {
                    identity: &municipality.identity,
                    random: &SystemRandom::new(),
                    unix_s: i64::try_from(self.unix_millis / 1000).unwrap_or(i64::MAX),
                    name: &municipality.name,
                };
                pdf::enclose_and_sign(self.document, &placement, &enclosure, &by)?
            }
        };
        Ok(Zeroizing::new(made))
    }
}
