//! How often each thing is measured.

use std::time::Duration;

/// How often each thing is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Pairs of a job and a bare round, for each speed of the card.
    pub pairs: usize,
    /// Pairs of a request to the agent and one to the floor.
    pub requests: usize,
    /// Starts of the agent on a state that is there.
    pub starts: usize,
    /// Starts of the agent on no state.
    pub first_starts: usize,
    /// Readings before memory is looked at.
    pub readings: usize,
    /// How long nothing happens while processor time is counted.
    pub idle: Duration,
    /// Pairs of an audit record and a bare write.
    pub records: usize,
    /// Cards put down.
    pub insertions: usize,
    /// Kills of the card service.
    pub outages: usize,
    /// Pairs of a code to the page and one to the bare loop.
    pub scans: usize,
    /// Times that a printer hangs while codes are scanned.
    pub hangs: usize,
    /// Codes counted each time, and as many before.
    pub scans_of_a_block: usize,
    /// Pairs of a sample of the pen to the page and one to the bare reader.
    pub samples: usize,
    /// Pairs of messages through a station and as many from a bare loop.
    pub publishing_rounds: usize,
    /// Messages in each half of such a pair.
    pub published: usize,
    /// Messages of each of 500 devices to the monitor.
    pub taken_in: u32,
    /// Pairs of a report and a bare write.
    pub reports: usize,
    /// Devices of the fleet.
    pub fleet: u32,
    /// How long the fleet takes to begin, in seconds.
    pub fleet_begins: u64,
    /// For how many seconds it is watched.
    pub fleet_speaks: u64,
}

impl Plan {
    /// What `docs/measurements.md` records.
    #[must_use]
    pub fn long() -> Self {
        Self {
            pairs: 60,
            requests: 6000,
            starts: 30,
            first_starts: 10,
            readings: 200,
            idle: Duration::from_secs(60),
            records: 300,
            insertions: 30,
            outages: 10,
            scans: 2000,
            hangs: 40,
            scans_of_a_block: 1000,
            samples: 2000,
            publishing_rounds: 11,
            published: 4000,
            taken_in: 100,
            reports: 1000,
            fleet: 10_000,
            fleet_begins: 20,
            fleet_speaks: 60,
        }
    }

    /// Enough to see that everything is measured.
    #[must_use]
    pub fn quick() -> Self {
        Self {
            pairs: 2,
            requests: 20,
            starts: 2,
            first_starts: 1,
            readings: 3,
            idle: Duration::from_millis(200),
            records: 5,
            insertions: 2,
            outages: 1,
            scans: 5,
            hangs: 1,
            scans_of_a_block: 5,
            samples: 5,
            publishing_rounds: 2,
            published: 100,
            taken_in: 1,
            reports: 5,
            fleet: 50,
            fleet_begins: 1,
            fleet_speaks: 2,
        }
    }
}
