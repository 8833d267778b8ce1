//! Finds the jobs whose start is recorded and whose end is not.
//!
//! A job lives for minutes, and every opening closes what it finds, so the two newest segments hold all
//! of them; a start that lay further back would have had a whole segment of records written in its time.

use std::collections::BTreeMap;
use std::io;

use crate::lines::Lines;
use crate::record::{About, decode};
use crate::segment::Segment;

/// How many segments are read.
const NEWEST: usize = 2;

/// Jobs that began, by name, each with the record of its start.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    open: BTreeMap<String, u64>,
    lost: u64,
}

impl Unfinished {
    /// Takes in what a record says.
    pub(crate) fn learn(&mut self, seq: u64, about: About) {
        match about {
            About::Start(job) => {
                self.open.insert(job, seq);
            }
            About::End(job) => {
                self.open.remove(&job);
            }
            About::Lost(job) => {
                self.open.remove(&job);
                self.lost += 1;
            }
            About::Other => {}
        }
    }

    /// The records of starts without an end, oldest first.
    pub(crate) fn starts(&self) -> Vec<u64> {
        let mut starts: Vec<u64> = self.open.values().copied().collect();
        starts.sort_unstable();
        starts
    }

    /// How many jobs were closed as unknown.
    pub(crate) const fn lost(&self) -> u64 {
        self.lost
    }

    /// The jobs without an end, oldest first.
    pub(crate) fn into_jobs(self) -> Vec<(u64, String)> {
        let mut jobs: Vec<_> = self.open.into_iter().map(|(job, seq)| (seq, job)).collect();
        jobs.sort_unstable();
        jobs
    }
}

/// Reads the newest segments. Lines that make no sense are left to [`crate::verify`].
pub(crate) fn find(segments: &[Segment]) -> io::Result<Unfinished> {
    let newest = segments
        .get(segments.len().saturating_sub(NEWEST)..)
        .unwrap_or_default();
    let mut lines = Lines::new(newest.to_vec());
    let mut found = Unfinished::default();
    while let Some(raw) = lines.next_line()? {
        if let Ok(line) = decode(&raw.bytes)
            && raw.complete
        {
            found.learn(line.seq, line.about);
        }
    }
    Ok(found)
}
