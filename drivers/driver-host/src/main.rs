//! The killable child process that serves devices to the agent.
//!
//! **What it is for.** It speaks the host protocol (`docs/protocol/driver-host.md`) on standard input and
//! output and serves every PC/SC card reader of the machine, so that a hung C library or a crashed decoder
//! costs this process and never the agent.
//!
//! **What it refuses.** It takes no raw command for a card, opens no network connection, keeps nothing
//! between two jobs, and sends a secret to a card at most once.
//!
//! | thread | owns | ends |
//! |---|---|---|
//! | main | the loop of [`host`] | with the process |
//! | `from-agent`, `to-agent` | the pipes | with the process |
//! | `card-watcher` | a PC/SC context that waits for changes | with the process |
//! | `reader <name>` | one reader, one job at a time | when the reader is gone |
//!
//! This file is the composition root: the clock, randomness, trust and the pipes are made here and
//! passed in.

mod cli;
mod device;
mod exit;
mod fault;
mod host;
mod input;
mod job;
mod limits;
mod logging;
mod output;
mod platform;
mod reading;
mod recordings;
mod translate;
mod trust;

use std::{
    io,
    ops::ControlFlow,
    process::ExitCode,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

use clap::Parser;
use device_api::{Clock, SystemClock};
use idcards::TrustAnchors;
use ring::rand::SystemRandom;
use smartcard::{Board, watch};

use crate::{
    cli::{Arguments, Family, Pcsc},
    exit::Exit,
    host::{Event, Host, Parts},
    output::Speaker,
    reading::Tools,
    recordings::Recordings,
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
    platform::keep_memory_private()?;
    let pipes = platform::protocol_pipes()?;
    logging::start(&arguments.log, arguments.log_format)?;
    let Family::Pcsc(pcsc) = &arguments.family;
    let anchors = match trust::anchors(pcsc) {
        Ok(anchors) => anchors,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "trust anchors cannot be used");
            return Ok(Exit::Trust);
        }
    };
    let (events, inbox) = sync_channel(QUEUE);
    let unheard = events.clone();
    let speaker = Speaker::start(pipes.to_agent, move |error| {
        tracing::error!(%error, "the agent cannot be reached any more");
        let _host_has_ended = send(&unheard, Event::Unheard);
    })?;
    let heard = events.clone();
    input::listen(pipes.from_agent, move |line| {
        send(&heard, Event::Heard(line))
    })?;
    serve(pcsc, anchors, speaker, (events, &inbox))
}

fn serve(
    pcsc: &Pcsc,
    anchors: TrustAnchors,
    speaker: Speaker,
    (events, inbox): (SyncSender<Event>, &Receiver<Event>),
) -> anyhow::Result<Exit> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let tools = Arc::new(Tools {
        anchors,
        random: Box::new(SystemRandom::new()),
        recordings: recordings(pcsc, &clock)?,
        clock,
    });
    let board = Arc::new(Board::new());
    let seen = events.clone();
    let on_change = Box::new(move |_: &_| {
        let _host_has_ended = send(&seen, Event::Seen);
    });
    let refresher = watch(Arc::clone(&board), platform::service_door(), on_change)?;
    let parts = Parts {
        board,
        refresher,
        tools,
        speaker,
        events,
    };
    Ok(Host::new(parts).run(inbox))
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
