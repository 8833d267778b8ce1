//! A machine, its disk and its printer, whose power can go at any step.
//!
//! A step is a call that leaves the driver: connect, send, receive, load, append, sync, truncate, replace.
//! Nothing waits: where the printer has nothing to say, the clock jumps to the deadline.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use device_api::{Clock, Deadline, Moment, Patience};
use link::{Frame, Interrupter, Link, LinkError};

use super::Rule;
use super::paper::{Nature, PaperPrinter};
use super::stamp::{Mark, Stamp};
use crate::driver::{Attendance, Connector, EscPosPrinter, Parts};
use crate::fault::OpenError;
use crate::journal::Journal;
use crate::quirks::{Clear, PROFILES, Profile, ProofRule, Rated};
use crate::storage::Storage;
use crate::wire::encode::{Bands, Cut as Cutter, RasterCommand};

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// At which step, counted from 0.
    pub step: u64,
    /// How much of it happens.
    pub part: Part,
}

/// How much of a step happens before the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing.
    None,
    /// Half of its bytes.
    Half,
    /// All of it, but nobody learns of it.
    All,
}

/// What kind of printer stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant(pub u8);

impl Variant {
    /// How many there are.
    pub const COUNT: u8 = 64;

    const fn bit(self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }

    const fn nature(self) -> Nature {
        Nature {
            attentive: self.bit(0),
            patient: self.bit(1),
            clears: self.bit(3),
        }
    }

    /// Whether the printer hangs on the same socket as the machine.
    pub(crate) const fn shares_power(self) -> bool {
        self.bit(2)
    }

    /// The profile that describes it.
    pub(crate) fn profile(self) -> Profile {
        let [first, ..] = PROFILES;
        Profile {
            name: "world",
            dots: 64,
            bands: Bands {
                command: if self.bit(4) {
                    RasterCommand::Graphics
                } else {
                    RasterCommand::Lines
                },
                rows: 4,
            },
            cut: Cutter::Partial,
            proof: if self.bit(5) {
                ProofRule::StateInOrder
            } else {
                ProofRule::ProcessId
            },
            clear: if self.bit(3) {
                Clear::Answered
            } else {
                Clear::Request
            },
            rated: Rated {
                cuts: None,
                metres: None,
            },
            ..first
        }
    }
}

/// The world; cheap to clone.
#[derive(Clone)]
pub struct World(Arc<Mutex<State>>);

struct State {
    step: u64,
    /// Counts the wires that were cut.
    line: u64,
    /// The step at which somebody pulls the printer's wire, and its power where it hangs on the same socket.
    pull: Option<u64>,
    cut: Option<Cut>,
    dark: bool,
    now: Duration,
    /// What a reader of the disk sees.
    written: Vec<u8>,
    /// What survives.
    synced: Vec<u8>,
    variant: Variant,
    printer: PaperPrinter,
    broken: Vec<Rule>,
    /// Papers of which rule 3 was looked at.
    intended: BTreeSet<(u8, u8)>,
}

impl World {
    /// A world with an empty disk.
    #[must_use]
    pub fn new(variant: Variant) -> Self {
        Self(Arc::new(Mutex::new(State {
            step: 0,
            line: 0,
            pull: None,
            cut: None,
            dark: false,
            now: Duration::ZERO,
            written: Vec::new(),
            synced: Vec::new(),
            variant,
            printer: PaperPrinter::of(variant.nature()),
            broken: Vec::new(),
            intended: BTreeSet::new(),
        })))
    }

    /// A driver over this world.
    ///
    /// # Errors
    /// Where the power goes meanwhile.
    pub fn driver(&self) -> Result<EscPosPrinter, OpenError> {
        let journal = Journal::open(Box::new(Disk(self.clone()))).map_err(OpenError::Journal)?;
        let profile = self.state().variant.profile();
        let parts = Parts {
            typesetter: Box::new(Stamp),
            journal,
            profile,
            attendance: Attendance::Staffed,
            roll_metres: None,
            clock: Arc::new(self.clone()),
        };
        Ok(EscPosPrinter::new(Box::new(Plug(self.clone())), parts))
    }

    /// Has the power go at a step from now.
    pub fn cut_at(&self, cut: Cut) {
        let mut state = self.state();
        state.step = 0;
        state.cut = Some(cut);
    }

