//! Log lines on the disk, for a bounded time and in a bounded space.
//!
//! A file is named by the second in which it began, `agentd-1795219200.log`, and takes 1 MiB or three days,
//! whichever ends first; eight are kept, and none whose beginning is thirty days ago.
//! Nothing here leaves the machine: only the command `diagnostics` reads it, through the fences of
//! [`commands::bundle`].
//! Invariant: writing never fails outwards and never logs, because it is the log.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use device_api::Clock;

use crate::platform;

/// The longest file, in bytes.
const FILE_BYTES: u64 = 1 << 20;
/// How long a file takes lines, in seconds.
const FILE_AGE: u64 = 3 * 86_400;
/// The most files.
const FILES: usize = 8;
/// How long a file is kept after its beginning, in seconds.
const KEPT: u64 = 30 * 86_400;

/// The files of a log.
#[derive(Debug)]
pub struct Book {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    page: Option<Page>,
}

/// The file that takes lines.
#[derive(Debug)]
struct Page {
    began: u64,
    length: u64,
    file: File,
}

impl Book {
    /// Opens the log in a folder, or begins one, and deletes what is too old.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: PathBuf, clock: Arc<dyn Clock>) -> io::Result<Self> {
        platform::make_private_dir(&folder)?;
        let newest = pages(&folder)?.pop_last();
        let mut book = Self {
            folder,
            clock,
            page: None,
        };
        if let Some((began, path)) = newest {
            let file = File::options().append(true).open(path)?;
            let length = file.metadata()?.len();
            book.page = Some(Page {
                began,
                length,
                file,
            });
        }
        book.tidy();
        Ok(book)
    }

    /// Writes a line.
    pub fn write(&mut self, line: &[u8]) {
        let now = self.now();
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        let full = |page: &Page| {
            page.length.saturating_add(length) > FILE_BYTES
                || now.saturating_sub(page.began) >= FILE_AGE
        };
        if self.page.as_ref().is_none_or(full) {
            self.page = self.turn(now);
            self.tidy();
        }
        if let Some(page) = &mut self.page {
            match page.file.write_all(line) {
                Ok(()) => page.length = page.length.saturating_add(length),
                // A full disk; the next line tries a page of its own.
                Err(_error) => self.page = None,
            }
        }
    }

    /// Deletes what is too much or too old.
    pub fn tidy(&mut self) {
        let Ok(mut pages) = pages(&self.folder) else {
            return;
        };
        let oldest = self.now().saturating_sub(KEPT);
        while let Some((began, path)) = pages.pop_first() {
            if pages.len() < FILES && began >= oldest {
                return;
            }
            if self.page.as_ref().is_some_and(|page| page.began == began) {
                self.page = None;
            }
            // What cannot be deleted now is too old the next time too.
            let (Ok(()) | Err(_)) = std::fs::remove_file(path);
        }
    }

    fn turn(&self, now: u64) -> Option<Page> {
        // Full within a second, or after a clock that went back: the next second that is free.
        let newest = pages(&self.folder).ok()?.pop_last();
        let began = newest.map_or(now, |(began, _path)| now.max(began.saturating_add(1)));
        let path = self.folder.join(format!("agentd-{began}.log"));
        let file = platform::private_file().append(true).open(path).ok()?;
        Some(Page {
            began,
            length: 0,
            file,
        })
    }

    fn now(&self) -> u64 {
        self.clock.unix_millis() / 1000
    }
}

/// The newest lines of the log in a folder, the oldest of them first.
///
/// # Errors
/// The folder or a file cannot be read.
pub(crate) fn newest(folder: &Path, most: usize) -> io::Result<Vec<String>> {
    let mut lines = VecDeque::new();
    for path in pages(folder)?.values() {
        for line in BufReader::new(File::open(path)?).split(b'\n') {
            if lines.len() >= most {
                lines.pop_front();
            }
            lines.push_back(String::from_utf8_lossy(&line?).into_owned());
        }
    }
    Ok(lines.into())
}

/// The files by the second in which they began.
fn pages(folder: &Path) -> io::Result<BTreeMap<u64, PathBuf>> {
    let mut pages = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let began = name
            .to_str()
            .and_then(|name| name.strip_prefix("agentd-")?.strip_suffix(".log"))
            .and_then(|began| began.parse().ok());
        if let Some(began) = began {
            pages.insert(began, entry.path());
        }
    }
    Ok(pages)
}

#[cfg(test)]
mod tests;
