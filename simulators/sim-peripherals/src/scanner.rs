//! A code scanner: what somebody holds before it comes out at the wire.
//!
//! It is a serial device (a pseudo-terminal, or TCP where there is none), a HID point-of-sale device or a
//! keyboard; the latter two over the stream of `hid::stream`, or as plain reports for a kernel's `uhid`.
//!
//! Nothing that was scanned is kept, shown or logged.
//! Its tests are in `tests/scanner.rs`.

mod framing;
mod hid_pos;
mod hid_scanner;
mod keyboard;
mod model;

use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fault::{Device, Fault, FaultPlan, Kind, PlanError};
use crate::hid::HidModel;
use crate::hid::stream::{self, Request};
use crate::injector::{Injector, Occasion};
use crate::line::{Address, Line, Port, Serve, Spot};
use crate::shared::Shared;

pub use framing::{Framing, Prefix, Suffix, Symbology};
pub use hid_scanner::HidScanner;
pub use keyboard::Layout;
pub use model::{
    Interface, ScanError, Scanned, ScannerAction, ScannerCounters, ScannerSettings, ScannerView,
};

/// The pause between the pieces of a code that a fault splits, so that they arrive as pieces.
const PIECE_PAUSE: Duration = Duration::from_millis(5);
/// How many random bytes a scanner says when it is plugged in, where a fault wants it.
const NOISE: usize = 16;

/// A running code scanner. Dropping it ends it.
#[derive(Debug)]
pub struct CodeScanner {
    settings: ScannerSettings,
    inside: Arc<Shared<Inside>>,
    port: Mutex<(Spot, Option<Port>)>,
    /// Held while a code is sent, so that codes do not mix.
    sending: Mutex<()>,
}

#[derive(Debug)]
struct Inside {
    interface: Interface,
    injector: Injector,
    counters: ScannerCounters,
    line: Option<Line>,
    held: Vec<u8>,
    plugged: bool,
    hung: bool,
}

/// What a code becomes after faults.
#[derive(Debug)]
struct Delivery {
    pieces: Vec<Vec<u8>>,
    wait: Duration,
    unplug: bool,
}

