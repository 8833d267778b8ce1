//! Jobs counted between two reports.

use std::collections::BTreeMap;
use std::time::Duration;

use device_api::FaultCode;
use telemetry::Word;
use telemetry::message::work::{JobCount, JobCounts, JobOutcome};

/// The most kinds of jobs and outcomes in one report; there are fewer tasks times faults than that in use.
const MOST_KINDS: usize = 200;

/// Jobs since the last report that was kept.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    kinds: BTreeMap<(&'static str, Option<&'static str>), Count>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    count: u64,
    total: Duration,
    longest: Duration,
}

impl Counts {
    /// Counts a job.
    pub fn ended(&mut self, operation: &'static str, fault: Option<FaultCode>, took: Duration) {
        let count = self.kinds.entry((operation, fault.map(FaultCode::as_str)));
        let count = count.or_default();
        count.add(Count {
            count: 1,
            total: took,
            longest: took,
        });
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Adds what could not be kept.
    pub fn put_back(&mut self, others: Self) {
        for (kind, other) in others.kinds {
            self.kinds.entry(kind).or_default().add(other);
        }
    }

    /// The report, of the last so many seconds.
    #[must_use]
    pub fn report(&self, seconds: u32) -> JobCounts {
        let jobs = self.kinds.iter().take(MOST_KINDS);
        let jobs = jobs.filter_map(|(&(operation, fault), count)| {
            Some(JobCount {
                task: Word::cleaned(operation)?,
                outcome: outcome(fault),
                fault: fault.and_then(Word::cleaned),
                count: count.count,
                total_millis: millis(count.total),
                longest_millis: millis(count.longest),
            })
        });
        JobCounts {
            seconds,
            jobs: jobs.collect(),
        }
    }
}

impl Count {
    fn add(&mut self, other: Self) {
        self.count = self.count.saturating_add(other.count);
        self.total = self.total.saturating_add(other.total);
        self.longest = self.longest.max(other.longest);
    }
}

fn outcome(fault: Option<&str>) -> JobOutcome {
    match fault {
        None => JobOutcome::Done,
        Some(fault) if fault == FaultCode::JobCancelled.as_str() => JobOutcome::Cancelled,
        Some(_failed) => JobOutcome::Failed,
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_counted_by_kind_and_end_and_nothing_is_lost_by_putting_back() {
        let mut counts = Counts::default();
        let second = Duration::from_secs(1);
        counts.ended("printTicket", None, second);
        counts.ended("printTicket", None, second * 3);
        counts.ended("printTicket", Some(FaultCode::JobCancelled), second);
        let refused = std::mem::take(&mut counts);
        counts.ended("printTicket", None, second * 2);
        counts.put_back(refused);
        let jobs = counts.report(60).jobs;
        let seen: Vec<_> = jobs
            .iter()
            .map(|job| (job.outcome, job.count, job.total_millis, job.longest_millis))
            .collect();
        assert_eq!(
            seen,
            [
                (JobOutcome::Done, 3, 6_000, 3_000),
                (JobOutcome::Cancelled, 1, 1_000, 1_000)
            ]
        );
    }
}
