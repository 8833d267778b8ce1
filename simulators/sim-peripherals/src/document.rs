//! A document scanner with a feeder and a glass, over eSCL and over a SANE network daemon at once.
//!
//! Pages are generated, or given as pictures; what a person does with sheets, cover and jams is
//! [`DocumentAction`], what goes wrong by itself is a [`FaultPlan`].
//! Its tests, with `scanimage` as a client that is not ours, are in `tests/document.rs`.

mod engine;
mod escl;
mod http;
mod jpeg;
mod page;
mod sane;
mod sane_data;
mod sane_wire;

use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::fault::{Device, Fault, FaultPlan, Kind, PlanError};
use crate::injector::Injector;
use crate::line::{Address, Attach, Line, Port, Serve, Spot};
use crate::printer::font::Font;
use crate::shared::Shared;

use engine::Engine;
pub use engine::{DocumentCounters, SheetContent, Source};
pub use page::{ColourMode, PageContent};

/// Connections that are served at once, by each protocol.
const AT_ONCE: usize = 8;

/// What kind of scanner it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct DocumentSettings {
    /// Where it serves eSCL.
    pub escl: Attach,
    /// Where it serves the SANE network protocol. Some clients know only port 6566, for which another
    /// address of the loopback may be free.
    pub sane: Attach,
    /// Whether eSCL offers PNG beside JPEG; many devices do not.
    pub png: bool,
    /// How eSCL calls an open cover. Devices differ: `ScannerAdfHatchOpen` is the specification's word,
    /// `ScannerAdfDoorOpen` the one that sane-airscan knows.
    pub cover_state: String,
    /// Its model.
    pub name: String,
    /// The font of generated pages; absent: a usual one, or boxes.
    pub font: Option<PathBuf>,
}

impl Default for DocumentSettings {
    fn default() -> Self {
        Self {
            escl: Attach::Tcp(0),
            sane: Attach::Tcp(0),
            png: true,
            cover_state: "ScannerAdfHatchOpen".to_owned(),
            name: "Simulated document scanner".to_owned(),
            font: None,
        }
    }
}

/// What a person does, apart from sheets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DocumentAction {
    /// Opens the cover.
    OpenCover,
    /// Closes it.
    CloseCover,
    /// Gets a page stuck in the feeder.
    Jam,
    /// Takes the stuck page out.
    ClearJam,
    /// Takes all sheets out of the feeder.
    TakeSheetsOut,
    /// Presses "stop" at the device.
    PressStop,
    /// Pulls the network cable; jobs are forgotten.
    Unplug,
    /// Puts it back; a scanner that hung works again.
    Plug,
}

/// What the scanner shows to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a lamp of its own, and they are independent"
)]
pub struct DocumentView {
    /// The address for eSCL.
    pub escl: Address,
    /// The address for the SANE network protocol.
    pub sane: Address,
    /// Whether the cable is in.
    pub plugged: bool,
    /// Whether it hangs by a fault.
    pub hung: bool,
    /// Whether a job is in progress.
    pub scanning: bool,
    /// Sheets in the feeder.
    pub sheets: usize,
    /// Whether something lies on the glass.
    pub glass: bool,
    /// Whether the cover is open.
    pub cover_open: bool,
    /// Whether a page is stuck.
    pub jammed: bool,
}

/// A running document scanner. Dropping it ends it.
#[derive(Debug)]
pub struct DocumentScanner {
    settings: DocumentSettings,
    inside: Arc<Inside>,
    ports: Mutex<Ports>,
}

/// What connections work with.
#[derive(Debug)]
pub(crate) struct Inside {
    pub(crate) engine: Shared<Engine>,
    pub(crate) font: Font,
    pub(crate) name: String,
    pub(crate) cover_state: String,
    pub(crate) png: bool,
}

#[derive(Debug)]
struct Ports {
    escl: (Spot, Option<Port>),
    sane: (Spot, Option<Port>),
}

/// One of the two protocols: serves a connection until it ends.
type Protocol = fn(&Inside, &Line) -> io::Result<()>;

impl Inside {
    /// Waits as faults say. Returns whether the device still answers.
    pub(crate) fn goes_on(&self, kinds: &[Kind]) -> bool {
        for kind in kinds {
            if let Kind::Slow(span) = kind {
                let span = Duration::from_millis(*span);
                drop(self.engine.wait_while_for(span, |engine| !engine.unplugged));
            }
        }
        let engine = self
            .engine
            .wait_while(|engine| engine.hung && !engine.unplugged);
        !engine.unplugged && !kinds.contains(&Kind::Disconnect) && !kinds.contains(&Kind::Hang)
    }
}

impl DocumentScanner {
    /// Switches a scanner on, with an empty feeder.
    ///
    /// # Errors
    ///
    /// When a port or its thread cannot be had.
    pub fn start(settings: DocumentSettings) -> io::Result<Self> {
        let inside = Arc::new(Inside {
            engine: Shared::new(Engine::default()),
            font: Font::load(settings.font.as_deref()),
            png: settings.png,
            name: settings.name.replace(['<', '>', '&'], " "),
            cover_state: settings.cover_state.replace(['<', '>', '&'], " "),
        });
        let open = |attach, protocol| {
            let port = Port::open(attach, None, AT_ONCE, serving(&inside, protocol))?;
            io::Result::Ok((port.spot(), Some(port)))
        };
        let ports = Ports {
            escl: open(&settings.escl, escl::converse)?,
            sane: open(&settings.sane, sane::converse)?,
        };
        Ok(Self {
            settings,
            inside,
            ports: Mutex::new(ports),
        })
    }