impl CodeScanner {
    /// Plugs a scanner in.
    ///
    /// # Errors
    ///
    /// When the port, the terminal or its thread cannot be had.
    pub fn start(settings: ScannerSettings) -> io::Result<Self> {
        let inside = Arc::new(Shared::new(Inside {
            interface: settings.interface.clone(),
            injector: Injector::default(),
            counters: ScannerCounters::default(),
            line: None,
            held: Vec::new(),
            plugged: true,
            hung: false,
        }));
        let port = Port::open(&settings.attach, None, 1, serving(&inside))?;
        Ok(Self {
            settings,
            inside,
            port: Mutex::new((port.spot(), Some(port))),
            sending: Mutex::new(()),
        })
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> Address {
        self.port().0.address.clone()
    }

    /// How it stands.
    #[must_use]
    pub fn view(&self) -> ScannerView {
        let address = self.address();
        view(&self.inside.lock(), address)
    }

    /// Waits until `wanted` holds, for `patience` at most. Returns how it stands at the end.
    #[must_use]
    pub fn wait_for(
        &self,
        wanted: impl Fn(&ScannerView) -> bool,
        patience: Duration,
    ) -> ScannerView {
        let address = self.address();
        let inside = self
            .inside
            .wait_while_for(patience, |inside| !wanted(&view(inside, address.clone())));
        view(&inside, address)
    }

    /// Holds a code before it. Blocks until what a fault leaves of it has been sent.
    ///
    /// # Errors
    ///
    /// When no host is there or the scanner hangs; the code is lost then.
    pub fn scan(&self, data: &[u8], symbology: &Symbology) -> Result<Scanned, ScanError> {
        let order = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        let (delivery, lost_characters, line) = {
            let mut inside = self.inside.lock();
            inside.counters.scans += 1;
            if inside.hung {
                return Err(ScanError::Hung);
            }
            let line = inside.line.clone().ok_or(ScanError::NobodyThere)?;
            let (messages, lost) = inside.interface.messages(data, symbology);
            (inside.deliver(messages), lost, line)
        };
        if !delivery.wait.is_zero() {
            drop(
                self.inside
                    .wait_while_for(delivery.wait, |inside| inside.plugged),
            );
        }
        let sent = self.send(&delivery.pieces, &line);
        drop(order);
        if delivery.unplug {
            self.set_plugged(false);
        }
        Ok(Scanned {
            sent,
            lost_characters,
        })
    }

    /// Does what a person does.
    ///
    /// # Errors
    ///
    /// When the port cannot be opened again.
    pub fn act(&self, action: ScannerAction) -> io::Result<()> {
        match action {
            ScannerAction::Unplug => self.set_plugged(false),
            ScannerAction::Plug => {
                if !self.inside.lock().plugged {
                    // Where a fault has pulled the cable, the port may be closing at this moment.
                    let closing = self.port().1.take();
                    drop(closing);
                }
                self.set_plugged(true);
                let mut port = self.port();
                if port.1.is_none() {
                    let serve = serving(&self.inside);
                    let opened = Port::open(&self.settings.attach, Some(&port.0), 1, serve)?;
                    *port = (opened.spot(), Some(opened));
                }
            }
        }
        Ok(())
    }

    /// Replaces the faults.
    ///
    /// # Errors
    ///
    /// When this scanner cannot carry the plan out; the old one stays.
    pub fn plan_faults(&self, plan: FaultPlan) -> Result<(), PlanError> {
        let device = Device::CodeScanner;
        if !matches!(self.settings.interface, Interface::Stream(_)) {
            let bytes_only = |fault: &Fault| {
                matches!(fault.kind, Kind::Split(_) | Kind::Merge | Kind::WrongCheck)
            };
            if let Some(index) = plan.faults.iter().position(bytes_only) {
                return Err(PlanError::NotHere { index, device });
            }
        }
        let injector = Injector::new(plan, device)?;
        self.inside.change(|inside| inside.injector = injector);
        Ok(())
    }

    /// The faults that are not over yet.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.inside.lock().injector.remaining()
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> ScannerCounters {
        self.inside.lock().counters
    }

    /// Forgets what was counted.
    pub fn reset_counters(&self) {
        self.inside
            .change(|inside| inside.counters = ScannerCounters::default());
    }

    fn send(&self, pieces: &[Vec<u8>], line: &Line) -> usize {
        let mut sent = 0;
        for (index, piece) in pieces.iter().enumerate() {
            if index > 0 && matches!(self.settings.interface, Interface::Stream(_)) {
                drop(
                    self.inside
                        .wait_while_for(PIECE_PAUSE, |inside| inside.plugged),
                );
            }
            match line.write(piece) {
                Ok(()) => sent += piece.len(),
                Err(error) => tracing::debug!(%error, "a code did not reach the host"),
            }
        }
        self.inside.change(|inside| {
            inside.counters.sent += u64::from(sent > 0);
            inside.counters.bytes_sent += u64::try_from(sent).unwrap_or(u64::MAX);
        });
        sent
    }

    fn set_plugged(&self, plugged: bool) {
        self.inside.change(|inside| {
            inside.plugged = plugged;
            if plugged {
                inside.hung = false;
                inside.injector.replugged();
            } else {
                inside.held.clear();
            }
        });
        if !plugged {
            let port = self.port().1.take();
            drop(port);
        }
    }

    fn port(&self) -> MutexGuard<'_, (Spot, Option<Port>)> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CodeScanner {
    fn drop(&mut self) {
        self.inside.change(|inside| inside.plugged = false);
    }
}

impl Inside {
    /// What faults leave of a code.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    fn deliver(&mut self, mut messages: Vec<Vec<u8>>) -> Delivery {
        let stream = matches!(self.interface, Interface::Stream(_));
        let mut delivery = Delivery {
            pieces: Vec::new(),
            wait: Duration::ZERO,
            unplug: false,
        };
        let mut split = None;
        for kind in self.injector.strike(Occasion::Report) {
            self.counters.faults += 1;
            let last = messages.last_mut();
            match kind {
                Kind::Slow(span) => delivery.wait += Duration::from_millis(span),
                Kind::Unplug => delivery.unplug = true,
                Kind::Split(length) => split = Some(length.max(1)),
                Kind::Lose => messages.clear(),
                Kind::Twice => messages.extend(messages.clone()),
                Kind::Hang => {
                    self.hung = true;
                    messages.clear();
                }
                Kind::Garbage => {
                    for message in &mut messages {
                        *message = self.injector.garbage(message.len());
                    }
                }
                Kind::WrongCheck => {
                    if let Some(check) = last.and_then(|message| message.last_mut()) {
                        *check ^= 0x55;
                    }
                }
                Kind::Truncate(missing) => {
                    if let Some(message) = last {
                        message.truncate(message.len().saturating_sub(missing));
                    }
                }
                Kind::Stall(length) if stream => {
                    if let Some(message) = last {
                        message.truncate(length);
                    }
                }
                Kind::Stall(reports) => messages.truncate(reports),
                Kind::Merge => {
                    self.held.extend(messages.concat());
                    messages.clear();
                }
                _ => {}
            }
        }
        if stream {
            let merged = !messages.is_empty() && !self.held.is_empty();
            if merged && let Some(first) = messages.first_mut() {
                first.splice(0..0, std::mem::take(&mut self.held));
            }
            delivery.pieces = match split {
                Some(length) => messages
                    .concat()
                    .chunks(length)
                    .map(<[u8]>::to_vec)
                    .collect(),
                None => messages,
            };
        } else {
            delivery.pieces = messages
                .iter()
                .map(|report| stream::input(report))
                .collect();
        }
        delivery
    }
}

