//! Linux: `renameat2` with `RENAME_NOREPLACE`, folder sync, `inotify`.
//!
//! NFS and some user-space file systems refuse the flag (renameat2(2), EINVAL); there a hard link does the same,
//! since link(2) never replaces.
//! A network share tells of changes made on this machine only, never of those on the server (inotify(7),
//! "Limitations and caveats"), so a wait ends by itself now and then.

use std::{
    fs::{self, File, OpenOptions},
    io,
    mem::MaybeUninit,
    os::unix::fs::{MetadataExt, OpenOptionsExt},
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

use super::Unpublished;

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
pub(crate) fn publish(hidden: &Path, to: &Path) -> Result<(), Unpublished> {
    match renameat_with(CWD, hidden, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => publish_by_link(hidden, to),
        outcome => outcome.map_err(|errno| Unpublished::rename(errno.into(), hidden)),
    }
}

/// The hidden name stays where it cannot be removed: the file is published by then, and the next start tries again.
///
/// Whether it is there proves nothing here, since a link leaves it.
fn publish_by_link(hidden: &Path, to: &Path) -> Result<(), Unpublished> {
    if let Err(source) = fs::hard_link(hidden, to) {
        let certain = match became(hidden, to) {
            Became::Published => None,
            Became::Another => Some(true),
            Became::Nothing => Some(is_refusal(&source)),
            Became::Unclear => Some(false),
        };
        if let Some(certain) = certain {
            return Err(Unpublished { source, certain });
        }
    }
    if let Err(error) = fs::remove_file(hidden) {
        tracing::warn!(%error, "the hidden name of a published file cannot be removed");
    }
    Ok(())
}

/// What stands under the final name after a link that failed.
enum Became {
    /// Our file: NFS made the name and its answer was lost, so that the repeated request met it
    /// (link(2), "BUGS", which says to use stat(2)).
    Published,
    /// Another file.
    Another,
    /// Nothing, and our file has no other name than the hidden one.
    Nothing,
    /// The folder does not tell, or tells what can mean both.
    Unclear,
}

fn became(hidden: &Path, to: &Path) -> Became {
    let Ok(ours) = fs::symlink_metadata(hidden) else {
        return Became::Unclear;
    };
    match fs::symlink_metadata(to) {
        Ok(there) if (there.dev(), there.ino()) == (ours.dev(), ours.ino()) => Became::Published,
        Ok(_) => Became::Another,
        Err(error) if error.kind() == io::ErrorKind::NotFound && ours.nlink() == 1 => {
            Became::Nothing
        }
        Err(_) => Became::Unclear,
    }
}

/// Whether an error means by itself that no name was made. After any other one, `EEXIST` and a time that ran out
/// among them, a name that is absent can have been made and taken by the receiver already.
fn is_refusal(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(
            Errno::PERM
                | Errno::ACCESS
                | Errno::NOENT
                | Errno::NOTDIR
                | Errno::NOSPC
                | Errno::DQUOT
                | Errno::ROFS
                | Errno::MLINK
                | Errno::XDEV
                | Errno::NAMETOOLONG
                | Errno::NOSYS
                | Errno::OPNOTSUPP
        )
    )
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

    use rustix::io::Errno;

    use super::{Became, became, is_refusal, publish, publish_by_link};

    #[test]
    fn neither_way_of_publishing_replaces_anything() {
        for way in [publish, publish_by_link] {
            let temp = tempfile::tempdir().unwrap();
            let (from, to) = (temp.path().join("a"), temp.path().join("b"));
            fs::write(&from, "new").unwrap();
            fs::write(&to, "old").unwrap();
            let error = way(&from, &to).unwrap_err();
            assert_eq!(
                (error.source.kind(), error.certain),
                (ErrorKind::AlreadyExists, true)
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
    /// A share's server made the name, its answer was lost, and the repeated request was told that the name is
    /// taken: the clerk was told that nothing had been handed over, and handed it over again.
    #[test]
    fn a_name_that_was_made_although_the_link_failed_is_published() {
        let temp = tempfile::tempdir().unwrap();
        let (from, to) = (temp.path().join("a"), temp.path().join("b"));
        fs::write(&from, "new").unwrap();
        fs::hard_link(&from, &to).unwrap();
        publish_by_link(&from, &to).unwrap();
        assert_eq!(
            (fs::read(&to).unwrap().as_slice(), from.exists()),
            (&b"new"[..], false)
        );
    }

    #[test]
    fn a_link_that_failed_is_certain_only_where_nothing_else_can_be() {
        let temp = tempfile::tempdir().unwrap();
        let (from, to) = (temp.path().join("a"), temp.path().join("b"));
        // The hidden file is gone: it may have been published.
        assert!(!publish_by_link(&from, &to).unwrap_err().certain);
        fs::write(&from, "new").unwrap();
        assert!(matches!(became(&from, &to), Became::Nothing));
        // A receiver has moved the published file away.
        fs::hard_link(&from, temp.path().join("taken")).unwrap();
        assert!(matches!(became(&from, &to), Became::Unclear));
        for (errno, refusal) in [
            (Errno::ACCESS, true),
            (Errno::NOSPC, true),
            // The name was there a moment ago, and can have been ours.
            (Errno::EXIST, false),
            (Errno::IO, false),
            (Errno::TIMEDOUT, false),
            (Errno::STALE, false),
        ] {
            assert_eq!(is_refusal(&errno.into()), refusal, "{errno}");
        }
    }
}
