//! The printer's inside: bytes in, paper and answers out. It knows no connection and no time.
//!
//! ```text
//!  byte -> real-time commands at once
//!       -> framer -> receive buffer -> interpreter -> paper hanging -> cut papers
//!                                   (waits while the machine stands still)
//! ```
//!
//! Invariant: what stands in the buffer when the power goes is lost, and paper that was burnt stays.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::fault::Kind;
use crate::injector::{Injector, Occasion};
use crate::printer::condition::{Condition, MachineError};
use crate::printer::framer::{self, DLE, Framer};
use crate::printer::interpreter::{Effect, Interpreter};
use crate::printer::sheet::{Paper, PaperEnd, Sheet};

/// Papers that are kept, the latest.
const KEPT_PAPERS: usize = 64;
/// Names of commands that are counted one by one.
const MOST_NAMES: usize = 256;

/// What was counted, at the machine, whatever the host believes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrinterCounters {
    /// Connections taken.
    pub connections: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Bytes answered.
    pub bytes_sent: u64,
    /// Messages answered, automatic status included.
    pub answers: u64,
    /// Automatic status messages.
    pub status_backs: u64,
    /// Commands carried out, by name; single characters as `text`.
    pub commands: BTreeMap<String, u64>,
    /// Commands that this simulator takes but does not draw, by name.
    pub not_drawn: BTreeMap<String, u64>,
    /// Commands that no reference names, by name.
    pub unknown: BTreeMap<String, u64>,
    /// Real-time commands that were found inside blocks of data.
    pub real_time_in_data: u64,
    /// Papers cut.
    pub cuts: u64,
    /// Times the drawer was opened.
    pub drawer_pulses: u64,
    /// Bytes that were in the buffer when they were thrown away.
    pub bytes_lost: u64,
    /// Faults that struck.
    pub faults: u64,
}

/// What has to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Wait so many milliseconds before what follows.
    Wait(u64),
    /// Send these bytes.
    Send(Vec<u8>),
    /// End the connection.
    Disconnect,
    /// Pull the cable.
    Unplug,
}

/// The printer's inside.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a lamp of its own, and they are independent"
)]
pub(crate) struct Machine {
    pub(crate) condition: Condition,
    pub(crate) injector: Injector,
    pub(crate) counters: PrinterCounters,
    pub(crate) powered: bool,
    pub(crate) hung: bool,
    real_time_in_data: bool,
    interpreter: Interpreter,
    sheet: Sheet,
    papers: VecDeque<Paper>,
    finished: u64,
    framer: Framer,
    latest: VecDeque<u8>,
    queue: VecDeque<Vec<u8>>,
    buffered: usize,
    /// A cut that could not be made yet; `true` for a partial one.
    pending_cut: Option<bool>,
    /// Whether faults have had their say on the first command of the queue.
    considered: bool,
    status_mask: u8,
    deeds: Vec<Deed>,
}

impl Machine {
    pub(crate) fn new(interpreter: Interpreter, width: usize, real_time_in_data: bool) -> Self {
        Self {
            condition: Condition::default(),
            injector: Injector::default(),
            counters: PrinterCounters::default(),
            powered: true,
            hung: false,
            real_time_in_data,
            interpreter,
            sheet: Sheet::new(width),
            papers: VecDeque::new(),
            finished: 0,
            framer: Framer::default(),
            latest: VecDeque::new(),
            queue: VecDeque::new(),
            buffered: 0,
            pending_cut: None,
            considered: false,
            status_mask: 0,
            deeds: Vec::new(),
        }
    }

    /// Takes one byte from the host.
    pub(crate) fn receive(&mut self, byte: u8) {
        if !self.powered || self.hung {
            return;
        }
        self.counters.bytes_received += 1;
        for kind in self.injector.strike(Occasion::Byte) {
            self.suffer(kind);
        }
        if !self.powered || self.hung {
            return;
        }
        let in_data = self.framer.in_block();
        self.notice_real_time(byte, in_data);
        let command = self.framer.push(byte);
        // Real-time commands were carried out when they came.
        if let Some(command) = command.filter(|command| command.first() != Some(&DLE)) {
            self.buffered += command.len();
            self.queue.push_back(command);
        }
        self.run();
    }