fn view(inside: &Inside, address: Address) -> ScannerView {
    ScannerView {
        address,
        interface: inside.interface.clone(),
        plugged: inside.plugged,
        connected: inside.line.is_some(),
        hung: inside.hung,
        held: !inside.held.is_empty(),
    }
}

fn serving(inside: &Arc<Shared<Inside>>) -> Serve {
    let inside = Arc::clone(inside);
    Arc::new(move |line| {
        let first = match inside.change(Inside::connect) {
            Ok(first) => first,
            Err(flow) => return flow,
        };
        if let Err(error) = line.write(&first) {
            tracing::debug!(%error, "the host left at once");
        }
        inside.change(|inside| inside.line = Some(line.clone()));
        if let Err(error) = listen(&inside, &line) {
            tracing::debug!(%error, "the connection to the host ended");
        }
        inside.change(|inside| inside.line = None);
        ControlFlow::Continue(())
    })
}

impl Inside {
    /// What the scanner says when a host connects, or what becomes of the port where a fault strikes.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    fn connect(&mut self) -> Result<Vec<u8>, ControlFlow<()>> {
        self.counters.connections += 1;
        let model = HidScanner::new(&self.interface);
        let mut first =
            model.map_or_else(Vec::new, |model| stream::descriptor(&model.descriptor()));
        for kind in self.injector.strike(Occasion::Connect) {
            self.counters.faults += 1;
            match kind {
                Kind::Unplug => {
                    self.plugged = false;
                    return Err(ControlFlow::Break(()));
                }
                Kind::Disconnect => return Err(ControlFlow::Continue(())),
                Kind::Garbage => first.extend(self.injector.garbage(NOISE)),
                _ => {}
            }
        }
        Ok(first)
    }
}

/// Takes what the host sends, until it leaves.
fn listen(inside: &Shared<Inside>, line: &Line) -> io::Result<()> {
    let model = HidScanner::new(&inside.lock().interface);
    if let Some(mut model) = model {
        while let Some(request) = stream::request(line)? {
            match request {
                Request::Get(id) => line.write(&stream::feature(model.feature(id).as_deref()))?,
                Request::Set(report) => line.write(&stream::taken(model.set_feature(&report)))?,
                Request::Output(report) => {
                    model.output(&report);
                }
            }
        }
        return Ok(());
    }
    let mut bytes = [0; 256];
    loop {
        let length = line.read(&mut bytes)?;
        if length == 0 {
            return Ok(());
        }
        let length = u64::try_from(length).unwrap_or(u64::MAX);
        inside.change(|inside| inside.counters.bytes_received += length);
    }
}
