//! The bare loop: the commands of a read, sent by nothing but the `pcsc` crate.
//!
//! It is what a job is held against: connect, begin a transaction, send, power off.
//! Runs as a [`Helper`]; on each question it does one round and answers with the nanoseconds of its parts.
#![expect(clippy::print_stdout, reason = "a helper answers on standard output")]

use std::ffi::CString;
use std::io::stdin;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use device_api::{Clock as _, Moment, SystemClock};
use harness::Counter;
use pcsc::{Context, Disposition, Protocols, Scope, ShareMode};
use serde::{Deserialize, Serialize};

use crate::commands::CommandOfRead;
use crate::helper::Helper;

/// The command line's word for this role.
pub(crate) const ROLE: &str = "--as-bare-loop";

/// A bare loop that waits for its next round.
#[derive(Debug)]
pub(crate) struct BareLoop(Helper);

/// How long the parts of one round took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    /// Connecting and beginning the transaction.
    pub(crate) connecting: Duration,
    /// All commands.
    pub(crate) exchanging: Duration,
    /// Powering off and disconnecting.
    pub(crate) ending: Duration,
}

impl Round {
    /// All of it.
    pub(crate) fn whole(&self) -> Duration {
        self.connecting + self.exchanging + self.ending
    }
}

/// What the helper is told first.
#[derive(Debug, Serialize, Deserialize)]
struct Instruction {
    reader: String,
    commands: Vec<String>,
}

impl BareLoop {
    /// A loop over `commands` at the reader number `slot` of `counter`.
    pub(crate) fn start(
        counter: &Counter,
        slot: usize,
        commands: &[CommandOfRead],
    ) -> anyhow::Result<Self> {
        let reader = counter.pcscd.readers().get(slot).cloned();
        let commands = commands.iter().map(|command| hex::encode(&command.apdu));
        let instruction = Instruction {
            reader: reader.context("the counter has fewer readers")?,
            commands: commands.collect(),
        };
        let mut helper = Helper::start(ROLE, Some(&counter.pcscd.socket()))?;
        helper.ask(&serde_json::to_string(&instruction)?)?;
        Ok(Self(helper))
    }

    /// Does one round.
    pub(crate) fn round(&mut self) -> anyhow::Result<Round> {
        let answer = self.0.ask("round")?;
        let nanoseconds: Vec<u64> = serde_json::from_str(&answer)?;
        let &[connecting, exchanging, ending] = nanoseconds.as_slice() else {
            anyhow::bail!("an unexpected answer of the bare loop: {answer}");
        };
        Ok(Round {
            connecting: Duration::from_nanos(connecting),
            exchanging: Duration::from_nanos(exchanging),
            ending: Duration::from_nanos(ending),
        })
    }
}

/// The helper's side.
///
/// # Errors
/// When the card or the service refuses, or a command is not answered as it must be.
pub(crate) fn serve() -> anyhow::Result<()> {
    let mut lines = stdin().lines();
    let first = lines.next().context("no instruction")??;
    let instruction: Instruction = serde_json::from_str(&first)?;
    let reader = CString::new(instruction.reader)?;
    let decoded = instruction.commands.iter().map(hex::decode);
    let commands: Vec<Vec<u8>> = decoded.collect::<Result<_, _>>()?;
    let context = Context::establish(Scope::System)?;
    println!("ready");
    let clock = SystemClock::new();
    for line in lines {
        line?;
        let [began, connected, exchanged, ended] = round(&context, &reader, &commands, &clock)?;
        let part = |from: Moment, to: Moment| u64::try_from(to.since(from).as_nanos());
        let parts = [
            part(began, connected)?,
            part(connected, exchanged)?,
            part(exchanged, ended)?,
        ];
        println!("{}", serde_json::to_string(&parts)?);
    }
    Ok(())
}

fn round(
    context: &Context,
    reader: &CString,
    commands: &[Vec<u8>],
    clock: &SystemClock,
) -> anyhow::Result<[Moment; 4]> {
    let began = clock.now();
    let mut card = context.connect(reader, ShareMode::Shared, Protocols::ANY)?;
    let transaction = card.transaction()?;
    let connected = clock.now();
    let mut answer = [0; pcsc::MAX_BUFFER_SIZE_EXTENDED];
    for (number, command) in commands.iter().enumerate() {
        let answered = transaction.transmit(command, &mut answer)?;
        // A question for the tries left is answered with 63Cx, and the first command after power-on with
        // 6F00; everything else with 9000.
        let fine = match answered {
            [.., 0x90, 0x00] | [0x63, 0xC2..=0xCF] => true,
            [0x6F, 0x00] => number == 0,
            _ => false,
        };
        let header = command.get(..4).unwrap_or_default();
        ensure!(fine, "{} was refused", hex::encode(header));
    }
    let exchanged = clock.now();
    // Disconnecting ends the transaction and powers the card off in one call, as the agent does.
    std::mem::forget(transaction);
    card.disconnect(Disposition::UnpowerCard)
        .map_err(|(_card, error)| error)?;
    Ok([began, connected, exchanged, clock.now()])
}
