//! Trouble at every moment of a read, in short; `cargo xtask soak` runs the same code for long.

use scenarios::{hostile, storm, troubles};

#[test]
fn a_card_lifted_at_any_command_is_one_clear_error_and_leaves_nothing() -> anyhow::Result<()> {
    troubles::lifts(1).map(drop)
}

#[test]
fn a_hung_card_is_given_up_and_leaves_nothing() -> anyhow::Result<()> {
    troubles::hangs(4).map(drop)
}

#[test]
fn a_killed_card_service_is_back_within_three_seconds() -> anyhow::Result<()> {
    troubles::outages(10, 1).map(drop)
}

#[test]
fn a_card_exchanged_between_two_looks_is_never_mistaken() -> anyhow::Result<()> {
    troubles::swaps(50).map(drop)
}

#[test]
fn no_card_is_blocked_by_a_storm_of_everything_at_once() -> anyhow::Result<()> {
    storm::storm(600, 2).map(drop)
}

#[test]
fn hostile_bytes_never_end_a_process_nor_keep_an_honest_client_out() -> anyhow::Result<()> {
    hostile::hostile(300, 2).map(drop)
}
