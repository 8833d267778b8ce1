//! The files that a document becomes: PDF/A-2b, TIFF or PNG.
//!
//! Pages are written as they come, so that one uncompressed page is held at a time.
//! Invariant: the files of a document never have more bytes together than was asked for.

mod icc;
mod pdf;
mod png_page;
mod tiff_pages;
mod xmp;

use std::io;

use device_api::Secret;
use zeroize::Zeroizing;

use crate::ScanError;
use crate::image::Picture;
use crate::scanner::Format;

/// What of a page goes into the file.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// The picture, kept without loss.
    Picture(&'a Picture),
    /// The scanner's own JPEG, and the picture that it shows.
    Jpeg(&'a [u8], &'a Picture),
}

impl Content<'_> {
    /// The picture.
    const fn picture(&self) -> &Picture {
        match self {
            Self::Picture(picture) | Self::Jpeg(_, picture) => picture,
        }
    }
}

/// A document that is being written.
#[derive(Debug)]
pub struct Document {
    limit: usize,
    files: Files,
}

#[derive(Debug)]
enum Files {
    Pdf(pdf::Writer),
    Tiff(tiff_pages::Writer),
    Png(Vec<Secret>),
}

impl Document {
    /// A document without pages. `unix_millis` becomes its date.
    ///
    /// # Errors
    /// [`ScanError::TooLarge`] where not even an empty one fits.
    pub fn new(format: Format, limit: usize, unix_millis: u64) -> Result<Self, ScanError> {
        let files = match format {
            Format::PdfA => Files::Pdf(pdf::Writer::new(limit, unix_millis)?),
            Format::Tiff => Files::Tiff(tiff_pages::Writer::new(limit)?),
            Format::Png => Files::Png(Vec::new()),
        };
        Ok(Self { limit, files })
    }

    /// Adds a page.
    ///
    /// # Errors
    /// [`ScanError::TooLarge`] where the document exceeds its limit.
    pub fn add(&mut self, content: Content<'_>, dpi: u32) -> Result<(), ScanError> {
        match &mut self.files {
            Files::Pdf(writer) => writer.add(content, dpi),
            Files::Tiff(writer) => writer.add(content.picture(), dpi),
            Files::Png(files) => {
                let used: usize = files.iter().map(Secret::len).sum();
                let room = self.limit.saturating_sub(used);
                let page = png_page::encode(content.picture(), dpi, room)?;
                files.push(Secret::new(page));
                Ok(())
            }
        }
        .map_err(|error| self.explain(error))
    }

    /// The finished files.
    ///
    /// # Errors
    /// [`ScanError::TooLarge`] where the document exceeds its limit.
    pub fn finish(self) -> Result<Vec<Secret>, ScanError> {
        let limit = self.limit;
        match self.files {
            Files::Pdf(writer) => writer.finish(),
            Files::Tiff(writer) => writer.finish(),
            Files::Png(files) => return Ok(files),
        }
        .map(|file| vec![Secret::new(file)])
        .map_err(|error| explain(error, limit))
    }

    fn explain(&self, error: ScanError) -> ScanError {
        explain(error, self.limit)
    }
}

/// What is left in a file may be less than what all files may have; people are told the latter.
fn explain(error: ScanError, limit: usize) -> ScanError {
    if let ScanError::TooLarge { what, .. } = error {
        return ScanError::TooLarge { what, limit };
    }
    error
}

/// Bytes of a file, with an end.
pub(crate) struct Buffer {
    bytes: Zeroizing<Vec<u8>>,
    limit: usize,
}

impl Buffer {
    /// An empty one.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            bytes: Zeroizing::new(Vec::new()),
            limit,
        }
    }

    /// How many bytes there are.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Gives the bytes away.
    pub(crate) fn take(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes)
    }

    /// Adds bytes.
    pub(crate) fn push(&mut self, more: &[u8]) -> Result<(), ScanError> {
        if more.len() > self.limit.saturating_sub(self.bytes.len()) {
            return Err(ScanError::TooLarge {
                what: "bytes of output",
                limit: self.limit,
            });
        }
        // A vector that grows leaves a copy behind that nobody erases, so it is moved by hand.
        if self.bytes.capacity() - self.bytes.len() < more.len() {
            let wanted = (self.bytes.capacity() * 2).max(self.bytes.len() + more.len());
            let mut larger = Zeroizing::new(Vec::with_capacity(wanted.max(4096)));
            larger.extend_from_slice(&self.bytes);
            self.bytes = larger;
        }
        self.bytes.extend_from_slice(more);
        Ok(())
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer({} bytes)", self.len())
    }
}

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.push(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(_) => Err(io::Error::from(io::ErrorKind::FileTooLarge)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
