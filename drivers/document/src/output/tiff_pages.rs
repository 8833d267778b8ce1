//! Pages as TIFF 6.0, several in one file, compressed by LZW.
//!
//! LZW is part of the baseline that old document systems read; the encoder has no CCITT group 4, so
//! black and white pages are stored with eight bits a sample.

use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tiff::TiffError;
use tiff::encoder::{Compression, Rational, TiffEncoder, colortype};
use tiff::tags::ResolutionUnit;

use crate::ScanError;
use crate::image::{Kind, Picture};

/// A TIFF file that is being written.
pub(super) struct Writer {
    encoder: TiffEncoder<Sink>,
    sink: Sink,
}

impl Writer {
    pub(super) fn new(limit: usize) -> Result<Self, ScanError> {
        let sink = Sink {
            file: Arc::default(),
            limit,
        };
        let encoder = TiffEncoder::new(sink.clone())
            .map_err(|error| sink.explain(&error))?
            .with_compression(Compression::Lzw);
        Ok(Self { encoder, sink })
    }

    pub(super) fn add(&mut self, picture: &Picture, dpi: u32) -> Result<(), ScanError> {
        let outcome = match picture.kind() {
            Kind::Bilevel | Kind::Gray => self.page::<colortype::Gray8>(picture, dpi),
            Kind::Colour => self.page::<colortype::RGB8>(picture, dpi),
        };
        outcome.map_err(|error| self.sink.explain(&error))
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, ScanError> {
        drop(self.encoder);
        Ok(std::mem::take(self.sink.file().get_mut()))
    }

    fn page<C: colortype::ColorType<Inner = u8>>(
        &mut self,
        picture: &Picture,
        dpi: u32,
    ) -> Result<(), TiffError> {
        let mut image = self
            .encoder
            .new_image::<C>(picture.width(), picture.height())?;
        image.resolution(ResolutionUnit::Inch, Rational { n: dpi, d: 1 });
        image.write_data(picture.samples())
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

/// The file, which the encoder does not give back; hence shared with it.
#[derive(Clone)]
struct Sink {
    file: Arc<Mutex<Cursor<Vec<u8>>>>,
    limit: usize,
}

impl Sink {
    fn file(&self) -> MutexGuard<'_, Cursor<Vec<u8>>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn explain(&self, error: &TiffError) -> ScanError {
        match error {
            TiffError::IoError(_) => ScanError::TooLarge {
                what: "bytes of output",
                limit: self.limit,
            },
            TiffError::FormatError(_)
            | TiffError::UnsupportedError(_)
            | TiffError::LimitsExceeded
            | TiffError::IntSizeError
            | TiffError::UsageError(_) => ScanError::Writing { what: "TIFF" },
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.file();
        let end = usize::try_from(file.position())
            .unwrap_or(usize::MAX)
            .saturating_add(bytes.len());
        if end > self.limit {
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Sink {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file().seek(to)
    }
}
