//! What processes use, as `/proc` tells it: memory, threads, descriptors, processor time.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use crate::Patience;

/// What one process uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessFigures {
    /// The process id.
    pub id: u32,
    /// The program's name, as the kernel keeps it: at most 15 bytes.
    pub name: String,
    /// Resident memory in KiB, what is shared with others included.
    pub resident_kib: u64,
    /// Threads.
    pub threads: u64,
    /// Open file descriptors.
    pub descriptors: u64,
    /// Processor time used so far, user and system, in clock ticks (100 a second).
    pub ticks: u64,
    /// When it started, in ticks since the machine did: with the id, this names it for ever.
    started: u64,
}

impl ProcessFigures {
    /// Whether this very process still runs.
    #[must_use]
    pub fn still_runs(&self) -> bool {
        figures(self.id).is_ok_and(|now| now.started == self.started)
    }

    /// What its descriptors stand for, as far as the system says; nothing of a process that has ended.
    #[must_use]
    pub fn open_files(&self) -> Vec<String> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.id));
        let entries = entries.into_iter().flatten().flatten();
        let named = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
        named.map(|path| path.display().to_string()).collect()
    }

    /// Waits for the end of this very process; whether it came in time.
    #[must_use]
    pub fn ends(&self, patience: &Patience) -> bool {
        let handle = i32::try_from(self.id).ok().and_then(Pid::from_raw);
        let handle = handle.and_then(|id| pidfd_open(id, PidfdFlags::empty()).ok());
        // It may be another process's by now: what is held against the start time is what the handle names.
        let (true, Some(handle)) = (self.still_runs(), handle) else {
            return true;
        };
        let Ok(timeout) = patience.timespec("the end of a process") else {
            return false;
        };
        let ended = poll(&mut [PollFd::new(&handle, PollFlags::IN)], Some(&timeout));
        ended.is_ok_and(|ended| ended > 0)
    }
}

/// What a process and all its descendants use, the process first.
///
/// # Errors
/// When `root` has ended. A descendant that ends while it is looked at is left out.
pub fn process_tree(root: u32) -> anyhow::Result<Vec<ProcessFigures>> {
    let parents = parents()?;
    let mut tree = vec![figures(root).with_context(|| format!("process {root} has ended"))?];
    let mut next = 0;
    while let Some(parent) = tree.get(next).map(|process| process.id) {
        let children = parents.iter().filter(|(_, of)| *of == parent);
        tree.extend(children.filter_map(|(id, _)| figures(*id).ok()));
        next += 1;
    }
    Ok(tree)
}

/// The same, once a process of each of these names is among them.
///
/// # Errors
/// When `root` has ended, or they do not come in time.
pub fn process_tree_with(
    names: &[&str],
    root: u32,
    patience: &Patience,
) -> anyhow::Result<Vec<ProcessFigures>> {
    loop {
        let tree = process_tree(root)?;
        if names
            .iter()
            .all(|name| tree.iter().any(|process| process.name == *name))
        {
            return Ok(tree);
        }
        patience
            .left("every process of a program")
            .with_context(|| format!("{tree:?}"))?;
        std::thread::yield_now();
    }
}

/// Every process with its parent.
fn parents() -> anyhow::Result<Vec<(u32, u32)>> {
    let mut pairs = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(id) = entry?.file_name().to_string_lossy().parse::<u32>() else {
            continue;
        };
        // A process that ended since the folder was read is nobody's descendant.
        if let Ok(stat) = stat_fields(id)
            && let Some(parent) = stat.get(1).and_then(|field| field.parse().ok())
        {
            pairs.push((id, parent));
        }
    }
    Ok(pairs)
}

fn figures(id: u32) -> anyhow::Result<ProcessFigures> {
    let folder = PathBuf::from(format!("/proc/{id}"));
    let status = fs::read_to_string(folder.join("status"))?;
    let stat = stat_fields(id)?;
    // Fields 14, 15 and 22 of proc_pid_stat(5), which counts from 1; the first two are cut off.
    let ticks = |field: usize| stat.get(field).and_then(|text| text.parse::<u64>().ok());
    Ok(ProcessFigures {
        id,
        name: fs::read_to_string(folder.join("comm"))?
            .trim_end()
            .to_owned(),
        // A process that is ending has no memory any more.
        resident_kib: status_number(&status, "VmRSS:").unwrap_or(0),
        threads: status_number(&status, "Threads:").context("no thread count")?,
        descriptors: u64::try_from(fs::read_dir(folder.join("fd"))?.count())?,
        ticks: ticks(11)
            .zip(ticks(12))
            .map(|(user, system)| user + system)
            .context("no ticks")?,
        started: ticks(19).context("no start time")?,
    })
}

/// The fields of `/proc/ID/stat` from the third on: the second, the name, can hold anything.
fn stat_fields(id: u32) -> anyhow::Result<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let (_, rest) = text.rsplit_once(')').context("no name in stat")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}

fn status_number(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_is_found_with_its_memory_threads_and_descriptors() -> anyhow::Result<()> {
        let mut child = Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()?;
        let tree = process_tree(std::process::id())?;
        let found = tree.iter().find(|process| process.id == child.id());
        let found = found.context("the child is not in the tree")?;
        assert_eq!(found.threads, 1);
        assert!(found.descriptors >= 1);
        drop(child.stdin.take());
        child.wait()?;
        assert!(process_tree(child.id()).is_err());
        Ok(())
    }
}
