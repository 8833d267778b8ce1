//! The exact pictures that the citizen sees, one after the other, prepared before the first is shown.
//!
//! A document page that is taller than the screen becomes several pages, which overlap a little, so that text
//! stays as wide as the screen allows. The last page carries the signing area, under the end of the document.
//! A page keeps its PNG, whose hash is recorded; a pad's own bytes are made from it when it is shown.

use device_api::Patience;
use zeroize::Zeroizing;

use crate::document::{Document, DocumentError};
use crate::fault::TabletError;
use crate::layout::{HINT, Layout, Press, Surface};
use crate::picture::{Area, BLACK, Picture, Rgb, Sha256, WHITE, sha256};
use crate::text::Font;

/// The most pages, which is a hundred times what a counter's form has.
const MAX_SHOWN: usize = 400;
/// Two screens of one document page share this much, in hundredths of the screen: a line of text that one cuts is
/// whole on the next.
const OVERLAP: u32 = 8;
/// A document is drawn no wider than this on a monitor: a line of an A4 page becomes hard to follow.
const WIDEST: u32 = 1240;

const GREY: Rgb = [0x70, 0x70, 0x70];
const LIGHT: Rgb = [0xE6, 0xE6, 0xE6];

/// One page as it is shown.
#[derive(Clone)]
pub struct Page {
    /// Its number, from 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
    /// The page of the document that it shows, from 1.
    pub document_page: u32,
    /// The picture, as PNG.
    pub png: Zeroizing<Vec<u8>>,
    /// The hash of that PNG.
    pub png_sha256: Sha256,
    /// Where the citizen signs, in pixels of the picture.
    pub area: Option<Area>,
    pub(crate) buttons: Vec<(Press, Area)>,
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Page")
            .field("number", &self.number)
            .field("of", &self.of)
            .finish_non_exhaustive()
    }
}

impl Page {
    /// The buttons drawn in the picture, in pixels; none where the page that shows it has its own.
    #[must_use]
    pub fn buttons(&self) -> &[(Press, Area)] {
        &self.buttons
    }
}

/// Prepares all pages of a document for a screen; the last one is signed.
pub(crate) fn prepare(
    document: &Document,
    surface: Surface,
    font: Option<&Font>,
    patience: &Patience,
) -> Result<Vec<Page>, TabletError> {
    let mut press = Composer {
        surface,
        font,
        pages: Vec::new(),
        last: None,
        drawn: 0,
    };
    let width = surface.width.min(WIDEST);
    document.draw(width, patience, |picture| press.add(picture))?;
    press.finish()
}

/// A picture of one cross on white, for a tap to calibrate by.
pub(crate) fn target(surface: Surface, at: (f64, f64)) -> Result<Page, TabletError> {
    let mut picture = blank(surface)?;
    let place = |share: f64, length: u32| {
        let pixel = crate::mapping::whole(share * f64::from(length));
        u32::try_from(pixel).unwrap_or(0)
    };
    let (x, y) = (place(at.0, surface.width), place(at.1, surface.height));
    let arm = (surface.height / 30).max(4);
    let half = (arm / 8).max(1);
    let bar = |x: u32, y: u32, width, height| Area {
        x,
        y,
        width,
        height,
    };
    picture.fill(
        bar(
            x.saturating_sub(arm),
            y.saturating_sub(half),
            2 * arm,
            2 * half,
        ),
        BLACK,
    );
    picture.fill(
        bar(
            x.saturating_sub(half),
            y.saturating_sub(arm),
            2 * half,
            2 * arm,
        ),
        BLACK,
    );
    let mut page = page(&picture, 0, &surface.reading(true))?;
    page.buttons.clear();
    Ok(page)
}

struct Composer<'a> {
    surface: Surface,
    font: Option<&'a Font>,
    pages: Vec<Page>,
    /// The last page of the document, which also stands above the signing area.
    last: Option<Picture>,
    drawn: u32,
}

