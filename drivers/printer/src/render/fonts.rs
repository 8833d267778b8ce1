//! Font files, and the glyph for each cluster of characters.
//!
//! A cluster is a character with its variation selectors and combining marks.
//! Each is looked up alone, in one font after the other: BIZ UDGothic lacks 𠮷 (U+20BB7), IPAmj Mincho
//! has it. A variation sequence is resolved through the font's table of variation sequences (cmap format 14) and is never
//! dropped: 葛󠄀 and 葛 are two names.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ab_glyph::{Font as _, FontRef, ScaleFont as _};
use thiserror::Error;
use ttf_parser::Face;

use crate::raster::Raster;

/// The longest font file that is read. IPAmj Mincho has 46 MB.
const LONGEST_FILE: u64 = 128 << 20;

/// The fonts that tickets are drawn with. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Fonts {
    regular: Vec<FontFile>,
    bold: Vec<FontFile>,
}

/// Why there are no fonts.
#[derive(Debug, Error)]
pub enum FontError {
    /// None of the files exists.
    #[error("none of the {count} font files exists")]
    NoneFound {
        /// How many were looked for.
        count: usize,
    },
    /// A file is no font.
    #[error("{path} is no font that can be read")]
    NoFont {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("{path} cannot be read")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Fonts {
    /// The fonts of these files, in the order in which they are looked through.
    ///
    /// Files that do not exist are passed over; the others are read when a character first needs them,
    /// but the first is read now.
    ///
    /// # Errors
    /// Where none exists, or the first is no font.
    pub fn load(regular: &[PathBuf], bold: &[PathBuf]) -> Result<Self, FontError> {
        let existing = |paths: &[PathBuf]| -> Vec<FontFile> {
            let found = paths.iter().filter(|path| path.is_file());
            found.map(|path| FontFile::at(path)).collect()
        };
        let count = regular.len();
        let (regular, bold) = (existing(regular), existing(bold));
        let first = regular.first().ok_or(FontError::NoneFound { count })?;
        first.bytes()?;
        Ok(Self { regular, bold })
    }

    /// The glyph of a cluster, or `None` where no font has it.
    pub(crate) fn glyph(&self, cluster: &Cluster, bold: bool) -> Option<Glyph> {
        let bold_files = self.bold.iter().filter(|_| bold);
        let candidates = bold_files
            .map(|file| (file, false))
            .chain(self.regular.iter().map(|file| (file, bold)));
        candidates.into_iter().find_map(|(file, thicken)| {
            // A file that broke since the start has no glyphs; the character is then reported as missing.
            let bytes = file.bytes().ok()?;
            let face = Face::parse(bytes, 0).ok()?;
            let id = cluster.look_up(&face)?;
            Some(Glyph {
                file: file.clone(),
                id: id.0,
                thicken,
            })
        })
    }
}

/// One font file, read when it is first needed.
#[derive(Clone)]
struct FontFile {
    path: Arc<PathBuf>,
    bytes: Arc<OnceLock<Vec<u8>>>,
}

impl std::fmt::Debug for FontFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "FontFile({})", self.path.display())
    }
}

impl FontFile {
    fn at(path: &Path) -> Self {
        Self {
            path: Arc::new(path.to_path_buf()),
            bytes: Arc::default(),
        }
    }

    fn bytes(&self) -> Result<&[u8], FontError> {
        if let Some(bytes) = self.bytes.get() {
            return Ok(bytes);
        }
        let unreadable = |source| FontError::Unreadable {
            path: self.path.to_path_buf(),
            source,
        };
        let mut bytes = Vec::new();
        let file = File::open(&*self.path).map_err(unreadable)?;
        let read = file.take(LONGEST_FILE).read_to_end(&mut bytes);
        read.map_err(unreadable)?;
        if Face::parse(&bytes, 0).is_err() || FontRef::try_from_slice(&bytes).is_err() {
            return Err(FontError::NoFont {
                path: self.path.to_path_buf(),
            });
        }
        Ok(self.bytes.get_or_init(|| bytes))
    }
}

/// A character with what belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Cluster {
    pub(crate) base: char,
    selector: Option<char>,
    /// Where it begins in the text, in characters.
    pub(crate) place: usize,
}

impl Cluster {
    /// Divides a text; what cannot be one glyph is returned as its place.
    pub(crate) fn divide(text: &str) -> Result<Vec<Self>, usize> {
        let mut clusters: Vec<Self> = Vec::new();
        for (place, character) in text.chars().enumerate() {
            let last = clusters.last_mut();
            match (last, character) {
                (_, '\n') => clusters.push(Self::of('\n', place)),
                (Some(last), selector) if is_selector(selector) && last.selector.is_none() => {
                    last.selector = Some(selector);
                }
                (Some(last), mark) if is_mark(mark) && last.selector.is_none() => {
                    // The composed form where there is one: か and its mark are が. Ideographs are left
                    // alone, because composing turns some variants of names into their plain form.
                    last.base =
                        unicode_normalization::char::compose(last.base, mark).ok_or(place)?;
                }
                (_, character) if is_selector(character) || is_mark(character) => {
                    return Err(place);
                }
                (_, character) if character.is_control() => return Err(place),
                (_, character) => clusters.push(Self::of(character, place)),
            }
        }
        Ok(clusters)
    }

    const fn of(base: char, place: usize) -> Self {
        Self {
            base,
            selector: None,
            place,
        }
    }

