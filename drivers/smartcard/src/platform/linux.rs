//! Linux: `inotify` on the folder of pcscd's socket.
//!
//! pcscd makes its socket, listens, and then sets the socket's mode, so the last change of the folder
//! comes when the service answers.
//! A socket that a killed service left behind refuses connections; the next service replaces it, and
//! that is a change of the folder too.
//! Where the folder itself is missing, the nearest one that exists is watched for it.

use std::{
    mem::MaybeUninit,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::OwnedFd,
    fs::inotify::{self, CreateFlags, WatchFlags},
    io::{Errno, read},
};

use super::Signal;

/// Where pcscd puts its socket unless told otherwise.
const USUAL_SOCKET: &str = "/run/pcscd/pcscd.comm";

/// Where the PC/SC service appears.
#[derive(Debug, Clone)]
pub struct ServiceDoor {
    socket: PathBuf,
}

impl ServiceDoor {
    /// The place where the machine's own service appears.
    #[must_use]
    pub fn usual() -> Self {
        Self::at(USUAL_SOCKET)
    }

    /// A service whose socket is at `socket`.
    ///
    /// The PC/SC library must have been told of the same socket, in the environment of the process.
    #[must_use]
    pub fn at(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
        }
    }

    /// Begins to listen for a sign of the service.
    pub(crate) fn arm(&self) -> Armed {
        let events = watch_nearest(&self.socket).unwrap_or_else(|errno| {
            // Without watches (a machine out of them) only the timed looks remain.
            tracing::warn!(%errno, "the folder of the smart-card service cannot be watched");
            None
        });
        Armed { events }
    }
}

/// A listener for signs of the service.
#[derive(Debug)]
pub(crate) struct Armed {
    events: Option<OwnedFd>,
}

impl Armed {
    /// Waits for a sign, at most for `span` where one is given.
    pub(crate) fn wait(self, span: Option<Duration>) -> Signal {
        /// Between looks where nothing can be watched.
        const UNWATCHED: Duration = Duration::from_secs(2);
        let Some(events) = self.events else {
            pause(span.unwrap_or(UNWATCHED));
            return Signal::Quiet;
        };
        let timeout = span.and_then(|span| Timespec::try_from(span).ok());
        loop {
            let mut waited = [PollFd::new(&events, PollFlags::IN)];
            match poll(&mut waited, timeout.as_ref()) {
                Ok(0) => return Signal::Quiet,
                Ok(_) => {
                    drain(&events);
                    return Signal::Sign;
                }
                Err(Errno::INTR) => {}
                Err(errno) => {
                    tracing::warn!(%errno, "waiting for the smart-card service failed");
                    pause(UNWATCHED);
                    return Signal::Quiet;
                }
            }
        }
    }
}

/// Watches the deepest existing folder on the way to `socket`.
fn watch_nearest(socket: &Path) -> Result<Option<OwnedFd>, Errno> {
    let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let changes = WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::ATTRIB
        | WatchFlags::DELETE_SELF
        | WatchFlags::MOVE_SELF
        | WatchFlags::ONLYDIR;
    for folder in socket.ancestors().skip(1) {
        match inotify::add_watch(&events, folder, changes) {
            Ok(_watch) => return Ok(Some(events)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(None)
}

/// Empties the queue: one sign is as good as many.
fn drain(events: &OwnedFd) {
    let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
    while read(events, &mut buffer).is_ok_and(|(filled, _rest)| !filled.is_empty()) {}
}

fn pause(span: Duration) {
    let timeout = Timespec::try_from(span).ok();
    // No descriptor can become ready, so this ends with the span, or earlier by a signal.
    let _ready = poll(&mut [], timeout.as_ref());
}

#[cfg(test)]
mod tests;
