//! Windows: `MoveFileExW` without `MOVEFILE_REPLACE_EXISTING`; the standard library's rename replaces.
//!
//! Permissions come from the folder, which the administrator sets. Waiting is in slices.

#![expect(
    unsafe_code,
    reason = "the standard library has no rename that refuses to replace"
)]

use std::{
    fs::{File, OpenOptions},
    io,
    os::windows::{ffi::OsStrExt, fs::OpenOptionsExt},
    path::Path,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Duration,
};

use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_OPEN_REPARSE_POINT, MOVEFILE_WRITE_THROUGH, MoveFileExW,
};

use super::Unpublished;

/// Makes a file that must not exist; its permissions are the folder's.
pub(crate) fn new_file(path: &Path, _group: bool) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Opens a file that another program made, not through a link.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .custom_flags(FILE_FLAG_OPEN_REPARSE_POINT)
        .open(path)
}

/// Gives a finished file its final name; fails with `AlreadyExists` where something has that name.
pub(crate) fn publish(hidden: &Path, to: &Path) -> Result<(), Unpublished> {
    let wide = |path: &Path| -> Vec<u16> { path.as_os_str().encode_wide().chain([0]).collect() };
    let (from, to) = (wide(hidden), wide(to));
    // SAFETY: both are zero-terminated and live until the call returns.
    let moved = unsafe { MoveFileExW(from.as_ptr(), to.as_ptr(), MOVEFILE_WRITE_THROUGH) };
    if moved == 0 {
        Err(Unpublished::rename(io::Error::last_os_error(), hidden))
    } else {
        Ok(())
    }
}

/// NTFS journals the list of files by itself, and the move above was written through.
pub(crate) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// A folder changed; never said here.
    #[expect(dead_code, reason = "changes are found by looking here")]
    Changed,
    /// [`FolderEvents::waker`] was called.
    Woken,
    /// The span is over.
    Quiet,
}

/// Waits for the next look at folders.
#[derive(Debug)]
pub(crate) struct FolderEvents(Arc<(Mutex<bool>, Condvar)>);

impl FolderEvents {
    pub(crate) fn listen(_folders: &[&Path]) -> io::Result<Self> {
        Ok(Self(Arc::default()))
    }

    /// Ends the wait from another thread, now or the next one.
    pub(crate) fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        let shared = Arc::clone(&self.0);
        move || {
            *shared.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            shared.1.notify_all();
        }
    }

    pub(crate) fn wait(&self, span: Duration) -> io::Result<Sign> {
        let woken = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (woken, _) = self
            .0
            .1
            .wait_timeout_while(woken, span, |woken| !*woken)
            .unwrap_or_else(PoisonError::into_inner);
        Ok(if *woken { Sign::Woken } else { Sign::Quiet })
    }
}
