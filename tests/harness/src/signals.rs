//! The signals that end a program, as something that can be waited for.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::process_tree;

/// What a shell tells of a program that was ended by Ctrl-C.
const INTERRUPTED: i32 = 130;

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

    /// Has these signals end the program at once, and every process that it has started.
    ///
    /// What lies in the folder for temporary files stays there.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn end_everything() -> anyhow::Result<()> {
        let mut signals = Self::watch()?;
        let waiting = std::thread::Builder::new().name("signals".to_owned());
        waiting.spawn(move || {
            let _came = signals.arrived.read(&mut [0]);
            kill_descendants();
            std::process::exit(INTERRUPTED)
        })?;
        Ok(())
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
