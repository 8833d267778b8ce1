//! A running counter: listeners bound, slots started, addresses known.
//!
//! ```text
//! start: old port file removed -> keys -> slots -> sockets bound -> served -> port file written
//! drop:  port file removed -> serving ended -> cards lifted -> threads joined
//! ```

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use sim_peripherals::Peripherals;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::control;
use crate::counter::{Counter, CounterError};
use crate::counter_app::{self, CounterApp};
use crate::issuer::{ISSUER, Issuer, IssuerError};
use crate::port_file::PortFile;
use crate::settings::Settings;

/// A running simulated counter. Ends when dropped.
#[derive(Debug)]
pub struct CounterSim {
    counter: Arc<Counter>,
    devices: Arc<Peripherals>,
    control: SocketAddr,
    counter_app: SocketAddr,
    issuer_public_key: String,
    authorities: PathBuf,
    state: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Why a counter cannot start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Cards or slots are not to be had.
    #[error("cannot set up the cards")]
    Counter(#[from] CounterError),
    /// The issuer's key is not to be had.
    #[error("cannot set up the token issuer")]
    Issuer(#[from] IssuerError),
    /// A port cannot be listened on.
    #[error("cannot listen on port {port}")]
    Listen {
        /// Which.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A device is not to be had.
    #[error("cannot start the devices")]
    Devices(#[source] io::Error),
    /// The port file cannot be written, or an old one not be removed.
    #[error("cannot write the port file in {state}")]
    PortFile {
        /// The state folder.
        state: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The operating system grants no thread.
    #[error("cannot start serving")]
    Serve(#[source] io::Error),
}

impl CounterSim {
    /// Starts a counter. At first start in a state folder, this makes keys, which takes seconds.
    ///
    /// # Errors
    ///
    /// When something that it needs is not to be had; nothing is left running then.
    pub fn start(settings: &Settings) -> Result<Self, StartError> {
        let state = settings.state.clone();
        let port_file_failed = |source| StartError::PortFile {
            state: state.clone(),
            source,
        };
        PortFile::remove(&state).map_err(port_file_failed)?;
        let counter = Arc::new(Counter::open(settings)?);
        let devices = Peripherals::start(settings.devices.clone()).map_err(StartError::Devices)?;
        let devices = Arc::new(devices);
        let authorities = counter.write_authorities()?;
        let issuer = Issuer::open(&state)?;
        let issuer_public_key = issuer.public_key();
        let (control_listener, control) = listen(settings.control_port)?;
        let (app_listener, counter_app) = listen(settings.counter_port)?;
        let app = CounterApp {
            counter: Arc::clone(&counter),
            issuer,
            counter_name: settings.counter_name.clone(),
            staff: settings.staff.clone(),
            page: settings.counter_page.clone(),
        };
        let surfaces = [
            (
                control_listener,
                control::routes(Arc::clone(&counter), Arc::clone(&devices), control.port()),
            ),
            (app_listener, counter_app::routes(app, counter_app.port())),
        ];
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("surfaces".to_owned())
            .spawn(move || serve(surfaces, stopped))
            .map_err(StartError::Serve)?;
        let running = Self {
            counter,
            devices,
            control,
            counter_app,
            issuer_public_key,
            authorities,
            state: state.clone(),
            stop: Some(stop),
            thread: Some(thread),
        };
        running
            .port_file()
            .write(&state)
            .map_err(port_file_failed)?;
        tracing::info!(control = %running.control_address(), counter = %running.counter_address(), "ready");
        Ok(running)
    }

    /// Cards and slots.
    #[must_use]
    pub fn counter(&self) -> &Counter {
        &self.counter
    }

    /// The control surface, such as `http://127.0.0.1:40001`; the bench page is `/bench` there.
    #[must_use]
    pub fn control_address(&self) -> String {
        format!("http://{}", self.control)
    }

    /// The counter application: its address, and the origin of its page.
    #[must_use]
    pub fn counter_address(&self) -> String {
        format!("http://{}", self.counter_app)
    }

    /// The public key that verifies counter tokens, 32 bytes as base64url.
    #[must_use]
    pub fn issuer_public_key(&self) -> &str {
        &self.issuer_public_key
    }

    /// The file with the test authorities' public keys.
    #[must_use]
    pub fn authorities(&self) -> &Path {
        &self.authorities
    }

    fn port_file(&self) -> PortFile {
        PortFile {
            format: PortFile::FORMAT,
            pid: std::process::id(),
            control: self.control_address(),
            bench: format!("{}/bench", self.control_address()),
            counter_app: self.counter_address(),
            issuer: ISSUER.to_owned(),
            issuer_public_key: self.issuer_public_key.clone(),
            authorities: self.authorities.clone(),
            slots: self
                .counter
                .slots()
                .into_iter()
                .map(|slot| slot.reader)
                .collect(),
            devices: self.devices.view(),
        }
    }
}

impl Drop for CounterSim {
    fn drop(&mut self) {
        if let Err(error) = PortFile::remove(&self.state) {
            tracing::warn!(%error, "the port file stays behind");
        }
        // The other side may have ended by itself; then there is nobody to tell.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the serving thread panicked");
        }
    }
}

fn listen(port: u16) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    bound.map_err(|source| StartError::Listen { port, source })
}

/// Serves both surfaces until the sender of `stopped` goes.
fn serve(surfaces: [(TcpListener, Router); 2], stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = runtime.and_then(|runtime| {
        runtime.block_on(async {
            let [control, app] = surfaces;
            tokio::select! {
                ended = surface(control) => ended,
                ended = surface(app) => ended,
                _ = stopped => Ok(()),
            }
        })
    });
    if let Err(error) = served {
        tracing::error!(%error, "serving ended");
    }
}

async fn surface((listener, routes): (TcpListener, Router)) -> io::Result<()> {
    axum::serve(tokio::net::TcpListener::from_std(listener)?, routes).await
}
