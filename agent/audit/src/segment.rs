//! Segments: the files that hold the lines.
//!
//! A segment is named by its first record, so that the names alone give the order.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::platform::{private_file, sync_directory};

/// A file at whose end lines are put and kept.
pub(crate) trait Appendable: Send + std::fmt::Debug {
    /// Puts bytes at the end.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Returns once everything is on the disk.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts everything after `length` off.
    fn shorten(&mut self, length: u64) -> io::Result<()>;
}

impl Appendable for File {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn shorten(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// A segment that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Segment {
    /// The record that its name promises to come first.
    pub(crate) first: u64,
    pub(crate) path: PathBuf,
}

impl Segment {
    /// Makes an empty segment whose name survives a power loss.
    pub(crate) fn create(directory: &Path, first: u64) -> io::Result<(Self, File)> {
        let path = directory.join(format!("{PREFIX}{first:016}{SUFFIX}"));
        // An attempt that failed after this point may have left it, empty; anything else is not ours.
        let file = private_file().create(true).append(true).open(&path)?;
        if file.metadata()?.len() != 0 {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        sync_directory(directory)?;
        Ok((Self { first, path }, file))
    }

    /// Opens it for more lines.
    pub(crate) fn open(&self) -> io::Result<File> {
        private_file().append(true).open(&self.path)
    }

    /// Its file's name.
    pub(crate) fn name(&self) -> String {
        self.path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    }
}

/// All segments of a log in their order.
pub(crate) fn list(directory: &Path) -> io::Result<Vec<Segment>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let number = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_suffix(SUFFIX));
        if let Some(first) = number.and_then(|digits| digits.parse().ok()) {
            segments.push(Segment { first, path });
        }
    }
    segments.sort();
    Ok(segments)
}

const PREFIX: &str = "segment-";
const SUFFIX: &str = ".jsonl";
