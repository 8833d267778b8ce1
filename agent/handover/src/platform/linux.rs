//! Linux: `renameat2` with `RENAME_NOREPLACE`, folder sync, `inotify`.
//!
//! NFS and some user-space file systems refuse the flag (renameat2(2), EINVAL); there a hard link does the same,
//! since link(2) never replaces.
//! A network share tells of changes made on this machine only, never of those on the server (inotify(7),
//! "Limitations and caveats"), so a wait ends by itself now and then.

use std::{
    fs::{File, OpenOptions},
    io,
    mem::MaybeUninit,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

use rustix::{
    event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll},
    fd::OwnedFd,
    fs::{
        CWD, OFlags, RenameFlags,
        inotify::{self, CreateFlags, WatchFlags},
        renameat_with,
    },
    io::{Errno, read, write},
};

/// Makes a file that must not exist, readable by its owner, and by its group where `group` says so.
pub(crate) fn new_file(path: &Path, group: bool) -> io::Result<File> {
    let mode = if group { 0o640 } else { 0o600 };
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
}

/// Opens a file that another program made: not through a link, and without waiting where it is a pipe.
pub(crate) fn open_plain(path: &Path) -> io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

/// Gives a finished file its final name; fails with `AlreadyExists` where something has that name.
pub(crate) fn publish(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => publish_by_link(from, to),
        outcome => outcome.map_err(io::Error::from),
    }
}

/// The hidden name stays where it cannot be removed: the file is published by then, and the next start tries again.
fn publish_by_link(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::hard_link(from, to)?;
    if let Err(error) = std::fs::remove_file(from) {
        tracing::warn!(%error, "the hidden name of a published file cannot be removed");
    }
    Ok(())
}

/// Makes a folder's list of files survive a power loss. Shares that cannot say so are believed.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    match rustix::fs::fsync(File::open(folder)?) {
        Err(Errno::INVAL | Errno::OPNOTSUPP) => Ok(()),
        outcome => outcome.map_err(io::Error::from),
    }
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    /// A folder changed.
    Changed,
    /// [`FolderEvents::waker`] was called.
    Woken,
    /// The span is over.
    Quiet,
}

/// Listens to changes of folders.
#[derive(Debug)]
pub(crate) struct FolderEvents {
    events: OwnedFd,
    woken: Arc<OwnedFd>,
}

impl FolderEvents {
    pub(crate) fn listen(folders: &[&Path]) -> io::Result<Self> {
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let changes = WatchFlags::CREATE
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE
            | WatchFlags::DELETE_SELF
            | WatchFlags::MOVE_SELF
            | WatchFlags::ONLYDIR;
        for folder in folders {
            inotify::add_watch(&events, *folder, changes)?;
        }
        let woken = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        Ok(Self { events, woken })
    }

    /// Ends the wait from another thread, now or the next one.
    pub(crate) fn waker(&self) -> impl Fn() + Send + Sync + 'static {
        let woken = Arc::clone(&self.woken);
        move || {
            // Fails only where the counter is full, and then the wait ends anyway.
            let _outcome = write(&woken, &1_u64.to_ne_bytes());
        }
    }

    pub(crate) fn wait(&self, span: Duration) -> io::Result<Sign> {
        let timeout = Timespec::try_from(span).ok();
        let mut waited = [
            PollFd::new(&self.events, PollFlags::IN),
            PollFd::from_borrowed_fd(std::os::fd::AsFd::as_fd(&*self.woken), PollFlags::IN),
        ];
        match poll(&mut waited, timeout.as_ref()) {
            Ok(0) | Err(Errno::INTR) => return Ok(Sign::Quiet),
            Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut changed = false;
        while read(&self.events, &mut buffer).is_ok_and(|(filled, _rest)| !filled.is_empty()) {
            changed = true;
        }
        Ok(if changed { Sign::Changed } else { Sign::Woken })
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, io::ErrorKind};

    use super::{publish, publish_by_link};

    #[test]
    fn neither_way_of_publishing_replaces_anything() {
        for way in [publish, publish_by_link] {
            let temp = tempfile::tempdir().unwrap();
            let (from, to) = (temp.path().join("a"), temp.path().join("b"));
            fs::write(&from, "new").unwrap();
            fs::write(&to, "old").unwrap();
            assert_eq!(
                way(&from, &to).unwrap_err().kind(),
                ErrorKind::AlreadyExists
            );
            assert_eq!(fs::read(&to).unwrap(), b"old");
            fs::remove_file(&to).unwrap();
            way(&from, &to).unwrap();
            assert_eq!(
                (fs::read(&to).unwrap().as_slice(), from.exists()),
                (&b"new"[..], false)
            );
        }
    }
}
