//! Pages as PDF/A-2b (ISO 19005-2:2011), each one picture over the whole page.
//!
//! | requirement (clause) | here |
//! |---|---|
//! | header with a comment of four bytes above 127 (6.1.2) | [`HEADER`] |
//! | file identifier, no encryption (6.1.3) | the trailer |
//! | cross-reference entries of twenty bytes (6.1.4) | `finish` |
//! | stream lengths exact, no LZW (6.1.7) | `stream` |
//! | device colours only with an output intent (6.2.4.3) | the catalogue, with sRGB embedded |
//! | no interpolation, no alternate pictures (6.2.8) | absent |
//! | XMP with the part and level (6.6.2, 6.6.4) | [`super::xmp`]; there is no second place that could contradict it |
//! | no fonts, transparency, actions, files | absent |
//!
//! A scanner's JPEG is taken as it is (`DCTDecode`); other pictures are compressed without loss.

use ring::digest;

use super::{Buffer, Content, icc, png_page, xmp};
use crate::ScanError;
use crate::image::{Kind, Picture};

/// Version 1.7, and the comment that tells transport programs that this is no text.
const HEADER: &[u8] = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n";

const CATALOGUE: usize = 1;
const PAGES: usize = 2;
const METADATA: usize = 3;
const PROFILE: usize = 4;

/// A PDF file that is being written.
#[derive(Debug)]
pub(super) struct Writer {
    file: Buffer,
    /// Where each object begins; the first is object 1.
    places: Vec<usize>,
    pages: Vec<usize>,
}

impl Writer {
    pub(super) fn new(limit: usize, unix_millis: u64) -> Result<Self, ScanError> {
        let mut writer = Self {
            file: Buffer::new(limit),
            places: vec![0; PROFILE],
            pages: Vec::new(),
        };
        writer.file.push(HEADER)?;
        let catalogue = format!(
            "<</Type/Catalog/Pages {PAGES} 0 R/Metadata {METADATA} 0 R\
             /OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1\
             /OutputConditionIdentifier(sRGB)/Info(sRGB IEC61966-2.1)\
             /DestOutputProfile {PROFILE} 0 R>>]>>"
        );
        writer.object(CATALOGUE, &catalogue)?;
        let packet = xmp::packet(unix_millis);
        writer.stream(METADATA, "/Type/Metadata/Subtype/XML", &[packet.as_bytes()])?;
        let profile = icc::srgb();
        writer.stream(PROFILE, "/N 3/Alternate/DeviceRGB", &[&profile])?;
        Ok(writer)
    }

    pub(super) fn add(&mut self, content: Content<'_>, dpi: u32) -> Result<(), ScanError> {
        let picture = content.picture();
        let (image, drawing, page) = (self.number(), self.number(), self.number());
        match content {
            Content::Jpeg(bytes, _) => {
                let entries = format!("{}/Filter/DCTDecode", entries(picture));
                self.stream(image, &entries, &[bytes])?;
            }
            Content::Picture(picture) => self.lossless(image, picture, dpi)?,
        }
        let (width, height) = (points(picture.width(), dpi), points(picture.height(), dpi));
        let draw = format!("q {width} 0 0 {height} 0 0 cm /Im Do Q");
        self.stream(drawing, "", &[draw.as_bytes()])?;
        let entries = format!(
            "<</Type/Page/Parent {PAGES} 0 R/MediaBox[0 0 {width} {height}]\
             /Resources<</XObject<</Im {image} 0 R>>>>/Contents {drawing} 0 R>>"
        );
        self.object(page, &entries)?;
        self.pages.push(page);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<u8>, ScanError> {
        let kids: Vec<String> = self
            .pages
            .iter()
            .map(|page| format!("{page} 0 R"))
            .collect();
        let pages = format!(
            "<</Type/Pages/Count {}/Kids[{}]>>",
            kids.len(),
            kids.join(" ")
        );
        self.object(PAGES, &pages)?;
        let digest = digest::digest(&digest::SHA256, self.file.as_slice());
        let identifier: String = digest
            .as_ref()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02X}"))
            .collect();
        let start = self.file.len();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.places.len() + 1);
        for place in &self.places {
            table.push_str(&format!("{place:010} 00000 n \n"));
        }
        self.file.push(table.as_bytes())?;
        let trailer = format!(
            "trailer\n<</Size {}/Root {CATALOGUE} 0 R/ID[<{identifier}><{identifier}>]>>\n\
             startxref\n{start}\n%%EOF\n",
            self.places.len() + 1
        );
        self.file.push(trailer.as_bytes())?;
        Ok(self.file.take())
    }

    fn lossless(&mut self, number: usize, picture: &Picture, dpi: u32) -> Result<(), ScanError> {
        let room = self.file.limit.saturating_sub(self.file.len());
        let png = zeroize::Zeroizing::new(png_page::encode(picture, dpi, room)?);
        let data = png_page::image_data(&png).ok_or(ScanError::Writing { what: "PDF" })?;
        let (colours, bits) = match picture.kind() {
            Kind::Bilevel => (1, 1),
            Kind::Gray => (1, 8),
            Kind::Colour => (3, 8),
        };
        let entries = format!(
            "{}/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors {colours}\
             /BitsPerComponent {bits}/Columns {}>>",
            entries(picture),
            picture.width()
        );
        self.stream(number, &entries, &data)
    }

    /// The number of a new object.
    fn number(&mut self) -> usize {
        self.places.push(0);
        self.places.len()
    }

    fn object(&mut self, number: usize, content: &str) -> Result<(), ScanError> {
        self.begin(number)?;
        self.file.push(content.as_bytes())?;
        self.file.push(b"\nendobj\n")
    }

    fn stream(&mut self, number: usize, entries: &str, parts: &[&[u8]]) -> Result<(), ScanError> {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        self.begin(number)?;
        let head = format!("<<{entries}/Length {length}>>\nstream\n");
        self.file.push(head.as_bytes())?;
        for part in parts {
            self.file.push(part)?;
        }
        self.file.push(b"\nendstream\nendobj\n")
    }

    fn begin(&mut self, number: usize) -> Result<(), ScanError> {
        let here = self.file.len();
        if let Some(place) = self.places.get_mut(number - 1) {
            *place = here;
        }
        self.file.push(format!("{number} 0 obj\n").as_bytes())
    }
}

fn entries(picture: &Picture) -> String {
    let (space, bits) = match picture.kind() {
        Kind::Bilevel => ("DeviceGray", 1),
        Kind::Gray => ("DeviceGray", 8),
        Kind::Colour => ("DeviceRGB", 8),
    };
    format!(
        "/Type/XObject/Subtype/Image/Width {}/Height {}/ColorSpace/{space}/BitsPerComponent {bits}",
        picture.width(),
        picture.height()
    )
}

/// A length in points of 1/72 inch, with two places behind the point.
fn points(length: u32, dpi: u32) -> String {
    let hundredths = (u64::from(length) * 7200 + u64::from(dpi) / 2) / u64::from(dpi.max(1));
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
