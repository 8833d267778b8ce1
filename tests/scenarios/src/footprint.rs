//! What the agent's processes hold on to, before and after trouble.
//!
//! Processes, threads and descriptors must be the same again; memory may differ by an allocator's noise.

use anyhow::ensure;
use harness::{Counter, Patience, ProcessFigures};

/// Growth of resident memory that says nothing yet, in KiB: an allocator keeps a few pages.
const NOISE_KIB: u64 = 1024;
/// A connection that has just ended is closed within that time.
pub(crate) const PUT_AWAY_WITHIN_S: u64 = 5;

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

    /// Fails where more is held than at this moment by now, and still when what was just done has had time to
    /// be put away; returns both in words.
    ///
    /// # Errors
    /// When processes, threads, descriptors or memory have grown.
    pub fn is_not_exceeded_by(&self, counter: &mut Counter) -> anyhow::Result<String> {
        let patience = Patience::seconds(PUT_AWAY_WITHIN_S);
        let mut now = Self::of(counter)?;
        while !now.counts_no_more_than(self) && patience.left("what is put away").is_ok() {
            std::thread::yield_now();
            now = Self::of(counter)?;
        }
        let text = format!("{} -> {}", self.words(), now.words());
        ensure!(
            now.counts_no_more_than(self),
            "more is held than before: {text}"
        );
        let grown = now.resident_kib().saturating_sub(self.resident_kib());
        ensure!(grown <= NOISE_KIB, "memory has grown: {text}");
        Ok(text)
    }

    fn counts_no_more_than(&self, other: &Self) -> bool {
        self.processes.len() == other.processes.len()
            && self.sum(|process| process.threads) <= other.sum(|process| process.threads)
            && self.sum(|process| process.descriptors) <= other.sum(|process| process.descriptors)
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
