//! All devices used in random order, as fast as they go, and what the agent holds meanwhile.
//!
//! Memory that an agent needs for its work is there after the first half; over the second half each process
//! may grow by a share of what it has, which allocators and kernels blur by a few pages.

use std::fs;

use anyhow::{Context as _, ensure};
use harness::{Patience, ProcessFigures};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::page::Page;
use super::rig::Rig;
use super::uses;
use crate::footprint::PUT_AWAY_WITHIN_S;

/// Rounds after which a page is opened anew, with a new token.
const PAGE_FOR: u64 = 100;

/// How much a process may grow over the second half.
#[derive(Debug, Clone, Copy)]
pub struct Growth {
    /// As a share of what it has.
    pub per_cent: u64,
    /// And in any case, in KiB.
    pub kib: u64,
}

/// Prints `tickets`, then uses a random device in each of `rounds` rounds.
///
/// A ticket printer remembers its newest 10,000 tickets, and grows until it does.
///
/// # Errors
/// When a use fails, or a process grows by more than `most`.
pub fn load(tickets: u64, rounds: u64, seed: u64, most: Growth) -> anyhow::Result<String> {
    let mut rig = Rig::start()?;
    let mut random = StdRng::seed_from_u64(seed);
    print(&rig, tickets)?;
    let half = rounds / 2;
    play(&rig, 0..half, &mut random).with_context(|| format!("seed {seed}"))?;
    let before = rig.counter.figures()?;
    play(&rig, half..rounds, &mut random).with_context(|| format!("seed {seed}"))?;
    let after = put_away(&mut rig, &before)?;
    ensure!(before.len() == after.len(), "another number of processes");
    let mut said = Vec::new();
    for (then, now) in before.iter().zip(&after) {
        ensure!(then.id == now.id, "a process was started anew");
        said.push(grown(then, now, most)?);
    }
    rig.stop()?;
    Ok(format!(
        "{tickets} tickets, {rounds} rounds, seed {seed}; resident KiB at half and at the end: {}",
        said.join(", ")
    ))
}

/// The figures once what was just used is put away, or has had time for that.
fn put_away(rig: &mut Rig, before: &[ProcessFigures]) -> anyhow::Result<Vec<ProcessFigures>> {
    let patience = Patience::seconds(PUT_AWAY_WITHIN_S);
    loop {
        let now = rig.counter.figures()?;
        let holds_more = before
            .iter()
            .zip(&now)
            .any(|(then, now)| now.threads > then.threads || now.descriptors > then.descriptors);
        if !holds_more || patience.left("what is put away").is_err() {
            return Ok(now);
        }
        std::thread::yield_now();
    }
}

fn grown(then: &ProcessFigures, now: &ProcessFigures, most: Growth) -> anyhow::Result<String> {
    let text = format!(
        "{} {} -> {}",
        name(now),
        then.resident_kib,
        now.resident_kib
    );
    let may = (then.resident_kib * most.per_cent / 100).max(most.kib);
    let grown = now.resident_kib.saturating_sub(then.resident_kib);
    ensure!(grown <= may, "memory has grown: {text}");
    ensure!(now.threads <= then.threads, "threads are left: {text}");
    ensure!(
        now.descriptors <= then.descriptors,
        "descriptors are left: {text}"
    );
    Ok(text)
}

/// A host's first argument names its family.
fn name(process: &ProcessFigures) -> String {
    let line = fs::read(format!("/proc/{}/cmdline", process.id)).unwrap_or_default();
    let argument = line.split(|byte| *byte == 0).nth(1).unwrap_or_default();
    format!("{} {}", process.name, String::from_utf8_lossy(argument))
}

fn print(rig: &Rig, tickets: u64) -> anyhow::Result<()> {
    let mut page = rig.page()?;
    for ticket in 0..tickets {
        if ticket % PAGE_FOR == PAGE_FOR - 1 {
            drop(page);
            page = rig.page()?;
        }
        let held = page.take("ticketPrinter")?;
        uses::print_once(&mut page, &held, &format!("before-{ticket}"))?;
        page.release(&held)?;
    }
    Ok(())
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
