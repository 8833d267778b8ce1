//! A printer of paper in memory: takes ESC/POS as a printer does, byte by byte, and keeps what comes out.
//!
//! Written from the command reference and not from our encoder, and as unkind as printers are: each line of a
//! picture prints as soon as it is whole, a half picture swallows what follows, and a printer without paper
//! keeps what it was sent until there is paper.

use std::collections::VecDeque;

/// One line of dots.
pub(crate) type Row = Vec<u8>;

/// How printers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Nature {
    /// Takes real-time commands also where a picture is expected.
    pub(crate) attentive: bool,
    /// Keeps answers for the next listener, as USB and serial do.
    pub(crate) patient: bool,
    /// Understands `DLE DC4` function 8.
    pub(crate) clears: bool,
}

#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a machine has many small conditions, and tests set them one by one"
)]
pub(crate) struct PaperPrinter {
    pub(crate) nature: Nature,
    /// Papers that were cut off.
    pub(crate) papers: Vec<Vec<Row>>,
    /// What hangs out of the printer.
    pub(crate) strip: Vec<Row>,
    /// Lines until the roll ends.
    pub(crate) roll: Option<usize>,
    /// Whether somebody opened the cover.
    pub(crate) cover_open: bool,
    /// Says nothing at all.
    pub(crate) mute: bool,
    /// So many pictures later it says nothing at all.
    pub(crate) mute_after: Option<u32>,
    /// A person puts a roll in right after this question was answered.
    pub(crate) roll_after: Option<u8>,
    answers: VecDeque<u8>,
    urgent: Vec<u8>,
    backlog: VecDeque<u8>,
    picture: Option<Picture>,
    stored: Vec<Row>,
    reports_changes: bool,
    was_blocked: bool,
}

#[derive(Debug)]
struct Picture {
    stride: usize,
    left: usize,
    row: Row,
    stored: bool,
}

impl PaperPrinter {
    pub(crate) fn of(nature: Nature) -> Self {
        Self {
            nature,
            ..Self::default()
        }
    }

