//! What each ESC/POS command does to the paper.
//!
//! Source: Epson's public ESC/POS command reference, by the names in the comments. Commands that change
//! nothing on these papers are taken and counted; those that are not known are counted apart.

use qrcodegen::{QrCode, QrCodeEcc};

use crate::printer::charset;
use crate::printer::font::Font;
use crate::printer::framer::{ESC, FS, GS};
use crate::printer::layout::{Layout, Line, USUAL_SPACING};
use crate::printer::sheet::{Bitmap, Sheet};

/// What a command asks of the machine around the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Only the paper changed.
    None,
    /// The paper is cut; partially where `true`.
    Cut(bool),
    /// These bytes are answered.
    Answer(Vec<u8>),
    /// The answer is the paper sensors' state (`GS r 1`).
    PaperStatus,
    /// The answer is the drawer's state (`GS r 2`).
    DrawerStatus,
    /// Automatic status is wanted for these causes (`GS a`).
    StatusBack(u8),
    /// The drawer opens (`ESC p`).
    Drawer,
    /// Known, and not drawn by this simulator.
    NotDrawn,
    /// Not known.
    Unknown,
}

/// How characters look; `ESC @` makes it as new.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a setting of its own command"
)]
struct Style {
    across: usize,
    down: usize,
    small: bool,
    bold: bool,
    underline: bool,
    reverse: bool,
    page: u8,
    japan: bool,
    kanji_across: usize,
    kanji_down: usize,
    space: usize,
}

/// How two-byte characters come (`FS C`, `FS &`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kanji {
    /// JIS code, and single bytes at present.
    JisOff,
    /// JIS code, after `FS &`.
    JisOn,
    /// Shift_JIS: lead bytes tell.
    ShiftJis,
}

/// What `GS ( k` has set for the next QR code.
#[derive(Debug, Clone)]
struct Qr {
    module: usize,
    level: QrCodeEcc,
    data: Vec<u8>,
}

/// Interprets commands, one after the other.
#[derive(Debug)]
pub(crate) struct Interpreter {
    font: Font,
    model: String,
    width: usize,
    layout: Layout,
    line: Line,
    style: Style,
    kanji: Kanji,
    lead: Option<u8>,
    qr: Qr,
    graphics: Option<Bitmap>,
}

impl Interpreter {
    pub(crate) fn new(font: Font, model: String, width: usize) -> Self {
        Self {
            font,
            model,
            width,
            layout: Layout::new(width),
            line: Line::default(),
            style: Style::new(),
            kanji: Kanji::JisOff,
            lead: None,
            qr: Qr::new(),
            graphics: None,
        }
    }

    /// Forgets the line in the making and every setting: `ESC @`, or the power.
    pub(crate) fn reset(&mut self) {
        self.layout = Layout::new(self.width);
        self.style = Style::new();
        self.kanji = Kanji::JisOff;
        self.qr = Qr::new();
        self.graphics = None;
        self.clear_line();
    }

    /// Forgets the line in the making.
    pub(crate) fn clear_line(&mut self) {
        self.line.clear();
        self.lead = None;
    }

    /// Carries out one whole command.
    pub(crate) fn carry_out(&mut self, command: &[u8], sheet: &mut Sheet) -> Effect {
        match command {
            [ESC, second, rest @ ..] => self.escape(*second, rest, sheet),
            [FS, second, rest @ ..] => self.two_byte(*second, rest),
            [GS, second, rest @ ..] => self.group(*second, rest, sheet),
            [byte] => self.byte(*byte, sheet),
            _ => Effect::Unknown,
        }
    }

    fn byte(&mut self, byte: u8, sheet: &mut Sheet) -> Effect {
        if let Some(lead) = self.lead.take() {
            let character = if self.kanji == Kanji::ShiftJis {
                charset::shift_jis(lead, byte)
            } else {
                charset::jis(lead, byte)
            };
            let (across, down) = (self.style.kanji_across, self.style.kanji_down);
            self.print(character, (24 * across, 24 * down), sheet);
            return Effect::None;
        }
        match byte {
            0x09 => self.line.tab(&self.layout),
            0x0A => self.line.end(sheet, &self.layout, None),
            0x18 => self.line.clear(),
            0x00..=0x1F => {}
            _ if self.is_lead(byte) => self.lead = Some(byte),
            _ => {
                let character = charset::single(byte, self.style.page, self.style.japan);
                let (width, height) = if self.style.small { (9, 17) } else { (12, 24) };
                let (across, down) = (self.style.across, self.style.down);
                self.print(character, (width * across, height * down), sheet);
            }
        }
        Effect::None
    }

