//! All devices used in random order, as fast as they go, and what the agent holds meanwhile.
//!
//! Memory that an agent needs for its work is there after the first half; over the second half each process
//! may grow by a share of what it has, which allocators and kernels blur by a few pages.

use anyhow::Context as _;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::page::Page;
use super::rig::Rig;
use super::uses;
use crate::footprint::{Footprint, Growth};

/// Rounds after which a page is opened anew, with a new token.
const PAGE_FOR: u64 = 100;

/// Prints `tickets`, then uses a random device in each of `rounds` rounds.
///
/// A ticket printer remembers its newest 10,000 tickets, and grows until it does.
///
/// # Errors
/// When a use fails, or a process grows by more than `most`.
pub fn load(tickets: u64, rounds: u64, seed: u64, most: Growth) -> anyhow::Result<String> {
    let mut rig = Rig::start()?;
    let mut random = StdRng::seed_from_u64(seed);
    uses::print_many(&rig, tickets)?;
    let half = rounds / 2;
    play(&rig, 0..half, &mut random).with_context(|| format!("seed {seed}"))?;
    let before = Footprint::of(&mut rig.counter)?;
    play(&rig, half..rounds, &mut random).with_context(|| format!("seed {seed}"))?;
    let after = before.once_put_away(&mut rig.counter)?;
    let held = before.has_grown_by_at_most(most, &after)?;
    rig.stop()?;
    Ok(format!(
        "{tickets} tickets, {rounds} rounds, seed {seed}; from half to the end: {held}"
    ))
}

fn play(rig: &Rig, rounds: std::ops::Range<u64>, random: &mut StdRng) -> anyhow::Result<()> {
    let mut page = rig.page()?;
    for round in rounds {
        if round % PAGE_FOR == PAGE_FOR - 1 {
            drop(page);
            page = rig.page()?;
        }
        one(rig, &mut page, round, random).with_context(|| format!("round {round}"))?;
    }
    Ok(())
}

fn one(rig: &Rig, page: &mut Page, round: u64, random: &mut StdRng) -> anyhow::Result<()> {
    match random.random_range(0..10) {
        0..6 => {
            let held = page.take("codeScanner")?;
            uses::scan_once(rig, page, &held, &format!("round {round}"))?;
            page.release(&held)
        }
        6..8 => {
            let held = page.take("ticketPrinter")?;
            uses::print_once(page, &held, &format!("round-{round}"))?;
            page.release(&held)
        }
        8 => {
            let held = page.take("signatureTablet")?;
            uses::sign_once(rig, page, &held, round)?;
            page.release(&held)
        }
        _ => {
            let held = page.take("documentScanner")?;
            uses::scan_document_once(rig, page, &held, round)?;
            page.release(&held)
        }
    }
}
