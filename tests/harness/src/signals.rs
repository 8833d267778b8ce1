//! The signals that end a program, as something that can be waited for.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::channel;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::process_tree;

/// SIGINT and SIGTERM; readable when one of them has come.
#[derive(Debug)]
pub struct Signals {
    arrived: UnixStream,
}

impl Signals {
    /// From now on these signals do not end the program any more.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn watch() -> anyhow::Result<Self> {
        let (arrived, announced) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM] {
            let pipe = announced.try_clone()?;
            signal_hook::low_level::pipe::register(signal, pipe).context("cannot watch signals")?;
        }
        Ok(Self { arrived })
    }

    /// Waits for the end of `work`, whose panic is passed on, or for one of these signals: then every process
    /// that the work has started is killed, and there is no outcome. What lies in the folder for temporary files
    /// stays there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn run_until_signalled<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<Option<T>> {
        let mut signals = Self::watch()?;
        let (ended, outcome) = channel();
        let interrupted = ended.clone();
        std::thread::spawn(move || {
            let _came = signals.arrived.read(&mut [0]);
            // Where the work has ended already, nobody listens any more.
            let _told = interrupted.send(None);
        });
        std::thread::spawn(move || {
            let outcome = catch_unwind(AssertUnwindSafe(work));
            let _told = ended.send(Some(outcome));
        });
        let Some(outcome) = outcome.recv()? else {
            kill_descendants();
            return Ok(None);
        };
        outcome.map_or_else(|panic| resume_unwind(panic), |outcome| Ok(Some(outcome)))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.arrived.as_fd()
    }
}

/// Kills who starts others before those who were started, until there is nobody new.
fn kill_descendants() {
    let own = std::process::id();
    let mut killed = BTreeSet::from([own]);
    loop {
        let tree = process_tree(own).unwrap_or_default();
        let ids = tree.iter().map(|process| process.id);
        let new: Vec<u32> = ids.filter(|id| killed.insert(*id)).collect();
        if new.is_empty() {
            return;
        }
        for id in new {
            if let Some(process) = i32::try_from(id).ok().and_then(Pid::from_raw) {
                // One that has ended meanwhile is what is wanted.
                let _ended = kill_process(process, Signal::KILL);
            }
        }
    }
}