    const fn is_lead(&self, byte: u8) -> bool {
        match self.kanji {
            Kanji::JisOff => false,
            Kanji::JisOn => matches!(byte, 0x21..=0x7E),
            Kanji::ShiftJis => charset::is_lead(byte),
        }
    }

    fn print(&mut self, character: char, (width, height): (usize, usize), sheet: &mut Sheet) {
        let mut cell = self.font.cell(character, width, height);
        if self.style.bold {
            for y in 0..height {
                for x in (1..width)
                    .rev()
                    .filter(|x| cell.is_black(x - 1, y))
                    .collect::<Vec<_>>()
                {
                    cell.blacken(x, y);
                }
            }
        }
        if self.style.underline {
            (0..width).for_each(|x| cell.blacken(x, height - 1));
        }
        if self.style.reverse {
            cell = cell.inverted();
        }
        if !self.line.fits(width, &self.layout) {
            self.line.end(sheet, &self.layout, None);
        }
        self.line.put(cell, Some(character));
        if self.style.space > 0 {
            let next = self.line.cursor() + self.style.space * self.style.across;
            self.line.move_to(next, &self.layout);
        }
    }

    fn escape(&mut self, second: u8, rest: &[u8], sheet: &mut Sheet) -> Effect {
        match (second, rest) {
            (b'@', _) => self.reset(),
            (b' ', [n]) => self.style.space = usize::from(*n),
            // Font, emphasis, double height, double width, underline, from the lowest bit.
            (b'!', [n]) => {
                self.style.small = n & 1 != 0;
                self.style.bold = n & 8 != 0;
                self.style.down = if n & 0x10 != 0 { 2 } else { 1 };
                self.style.across = if n & 0x20 != 0 { 2 } else { 1 };
                self.style.underline = n & 0x80 != 0;
            }
            (b'$', [low, high]) => self.line.move_to(word(*low, *high), &self.layout),
            (b'\\', [low, high]) => {
                let step = isize::from(i16::from_le_bytes([*low, *high]));
                if let Some(position) = self.line.cursor().checked_add_signed(step) {
                    self.line.move_to(position, &self.layout);
                }
            }
            (b'*', [mode, _, _, data @ ..]) => {
                let image = columns(*mode, data);
                if !self.line.fits(image.width, &self.layout) {
                    self.line.end(sheet, &self.layout, None);
                }
                self.line.put(image, None);
            }
            (b'-', [n]) => self.style.underline = !matches!(n, 0 | b'0'),
            (b'2', _) => self.layout.spacing = USUAL_SPACING,
            (b'3', [n]) => self.layout.spacing = usize::from(*n),
            (b'D', stops) => {
                let stops = stops.iter().take_while(|stop| **stop > 0);
                self.layout.tabs = stops.map(|stop| usize::from(*stop) * 12).collect();
            }
            (b'E' | b'G', [n]) => self.style.bold = n & 1 != 0,
            (b'J', [n]) => self.line.end(sheet, &self.layout, Some(usize::from(*n))),
            (b'M', [n]) => self.style.small = n & 1 != 0,
            (b'R', [n]) => self.style.japan = *n == 8,
            (b'a', [n]) => self.layout.align = n & 3,
            (b'd', [n]) => {
                self.line.end(sheet, &self.layout, None);
                sheet.feed(usize::from(n.saturating_sub(1)) * self.layout.spacing);
            }
            (b'i' | b'm', _) => return self.cut(0, true, sheet),
            (b'p', _) => return Effect::Drawer,
            (b't', [n]) => self.style.page = *n,
            // Page mode, user-defined characters.
            (b'L' | b'W' | b'&', _) => return Effect::NotDrawn,
            (
                b'%' | b'(' | b'<' | b'=' | b'?' | b'K' | b'S' | b'T' | b'V' | b'c' | b'e' | b'r'
                | b'u' | b'v' | b'{' | 0x0C,
                _,
            ) => {}
            _ => return Effect::Unknown,
        }
        Effect::None
    }

