//! What is counted of the devices, in short; `cargo xtask soak` runs the same code for long.

use scenarios::devices::{codes, load, papers, plugging, power_cuts};
use scenarios::footprint::Growth;

/// So short a run is not past its warming up, so the bound only shows that something is measured.
const MUCH: Growth = Growth {
    per_cent: 25,
    kib: 16 * 1024,
};

#[test]
fn codes_of_an_independent_encoder_arrive_byte_for_byte() -> anyhow::Result<()> {
    codes::codes().map(drop)
}

#[test]
fn codes_on_printed_tickets_are_read_by_independent_programs() -> anyhow::Result<()> {
    papers::papers().map(drop)
}

#[test]
fn cables_pulled_at_any_moment_leave_nothing() -> anyhow::Result<()> {
    plugging::plugging(0, 4, 2, MUCH).map(drop)
}

#[test]
fn power_cuts_break_no_rule_of_printing() -> anyhow::Result<()> {
    power_cuts::random_cuts(200, 2).map(drop)
}

#[test]
fn everything_at_random_does_not_grow_without_bound() -> anyhow::Result<()> {
    load::load(0, 60, 2, MUCH).map(drop)
}
