//! A Japanese form of another program, drawn as another program draws it; documents that must not be shown.

use std::sync::Arc;

use device_api::{Deadline, Moment, SystemClock};

use super::*;

const FORM: &[u8] = include_bytes!("../../data/form-ja.pdf");
const FORM_OF_THREE: &[u8] = include_bytes!("../../data/form-ja-3.pdf");
const BY_POPPLER: &[u8] = include_bytes!("../../data/form-ja-poppler.png");

fn patience() -> Patience {
    let hour = Deadline::at(Moment::after_origin(Duration::from_secs(3600)));
    Patience::new(Arc::new(SystemClock::new()), hour)
}

fn draw(bytes: &[u8], media: MediaType, width: u32) -> Result<Vec<Picture>, DocumentError> {
    let mut pictures = Vec::new();
    Document::new(bytes.to_vec(), media)?.draw(width, &patience(), |picture| {
        pictures.push(picture);
        Ok::<(), DocumentError>(())
    })?;
    Ok(pictures)
}

/// How dark a picture is in each of 24 x 32 fields, 0 to 255.
fn darkness(picture: &Picture) -> Vec<u8> {
    let (columns, rows) = (24, 32);
    let mut fields = Vec::new();
    for row in 0..rows {
        for column in 0..columns {
            let (mut sum, mut count) = (0, 0);
            for y in picture.height() * row / rows..picture.height() * (row + 1) / rows {
                for x in
                    picture.width() * column / columns..picture.width() * (column + 1) / columns
                {
                    let [red, green, blue] = picture.pixel(x, y).unwrap();
                    sum += 255 - (u32::from(red) + u32::from(green) + u32::from(blue)) / 3;
                    count += 1;
                }
            }
            fields.push(u8::try_from(sum / count).unwrap());
        }
    }
    fields
}

#[test]
fn a_japanese_form_with_its_font_in_it_is_drawn_as_poppler_draws_it() {
    let reference = Picture::from_png(BY_POPPLER).unwrap();
    let drawn = draw(FORM, MediaType::Pdf, reference.width())
        .unwrap()
        .remove(0);
    assert!(drawn.height().abs_diff(reference.height()) <= 1);
    let (ours, theirs) = (darkness(&drawn), darkness(&reference));
    assert!(
        theirs.iter().filter(|dark| **dark > 20).count() > 100,
        "the form has text"
    );
    for (place, (our, their)) in ours.iter().zip(&theirs).enumerate() {
        assert!(our.abs_diff(*their) < 16, "field {place}: {our} {their}");
    }
}

#[test]
fn the_same_document_gives_the_same_picture() {
    let png = |_| {
        draw(FORM, MediaType::Pdf, 800).unwrap()[0]
            .to_png()
            .unwrap()
    };
    assert_eq!(sha256(&png(1)), sha256(&png(2)));
}

#[test]
fn every_page_is_drawn_at_the_width_that_is_wanted() {
    let sizes: Vec<(u32, bool)> = draw(FORM_OF_THREE, MediaType::Pdf, 800)
        .unwrap()
        .iter()
        .map(|page| (page.width(), page.height() > 1100))
        .collect();
    // A part of a pixel is no pixel.
    assert!(
        sizes
            .iter()
            .all(|(width, tall)| (799..=800).contains(width) && *tall),
        "{sizes:?}"
    );
    assert_eq!(sizes.len(), 3);
}

/// A PDF of one page whose text uses a font of this dictionary.
fn pdf_with(font: &str) -> Vec<u8> {
    format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
         2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]/Contents 4 0 R\
         /Resources<</Font<</F1 {font}>>>>>>endobj\n\
         4 0 obj<</Length 38>>stream\nBT /F1 18 Tf 20 40 Td <00410042> Tj ET\nendstream endobj\n\
         trailer<</Root 1 0 R>>\n%%EOF\n"
    )
    .into_bytes()
}

#[test]
fn a_font_that_is_not_in_the_file_is_refused_rather_than_guessed() {
    let japanese = "<</Type/Font/Subtype/Type0/BaseFont/MS-Mincho/Encoding/UniJIS-UCS2-H/DescendantFonts\
         [<</Type/Font/Subtype/CIDFontType2/BaseFont/MS-Mincho/CIDSystemInfo\
         <</Registry(Adobe)/Ordering(Japan1)/Supplement 2>>/FontDescriptor\
         <</Type/FontDescriptor/FontName/MS-Mincho/Flags 4>>>>]>>";
    let refused = draw(&pdf_with(japanese), MediaType::Pdf, 400);
    assert!(
        matches!(
            refused,
            Err(DocumentError::FontMissing { page: 1 } | DocumentError::Incomplete { page: 1 })
        ),
        "{refused:?}"
    );
    let standard = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>";
    assert_eq!(
        draw(&pdf_with(standard), MediaType::Pdf, 400)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn what_is_no_document_is_refused() {
    for (bytes, media) in [
        (&b"not a pdf"[..], MediaType::Pdf),
        (&FORM[..400], MediaType::Pdf),
        (&b""[..], MediaType::Pdf),
        (FORM, MediaType::Png),
        (&b"\x89PNG\r\n\x1a\n"[..], MediaType::Png),
    ] {
        let outcome = draw(bytes, media, 800);
        assert!(outcome.is_err(), "{media:?} {}", bytes.len());
    }
    let long = Document::new(vec![0; MAX_BYTES + 1], MediaType::Pdf);
    assert!(matches!(long, Err(DocumentError::TooLong { .. })));
    assert_eq!(MediaType::named("text/html"), None);
}

#[test]
fn damage_anywhere_ends_in_a_picture_or_an_error() {
    for at in (0..FORM.len()).step_by(FORM.len() / 24) {
        let mut damaged = FORM.to_vec();
        for byte in damaged.iter_mut().skip(at).take(9) {
            *byte = byte.wrapping_add(0x41);
        }
        drop(draw(&damaged, MediaType::Pdf, 200));
    }
}

#[test]
fn a_page_of_absurd_size_is_refused_before_it_is_drawn() {
    let huge = String::from_utf8(pdf_with("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"))
        .unwrap()
        .replace("[0 0 200 100]", "[0 0 1 90000]");
    assert!(draw(huge.as_bytes(), MediaType::Pdf, 800).is_err());
}

#[test]
fn a_cancelled_drawing_ends() {
    let patience = patience();
    patience.stop();
    let document = Document::new(FORM.to_vec(), MediaType::Pdf).unwrap();
    let outcome = document.draw(800, &patience, |_| Ok::<(), DocumentError>(()));
    assert!(matches!(
        outcome,
        Err(DocumentError::Stopped(Stop::Cancelled))
    ));
}

#[test]
fn a_document_shows_nothing_of_itself() {
    let document = Document::new(b"secret".to_vec(), MediaType::Png).unwrap();
    assert_eq!(format!("{document:?}"), "Document(Png, 6 bytes)");
}
