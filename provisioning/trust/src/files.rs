//! Certificates and keys as files.
//!
//! A file is written beside its place, synced, and renamed, so that a power cut leaves the old or the new
//! one; a key is readable by its owner alone from the first byte on.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::Credentials;
use crate::platform;

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes a file that only its owner may read (mode 0600).
///
/// # Errors
/// When it cannot be written; what stood there before stands there still.
pub fn write_private(path: &Path, content: &str) -> Result<(), FileError> {
    write(path, content, platform::private_file)
}

/// Writes a file that everybody may read.
///
/// # Errors
/// As [`write_private`].
pub fn write_public(path: &Path, content: &str) -> Result<(), FileError> {
    write(path, content, platform::public_file)
}

/// Writes `NAME.pem` and `NAME.key` into `folder`, the key first, and returns the two paths.
///
/// # Errors
/// As [`write_private`].
/// After a failure between the two, the new key stands beside the old certificate.
pub fn write_credentials(
    folder: &Path,
    name: &str,
    credentials: &Credentials,
) -> Result<(PathBuf, PathBuf), FileError> {
    let certificate = folder.join(format!("{name}.pem"));
    let key = folder.join(format!("{name}.key"));
    write_private(&key, credentials.key_pem())?;
    write_public(&certificate, credentials.certificate_pem())?;
    Ok((certificate, key))
}

fn write(
    path: &Path,
    content: &str,
    create: fn(&Path) -> io::Result<File>,
) -> Result<(), FileError> {
    let attempt = || {
        let new = beside(path)?;
        match fs::remove_file(&new) {
            // What a power cut left behind may have other permissions than ours.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let mut file = create(&new)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        platform::sync_directory(folder_of(path))
    };
    attempt().map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

/// Where the new file stands until it is whole; in the same folder, because a rename crosses no disks.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let mut new = std::ffi::OsString::from(".");
    new.push(name);
    new.push(".new");
    Ok(folder_of(path).join(new))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}
