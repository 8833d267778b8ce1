//! What the agent's processes hold on to, before and after trouble.
//!
//! Processes, threads and descriptors must be the same again; memory may differ by an allocator's noise.

use anyhow::ensure;
use harness::{Counter, ProcessFigures};

/// Growth of resident memory that says nothing yet, in KiB: an allocator keeps a few pages.
const NOISE_KIB: u64 = 1024;

/// What the agent's processes hold at one moment.
#[derive(Debug, Clone)]
pub struct Footprint {
    processes: Vec<ProcessFigures>,
}

impl Footprint {
    /// Of the agent of `counter` and its driver hosts, now.
    ///
    /// # Errors
    /// When the agent does not run.
    pub fn of(counter: &mut Counter) -> anyhow::Result<Self> {
        Ok(Self {
            processes: counter.figures()?,
        })
    }

    /// Resident memory of all processes, in KiB.
    #[must_use]
    pub fn resident_kib(&self) -> u64 {
        self.sum(|process| process.resident_kib)
    }

    /// Processor time of all processes, in ticks.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.sum(|process| process.ticks)
    }

    /// Fails where more is held than `before`; returns both in words.
    ///
    /// # Errors
    /// When processes, threads, descriptors or memory have grown.
    pub fn must_not_exceed(&self, before: &Self) -> anyhow::Result<String> {
        let text = format!("{} -> {}", before.words(), self.words());
        let same = self.processes.len() == before.processes.len()
            && self.sum(|process| process.threads) <= before.sum(|process| process.threads)
            && self.sum(|process| process.descriptors) <= before.sum(|process| process.descriptors);
        ensure!(same, "more is held than before: {text}");
        let grown = self.resident_kib().saturating_sub(before.resident_kib());
        ensure!(grown <= NOISE_KIB, "memory has grown: {text}");
        Ok(text)
    }

    fn words(&self) -> String {
        format!(
            "{} processes, {} threads, {} descriptors, {:.1} MiB",
            self.processes.len(),
            self.sum(|process| process.threads),
            self.sum(|process| process.descriptors),
            self.resident_kib() as f64 / 1024.0
        )
    }

    fn sum(&self, figure: impl Fn(&ProcessFigures) -> u64) -> u64 {
        self.processes.iter().map(figure).sum()
    }
}
