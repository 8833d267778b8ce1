//! Documents on their way to a screen: a PNG, or the pages of a PDF, drawn as wide as the screen wants them.
//!
//! What is signed is what was shown, so a document that cannot be drawn *whole* is refused: a font that is not
//! in the file, a picture that does not decode, an encrypted file. A PDF whose fonts are embedded, as PDF/A
//! demands, draws the same everywhere.
//!
//! Drawing a PDF is the work of a foreign interpreter (`hayro`, pure Rust) on bytes from outside. It runs on a
//! thread of its own with a deadline, so a panic or an endless file costs that thread. A thread cannot be
//! killed: one that does not end lives until its process does, which a driver host may be killed for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use device_api::{Patience, Stop};
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_interpret::font::FontQuery;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::color::palette::css;
use hayro::{PixmapSettings, RenderCache, RenderSettings};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::picture::{Picture, PictureError, Sha256, sha256};

/// The longest document.
pub const MAX_BYTES: usize = 20 * 1024 * 1024;
/// The most pages.
pub const MAX_PAGES: usize = 50;
/// How long drawing may take, all pages together.
const MAX_TIME: Duration = Duration::from_secs(30);
/// A page is drawn at most three times as large as its points say: 216 dots in an inch.
const MAX_SCALE: f32 = 3.0;
const STACK: usize = 64 * 1024 * 1024;

/// What the document's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `image/png`: one page.
    Png,
    /// `application/pdf`.
    Pdf,
}

impl MediaType {
    /// The type of this name, where it can be shown.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "image/png" => Some(Self::Png),
            "application/pdf" => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// A document as it was handed in.
#[derive(Clone)]
pub struct Document {
    bytes: Arc<Zeroizing<Vec<u8>>>,
    media: MediaType,
}

impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({:?}, {} bytes)", self.media, self.bytes.len())
    }
}

/// Why a document is not shown.
#[derive(Debug, Error)]
pub enum DocumentError {
    /// Longer than [`MAX_BYTES`].
    #[error("document of {bytes} bytes is too long")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// No page, or more than [`MAX_PAGES`].
    #[error("document of {pages} pages is not shown")]
    Pages {
        /// How many pages it has.
        pages: usize,
    },
    /// A page cannot be a picture.
    #[error("page cannot be drawn")]
    Picture(#[source] PictureError),
    /// The bytes are no PDF, or a broken or encrypted one.
    #[error("PDF cannot be read")]
    Unreadable,
    /// A page uses a font that is not in the file, so letters would be missing or others.
    #[error("page {page} uses a font that is not in the file")]
    FontMissing {
        /// The page, from 1.
        page: usize,
    },
    /// A font, a picture or an annotation of a page cannot be drawn.
    #[error("page {page} has a part that cannot be drawn")]
    Incomplete {
        /// The page, from 1.
        page: usize,
    },
    /// The interpreter gave up.
    #[error("PDF interpreter failed")]
    Crashed,
    /// Drawing took too long.
    #[error("document takes too long to draw")]
    TooSlow,
    /// The work was stopped in the meantime.
    #[error("stopped while the document was drawn")]
    Stopped(Stop),
}

impl Document {
    /// A document of this type.
    ///
    /// # Errors
    /// [`DocumentError::TooLong`]; the content is looked at when it is drawn.
    pub fn new(bytes: Vec<u8>, media: MediaType) -> Result<Self, DocumentError> {
        let bytes = Zeroizing::new(bytes);
        if bytes.len() > MAX_BYTES {
            return Err(DocumentError::TooLong { bytes: bytes.len() });
        }
        Ok(Self {
            bytes: Arc::new(bytes),
            media,
        })
    }

    /// The hash of the bytes as they were handed in.
    #[must_use]
    pub fn sha256(&self) -> Sha256 {
        sha256(&self.bytes)
    }

    /// Draws the pages, at most `width` pixels wide, and hands each to `take` as soon as it is there.
    ///
    /// # Errors
    /// Says why the document is not shown, and what `take` says. Pages that were handed over before must then
    /// not be shown.
    pub fn draw<E: From<DocumentError>>(
        &self,
        width: u32,
        patience: &Patience,
        mut take: impl FnMut(Picture) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.media {
            MediaType::Png => {
                let picture = Picture::from_png(&self.bytes)
                    .and_then(|picture| picture.narrowed(width))
                    .map_err(DocumentError::Picture)?;
                take(picture)
            }
            MediaType::Pdf => self.draw_pdf(width, patience, take),
        }
    }

