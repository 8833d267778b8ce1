//! A signature tablet or the digitizer of a pen display, reached by HID over a stream.
//!
//! Somebody writes on it by [`SignatureTablet::play`], a trace, or by [`SignatureTablet::pen`], a sample
//! at a time. What was written is never kept outside the screen, and never logged.
//! Its tests are in `tests/tablet.rs`.

mod model;
mod pen_display;
mod stu;
mod trace;

use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::fault::{Device, Fault, FaultPlan, Kind, PlanError};
use crate::hid::stream::{self, Request};
use crate::hid::{HidModel, HidReport};
use crate::injector::{Injector, Occasion};
use crate::line::{Address, Line, Port, Serve, Spot};
use crate::pace::{Beat, Pace};
use crate::shared::Shared;

pub use model::{
    PenError, ScreenView, TabletAction, TabletCounters, TabletKind, TabletSettings, TabletView,
};
pub use pen_display::PenDisplay;
pub use stu::{PenFlags, Stu};
pub use trace::{PenPoint, Trace};

/// A running tablet. Dropping it ends it.
#[derive(Debug)]
pub struct SignatureTablet {
    settings: TabletSettings,
    inside: Arc<Shared<Inside>>,
    port: Mutex<(Spot, Option<Port>)>,
    /// Held while a message is sent, so that reports and answers do not mix.
    sending: Arc<Mutex<()>>,
}

#[derive(Debug)]
struct Inside {
    model: Model,
    injector: Injector,
    counters: TabletCounters,
    line: Option<Line>,
    plugged: bool,
    hung: bool,
}

#[derive(Debug)]
enum Model {
    Stu(Box<Stu>),
    PenDisplay(PenDisplay),
}