    fn look_up(&self, face: &Face<'_>) -> Option<ttf_parser::GlyphId> {
        match self.selector {
            Some(selector) => face.glyph_variation_index(self.base, selector),
            None => face.glyph_index(self.base).filter(|id| id.0 != 0),
        }
    }
}

/// Standardized and ideographic variation selectors.
const fn is_selector(character: char) -> bool {
    matches!(character, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Marks that belong to the character before: Latin accents, and the two of kana.
const fn is_mark(character: char) -> bool {
    matches!(character, '\u{0300}'..='\u{036F}' | '\u{3099}' | '\u{309A}')
}

/// A glyph of one of the fonts.
#[derive(Clone)]
pub(crate) struct Glyph {
    file: FontFile,
    id: u16,
    thicken: bool,
}

impl Glyph {
    /// How far the next glyph stands to the right, in dots, where a square letter has `em` dots.
    pub(crate) fn advance(&self, em: f32) -> f32 {
        self.with_font(|font| {
            let scale = Self::scale(font, em);
            font.as_scaled(scale).h_advance(ab_glyph::GlyphId(self.id))
        })
        .unwrap_or(em)
    }

    /// Blackens the glyph's dots, with its origin at the given place.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "places of dots on a picture of at most some thousand rows"
    )]
    pub(crate) fn draw(&self, raster: &mut Raster, em: f32, (x, baseline): (f32, f32)) {
        let drawn = self.with_font(|font| {
            let scale = Self::scale(font, em);
            let place = ab_glyph::point(x.round(), baseline.round());
            let glyph = ab_glyph::GlyphId(self.id).with_scale_and_position(scale, place);
            let Some(outline) = font.outline_glyph(glyph) else {
                return;
            };
            let corner = outline.px_bounds().min;
            outline.draw(|dx, dy, coverage| {
                let (left, top) = (corner.x + dx as f32, corner.y + dy as f32);
                // Thermal dots are black or white: half covered is black.
                if coverage >= 0.5 && left >= 0.0 && top >= 0.0 {
                    raster.blacken(left as usize, top as usize);
                    if self.thicken {
                        raster.blacken(left as usize + 1, top as usize);
                    }
                }
            });
        });
        debug_assert!(drawn.is_some(), "a glyph's font was parsed before");
    }

    fn with_font<T>(&self, work: impl FnOnce(&FontRef<'_>) -> T) -> Option<T> {
        let bytes = self.file.bytes().ok()?;
        FontRef::try_from_slice(bytes).ok().map(|font| work(&font))
    }

    /// `ab_glyph` scales by the height from ascent to descent; typography by the em.
    fn scale(font: &FontRef<'_>, em: f32) -> ab_glyph::PxScale {
        let units = font.units_per_em().unwrap_or(1000.0);
        ab_glyph::PxScale::from(em * font.height_unscaled() / units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fonts() -> Fonts {
        Fonts::load(&crate::platform::fonts(), &crate::platform::bold_fonts()).unwrap()
    }

    fn glyphs(text: &str) -> Vec<Option<(PathBuf, u16)>> {
        let fonts = fonts();
        let clusters = Cluster::divide(text).unwrap();
        let found = clusters.iter().map(|cluster| fonts.glyph(cluster, false));
        found
            .map(|glyph| glyph.map(|glyph| (glyph.file.path.to_path_buf(), glyph.id)))
            .collect()
    }

    #[test]
    fn rare_names_are_found_in_the_second_font() {
        let found = glyphs("山𠮷髙﨑𣘺邉");
        let ipamj = |at: usize| found[at].as_ref().unwrap().0.ends_with("ipamjm.ttf");
        assert!(!ipamj(0) && ipamj(1) && !ipamj(2));
        assert!(found.iter().all(Option::is_some));
    }

    #[test]
    fn a_variation_selector_chooses_another_glyph_and_is_never_dropped() {
        let found = glyphs("辻辻\u{E0100}辻\u{E0101}");
        assert_eq!(found.len(), 3);
        let ids: Vec<_> = found.iter().map(|found| found.clone().unwrap()).collect();
        assert_ne!(ids[1], ids[2]);
        // No font knows this sequence, so there is no glyph, although there is one for the plain letter.
        assert_eq!(glyphs("山\u{E01EF}"), [None]);
    }

    #[test]
    fn marks_are_composed_or_refused_by_place() {
        assert_eq!(glyphs("か\u{3099}"), glyphs("が"));
        assert_eq!(glyphs("e\u{0301}"), glyphs("é"));
        assert_eq!(Cluster::divide("あ\u{0301}").err(), Some(1));
        assert_eq!(Cluster::divide("\u{E0100}").err(), Some(0));
        assert_eq!(Cluster::divide("a\tb").err(), Some(1));
    }

    #[test]
    fn what_no_font_has_is_not_a_box() {
        assert_eq!(glyphs("\u{1F600}\u{E000}"), [None, None]);
    }

    #[test]
    fn files_that_are_no_fonts_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ttf");
        std::fs::write(&path, b"no font").unwrap();
        assert!(matches!(
            Fonts::load(&[path], &[]),
            Err(FontError::NoFont { .. })
        ));
        let absent = folder.path().join("b.ttf");
        assert!(matches!(
            Fonts::load(&[absent], &[]),
            Err(FontError::NoneFound { count: 1 })
        ));
    }
}
