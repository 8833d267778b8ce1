//! The composition root: everything is made here, once, and handed to those who need it.
//!
//! ```text
//! state folder -> key, audit log, fences, pairings, calibrations
//! listeners -> door -> router            PIN listener -> PIN page
//! core + recorder + driver hosts -> event loop
//! ```
//! Order of the end: the loop first (jobs, hosts, records), then connections, then the files that say
//! that the agent is here.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use agent_core::Core;
use agent_core::ids::HostId;
use device_api::{Clock, SystemClock};
use thiserror::Error;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use crate::calibrations::Calibrations;
use crate::chance::SystemChance;
use crate::config::{CARDS, Config};
use crate::door::Door;
use crate::event_loop::{EventLoop, Parts};
use crate::identity::{Identity, IdentityError};
use crate::input::{Desk, Input};
use crate::ledger::{AuditLedger, LedgerError};
use crate::log;
use crate::pin_page::PinPage;
use crate::platform::{self, Readiness, Termination};
use crate::recorder::{Recorder, Scribe, Writing};
use crate::reporting;
use crate::routes::{self, Office};
use crate::sealing::{Municipality, Seal};
use crate::server::{ApiService, Connections};
use crate::state_dir::{Ports, StateDir, StateDirError};
use crate::stored::{self, StoredError};
use crate::translate;

/// The number of the port file's shape.
const PORTS_FORMAT: u32 = 1;