impl SignatureTablet {
    /// Plugs a tablet in.
    ///
    /// # Errors
    ///
    /// When the port, the terminal or its thread cannot be had.
    pub fn start(settings: TabletSettings) -> io::Result<Self> {
        let inside = Arc::new(Shared::new(Inside {
            model: Model::new(settings.kind),
            injector: Injector::default(),
            counters: TabletCounters::default(),
            line: None,
            plugged: true,
            hung: false,
        }));
        let sending = Arc::new(Mutex::new(()));
        let port = Port::open(&settings.attach, None, 1, serving(&inside, &sending))?;
        Ok(Self {
            settings,
            inside,
            port: Mutex::new((port.spot(), Some(port))),
            sending,
        })
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> Address {
        self.port().0.address.clone()
    }

    /// How it stands.
    #[must_use]
    pub fn view(&self) -> TabletView {
        let address = self.address();
        self.shown(&self.inside.lock(), address)
    }

    /// Waits until `wanted` holds, for `patience` at most. Returns how it stands at the end.
    #[must_use]
    pub fn wait_for(&self, wanted: impl Fn(&TabletView) -> bool, patience: Duration) -> TabletView {
        let address = self.address();
        let inside = self.inside.wait_while_for(patience, |inside| {
            !wanted(&self.shown(inside, address.clone()))
        });
        self.shown(&inside, address)
    }

    /// What is on its screen, ink included; none where the screen is the host's.
    #[must_use]
    pub fn screen_png(&self) -> Option<Vec<u8>> {
        match &self.inside.lock().model {
            Model::Stu(stu) => Some(stu.screen_png()),
            Model::PenDisplay(_) => None,
        }
    }

    /// Moves the pen: one sample, or none where the pen leaves. Blocks until it was sent.
    ///
    /// # Errors
    ///
    /// When no host is there or the tablet hangs; what the pen did is lost then.
    pub fn pen(&self, point: Option<PenPoint>) -> Result<(), PenError> {
        let (messages, wait, unplug, line) = {
            let mut inside = self.inside.lock();
            inside.counters.samples += 1;
            let report = inside.model.report(point);
            if inside.hung {
                return Err(PenError::Hung);
            }
            let line = inside.line.clone().ok_or(PenError::NobodyThere)?;
            let (messages, wait, unplug) = inside.deliver(report);
            (messages, wait, unplug, line)
        };
        if !wait.is_zero() {
            drop(self.inside.wait_while_for(wait, |inside| inside.plugged));
        }
        for message in &messages {
            send(&self.sending, &line, message);
        }
        if unplug {
            self.set_plugged(false);
            return Err(PenError::NobodyThere);
        }
        Ok(())
    }

    /// Writes a trace, and lifts the pen at the end. Blocks until all of it was sent.
    ///
    /// # Errors
    ///
    /// When the host leaves or the tablet hangs on the way; the rest is not written.
    pub fn play(&self, trace: &Trace, pace: Pace) -> Result<(), PenError> {
        let mut beat = Beat::new(Duration::from_secs(1) / u32::from(stu::RATE));
        let points = trace.points.iter().copied().map(Some).chain([None]);
        for point in points {
            self.pen(point)?;
            if pace == Pace::RealTime {
                let wait = beat.until_next();
                drop(self.inside.wait_while_for(wait, |inside| inside.plugged));
            }
        }
        Ok(())
    }

    /// Does what a person does.
    ///
    /// # Errors
    ///
    /// When the port cannot be opened again.
    pub fn act(&self, action: TabletAction) -> io::Result<()> {
        match action {
            TabletAction::Unplug => self.set_plugged(false),
            TabletAction::Plug => {
                if !self.inside.lock().plugged {
                    // Where a fault has pulled the cable, the port may be closing at this moment.
                    let closing = self.port().1.take();
                    drop(closing);
                }
                self.set_plugged(true);
                let mut port = self.port();
                if port.1.is_none() {
                    let serve = serving(&self.inside, &self.sending);
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
    /// When a tablet cannot carry the plan out; the old one stays.
    pub fn plan_faults(&self, plan: FaultPlan) -> Result<(), PlanError> {
        let injector = Injector::new(plan, Device::Tablet)?;
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
    pub fn counters(&self) -> TabletCounters {
        self.inside.lock().counters
    }

    /// Forgets what was counted.
    pub fn reset_counters(&self) {
        self.inside
            .change(|inside| inside.counters = TabletCounters::default());
    }

    fn shown(&self, inside: &Inside, address: Address) -> TabletView {
        let screen = match &inside.model {
            Model::Stu(stu) => Some(ScreenView {
                sha256: stu.screen_sha256().to_owned(),
                images: stu.images(),
                inking: stu.inking(),
                timed: stu.timed(),
            }),
            Model::PenDisplay(_) => None,
        };
        TabletView {
            address,
            kind: self.settings.kind,
            plugged: inside.plugged,
            connected: inside.line.is_some(),
            hung: inside.hung,
            screen,
        }
    }

    fn set_plugged(&self, plugged: bool) {
        self.inside.change(|inside| {
            if inside.plugged && !plugged {
                inside.model = Model::new(self.settings.kind);
            }
            inside.plugged = plugged;
            if plugged {
                inside.hung = false;
                inside.injector.replugged();
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

impl Drop for SignatureTablet {
    fn drop(&mut self) {
        self.inside.change(|inside| {
            inside.plugged = false;
            inside.hung = false;
        });
    }
}

impl Model {
    fn new(kind: TabletKind) -> Self {
        match kind {
            TabletKind::Stu(flags) => Self::Stu(Box::new(Stu::new(flags))),
            TabletKind::PenDisplay => Self::PenDisplay(PenDisplay),
        }
    }

    fn report(&mut self, point: Option<PenPoint>) -> HidReport {
        match self {
            Self::Stu(stu) => stu.report(point),
            Self::PenDisplay(display) => display.report(point),
        }
    }

    fn hid(&mut self) -> &mut dyn HidModel {
        match self {
            Self::Stu(stu) => stu.as_mut(),
            Self::PenDisplay(display) => display,
        }
    }
}

impl Inside {
    /// What faults leave of a pen report: messages, how late they are, and whether the cable goes.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    fn deliver(&mut self, report: HidReport) -> (Vec<Vec<u8>>, Duration, bool) {
        let mut report = report.0;
        let (mut times, mut wait, mut unplug) = (1, Duration::ZERO, false);
        for kind in self.injector.strike(Occasion::Report) {
            self.counters.faults += 1;
            match kind {
                Kind::Slow(span) => wait += Duration::from_millis(span),
                Kind::Unplug => unplug = true,
                Kind::Lose => times = 0,
                Kind::Twice => times = 2,
                Kind::Garbage => report = self.injector.garbage(report.len()),
                Kind::Truncate(missing) => report.truncate(report.len().saturating_sub(missing)),
                Kind::Hang => {
                    self.hung = true;
                    times = 0;
                }
                _ => {}
            }
        }
        self.counters.reports += times;
        let messages = (0..times).map(|_| stream::input(&report)).collect();
        (messages, wait, unplug)
    }

    /// Answers a request; none where the tablet hangs or the cable goes.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    fn answer(&mut self, request: Request) -> (Option<Vec<u8>>, Duration, Option<Kind>) {
        let name = match &request {
            Request::Get(id) => format!("get {id:02X}"),
            Request::Set(report) => format!("set {:02X}", report.first().unwrap_or(&0)),
            Request::Output(report) => format!("output {:02X}", report.first().unwrap_or(&0)),
        };
        let kinds = self.injector.strike(Occasion::Command(&name));
        self.counters.faults += u64::try_from(kinds.len()).unwrap_or(u64::MAX);
        let mut wait = Duration::ZERO;
        for kind in &kinds {
            match kind {
                Kind::Hang => self.hung = true,
                Kind::Unplug | Kind::Disconnect => return (None, wait, Some(*kind)),
                Kind::Slow(span) => wait += Duration::from_millis(*span),
                _ => {}
            }
        }
        if self.hung {
            return (None, wait, None);
        }
        let refused = kinds.contains(&Kind::Refuse);
        let answer = match request {
            Request::Get(id) => {
                self.counters.gets += 1;
                let report = self.model.hid().feature(id).filter(|_| !refused);
                let report = report.map(|report| self.spoil(report, &kinds));
                self.counters.refused += u64::from(report.is_none());
                stream::feature(report.as_deref())
            }
            Request::Set(report) => {
                let taken = !refused && self.model.hid().set_feature(&report);
                self.taken(taken)
            }
            Request::Output(report) => {
                // What becomes of an output report, the host is not told.
                let taken = !refused && self.model.hid().output(&report);
                self.taken(taken);
                return (None, wait, None);
            }
        };
        (Some(answer), wait, None)
    }

    fn taken(&mut self, taken: bool) -> Vec<u8> {
        self.counters.sets += 1;
        self.counters.refused += u64::from(!taken);
        stream::taken(taken)
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    fn spoil(&mut self, mut report: Vec<u8>, kinds: &[Kind]) -> Vec<u8> {
        for kind in kinds {
            match kind {
                Kind::Truncate(missing) => report.truncate(report.len().saturating_sub(*missing)),
                Kind::Garbage => report = self.injector.garbage(report.len()),
                _ => {}
            }
        }
        report
    }

    /// What the tablet says when a host connects, or what becomes of the port where a fault strikes.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    fn connect(&mut self) -> Result<Vec<u8>, ControlFlow<()>> {
        self.counters.connections += 1;
        let mut descriptor = self.model.hid().descriptor();
        for kind in self.injector.strike(Occasion::Connect) {
            self.counters.faults += 1;
            match kind {
                Kind::Unplug => {
                    self.plugged = false;
                    return Err(ControlFlow::Break(()));
                }
                Kind::Disconnect => return Err(ControlFlow::Continue(())),
                // A mouse without buttons.
                Kind::WrongDescriptor => {
                    descriptor = vec![
                        0x05, 0x01, 0x09, 0x02, 0xA1, 0x01, 0x09, 0x30, 0x09, 0x31, 0x15, 0x81,
                        0x25, 0x7F, 0x75, 0x08, 0x95, 0x02, 0x81, 0x06, 0xC0,
                    ];
                }
                _ => {}
            }
        }
        Ok(stream::descriptor(&descriptor))
    }
}

fn serving(inside: &Arc<Shared<Inside>>, sending: &Arc<Mutex<()>>) -> Serve {
    let (inside, sending) = (Arc::clone(inside), Arc::clone(sending));
    Arc::new(move |line| {
        let descriptor = match inside.change(Inside::connect) {
            Ok(descriptor) => descriptor,
            Err(flow) => return flow,
        };
        send(&sending, &line, &descriptor);
        inside.change(|inside| inside.line = Some(line.clone()));
        let flow = converse(&inside, &sending, &line);
        inside.change(|inside| inside.line = None);
        flow
    })
}

fn converse(inside: &Shared<Inside>, sending: &Mutex<()>, line: &Line) -> ControlFlow<()> {
    loop {
        let request = match stream::request(line) {
            Ok(Some(request)) => request,
            Ok(None) => return ControlFlow::Continue(()),
            Err(error) => {
                tracing::debug!(%error, "the connection to the host ended");
                return ControlFlow::Continue(());
            }
        };
        let (answer, wait, end) = inside.change(|inside| inside.answer(request));
        if !wait.is_zero() {
            drop(inside.wait_while_for(wait, |inside| inside.plugged));
        }
        match end {
            Some(Kind::Unplug) => {
                inside.change(|inside| inside.plugged = false);
                return ControlFlow::Break(());
            }
            Some(_) => return ControlFlow::Continue(()),
            None => {}
        }
        if let Some(answer) = answer {
            send(sending, line, &answer);
        }
    }
}

fn send(sending: &Mutex<()>, line: &Line, message: &[u8]) {
    let order = sending.lock().unwrap_or_else(PoisonError::into_inner);
    if let Err(error) = line.write(message) {
        tracing::debug!(%error, "a report did not reach the host");
    }
    drop(order);
}

/// A part of `most`, rounded; parts outside 0 to 1 are those of the edges.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value lies between 0 and the maximum of its own type"
)]
fn scaled(part: f32, most: u16) -> u16 {
    (part.clamp(0.0, 1.0) * f32::from(most)).round() as u16
}
