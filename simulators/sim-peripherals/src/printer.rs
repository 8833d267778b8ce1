//! A ticket printer that understands ESC/POS and keeps what it printed as pictures.
//!
//! It listens like a printer on port 9100, or is a serial device. One host is served at a time.
//! What a person does to it (paper, cover, switch, cable) is [`PrinterAction`]; what goes wrong by itself
//! is a [`FaultPlan`].
//!
//! Sources: Epson's ESC/POS command reference; the status bytes also against emupos.
//! Its tests, with bytes of programs that are not ours, are in `tests/printer.rs`.

mod charset;
mod condition;
pub(crate) mod font;
mod framer;
mod interpreter;
mod layout;
mod machine;
mod model;
pub(crate) mod sheet;

use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::fault::{Device, Fault, FaultPlan, PlanError};
use crate::injector::Injector;
use crate::line::{Address, Line, Port, Serve, Spot};
use crate::shared::Shared;

pub use condition::{MachineError, PaperSupply};
pub use machine::PrinterCounters;
pub use model::{PrinterAction, PrinterSettings, PrinterView};
pub use sheet::{PaperEnd, PaperView};

use condition::Condition;
use font::Font;
use interpreter::Interpreter;
use machine::{Deed, Machine};

/// A running printer. Dropping it ends it.
#[derive(Debug)]
pub struct Printer {
    settings: PrinterSettings,
    inside: Arc<Shared<Inside>>,
    port: Mutex<Cable>,
    /// Held while bytes are sent, so that the order of messages is that in which they were made.
    sending: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct Inside {
    machine: Machine,
    line: Option<Line>,
    plugged: bool,
}

#[derive(Debug)]
struct Cable {
    port: Option<Port>,
    spot: Spot,
}

impl Inside {
    const fn is_reachable(&self) -> bool {
        self.plugged && self.machine.powered
    }
}

impl Printer {
    /// Switches a printer on.
    ///
    /// # Errors
    ///
    /// When the port, the terminal or its thread cannot be had.
    pub fn start(settings: PrinterSettings) -> io::Result<Self> {
        let width = usize::from(settings.width.max(8));
        let font = Font::load(settings.font.as_deref());
        let interpreter = Interpreter::new(font, settings.model.clone(), width);
        let machine = Machine::new(interpreter, width, settings.real_time_in_data);
        let inside = Arc::new(Shared::new(Inside {
            machine,
            line: None,
            plugged: true,
        }));
        let sending = Arc::new(Mutex::new(()));
        let serve = serving(&inside, &sending, settings.buffer);
        let port = Port::open(&settings.attach, None, 1, serve)?;
        let cable = Cable {
            spot: port.spot(),
            port: Some(port),
        };
        Ok(Self {
            settings,
            inside,
            port: Mutex::new(cable),
            sending,
        })
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> Address {
        self.cable().spot.address.clone()
    }

    /// How it stands.
    #[must_use]
    pub fn view(&self) -> PrinterView {
        let address = self.address();
        view(&self.inside.lock(), address)
    }

    /// Waits until `wanted` holds, for `patience` at most. Returns how it stands at the end.
    #[must_use]
    pub fn wait_for(
        &self,
        wanted: impl Fn(&PrinterView) -> bool,
        patience: Duration,
    ) -> PrinterView {
        let address = self.address();
        let inside = self
            .inside
            .wait_while_for(patience, |inside| !wanted(&view(inside, address.clone())));
        view(&inside, address)
    }

    /// The papers that are kept, oldest first.
    #[must_use]
    pub fn papers(&self) -> Vec<PaperView> {
        let inside = self.inside.lock();
        let papers = inside.machine.papers().iter();
        papers
            .map(|paper| paper.sheet.view(paper.number, paper.end))
            .collect()
    }

    /// A kept paper as PNG; none where it was never printed or is kept no more.
    #[must_use]
    pub fn paper_png(&self, number: u64) -> Option<Vec<u8>> {
        let inside = self.inside.lock();
        let mut papers = inside.machine.papers().iter();
        let sheet = &papers.find(|paper| paper.number == number)?.sheet;
        Some(sheet.png())
    }

    /// The newest paper as PNG: the one that hangs in the printer, else the last that left it.
    #[must_use]
    pub fn newest_png(&self) -> Option<Vec<u8>> {
        let inside = self.inside.lock();
        let hanging = inside.machine.hanging();
        if hanging.rows() > 0 {
            return Some(hanging.png());
        }
        Some(inside.machine.papers().back()?.sheet.png())
    }

    /// Does what a person does.
    ///
    /// # Errors
    ///
    /// When the port cannot be opened again.
    pub fn act(&self, action: PrinterAction) -> io::Result<()> {
        let unreachable = !self.inside.lock().is_reachable();
        if unreachable && matches!(action, PrinterAction::Plug | PrinterAction::SwitchOn) {
            // Where a fault has pulled the cable, the port may be closing at this moment.
            let closing = self.cable().port.take();
            drop(closing);
        }
        match action {
            PrinterAction::Unplug => self.set_cable(false)?,
            PrinterAction::Plug => self.set_cable(true)?,
            PrinterAction::SwitchOff => {
                self.inside.change(|inside| inside.machine.power_off());
                self.reattach()?;
            }
            PrinterAction::SwitchOn => {
                self.inside.change(|inside| inside.machine.power_on());
                self.reattach()?;
            }
            PrinterAction::TearOff => self.inside.change(|inside| inside.machine.tear_off()),
            PrinterAction::TakePaperOut
            | PrinterAction::PutPaperIn
            | PrinterAction::PaperNearEnd
            | PrinterAction::OpenCover
            | PrinterAction::CloseCover
            | PrinterAction::JamCutter
            | PrinterAction::FreeCutter
            | PrinterAction::Overheat
            | PrinterAction::CoolDown
            | PrinterAction::GoOffline
            | PrinterAction::GoOnline => self.inside.change(|inside| {
                inside
                    .machine
                    .change(|condition| by_hand(condition, action));
            }),
        }
        // A fault may have struck on the way.
        let flow = carry_out(&self.inside, &self.sending);
        if flow.is_break() {
            self.reattach()?;
        }
        Ok(())
    }

    /// Replaces the faults.
    ///
    /// # Errors
    ///
    /// When a printer cannot carry the plan out; the old one stays.
    pub fn plan_faults(&self, plan: FaultPlan) -> Result<(), PlanError> {
        let injector = Injector::new(plan, Device::Printer)?;
        self.inside
            .change(|inside| inside.machine.injector = injector);
        Ok(())
    }

    /// The faults that are not over yet.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        self.inside.lock().machine.injector.remaining()
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> PrinterCounters {
        self.inside.lock().machine.counters.clone()
    }

    /// Forgets what was counted.
    pub fn reset_counters(&self) {
        self.inside
            .change(|inside| inside.machine.counters = PrinterCounters::default());
    }

    fn set_cable(&self, plugged: bool) -> io::Result<()> {
        self.inside.change(|inside| {
            inside.plugged = plugged;
            if plugged {
                inside.machine.hung = false;
                inside.machine.injector.replugged();
            }
        });
        self.reattach()
    }

    /// Opens or closes the port, as cable and power say.
    fn reattach(&self) -> io::Result<()> {
        let reachable = self.inside.lock().is_reachable();
        let mut cable = self.cable();
        // A fault may have ended the port's thread; what is left of it is taken away in any case.
        if !reachable || cable.port.as_ref().is_some_and(Port::is_closed) {
            drop(cable.port.take());
        }
        if reachable && cable.port.is_none() {
            let serve = serving(&self.inside, &self.sending, self.settings.buffer);
            let port = Port::open(&self.settings.attach, Some(&cable.spot), 1, serve)?;
            cable.spot = port.spot();
            cable.port = Some(port);
        }
        Ok(())
    }

    fn cable(&self) -> std::sync::MutexGuard<'_, Cable> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        // Whoever waits for the machine to go on is let go.
        self.inside.change(|inside| inside.plugged = false);
    }
}

const fn by_hand(condition: &mut Condition, action: PrinterAction) {
    match action {
        PrinterAction::TakePaperOut => condition.paper = PaperSupply::Out,
        PrinterAction::PutPaperIn => condition.paper = PaperSupply::Enough,
        PrinterAction::PaperNearEnd => condition.paper = PaperSupply::NearEnd,
        PrinterAction::OpenCover => condition.cover_open = true,
        PrinterAction::CloseCover => condition.cover_open = false,
        PrinterAction::JamCutter => condition.cutter_jammed = true,
        PrinterAction::FreeCutter => condition.cutter_jammed = false,
        PrinterAction::Overheat => condition.error = Some(MachineError::Overheated),
        PrinterAction::CoolDown => {
            if matches!(condition.error, Some(MachineError::Overheated)) {
                condition.error = None;
            }
        }
        PrinterAction::GoOffline => condition.offline = true,
        PrinterAction::GoOnline => condition.offline = false,
        PrinterAction::TearOff
        | PrinterAction::Unplug
        | PrinterAction::Plug
        | PrinterAction::SwitchOff
        | PrinterAction::SwitchOn => {}
    }
}

fn view(inside: &Inside, address: Address) -> PrinterView {
    let machine = &inside.machine;
    let hanging = machine.hanging();
    let shown = || hanging.view(machine.next_number(), PaperEnd::Hanging);
    PrinterView {
        address,
        reachable: inside.is_reachable(),
        powered: machine.powered,
        online: machine.powered && !machine.hung && !machine.condition.stops(),
        hung: machine.hung,
        connected: inside.line.is_some(),
        paper: machine.condition.paper,
        cover_open: machine.condition.cover_open,
        error: machine.condition.error,
        buffered: machine.buffered(),
        hanging: (hanging.rows() > 0).then(shown),
        papers: machine.next_number() - 1,
    }
}

/// What the port's thread does with a connection.
fn serving(inside: &Arc<Shared<Inside>>, sending: &Arc<Mutex<()>>, buffer: usize) -> Serve {
    let (inside, sending) = (Arc::clone(inside), Arc::clone(sending));
    Arc::new(move |line| {
        inside.change(|inside| {
            inside.line = Some(line.clone());
            inside.machine.connected();
        });
        let flow = converse(&inside, &sending, &line, buffer);
        inside.change(|inside| inside.line = None);
        flow
    })
}

fn converse(
    inside: &Shared<Inside>,
    sending: &Mutex<()>,
    line: &Line,
    buffer: usize,
) -> ControlFlow<()> {
    let mut bytes = [0; 4096];
    carry_out(inside, sending)?;
    loop {
        // A printer that cannot go on takes no more than its buffer holds.
        drop(inside.wait_while(|inside| {
            inside.machine.buffered() >= buffer
                && inside.machine.condition.stops()
                && inside.machine.powered
                && inside.plugged
        }));
        let length = match line.read(&mut bytes) {
            Ok(0) => return ControlFlow::Continue(()),
            Ok(length) => length,
            Err(error) => {
                tracing::debug!(%error, "the connection to the host ended");
                return ControlFlow::Continue(());
            }
        };
        for byte in bytes.iter().take(length) {
            let busy = inside.change(|inside| {
                inside.machine.receive(*byte);
                inside.machine.has_deeds()
            });
            if busy {
                carry_out(inside, sending)?;
            }
        }
    }
}

/// Does what the machine wants done outside. `Break` where the cable is pulled.
fn carry_out(inside: &Shared<Inside>, sending: &Mutex<()>) -> ControlFlow<()> {
    let order = sending.lock().unwrap_or_else(PoisonError::into_inner);
    let (deeds, line) = {
        let mut inside = inside.lock();
        (inside.machine.take_deeds(), inside.line.clone())
    };
    for deed in deeds {
        match deed {
            Deed::Wait(span) => {
                let span = Duration::from_millis(span);
                drop(inside.wait_while_for(span, |inside| inside.plugged));
            }
            Deed::Send(bytes) => {
                if let Some(line) = &line
                    && let Err(error) = line.write(&bytes)
                {
                    tracing::debug!(%error, "an answer did not reach the host");
                }
            }
            Deed::Disconnect => {
                if let Some(line) = &line {
                    line.close();
                }
            }
            Deed::Unplug => {
                inside.change(|inside| {
                    inside.plugged = inside.plugged && !inside.machine.powered;
                });
                if let Some(line) = &line {
                    line.close();
                }
                drop(order);
                return ControlFlow::Break(());
            }
        }
    }
    drop(order);
    ControlFlow::Continue(())
}
