//! Another program on the counter PC that also talks to cards, and does so rudely.
//!
//! Middleware of other makers polls cards, selects its own application, resets a card when it is done,
//! or holds a transaction for a while.
//! This program does all of that at random moments on the named readers, until its standard input ends.
//! It never sends a PIN: a card that is blocked in a scenario was blocked by us.
//!
//! Usage: `interferer SEED READER...`
#![expect(
    clippy::print_stdout,
    reason = "it reports on standard output what it did"
)]

use std::ffi::CString;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use pcsc::{Context, Disposition, Protocols, ReaderState, Scope, ShareMode, State};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Commands of other middleware: SELECT of JPKI, of the common and of the card-surface AP; a status
/// query of the JPKI authentication PIN that consumes no try; GET CHALLENGE.
const COMMANDS: [&[u8]; 5] = [
    &[
        0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0xF0, 0x00, 0x26, 0x01, 0x00, 0x00, 0x00, 0x01,
    ],
    &[
        0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00,
    ],
    &[
        0x00, 0xA4, 0x04, 0x0C, 0x0A, 0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02,
    ],
    &[0x00, 0x20, 0x00, 0x98],
    &[0x00, 0x84, 0x00, 0x00, 0x10],
];

#[derive(Debug, Default)]
struct Deeds {
    connections: u64,
    commands: u64,
    resets: u64,
    transactions: u64,
}

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seed: u64 = arguments
        .next()
        .context("usage: interferer SEED READER...")?
        .parse()?;
    let readers: Vec<CString> = arguments.map(CString::new).collect::<Result<_, _>>()?;
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut rest = Vec::new();
            let _end_or_error = std::io::stdin().read_to_end(&mut rest);
            flag.store(true, Ordering::Relaxed);
        })?;
    let mut random = StdRng::seed_from_u64(seed);
    let mut deeds = Deeds::default();
    while !ended.load(Ordering::Relaxed) {
        let Some(reader) = readers.get(random.random_range(0..readers.len().max(1))) else {
            break;
        };
        // The service may be restarted under us, the card lifted: the next round starts afresh.
        let _gone = interfere(reader, &mut random, &mut deeds);
    }
    println!(
        "{} connections, {} commands, {} transactions, {} resets",
        deeds.connections, deeds.commands, deeds.transactions, deeds.resets
    );
    Ok(())
}

fn interfere(reader: &CString, random: &mut StdRng, deeds: &mut Deeds) -> Result<(), pcsc::Error> {
    let context = Context::establish(Scope::User)?;
    let mut states = [ReaderState::new(reader.clone(), State::UNAWARE)];
    context.get_status_change(Some(Duration::from_millis(100)), &mut states)?;
    for state in &mut states {
        state.sync_current_state();
    }
    // Until something changes at the reader, or a random moment comes.
    let pause = Duration::from_millis(random.random_range(1..40));
    match context.get_status_change(Some(pause), &mut states) {
        Ok(()) | Err(pcsc::Error::Timeout) => {}
        Err(error) => return Err(error),
    }
    let mut card = context.connect(reader, ShareMode::Shared, Protocols::ANY)?;
    deeds.connections += 1;
    if random.random_bool(0.5) {
        deeds.transactions += 1;
        let transaction = card.transaction()?;
        send(&transaction, random, deeds)?;
        transaction
            .end(Disposition::LeaveCard)
            .map_err(|(_, error)| error)?;
    } else {
        send(&card, random, deeds)?;
    }
    let disposition = match random.random_range(0..10) {
        0 => Disposition::ResetCard,
        1 => Disposition::UnpowerCard,
        _ => Disposition::LeaveCard,
    };
    if disposition != Disposition::LeaveCard {
        deeds.resets += 1;
    }
    card.disconnect(disposition).map_err(|(_, error)| error)
}

fn send(card: &pcsc::Card, random: &mut StdRng, deeds: &mut Deeds) -> Result<(), pcsc::Error> {
    let mut answer = [0; pcsc::MAX_BUFFER_SIZE];
    for _ in 0..random.random_range(1..4) {
        let Some(command) = COMMANDS.get(random.random_range(0..COMMANDS.len())) else {
            continue;
        };
        card.transmit(command, &mut answer)?;
        deeds.commands += 1;
    }
    Ok(())
}
