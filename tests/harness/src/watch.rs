//! Waits until something appears in a folder, or the process that should make it has ended.

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::io::Errno;

use crate::{Patience, Process};

/// The entries of one folder, watched from its construction on.
#[derive(Debug)]
pub struct FolderWatch {
    inotify: OwnedFd,
}

impl FolderWatch {
    /// Begins to watch `folder`, which exists.
    ///
    /// # Errors
    /// When it cannot be watched.
    pub fn begin(folder: &Path) -> anyhow::Result<Self> {
        let changes = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::ATTRIB;
        Self::begin_for(folder, changes)
    }

    /// Begins to watch `folder` for what is added to a file that stays open, such as a log.
    ///
    /// # Errors
    /// When it cannot be watched.
    pub fn begin_with_writing(folder: &Path) -> anyhow::Result<Self> {
        Self::begin_for(folder, WatchFlags::CREATE | WatchFlags::MODIFY)
    }

    fn begin_for(folder: &Path, changes: WatchFlags) -> anyhow::Result<Self> {
        let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        inotify::add_watch(&inotify, folder, changes)
            .with_context(|| format!("cannot watch {}", folder.display()))?;
        Ok(Self { inotify })
    }

    /// Asks `ready` now and after every change, until it gives a value.
    ///
    /// # Errors
    /// When `ready` fails, `process` ends, or the patience does.
    pub fn wait_for<T>(
        &self,
        process: &mut Process,
        patience: Patience,
        mut ready: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        loop {
            if let Some(value) = ready()? {
                return Ok(value);
            }
            process.must_run()?;
            let timeout = patience.timespec("readiness")?;
            let mut fds = [
                PollFd::new(&self.inotify, PollFlags::IN),
                PollFd::new(&*process, PollFlags::IN),
            ];
            match poll(&mut fds, Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => self.drain()?,
                Err(errno) => return Err(errno).context("cannot wait for a change"),
            }
        }
    }

    fn drain(&self) -> anyhow::Result<()> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            match events.next() {
                Ok(_) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(errno) => return Err(errno).context("cannot read what changed"),
            }
        }
    }
}
