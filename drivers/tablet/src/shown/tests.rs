//! Pages as they are composed: how many, which parts of the document, what is drawn.

use std::sync::Arc;
use std::time::Duration;

use device_api::{Deadline, Moment, SystemClock};

use super::*;
use crate::MediaType;
use crate::layout::WORDS;
use crate::text::DEFAULT_FONT;

const PAD: Surface = Surface {
    width: 800,
    height: 480,
    buttons: true,
};
const MONITOR: Surface = Surface {
    width: 1920,
    height: 1080,
    buttons: false,
};

fn patience() -> Patience {
    let hour = Deadline::at(Moment::after_origin(Duration::from_secs(3600)));
    Patience::new(Arc::new(SystemClock::new()), hour)
}

fn font() -> Font {
    Font::open(DEFAULT_FONT.as_ref(), WORDS).unwrap()
}

fn pages(bytes: &[u8], media: MediaType, surface: Surface) -> Vec<Page> {
    let document = Document::new(bytes.to_vec(), media).unwrap();
    let font = font();
    let font = surface.buttons.then_some(&font);
    prepare(&document, surface, font, &patience()).unwrap()
}

/// A picture whose rows all differ: the row's number in red and green.
fn striped(height: u32) -> Picture {
    let rgb = (0..height)
        .flat_map(|row| {
            let [low, high, ..] = row.to_le_bytes();
            [low, high, 1].repeat(300)
        })
        .collect();
    Picture::from_rgb(300, height, rgb).unwrap()
}

fn rows_of(page: &Page) -> Vec<u32> {
    let picture = Picture::from_png(&page.png).unwrap();
    (0..picture.height())
        .filter_map(|y| picture.pixel(picture.width() / 2, y))
        .filter(|pixel| pixel[2] == 1)
        .map(|[low, high, _]| u32::from_le_bytes([low, high, 0, 0]))
        .collect()
}

#[test]
fn a_short_document_stands_above_the_signing_area_alone() {
    let png = striped(100).to_png().unwrap();
    for surface in [PAD, MONITOR] {
        let pages = pages(&png, MediaType::Png, surface);
        assert_eq!(pages.len(), 1);
        assert!(pages[0].area.is_some());
        assert_eq!(rows_of(&pages[0]), (0..100).collect::<Vec<_>>());
    }
}

#[test]
fn every_row_of_a_long_document_is_shown_and_the_last_page_is_signed() {
    for height in [179, 300, 408, 409, 1000, 1131] {
        let png = striped(height).to_png().unwrap();
        let pages = pages(&png, MediaType::Png, PAD);
        let (sign, read) = pages.split_last().unwrap();
        assert!(sign.area.is_some() && read.iter().all(|page| page.area.is_none()));
        let mut seen: Vec<u32> = pages.iter().flat_map(rows_of).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, (0..height).collect::<Vec<_>>(), "{height}");
        assert_eq!(rows_of(sign).last(), Some(&(height - 1)));
        let numbers: Vec<(u32, u32)> = pages.iter().map(|page| (page.number, page.of)).collect();
        let of = u32::try_from(pages.len()).unwrap();
        assert_eq!(numbers, (1..=of).map(|n| (n, of)).collect::<Vec<_>>());
    }
}

#[test]
fn what_one_screen_cuts_is_whole_on_the_next() {
    let png = striped(1131).to_png().unwrap();
    let pages = pages(&png, MediaType::Png, PAD);
    let (_, read) = pages.split_last().unwrap();
    for pair in read.windows(2) {
        let (before, after) = (rows_of(&pair[0]), rows_of(&pair[1]));
        let shared = before.iter().filter(|row| after.contains(row)).count();
        assert_eq!(shared, 32, "8 percent of 408 rows");
    }
}

#[test]
fn a_pdf_of_three_pages_is_read_page_by_page() {
    let bytes = include_bytes!("../../data/form-ja-3.pdf");
    for surface in [PAD, MONITOR] {
        let pages = pages(bytes, MediaType::Pdf, surface);
        let mut of_document: Vec<u32> = pages.iter().map(|page| page.document_page).collect();
        assert!(of_document.is_sorted());
        of_document.dedup();
        assert_eq!(of_document, [1, 2, 3]);
    }
}

#[test]
fn buttons_have_words_on_a_pad_and_are_absent_on_a_monitor() {
    let png = striped(100).to_png().unwrap();
    let pad = pages(&png, MediaType::Png, PAD).remove(0);
    let presses: Vec<Press> = pad.buttons.iter().map(|(press, _)| *press).collect();
    assert_eq!(presses, [Press::Decline, Press::Redo, Press::Confirm]);
    let picture = Picture::from_png(&pad.png).unwrap();
    for (press, area) in &pad.buttons {
        let within = area.inset(4);
        let dark = (within.y..within.bottom())
            .flat_map(|y| (within.x..within.right()).map(move |x| (x, y)))
            .filter(|(x, y)| picture.pixel(*x, *y).unwrap()[0] < 0x60)
            .count();
        assert!(dark > 100, "{press:?} has {dark} dark pixels");
    }
    assert!(pages(&png, MediaType::Png, MONITOR)[0].buttons.is_empty());
}

#[test]
fn a_hash_is_of_the_picture_that_is_shown() {
    let png = striped(100).to_png().unwrap();
    let page = pages(&png, MediaType::Png, PAD).remove(0);
    assert_eq!(page.png_sha256, sha256(&page.png));
    let again = pages(&png, MediaType::Png, PAD).remove(0);
    assert_eq!(again.png_sha256, page.png_sha256);
}

#[test]
fn a_font_without_the_letters_is_refused() {
    let latin = "/usr/share/fonts/X11/Type1/C059-Roman.pfb";
    assert!(Font::open(latin.as_ref(), WORDS).is_err());
    assert!(Font::open("/nonexistent".as_ref(), WORDS).is_err());
}

#[test]
fn a_cross_stands_where_it_is_wanted() {
    let page = target(MONITOR, (0.9, 0.1)).unwrap();
    let picture = Picture::from_png(&page.png).unwrap();
    assert_eq!(picture.pixel(1728, 108), Some(BLACK));
    assert_eq!(picture.pixel(960, 540), Some(WHITE));
    assert!(page.area.is_none() && page.buttons.is_empty());
}