    /// Takes bytes from the wire.
    pub(crate) fn receive(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.arrive(*byte);
            self.work();
        }
    }

    /// What it has to say.
    pub(crate) fn answers(&mut self) -> Vec<u8> {
        if self.mute {
            Vec::new()
        } else {
            self.answers.drain(..).collect()
        }
    }

    /// Somebody connects anew.
    pub(crate) fn connected(&mut self) {
        if !self.nature.patient {
            self.answers.clear();
        }
    }

    /// Its power went and came back: paper stays where it is, everything else is forgotten.
    pub(crate) fn restart(&mut self) {
        let paper = std::mem::take(self);
        *self = Self {
            nature: paper.nature,
            papers: paper.papers,
            strip: paper.strip,
            roll: paper.roll,
            cover_open: paper.cover_open,
            mute: paper.mute,
            mute_after: paper.mute_after,
            ..Self::default()
        };
    }

    /// A person changes the roll or the cover, and it goes on with what it holds.
    pub(crate) fn tended(&mut self, roll: Option<usize>, cover_open: bool) {
        self.roll = roll;
        self.cover_open = cover_open;
        self.look();
        self.work();
    }

    fn blocked(&self) -> bool {
        self.cover_open || self.roll == Some(0)
    }

    fn arrive(&mut self, byte: u8) {
        let deaf = self.picture.is_some() && self.backlog.is_empty() && !self.nature.attentive;
        self.urgent.push(byte);
        match self.urgent.as_slice() {
            _ if deaf => self.pass(),
            [0x10] | [0x10, 0x04 | 0x05 | 0x14] => {}
            [0x10, 0x04, which] => {
                let which = *which;
                self.urgent.clear();
                self.answer_now(which);
            }
            [0x10, 0x05, _] => {
                self.urgent.clear();
                if self.blocked() {
                    self.forget();
                }
            }
            [0x10, 0x14, 0x08, rest @ ..] if rest.len() < 7 => {}
            [0x10, 0x14, 0x08, 1, 3, 0x14, 1, 6, 2, 8] => {
                self.urgent.clear();
                if self.nature.clears {
                    self.forget();
                    self.answers.extend([0x37, 0x25, 0]);
                }
            }
            _ => self.pass(),
        }
    }

    fn pass(&mut self) {
        self.backlog.extend(self.urgent.drain(..));
    }

    fn forget(&mut self) {
        self.backlog.clear();
        self.picture = None;
        self.stored.clear();
    }

    fn answer_now(&mut self, which: u8) {
        let out = self.roll == Some(0);
        let bits = match which {
            1 if self.blocked() => 0x08,
            2 => u8::from(self.cover_open) << 2 | u8::from(out) << 5,
            4 if out => 0x6C,
            _ => 0,
        };
        self.answers.push_back(0x12 | bits);
        if self.roll_after == Some(which) {
            self.roll_after = None;
            self.tended(None, self.cover_open);
        }
    }

    /// Reports a change of condition.
    fn look(&mut self) {
        if self.was_blocked != self.blocked() {
            self.was_blocked = self.blocked();
            if self.reports_changes {
                self.report();
            }
        }
    }

    fn report(&mut self) {
        let first = 0x10 | u8::from(self.blocked()) << 3 | u8::from(self.cover_open) << 5;
        let paper = if self.roll == Some(0) { 0x0F } else { 0 };
        self.answers.extend([first, 0, paper, 0]);
    }

    fn work(&mut self) {
        while !self.blocked() && self.one_step() {}
        self.look();
    }

    /// Takes one command or one line of dots; whether there was enough.
    fn one_step(&mut self) -> bool {
        if self.picture.is_some() {
            return self.dots();
        }
        let front: Vec<u8> = self.backlog.iter().take(17).copied().collect();
        let number = |low: u8, high: u8| usize::from(low) | usize::from(high) << 8;
        let used = match front.as_slice() {
            [0x1B, 0x40, ..] => {
                self.stored.clear();
                2
            }
            [0x1D, 0x61, n, ..] => {
                self.reports_changes = *n != 0;
                self.report();
                3
            }
            [0x1D, 0x76, 0x30, _, xl, xh, yl, yh, ..] => {
                self.begin(number(*xl, *xh), number(*yl, *yh), false);
                8
            }
            [0x1D, 0x28, 0x4C, 2, 0, 0x30, 0x32, ..] => return self.print_stored(),
            [
                0x1D,
                0x28,
                0x4C,
                _,
                _,
                0x30,
                0x70,
                _,
                _,
                _,
                _,
                xl,
                xh,
                yl,
                yh,
                ..,
            ] => {
                self.begin(number(*xl, *xh).div_ceil(8), number(*yl, *yh), true);
                15
            }
            [
                0x1D,
                0x38,
                0x4C,
                _,
                _,
                _,
                _,
                0x30,
                0x70,
                _,
                _,
                _,
                _,
                xl,
                xh,
                yl,
                yh,
            ] => {
                self.begin(number(*xl, *xh).div_ceil(8), number(*yl, *yh), true);
                17
            }
            [0x1D, 0x28, 0x48, 6, 0, 0x30, 0x30, a, b, c, d, ..] => {
                self.answers.extend([0x37, 0x22, *a, *b, *c, *d, 0]);
                11
            }
            [0x1D, 0x56, 65 | 66, _, ..] => {
                self.cut();
                4
            }
            [0x1B, 0x64, _, ..] => {
                self.cut();
                3
            }
            [0x1D, 0x72, _, ..] => {
                self.answers.push_back(0);
                3
            }
            // The beginning of a command waits for its rest; any other byte is of no meaning.
            [0x1D | 0x1B, ..] if front.len() < 17 => 0,
            [] => 0,
            _ => 1,
        };
        self.backlog.drain(..used);
        used > 0
    }

    fn begin(&mut self, stride: usize, rows: usize, stored: bool) {
        if let Some(left) = self.mute_after.as_mut() {
            *left = left.saturating_sub(1);
            self.mute |= *left == 0;
        }
        let left = stride * rows;
        self.picture = Some(Picture {
            stride,
            left,
            row: Row::new(),
            stored,
        });
    }

    fn dots(&mut self) -> bool {
        let Some(picture) = self.picture.as_mut() else {
            return false;
        };
        if picture.left > 0 {
            let Some(byte) = self.backlog.pop_front() else {
                return false;
            };
            picture.left -= 1;
            picture.row.push(byte);
            if picture.row.len() == picture.stride {
                let row = std::mem::take(&mut picture.row);
                if picture.stored {
                    self.stored.push(row)
                } else {
                    self.print(row)
                }
            }
        }
        if self
            .picture
            .as_ref()
            .is_some_and(|picture| picture.left == 0)
        {
            self.picture = None;
        }
        true
    }

    /// Prints one stored line, and takes the command away with the last.
    fn print_stored(&mut self) -> bool {
        if self.stored.is_empty() {
            self.backlog.drain(..7);
        } else {
            let row = self.stored.remove(0);
            self.print(row);
        }
        true
    }

    fn print(&mut self, row: Row) {
        self.strip.push(row);
        self.roll = self.roll.map(|rows| rows.saturating_sub(1));
    }

    fn cut(&mut self) {
        let paper = std::mem::take(&mut self.strip);
        self.papers.push(paper);
    }
}