impl Composer<'_> {
    fn add(&mut self, picture: Picture) -> Result<(), TabletError> {
        if let Some(before) = self.last.take() {
            self.read(&before)?;
        }
        self.last = Some(picture);
        self.drawn += 1;
        Ok(())
    }

    /// Makes the pages on which one page of the document is read.
    fn read(&mut self, picture: &Picture) -> Result<(), TabletError> {
        let height = self.surface.reading(false).document.height;
        let step = height - height * OVERLAP / 100;
        let mut top = 0;
        loop {
            if self.pages.len() >= MAX_SHOWN {
                let pages = self.pages.len();
                return Err(DocumentError::Pages { pages }.into());
            }
            let layout = self.surface.reading(self.pages.is_empty());
            let made = self.compose(picture, top, &layout)?;
            self.pages.push(made);
            top += step;
            if top + (height - step) >= picture.height() {
                return Ok(());
            }
        }
    }

    fn finish(mut self) -> Result<Vec<Page>, TabletError> {
        let Some(last) = self.last.take() else {
            return Err(DocumentError::Pages { pages: 0 }.into());
        };
        let room = self.surface.signing(true).document.height;
        // A short document stands wholly above the area, and needs no page of its own.
        if last.height() > room || !self.pages.is_empty() {
            self.read(&last)?;
        }
        let layout = self.surface.signing(self.pages.is_empty());
        let top = last.height().saturating_sub(layout.document.height);
        let sign = self.compose(&last, top, &layout)?;
        self.pages.push(sign);
        let of = u32::try_from(self.pages.len()).unwrap_or(u32::MAX);
        for (page, number) in self.pages.iter_mut().zip(1..) {
            page.number = number;
            page.of = of;
        }
        Ok(self.pages)
    }

    fn compose(&self, document: &Picture, top: u32, layout: &Layout) -> Result<Page, TabletError> {
        let mut picture = blank(self.surface)?;
        let room = layout.document;
        let centred = Area {
            x: room.width.saturating_sub(document.width()) / 2,
            ..room
        };
        picture.paste(document, top, centred);
        if let Some(area) = layout.sign {
            self.draw_area(&mut picture, area);
        }
        for (press, area) in &layout.buttons {
            picture.fill(*area, LIGHT);
            picture.frame(*area, 2, BLACK);
            self.write(&mut picture, press.label(), *area, BLACK);
        }
        page(&picture, self.drawn, layout)
    }

    fn draw_area(&self, picture: &mut Picture, area: Area) {
        picture.fill(area, WHITE);
        picture.frame(area, 2, BLACK);
        let line = Area {
            x: area.x + area.width / 10,
            y: area.y + area.height * 4 / 5,
            width: area.width * 4 / 5,
            height: 1,
        };
        picture.fill(line, GREY);
        let hint = Area {
            height: area.height / 5,
            ..area
        };
        self.write(picture, HINT, hint.inset(2), GREY);
    }

    fn write(&self, picture: &mut Picture, word: &str, area: Area, colour: Rgb) {
        if let Some(font) = self.font {
            let size = f32::from(u16::try_from(area.height / 2).unwrap_or(u16::MAX)).min(40.0);
            font.draw(picture, word, area.inset(4), size.max(12.0), colour);
        }
    }
}

fn blank(surface: Surface) -> Result<Picture, TabletError> {
    Picture::plain(surface.width, surface.height, WHITE)
        .map_err(|source| DocumentError::Picture(source).into())
}

fn page(picture: &Picture, document_page: u32, layout: &Layout) -> Result<Page, TabletError> {
    let png = Zeroizing::new(picture.to_png().map_err(DocumentError::Picture)?);
    Ok(Page {
        number: 1,
        of: 1,
        document_page,
        png_sha256: sha256(&png),
        png,
        area: layout.sign,
        buttons: layout.buttons.clone(),
    })
}

#[cfg(test)]
mod tests;