    /// Has somebody pull the printer's wire at a step from now; the machine goes on.
    pub fn pull_at(&self, step: u64) {
        let mut state = self.state();
        state.step = 0;
        state.pull = Some(step);
    }

    /// The power comes back; whether it had gone.
    pub fn restore(&self) -> bool {
        let mut state = self.state();
        let was_dark = state.dark;
        if was_dark {
            let part = state.cut.map_or(Part::None, |cut| cut.part);
            let unsynced = state.written.len().saturating_sub(state.synced.len());
            let kept = match part {
                Part::None => 0,
                Part::Half => unsynced / 2,
                Part::All => unsynced,
            };
            // What was appended and not synced survives in part; what was shortened is synced at once.
            let length = state.synced.len() + kept;
            let survives = state.written.get(..length).map(<[u8]>::to_vec);
            state.written = survives.unwrap_or_else(|| state.synced.clone());
            state.synced = state.written.clone();
            if state.variant.shares_power() {
                state.printer.restart();
            }
        }
        state.cut = None;
        state.pull = None;
        state.dark = false;
        was_dark
    }

    /// Steps since the last [`World::cut_at`].
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.state().step
    }

    /// Somebody puts in a roll of so many lines, or takes it out with 0; `None` never ends.
    pub fn roll(&self, rows: Option<usize>) {
        let mut state = self.state();
        let cover = state.printer.cover_open;
        state.printer.tended(rows, cover);
        note_intent(&mut state);
    }

    /// Somebody puts in a roll right after the printer has answered this question, `n` of `DLE EOT n`.
    pub fn roll_after_question(&self, which: u8) {
        self.state().printer.roll_after = Some(which);
    }

    /// Somebody opens or closes the cover.
    pub fn cover(&self, open: bool) {
        let mut state = self.state();
        let roll = state.printer.roll;
        state.printer.tended(roll, open);
        note_intent(&mut state);
    }

    /// The printer stops answering, or answers again.
    pub fn mute(&self, mute: bool) {
        let mut state = self.state();
        state.printer.mute = mute;
        state.printer.mute_after = None;
    }

    /// The printer stops answering after its next print command.
    pub fn mute_after(&self, pictures: u32) {
        self.state().printer.mute_after = Some(pictures);
    }

    /// Somebody cuts the wire, or the printer closes an idle connection; a new one can be had.
    pub fn unplug(&self) {
        self.state().line += 1;
    }

    /// Patience of so many seconds by this world's clock.
    #[must_use]
    pub fn patience(&self, seconds: u64) -> Patience {
        let deadline = Deadline::at(self.now().plus(Duration::from_secs(seconds)));
        Patience::new(Arc::new(self.clone()), deadline)
    }

    /// The rows of each paper that came out, in order; the last hangs at the printer and is not cut.
    pub(crate) fn papers(&self) -> Vec<Vec<Mark>> {
        let state = self.state();
        let strips = state.printer.papers.iter().chain([&state.printer.strip]);
        strips
            .map(|rows| rows.iter().filter_map(Mark::read).collect())
            .collect()
    }

    /// Rules that were seen broken on the way.
    pub(crate) fn broken(&self) -> Vec<Rule> {
        self.state().broken.clone()
    }

    /// Dots from somebody who keeps no journal, to show that the rig sees it.
    #[cfg(test)]
    pub(crate) fn print_unannounced(&self, number: u8) {
        let raster =
            crate::render::Typeset::typeset(&Stamp, &super::stamp::document(number), None).unwrap();
        let bands = self.state().variant.profile().bands;
        let mut wire = Wire(self.clone(), 0);
        for piece in crate::wire::encode::picture(&raster, bands) {
            wire.send(&Frame::plain(piece), Deadline::at(Moment::default()))
                .unwrap();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a step; how much of it happens, and whether the caller learns of it.
    fn step(&self) -> (Part, bool) {
        let mut state = self.state();
        if state.dark {
            return (Part::None, false);
        }
        let step = state.step;
        state.step += 1;
        if state.pull == Some(step) {
            state.line += 1;
            if state.variant.shares_power() {
                state.printer.restart();
            }
        }
        match state.cut {
            Some(cut) if cut.step == step => {
                state.dark = true;
                (cut.part, false)
            }
            Some(_) | None => (Part::All, true),
        }
    }
}

/// Rule 3: whatever is on paper is on the disk as sent.
fn note_intent(state: &mut State) {
    let marks = state.printer.strip.iter().filter_map(Mark::read);
    let firsts: Vec<Mark> = marks.filter(|mark| mark.row == 0).collect();
    for mark in firsts {
        if state.intended.contains(&(mark.ticket, mark.copy)) {
            continue;
        }
        state.intended.insert((mark.ticket, mark.copy));
        let disk = String::from_utf8_lossy(&state.synced).into_owned();
        let paper = format!(" ticket T{} {} ", mark.ticket, mark.copy);
        let intended = disk
            .lines()
            .any(|line| line.contains(&paper) && !line.contains("reserved"));
        if !intended {
            state.broken.push(Rule::IntentFirst);
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl Clock for World {
    fn now(&self) -> Moment {
        Moment::after_origin(self.state().now)
    }

    fn unix_millis(&self) -> u64 {
        u64::try_from(self.state().now.as_millis()).unwrap_or(0)
    }
}

#[derive(Debug)]
struct Disk(World);

impl Disk {
    fn change(&self, change: impl FnOnce(&mut State, Part)) -> io::Result<()> {
        let (part, goes_on) = self.0.step();
        change(&mut self.0.state(), part);
        if goes_on {
            Ok(())
        } else {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
}

impl Storage for Disk {
    fn load(&mut self) -> io::Result<Vec<u8>> {
        self.change(|_, _| ())?;
        Ok(self.0.state().written.clone())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.change(|state, part| state.written.extend_from_slice(portion(bytes, part)))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.change(|state, part| {
            if part == Part::All {
                state.synced = state.written.clone();
            }
        })
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.change(|state, part| {
            if part == Part::All {
                state.written.truncate(length);
                state.synced = state.written.clone();
            }
        })
    }

    fn replace(&mut self, lines: &mut dyn Iterator<Item = String>) -> io::Result<u64> {
        let bytes = lines.collect::<String>().into_bytes();
        self.change(|state, part| {
            if part == Part::All {
                state.written.clone_from(&bytes);
                state.synced.clone_from(&bytes);
            }
        })?;
        Ok(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
    }
}

#[derive(Debug)]
struct Plug(World);

impl Connector for Plug {
    fn connect(&mut self, _deadline: Deadline) -> Result<Box<dyn Link>, LinkError> {
        let (_, goes_on) = self.0.step();
        if !goes_on {
            return Err(LinkError::Gone);
        }
        self.0.state().printer.connected();
        let line = self.0.state().line;
        Ok(Box::new(Wire(self.0.clone(), line)))
    }
}

/// The wire, and which one since the beginning.
#[derive(Debug)]
struct Wire(World, u64);

impl Wire {
    fn is_whole(&self) -> Result<(), LinkError> {
        if self.0.state().line == self.1 {
            Ok(())
        } else {
            Err(LinkError::Gone)
        }
    }
}

impl Link for Wire {
    fn send(&mut self, frame: &Frame, _deadline: Deadline) -> Result<(), LinkError> {
        self.is_whole()?;
        let (part, goes_on) = self.0.step();
        let mut state = self.0.state();
        state.printer.receive(portion(frame.bytes(), part));
        note_intent(&mut state);
        if goes_on {
            Ok(())
        } else {
            Err(LinkError::Gone)
        }
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Frame, LinkError> {
        self.is_whole()?;
        let (part, goes_on) = self.0.step();
        let mut state = self.0.state();
        let heard = if part == Part::None {
            Vec::new()
        } else {
            state.printer.answers()
        };
        if !goes_on {
            return Err(LinkError::Gone);
        }
        if heard.is_empty() {
            state.now = state.now.max(deadline.moment().since_origin());
            return Err(LinkError::TimedOut);
        }
        state.now += Duration::from_millis(1);
        Ok(Frame::plain(heard))
    }

    fn interrupter(&self) -> Interrupter {
        Interrupter::new(|| ())
    }
}

fn portion(bytes: &[u8], part: Part) -> &[u8] {
    let length = match part {
        Part::None => 0,
        Part::Half => bytes.len() / 2,
        Part::All => bytes.len(),
    };
    bytes.get(..length).unwrap_or_default()
}
