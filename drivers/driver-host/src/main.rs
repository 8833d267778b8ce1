//! The killable child process that serves devices to the agent.
//!
//! **What it is for.** It speaks the host protocol (`docs/protocol/driver-host.md`) on standard input and
//! output and serves the devices of one family, so that a hung library or a crashed decoder costs this
//! process, and neither the agent nor another family.
//!
//! **What it refuses.** It takes no raw command for a device, connects to nothing that its settings do not
//! name, keeps nothing of a citizen between two jobs, and sends a secret to a card at most once.
//!
//! | thread | owns | ends |
//! |---|---|---|
//! | main | the loop of [`host`] | with the process |
//! | `from-agent`, `to-agent` | the pipes | with the process |
//! | `card-watcher` | a PC/SC context that waits for changes | with the process |
//! | `device <id>` | one device, one job at a time | when the device is gone |
//!
//! This file is the composition root: the clock, randomness, trust and the pipes are made here and
//! passed in.

mod cards;
mod checking;
mod cli;
mod device;
mod exit;
mod floor;
mod host;
mod input;
mod job;
mod logging;
mod output;
mod platform;
mod stations;

use std::{
    io,
    ops::ControlFlow,
    process::ExitCode,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
};

use clap::Parser;
use device_api::{Clock, SystemClock};
use ring::rand::SystemRandom;
use smartcard::{Board, watch};

use crate::{
    cards::{Cards, Recordings, Tools},
    cli::{Arguments, Family, Pcsc},
    exit::Exit,
    floor::Floor,
    host::{Event, Host, Parts},
    output::Speaker,
    stations::Stations,
};

/// Events that may wait for the loop.
const QUEUE: usize = 64;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let exit = match run(&arguments) {
        Ok(exit) => exit,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "could not start");
            Exit::System
        }
    };
    exit.into()
}

fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    if arguments.check_settings {
        return Ok(checking::check(
            &arguments.family,
            io::stdin().lock(),
            io::stderr().lock(),
        ));
    }
    platform::keep_memory_private()?;
    let pipes = platform::protocol_pipes()?;
    logging::start(&arguments.log, arguments.log_format)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let (events, inbox) = sync_channel(QUEUE);
    let floor: Box<dyn Floor> = match &arguments.family {
        Family::Pcsc(pcsc) => match cards(pcsc, &clock, &events)? {
            Some(cards) => cards,
            None => return Ok(Exit::Trust),
        },
        Family::Stations(family) => {
            let seen = events.clone();
            let on_change = Arc::new(move || {
                let _host_has_ended = send(&seen, Event::Seen);
            });
            Box::new(Stations::new(*family, Arc::clone(&clock), on_change))
        }
    };
    let unheard = events.clone();
    let speaker = Speaker::start(pipes.to_agent, move |error| {
        tracing::error!(%error, "the agent cannot be reached any more");
        let _host_has_ended = send(&unheard, Event::Unheard);
    })?;
    let heard = events.clone();
    input::listen(pipes.from_agent, move |line| {
        send(&heard, Event::Heard(line))
    })?;
    let parts = Parts {
        floor,
        clock,
        speaker,
        events,
    };
    Ok(Host::new(parts).run(&inbox))
}

/// The floor of card readers; `None` where the trust anchors cannot be used.
fn cards(
    pcsc: &Pcsc,
    clock: &Arc<dyn Clock>,
    events: &SyncSender<Event>,
) -> anyhow::Result<Option<Box<dyn Floor>>> {
    let anchors = match cards::anchors(pcsc) {
        Ok(anchors) => anchors,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "trust anchors cannot be used");
            return Ok(None);
        }
    };
    let tools = Arc::new(Tools {
        anchors,
        random: Box::new(SystemRandom::new()),
        recordings: recordings(pcsc, clock)?,
        clock: Arc::clone(clock),
    });
    let board = Arc::new(Board::new());
    let seen = events.clone();
    let on_change = Box::new(move |_: &_| {
        let _host_has_ended = send(&seen, Event::Seen);
    });
    let refresher = watch(Arc::clone(&board), platform::service_door(), on_change)?;
    Ok(Some(Box::new(Cards {
        board,
        refresher,
        tools,
    })))
}

fn recordings(pcsc: &Pcsc, clock: &Arc<dyn Clock>) -> io::Result<Option<Recordings>> {
    pcsc.record
        .as_ref()
        .map(|folder| Recordings::into_folder(folder.clone(), Arc::clone(clock)))
        .transpose()
}

fn send(events: &SyncSender<Event>, event: Event) -> ControlFlow<()> {
    match events.send(event) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_host_has_ended) => ControlFlow::Break(()),
    }
}