/// Why the agent cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The system gives no event loop or no thread.
    #[error("cannot set up the process")]
    Process(#[source] io::Error),
    /// The state folder cannot be used.
    #[error("cannot use the state folder")]
    StateDir(#[source] StateDirError),
    /// The agent's key cannot be used.
    #[error("cannot use the agent's key")]
    Identity(#[source] IdentityError),
    /// The audit log cannot be used.
    #[error("cannot use the audit log")]
    Audit(#[source] LedgerError),
    /// Stored state cannot be used.
    #[error("cannot use stored state")]
    Stored(#[source] StoredError),
    /// A file of the municipality's key cannot be read.
    #[error("cannot read {path}")]
    SigningFile {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// The municipality's key and certificates do not fit.
    #[error("cannot sign documents with the configured key")]
    SigningKey(#[source] signature::IdentityError),
    /// What should be reported cannot be.
    #[error("cannot report to the monitor")]
    Reporting(#[source] reporting::ReportingError),
    /// An address is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// Runs the agent until it is told to end.
///
/// # Errors
/// Says what keeps it from starting; once it runs it ends only when told to.
pub fn run(config: &Config) -> Result<(), StartError> {
    let readiness = Readiness::from_service_manager();
    if let Err(error) = platform::harden_process() {
        tracing::warn!(%error, "memory of this process can end up in core dumps");
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(StartError::Process)?;
    let ended = runtime.block_on(serve(config, &readiness));
    // What still runs is waiting for a peer.
    runtime.shutdown_background();
    ended
}

async fn serve(config: &Config, readiness: &Readiness) -> Result<(), StartError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let termination = Termination::listen().map_err(StartError::Process)?;
    let dir = Arc::new(StateDir::open(&config.state_dir).map_err(StartError::StateDir)?);
    if let Err(error) = log::keep(dir.path(), Arc::clone(&clock)) {
        tracing::warn!(%error, "lines of the log are not kept");
    }
    let (listener, address) = listen(config.listen).await?;
    let (pin_listener, pin_address) = listen(config.pin_listen).await?;
    let (desk, inputs) = Desk::open();
    let identity = Identity::open(
        config.agent_id.clone(),
        &dir,
        &ring::rand::SystemRandom::new(),
    )
    .map_err(StartError::Identity)?;
    let mut event_loop = event_loop(
        config,
        &dir,
        &clock,
        Joining {
            desk: &desk,
            pin_address,
            seal: Seal {
                agent: config.agent_id.clone(),
                key: identity.key(),
                municipality: municipality(config)?,
            },
        },
    )?;

    let door = Arc::new(Door::new(config, address, Arc::clone(&clock)));
    let office = Arc::new(Office {
        desk: desk.clone(),
        door: Arc::clone(&door),
        identity,
        pin_address: page_address(pin_address),
    });
    let (router, _document) = routes::router();
    let service = ApiService::new(door, router.with_state(office), &run_name(clock.as_ref()));
    let page = PinPage::new(desk.clone(), pin_address, Arc::clone(&clock));
    let connections = Connections::default();
    open_native(config, &connections, &service)?;
    connections.serve(listener, service);
    connections.serve_with(pin_listener, move |seat| {
        let (page, seat) = (page.clone(), Arc::new(seat));
        move |request| {
            let (page, seat) = (page.clone(), Arc::clone(&seat));
            async move { page.answer(request, Some(seat)).await }
        }
    });

    let ports = Ports {
        format: PORTS_FORMAT,
        pid: std::process::id(),
        api: address,
        pin: pin_address,
    };
    dir.announce(&ports).map_err(StartError::Process)?;
    tokio::spawn(terminate(termination, desk));
    event_loop.begin();
    readiness.ready();
    tracing::info!(api = %address, pin = %pin_address, agent = config.agent_id, "ready");
    event_loop.run(inputs).await;
    readiness.stopping();
    connections.end().await;
    dir.withdraw();
    if let Some(native) = &config.native {
        platform::close_native(&native.path);
    }
    tracing::info!("ended");
    Ok(())
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Listen {
        address: address.to_string(),
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let real = listener.local_addr().map_err(failed)?;
    Ok((listener, real))
}

/// What the loop is joined to.
struct Joining<'a> {
    desk: &'a Desk,
    pin_address: SocketAddr,
    seal: Seal,
}

fn event_loop(
    config: &Config,
    dir: &Arc<StateDir>,
    clock: &Arc<dyn Clock>,
    joining: Joining<'_>,
) -> Result<EventLoop, StartError> {
    let Joining {
        desk,
        pin_address,
        seal,
    } = joining;
    let ledger = AuditLedger::open(dir.path(), Arc::clone(&seal.key), clock.unix_millis())
        .map_err(StartError::Audit)?;
    let core = agent_core::Config {
        hosts: u16::try_from(config.hosts.len()).unwrap_or(u16::MAX),
        card_host: config
            .hosts
            .iter()
            .position(|host| host.name == CARDS)
            .and_then(|place| u16::try_from(place).ok())
            .map(HostId),
        grants: translate::grants(&config.grants),
        first_fence: stored::reserve_fences(dir).map_err(StartError::Stored)?,
        pairings: stored::read_pairings(dir).map_err(StartError::Stored)?,
    };
    let writing = Writing {
        ledger: Box::new(ledger),
        dir: Arc::clone(dir),
        clock: Arc::clone(clock),
    };
    let recorder = Recorder::start(writing, desk.clone()).map_err(StartError::Process)?;
    let reporting = reporting(config, dir, clock, (desk, recorder.scribe()))?;
    let mut hosts = config.hosts.clone();
    let stored = stored::read_calibrations(dir).map_err(StartError::Stored)?;
    let calibrations = Calibrations::new(stored, &mut hosts);
    let mut event_loop = EventLoop::new(Parts {
        core: Core::new(core, Box::new(SystemChance::default())),
        clock: Arc::clone(clock),
        hosts,
        calibrations,
        seal,
        recorder,
        desk: desk.clone(),
        pin_address: page_address(pin_address),
        reporting,
    });
    if stored::read_lock(dir).map_err(StartError::Stored)? {
        tracing::warn!("out of service, by order of an operator");
        event_loop.lock(true);
    }
    Ok(event_loop)
}

fn reporting(
    config: &Config,
    dir: &Arc<StateDir>,
    clock: &Arc<dyn Clock>,
    (desk, scribe): (&Desk, Scribe),
) -> Result<Option<reporting::Desk>, StartError> {
    let Some(settings) = &config.telemetry else {
        return Ok(None);
    };
    let around = reporting::Surroundings {
        settings,
        configuration: config.digest.clone(),
        dir,
        desk,
        scribe,
        clock: Arc::clone(clock),
    };
    reporting::Desk::start(&around)
        .map(Some)
        .map_err(StartError::Reporting)
}

/// The municipality's key and certificates, where documents are to be signed.
fn municipality(config: &Config) -> Result<Option<Arc<Municipality>>, StartError> {
    let Some(files) = &config.document_signing else {
        return Ok(None);
    };
    let read = |path: &std::path::Path| {
        std::fs::read(path)
            .map(Zeroizing::new)
            .map_err(|source| StartError::SigningFile {
                path: path.display().to_string(),
                source,
            })
    };
    let (key, chain) = (read(&files.key)?, read(&files.certificates)?);
    let identity = signature::Identity::new(&key, &chain, &ring::rand::SystemRandom::new())
        .map_err(StartError::SigningKey)?;
    let name = files.name.clone();
    Ok(Some(Arc::new(Municipality { identity, name })))
}

fn open_native(
    config: &Config,
    connections: &Connections,
    service: &ApiService,
) -> Result<(), StartError> {
    let Some(native) = &config.native else {
        return Ok(());
    };
    let listener = platform::listen_native(&native.path).map_err(|source| StartError::Listen {
        address: native.path.display().to_string(),
        source,
    })?;
    let allowed = native.allowed_uids.iter().copied().collect();
    connections.serve_native(listener, service.clone(), allowed);
    Ok(())
}

async fn terminate(mut termination: Termination, desk: Desk) {
    termination.wait().await;
    tracing::info!("told to end");
    desk.tell(Input::Terminate).await;
}

/// Where the PIN page is served, as a browser is told.
fn page_address(address: SocketAddr) -> String {
    format!("http://{address}/")
}

/// Tells the log lines of this run from those of others.
fn run_name(clock: &dyn Clock) -> String {
    format!("{:x}", clock.unix_millis() / 1000)
}