    /// Commands of printers with two-byte characters.
    fn two_byte(&mut self, second: u8, rest: &[u8]) -> Effect {
        match (second, rest) {
            (b'C', [n]) => {
                self.kanji = match (n, self.kanji) {
                    (1 | b'1', _) => Kanji::ShiftJis,
                    (_, Kanji::JisOn) => Kanji::JisOn,
                    _ => Kanji::JisOff,
                };
            }
            // Of no meaning in Shift_JIS.
            (b'&', _) if self.kanji == Kanji::JisOff => self.kanji = Kanji::JisOn,
            (b'.', _) if self.kanji == Kanji::JisOn => self.kanji = Kanji::JisOff,
            (b'!', [n]) => {
                self.style.kanji_across = if n & 4 != 0 { 2 } else { 1 };
                self.style.kanji_down = if n & 8 != 0 { 2 } else { 1 };
            }
            (b'W', [n]) => {
                let times = if n & 1 != 0 { 2 } else { 1 };
                (self.style.kanji_across, self.style.kanji_down) = (times, times);
            }
            (b'2' | b'p' | b'q' | b'g', _) => return Effect::NotDrawn,
            (b'&' | b'.' | b'-' | b'S' | b'(' | b'?', _) => {}
            _ => return Effect::Unknown,
        }
        Effect::None
    }

    fn group(&mut self, second: u8, rest: &[u8], sheet: &mut Sheet) -> Effect {
        match (second, rest) {
            // Width in the high half, height in the low one.
            (b'!', [n]) => {
                self.style.across = usize::from((n >> 4) & 7) + 1;
                self.style.down = usize::from(n & 7) + 1;
                self.style.kanji_across = self.style.across;
                self.style.kanji_down = self.style.down;
            }
            (b'B', [n]) => self.style.reverse = n & 1 != 0,
            (b'L', [low, high]) => self.layout.margin = word(*low, *high).min(self.width),
            (b'W', [low, high]) => {
                let room = self.width.saturating_sub(self.layout.margin);
                self.layout.area = word(*low, *high).min(room);
            }
            (b'V', [mode, feed @ ..]) => {
                let rows = feed.first().map_or(0, |rows| usize::from(*rows));
                return self.cut(rows, matches!(mode, 1 | 49 | 66 | 98 | 104), sheet);
            }
            (b'v', [b'0', mode, xl, xh, yl, yh, data @ ..]) => {
                let image = Bitmap::from_raster(word(*xl, *xh), word(*yl, *yh), data);
                let across = if mode & 1 != 0 { 2 } else { 1 };
                let down = if mode & 2 != 0 { 2 } else { 1 };
                self.burn(&image.scaled(across, down), sheet);
            }
            (b'(', [b'L', _, _, data @ ..]) | (b'8', [b'L', _, _, _, _, data @ ..]) => {
                return self.graphics(data, sheet);
            }
            (b'(', [b'k', _, _, data @ ..]) => return self.symbol(data, sheet),
            // Function 48: the process id comes back once all before it is on paper.
            (b'(', [b'H', _, _, 48, 48, id @ ..]) => {
                let mut answer = vec![0x37, 0x22];
                answer.extend_from_slice(id.get(..4).unwrap_or(id));
                answer.push(0);
                return Effect::Answer(answer);
            }
            (b'I', [n]) => return self.identify(*n),
            (b'a', [n]) => return Effect::StatusBack(*n),
            (b'r', [1 | 49]) => return Effect::PaperStatus,
            (b'r', [2 | 50]) => return Effect::DrawerStatus,
            // Bar codes, downloaded images and macros.
            (b'k' | b'*' | b'/' | b'^' | b':' | b'Q', _) => return Effect::NotDrawn,
            (
                b'$' | b'(' | b'8' | b'\\' | b'H' | b'P' | b'T' | b'b' | b'c' | b'f' | b'g' | b'h'
                | b'r' | b'w' | b'z',
                _,
            ) => {}
            _ => return Effect::Unknown,
        }
        Effect::None
    }

    fn cut(&mut self, feed: usize, partial: bool, sheet: &mut Sheet) -> Effect {
        if !self.line.is_empty() {
            self.line.end(sheet, &self.layout, None);
        }
        sheet.feed(feed);
        Effect::Cut(partial)
    }

    /// Burns an image; what stands in the line is printed first.
    fn burn(&mut self, image: &Bitmap, sheet: &mut Sheet) {
        if !self.line.is_empty() {
            self.line.end(sheet, &self.layout, None);
        }
        sheet.burn(image, self.layout.left(image.width));
    }