    /// Carries out what stands in the buffer, as far as the machine can.
    pub(crate) fn run(&mut self) {
        while self.can_print() {
            if self.pending_cut.is_some() {
                self.make_cut();
                continue;
            }
            let Some(command) = self.queue.front() else {
                return;
            };
            if !self.considered {
                self.considered = true;
                let name = framer::name(command);
                self.count(&name);
                for kind in self.injector.strike(Occasion::Command(&name)) {
                    self.suffer(kind);
                }
                continue;
            }
            let Some(command) = self.queue.pop_front() else {
                return;
            };
            self.considered = false;
            self.buffered = self.buffered.saturating_sub(command.len());
            let effect = self.interpreter.carry_out(&command, &mut self.sheet);
            self.effect(effect, &command);
            if self.sheet.is_full() {
                self.finish(PaperEnd::TooLong);
            }
        }
    }

    /// A person or a fault changed the machine: it says so, and goes on where it can.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Condition)) {
        let before = self.condition;
        change(&mut self.condition);
        let causes = self.condition.causes(&before);
        if self.powered && !self.hung && causes & self.status_mask != 0 {
            self.status_back();
        }
        self.run();
    }

    /// The power goes.
    pub(crate) fn power_off(&mut self) {
        if !self.powered {
            return;
        }
        self.powered = false;
        self.hung = false;
        self.status_mask = 0;
        if self.condition.error.is_some() {
            self.condition.error = None;
        }
        self.discard();
        self.interpreter.reset();
        if self.sheet.rows() > 0 {
            self.finish(PaperEnd::PowerCut);
        }
    }

    /// The power is back: everything is as after `ESC @`.
    pub(crate) fn power_on(&mut self) {
        self.powered = true;
        self.injector.replugged();
    }

    /// A person tears the hanging paper off.
    pub(crate) fn tear_off(&mut self) {
        if self.sheet.rows() > 0 {
            self.finish(PaperEnd::TornOff);
        }
    }

    /// The connection is new: half a command of the old one is forgotten.
    pub(crate) fn connected(&mut self) {
        self.counters.connections += 1;
        self.latest.clear();
        self.framer.clear();
        for kind in self.injector.strike(Occasion::Connect) {
            self.suffer(kind);
        }
    }

    pub(crate) const fn has_deeds(&self) -> bool {
        !self.deeds.is_empty()
    }

    pub(crate) fn take_deeds(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds)
    }

    pub(crate) const fn papers(&self) -> &VecDeque<Paper> {
        &self.papers
    }

    pub(crate) const fn hanging(&self) -> &Sheet {
        &self.sheet
    }

    /// The number that the hanging paper will have.
    pub(crate) const fn next_number(&self) -> u64 {
        self.finished + 1
    }

    /// Bytes received and not yet carried out.
    pub(crate) const fn buffered(&self) -> usize {
        self.buffered + self.framer.held()
    }

    fn can_print(&self) -> bool {
        self.powered && !self.hung && !self.condition.stops()
    }

    fn effect(&mut self, effect: Effect, command: &[u8]) {
        match effect {
            Effect::None => {}
            Effect::Cut(partial) => self.cut(partial),
            Effect::Answer(bytes) => self.answer(bytes),
            Effect::PaperStatus => self.answer(vec![self.condition.paper_byte()]),
            Effect::DrawerStatus => self.answer(vec![0]),
            Effect::StatusBack(mask) => {
                self.status_mask = mask;
                if mask != 0 {
                    self.status_back();
                }
            }
            Effect::Drawer => self.counters.drawer_pulses += 1,
            Effect::NotDrawn => tally(&mut self.counters.not_drawn, framer::name(command)),
            Effect::Unknown => tally(&mut self.counters.unknown, framer::name(command)),
        }
    }

    fn cut(&mut self, partial: bool) {
        for kind in self.injector.strike(Occasion::Page) {
            self.suffer(kind);
        }
        if self.powered {
            self.pending_cut = Some(partial);
            self.make_cut();
        }
    }

    /// Makes the cut that is due; one that the cutter cannot make stays due.
    fn make_cut(&mut self) {
        if self.condition.cutter_jammed {
            self.suffer(Kind::CutterError);
        }
        if !self.can_print() {
            return;
        }
        if let Some(partial) = self.pending_cut.take() {
            self.counters.cuts += 1;
            self.finish(if partial {
                PaperEnd::PartialCut
            } else {
                PaperEnd::Cut
            });
        }
    }

    fn finish(&mut self, end: PaperEnd) {
        self.finished += 1;
        if self.papers.len() == KEPT_PAPERS {
            self.papers.pop_front();
        }
        let paper = self.sheet.finish(self.finished, end);
        self.papers.push_back(paper);
    }

    /// Looks for real-time commands in the last bytes: `DLE EOT n`, `DLE ENQ n`, `DLE DC4 8`.
    ///
    /// A real printer looks at each byte as it comes, so that it can answer while it cannot print. Epson
    /// warns that such bytes inside images may be carried out too; some models do, and so does this one
    /// where the settings say so.
    fn notice_real_time(&mut self, byte: u8, in_data: bool) {
        if self.latest.len() == CLEAR_BUFFERS.len() {
            self.latest.pop_front();
        }
        self.latest.push_back(byte);
        let ends = |pattern: &[u8]| {
            let start = self.latest.len().checked_sub(pattern.len());
            start.is_some_and(|start| self.latest.iter().skip(start).eq(pattern))
        };
        let asks = ends(&[DLE, 0x04, byte]) && matches!(byte, 1..=4);
        let recovers = ends(&[DLE, 0x05, byte]) && matches!(byte, 1 | 2);
        let clears = ends(&CLEAR_BUFFERS);
        if !asks && !recovers && !clears {
            return;
        }
        if in_data {
            self.counters.real_time_in_data += 1;
            if !self.real_time_in_data {
                return;
            }
        }
        let name = if asks {
            "DLE EOT"
        } else if recovers {
            "DLE ENQ"
        } else {
            "DLE DC4"
        };
        self.count(name);
        for kind in self.injector.strike(Occasion::Command(name)) {
            self.suffer(kind);
        }
        if !self.powered || self.hung {
            return;
        }
        match (asks, recovers) {
            (true, _) => {
                if let Some(status) = self.condition.real_time(byte) {
                    self.answer(vec![status]);
                }
            }
            (_, true) => self.recover(byte == 2),
            _ => {
                self.discard();
                self.answer(CLEARED.to_vec());
            }
        }
    }

    /// `DLE ENQ`: only from errors that the host can end, of which this machine has the cutter's.
    fn recover(&mut self, clear: bool) {
        if self.condition.error != Some(MachineError::Cutter) {
            return;
        }
        if clear {
            self.discard();
        }
        self.change(|condition| condition.error = None);
    }

    fn discard(&mut self) {
        self.counters.bytes_lost += u64::try_from(self.buffered()).unwrap_or(u64::MAX);
        self.queue.clear();
        self.buffered = 0;
        self.considered = false;
        self.pending_cut = None;
        self.framer.clear();
        self.interpreter.clear_line();
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is left is a condition of the machine"
    )]
    fn suffer(&mut self, kind: Kind) {
        self.counters.faults += 1;
        match kind {
            Kind::Slow(span) => self.deeds.push(Deed::Wait(span)),
            Kind::Hang => self.hung = true,
            Kind::Disconnect => self.deeds.push(Deed::Disconnect),
            Kind::Unplug => self.deeds.push(Deed::Unplug),
            Kind::PowerCut => {
                self.power_off();
                self.deeds.push(Deed::Unplug);
            }
            other => {
                let before = self.condition;
                if self.condition.suffer(other)
                    && self.condition.causes(&before) & self.status_mask != 0
                {
                    self.status_back();
                }
            }
        }
    }

    fn status_back(&mut self) {
        self.counters.status_backs += 1;
        self.answer(self.condition.status_back().to_vec());
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    fn answer(&mut self, mut bytes: Vec<u8>) {
        let mut times = 1;
        for kind in self.injector.strike(Occasion::Report) {
            self.counters.faults += 1;
            match kind {
                Kind::Slow(span) => self.deeds.push(Deed::Wait(span)),
                Kind::Garbage => bytes = self.injector.garbage(bytes.len()),
                Kind::Truncate(missing) => bytes.truncate(bytes.len().saturating_sub(missing)),
                Kind::Lose => times = 0,
                Kind::Twice => times = 2,
                _ => {}
            }
        }
        for _ in 0..times {
            self.counters.answers += 1;
            self.counters.bytes_sent += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            self.deeds.push(Deed::Send(bytes.clone()));
        }
    }

    fn count(&mut self, name: &str) {
        tally(&mut self.counters.commands, name.to_owned());
    }
}

/// `DLE DC4` function 8: throws the buffers away, and its answer, a header and NUL.
const CLEAR_BUFFERS: [u8; 10] = [DLE, 0x14, 8, 1, 3, 20, 1, 6, 2, 8];
const CLEARED: [u8; 3] = [0x37, 0x25, 0];

fn tally(counts: &mut BTreeMap<String, u64>, name: String) {
    let known = counts.len() < MOST_NAMES || counts.contains_key(&name);
    let name = if known { name } else { "other".to_owned() };
    *counts.entry(name).or_default() += 1;
}