    fn draw_pdf<E: From<DocumentError>>(
        &self,
        width: u32,
        patience: &Patience,
        mut take: impl FnMut(Picture) -> Result<(), E>,
    ) -> Result<(), E> {
        // One page waits at most, so that memory holds no whole document of pictures.
        let (news, arrives) = mpsc::sync_channel(1);
        let (bytes, waker) = (Arc::clone(&self.bytes), news.clone());
        thread::Builder::new()
            .name("document".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                let drawn = AssertUnwindSafe(|| draw_all(&bytes, width, &news));
                let last = match catch_unwind(drawn) {
                    Ok(Ok(())) => News::Done,
                    Ok(Err(error)) => News::Failed(error),
                    Err(_panic) => News::Failed(DocumentError::Crashed),
                };
                // Nobody may be listening any more.
                drop(news.send(last));
            })
            .map_err(|_source| DocumentError::Crashed)?;
        // Where the channel is full, what it holds wakes the listener too.
        let _wake = patience.when_stopped(move || drop(waker.try_send(News::Woken)));
        let clock = Arc::clone(patience.clock());
        let started = clock.now();
        loop {
            patience.check().map_err(DocumentError::Stopped)?;
            let left = MAX_TIME
                .checked_sub(clock.now().since(started))
                .ok_or(DocumentError::TooSlow)?;
            match arrives.recv_timeout(left) {
                Ok(News::Page(picture)) => take(picture)?,
                Ok(News::Done) => return Ok(()),
                Ok(News::Failed(error)) => return Err(error.into()),
                Ok(News::Woken) => {}
                Err(_nothing) => return Err(DocumentError::TooSlow.into()),
            }
        }
    }
}

enum News {
    Page(Picture),
    Woken,
    Done,
    Failed(DocumentError),
}

fn draw_all(
    bytes: &Zeroizing<Vec<u8>>,
    width: u32,
    news: &mpsc::SyncSender<News>,
) -> Result<(), DocumentError> {
    // The interpreter mends what it can, and shows the rest as blank paper; a file that was cut off is known by
    // its missing end (ISO 32000-1, clause 7.5.5).
    let tail = bytes.len().saturating_sub(1024);
    let ended = bytes
        .get(tail..)
        .is_some_and(|tail| tail.windows(5).any(|window| window == b"%%EOF"));
    if !ended {
        return Err(DocumentError::Unreadable);
    }
    let pdf = Pdf::new(bytes.to_vec())
        .ok()
        .ok_or(DocumentError::Unreadable)?;
    let pages = pdf.pages();
    if !(1..=MAX_PAGES).contains(&pages.len()) {
        return Err(DocumentError::Pages { pages: pages.len() });
    }
    let cache = RenderCache::new();
    for (place, page) in pages.iter().enumerate() {
        let picture = draw_page(page, place + 1, width, &cache)?;
        if news.send(News::Page(picture)).is_err() {
            break;
        }
    }
    Ok(())
}

fn draw_page<'a>(
    page: &'a Page<'a>,
    number: usize,
    width: u32,
    cache: &RenderCache<'a>,
) -> Result<Picture, DocumentError> {
    let missing = Arc::new(AtomicBool::new(false));
    let incomplete = Arc::new(AtomicBool::new(false));
    let settings = InterpreterSettings {
        font_resolver: {
            let missing = Arc::clone(&missing);
            Arc::new(move |query| match query {
                // The fourteen fonts that every PDF viewer must have are built in.
                FontQuery::Standard(font) => Some(font.get_font_data()),
                FontQuery::Fallback(_) => {
                    missing.store(true, Ordering::Relaxed);
                    None
                }
            })
        },
        warning_sink: {
            let incomplete = Arc::clone(&incomplete);
            Arc::new(move |_| incomplete.store(true, Ordering::Relaxed))
        },
        ..InterpreterSettings::default()
    };
    if page.page_stream().is_none() {
        return Err(DocumentError::Incomplete { page: number });
    }
    let scale = scale_of(page, width).ok_or(DocumentError::Incomplete { page: number })?;
    let pixmap = hayro::render(
        page,
        cache,
        &settings,
        &RenderSettings::default(),
        &PixmapSettings {
            x_scale: scale,
            y_scale: scale,
            bg_color: css::WHITE,
        },
    );
    if missing.load(Ordering::Relaxed) {
        return Err(DocumentError::FontMissing { page: number });
    }
    if incomplete.load(Ordering::Relaxed) {
        return Err(DocumentError::Incomplete { page: number });
    }
    // Painted on white, every pixel is opaque.
    let rgb = pixmap
        .data_as_u8_slice()
        .as_chunks::<4>()
        .0
        .iter()
        .flat_map(|[red, green, blue, _]| [*red, *green, *blue])
        .collect();
    let (wide, high) = (u32::from(pixmap.width()), u32::from(pixmap.height()));
    Picture::from_rgb(wide, high, rgb).ok_or(DocumentError::Picture(PictureError::Size {
        width: wide,
        height: high,
    }))
}

/// How much a page is enlarged to be `width` pixels wide; `None` where it has no sensible size: the pixels are
/// counted before they are allocated.
fn scale_of(page: &Page<'_>, width: u32) -> Option<f32> {
    let (wide, high) = page.render_dimensions();
    let sensible = 1.0..=14_400.0;
    if !sensible.contains(&wide) || !sensible.contains(&high) {
        return None;
    }
    let wanted = f32::from(u16::try_from(width).ok()?);
    let scale = (wanted / wide).min(MAX_SCALE);
    (high * scale <= 8192.0 && wide * scale * high * scale <= 32.0e6).then_some(scale)
}

#[cfg(test)]
mod tests;