    /// `GS ( L` and `GS 8 L`: functions 112 (store a raster image) and 50 (print it).
    fn graphics(&mut self, data: &[u8], sheet: &mut Sheet) -> Effect {
        match data {
            [
                48,
                112,
                _tone,
                across,
                down,
                _colour,
                xl,
                xh,
                yl,
                yh,
                rows @ ..,
            ] => {
                let width = word(*xl, *xh);
                let image = Bitmap::from_raster(width.div_ceil(8), word(*yl, *yh), rows);
                let times = |n: u8| if n == 2 { 2 } else { 1 };
                self.graphics = Some(image.scaled(times(*across), times(*down)));
                Effect::None
            }
            [48, 2 | 50, ..] => {
                if let Some(image) = self.graphics.take() {
                    self.burn(&image, sheet);
                }
                Effect::None
            }
            _ => Effect::NotDrawn,
        }
    }

    /// `GS ( k` for symbol 49, the QR code: functions 65, 67, 69, 80, 81.
    fn symbol(&mut self, data: &[u8], sheet: &mut Sheet) -> Effect {
        match data {
            [49, 65, ..] => {}
            [49, 67, size, ..] => self.qr.module = usize::from(*size).clamp(1, 16),
            [49, 69, level, ..] => {
                self.qr.level = match level {
                    49 => QrCodeEcc::Medium,
                    50 => QrCodeEcc::Quartile,
                    51 => QrCodeEcc::High,
                    _ => QrCodeEcc::Low,
                }
            }
            [49, 80, 48, content @ ..] => self.qr.data = content.to_vec(),
            [49, 81, 48, ..] => match self.qr.draw() {
                Some(image) => self.burn(&image, sheet),
                None => return Effect::NotDrawn,
            },
            _ => return Effect::NotDrawn,
        }
        Effect::None
    }

    /// `GS I`: one byte for numbers, text between an underscore and NUL.
    fn identify(&self, n: u8) -> Effect {
        let text = match n {
            // A TM-T88V, with two-byte characters and a cutter.
            1 | 49 => return Effect::Answer(vec![0x20]),
            2 | 50 => return Effect::Answer(vec![0x03]),
            3 | 51 => return Effect::Answer(vec![0x01]),
            65 => "1.00",
            66 => "MADOGUCHI SIM",
            67 => self.model.as_str(),
            68 => "SIM0000001",
            69 => "KANJI JAPANESE",
            _ => return Effect::NotDrawn,
        };
        let mut answer = vec![0x5F];
        answer.extend_from_slice(text.as_bytes());
        answer.push(0);
        Effect::Answer(answer)
    }
}

impl Style {
    const fn new() -> Self {
        Self {
            across: 1,
            down: 1,
            small: false,
            bold: false,
            underline: false,
            reverse: false,
            page: 0,
            japan: false,
            kanji_across: 1,
            kanji_down: 1,
            space: 0,
        }
    }
}

impl Qr {
    const fn new() -> Self {
        Self {
            module: 3,
            level: QrCodeEcc::Low,
            data: Vec::new(),
        }
    }

    /// The stored data as a code without a quiet zone, as printers draw it.
    fn draw(&self) -> Option<Bitmap> {
        let code = QrCode::encode_binary(&self.data, self.level).ok()?;
        let size = usize::try_from(code.size()).ok()?;
        let mut image = Bitmap::new(size, size);
        for (y, row) in (0..code.size()).zip(0..size) {
            for (x, column) in (0..code.size()).zip(0..size) {
                if code.get_module(x, y) {
                    image.blacken(column, row);
                }
            }
        }
        Some(image.scaled(self.module, self.module))
    }
}

/// `ESC *`: columns of 8 or 24 dots, at single or double density.
fn columns(mode: u8, data: &[u8]) -> Bitmap {
    let bytes = if mode >= 32 { 3 } else { 1 };
    let mut image = Bitmap::new(data.len() / bytes, bytes * 8);
    for (x, column) in data.chunks_exact(bytes).enumerate() {
        for (index, byte) in column.iter().enumerate() {
            for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                image.blacken(x, index * 8 + bit);
            }
        }
    }
    let across = if matches!(mode, 0 | 32) { 2 } else { 1 };
    let down = if mode < 32 { 3 } else { 1 };
    image.scaled(across, down)
}

fn word(low: u8, high: u8) -> usize {
    usize::from(u16::from_le_bytes([low, high]))
}