    /// The address of the eSCL service, as clients are told it.
    #[must_use]
    pub fn escl_url(&self) -> String {
        match &self.ports().escl.0.address {
            Address::Tcp(address) => format!("http://{address}/eSCL/"),
            Address::Pty(_) => String::new(),
        }
    }

    /// The address of the SANE network daemon.
    #[must_use]
    pub fn sane_address(&self) -> Address {
        self.ports().sane.0.address.clone()
    }

    /// How it stands.
    #[must_use]
    pub fn view(&self) -> DocumentView {
        let (escl, sane) = self.addresses();
        view(&self.inside.engine.lock(), escl, sane)
    }

    /// Waits until `wanted` holds, for `patience` at most. Returns how it stands at the end.
    #[must_use]
    pub fn wait_for(
        &self,
        wanted: impl Fn(&DocumentView) -> bool,
        patience: Duration,
    ) -> DocumentView {
        let (escl, sane) = self.addresses();
        let engine = self.inside.engine.wait_while_for(patience, |engine| {
            !wanted(&view(engine, escl.clone(), sane.clone()))
        });
        view(&engine, escl, sane)
    }

    /// Puts sheets into the feeder, behind those that are there.
    pub fn insert(&self, sheets: impl IntoIterator<Item = SheetContent>) {
        self.inside
            .engine
            .change(|engine| engine.sheets.extend(sheets));
    }

    /// Lays a page on the glass, or takes it away.
    pub fn lay_on_glass(&self, page: Option<PageContent>) {
        self.inside.engine.change(|engine| engine.glass = page);
    }

    /// Does what a person does.
    ///
    /// # Errors
    ///
    /// When a port cannot be opened again.
    pub fn act(&self, action: DocumentAction) -> io::Result<()> {
        self.inside.engine.change(|engine| match action {
            DocumentAction::OpenCover => engine.cover_open = true,
            DocumentAction::CloseCover => engine.cover_open = false,
            DocumentAction::Jam => engine.jammed = true,
            DocumentAction::ClearJam => engine.jammed = false,
            DocumentAction::TakeSheetsOut => engine.sheets.clear(),
            DocumentAction::PressStop => engine.press_stop(),
            DocumentAction::Unplug => {
                engine.unplugged = true;
                engine.forget();
            }
            DocumentAction::Plug => {}
        });
        match action {
            DocumentAction::Unplug => {
                let mut ports = self.ports();
                let closing = (ports.escl.1.take(), ports.sane.1.take());
                drop(ports);
                drop(closing);
            }
            DocumentAction::Plug => self.plug()?,
            DocumentAction::OpenCover
            | DocumentAction::CloseCover
            | DocumentAction::Jam
            | DocumentAction::ClearJam
            | DocumentAction::TakeSheetsOut
            | DocumentAction::PressStop => {}
        }
        Ok(())
    }

    /// Replaces the faults.
    ///
    /// # Errors
    ///
    /// When a document scanner cannot carry the plan out; the old one stays.
    pub fn plan_faults(&self, plan: FaultPlan) -> Result<(), PlanError> {
        let injector = Injector::new(plan, Device::DocumentScanner)?;
        self.inside
            .engine
            .change(|engine| engine.injector = injector);
        Ok(())
    }

    /// The faults that are not over yet.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.inside.engine.lock().injector.remaining()
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> DocumentCounters {
        self.inside.engine.lock().counters.clone()
    }

    /// Forgets what was counted.
    pub fn reset_counters(&self) {
        self.inside
            .engine
            .change(|engine| engine.counters = DocumentCounters::default());
    }

    fn plug(&self) -> io::Result<()> {
        let mut ports = self.ports();
        // A fault may have pulled the cable at one of the two only.
        let closing = (ports.escl.1.take(), ports.sane.1.take());
        self.inside.engine.change(|engine| engine.unplugged = true);
        drop(closing);
        self.inside.engine.change(|engine| {
            engine.unplugged = false;
            engine.hung = false;
            engine.injector.replugged();
            engine.forget();
        });
        let open = |before: &Spot, attach, protocol| {
            let serve = serving(&self.inside, protocol);
            Port::open(attach, Some(before), AT_ONCE, serve)
        };
        ports.escl.1 = Some(open(&ports.escl.0, &self.settings.escl, escl::converse)?);
        ports.sane.1 = Some(open(&ports.sane.0, &self.settings.sane, sane::converse)?);
        Ok(())
    }

    fn addresses(&self) -> (Address, Address) {
        let ports = self.ports();
        (ports.escl.0.address.clone(), ports.sane.0.address.clone())
    }

    fn ports(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for DocumentScanner {
    fn drop(&mut self) {
        self.inside.engine.change(|engine| engine.unplugged = true);
    }
}

fn view(engine: &Engine, escl: Address, sane: Address) -> DocumentView {
    DocumentView {
        escl,
        sane,
        plugged: !engine.unplugged,
        hung: engine.hung,
        scanning: engine.is_scanning(),
        sheets: engine.sheets.len(),
        glass: engine.glass.is_some(),
        cover_open: engine.cover_open,
        jammed: engine.jammed,
    }
}

fn serving(inside: &Arc<Inside>, protocol: Protocol) -> Serve {
    let inside = Arc::clone(inside);
    Arc::new(move |line| {
        let kinds = inside.engine.change(Engine::connected);
        if inside.goes_on(&kinds)
            && let Err(error) = protocol(&inside, &line)
        {
            tracing::debug!(%error, "the connection to the host ended");
        }
        if inside.engine.lock().unplugged {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })
}
