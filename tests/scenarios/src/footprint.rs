//! What the agent's processes hold on to, before and after trouble.
//!
//! Processes, threads and descriptors must be the same again. Memory that is needed for the work is there after
//! a while; what each process may grow by after that is what the caller says.

use std::fs;

use anyhow::ensure;
use harness::{Counter, Patience, ProcessFigures};

/// Growth of resident memory that says nothing yet, in KiB: an allocator keeps a few pages.
const NOISE_KIB: u64 = 1024;
/// A connection that has just ended is closed within that time.
const PUT_AWAY_WITHIN_S: u64 = 5;

/// How much a process may grow while it does more of the same.
#[derive(Debug, Clone, Copy)]
pub struct Growth {
    /// As a share of what it has.
    pub per_cent: u64,
    /// And in any case, in KiB.
    pub kib: u64,
}

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
        let now = self.once_put_away(counter)?;
        let text = format!("{} -> {}", self.words(), now.words());
        let grown = now.resident_kib().saturating_sub(self.resident_kib());
        ensure!(grown <= NOISE_KIB, "memory has grown: {text}");
        Ok(text)
    }

    /// The later of two moments, with the memory of each process at that moment of both at which it had less: an
    /// allocator keeps more of what is free at one time than at another, and what is leaked is there at both.
    #[must_use]
    pub fn leaner(&self, mut later: Self) -> Self {
        for (one, other) in later.processes.iter_mut().zip(&self.processes) {
            one.resident_kib = one.resident_kib.min(other.resident_kib);
        }
        later
    }

    /// Fails where `later` has a process that was started anew, or one that has grown by more than `most`; returns
    /// what each process holds, in words.
    ///
    /// # Errors
    /// When a process is new or has grown by more.
    pub fn has_grown_by_at_most(&self, most: Growth, later: &Self) -> anyhow::Result<String> {
        let pairs = || self.processes.iter().zip(&later.processes);
        let each: Vec<String> = pairs().map(|(then, now)| in_words(then, now)).collect();
        let text = format!(
            "{}; resident KiB of each: {}",
            later.words(),
            each.join(", ")
        );
        ensure!(
            pairs().all(|(then, now)| then.id == now.id),
            "a process was started anew: {text}"
        );
        let grew = |(then, now): (&ProcessFigures, &ProcessFigures)| {
            let may = (then.resident_kib * most.per_cent / 100).max(most.kib);
            now.resident_kib > then.resident_kib + may
        };
        ensure!(!pairs().any(grew), "memory has grown: {text}");
        Ok(text)
    }

    /// What is held once what was just done is put away.
    ///
    /// # Errors
    /// When there are more processes, threads or descriptors than at this moment, and stay.
    pub fn once_put_away(&self, counter: &mut Counter) -> anyhow::Result<Self> {
        let patience = Patience::seconds(PUT_AWAY_WITHIN_S);
        let mut now = Self::of(counter)?;
        while !now.counts_no_more_than(self) && patience.left("what is put away").is_ok() {
            std::thread::yield_now();
            now = Self::of(counter)?;
        }
        ensure!(
            now.counts_no_more_than(self),
            "more is held than before: {} -> {}; {}",
            self.words(),
            now.words(),
            self.more_in(&now).join("; ")
        );
        Ok(now)
    }

    fn counts_no_more_than(&self, other: &Self) -> bool {
        self.processes.len() == other.processes.len()
            && self.sum(|process| process.threads) <= other.sum(|process| process.threads)
            && self.sum(|process| process.descriptors) <= other.sum(|process| process.descriptors)
    }

    /// Which processes hold more than before, and what they hold.
    fn more_in(&self, now: &Self) -> Vec<String> {
        let more = self
            .processes
            .iter()
            .zip(&now.processes)
            .filter(|(then, now)| now.descriptors > then.descriptors || now.threads > then.threads);
        more.map(|(then, now)| {
            format!(
                "{}: {} -> {} threads, {} -> {} descriptors, among them now {:?}",
                now.name,
                then.threads,
                now.threads,
                then.descriptors,
                now.descriptors,
                now.open_files()
            )
        })
        .collect()
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

/// A process's memory then and now; a host's first argument names its family.
fn in_words(then: &ProcessFigures, now: &ProcessFigures) -> String {
    let line = fs::read(format!("/proc/{}/cmdline", now.id)).unwrap_or_default();
    let argument = line.split(|byte| *byte == 0).nth(1).unwrap_or_default();
    format!(
        "{} {} {} -> {}",
        now.name,
        String::from_utf8_lossy(argument),
        then.resident_kib,
        now.resident_kib
    )
}
