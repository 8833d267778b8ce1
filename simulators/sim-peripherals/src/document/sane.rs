//! A document scanner behind a SANE network daemon.
//!
//! Source: SANE standard 1.06, chapters 4 (options, status) and 5 (calls). Protocol version 3, in which
//! "set automatically" carries no value, as the public client sanei_net does it. Proved with `scanimage`
//! through its `net` backend.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use crate::document::Inside;
use crate::document::engine::{Source, Trouble, Wanted};
use crate::document::page::{Area, ColourMode, HEIGHT, Image, WIDTH, scan};
use crate::document::sane_data::Data;
use crate::document::sane_wire::{Reader, Writer};
use crate::fault::Kind;
use crate::line::Line;

/// Version 1.0 of SANE, version 3 of the network protocol.
const VERSION: u32 = 0x0100_0003;
const DEVICE: &str = "sim:0";

/// Status words of the standard.
mod status {
    pub(super) const GOOD: u32 = 0;
    pub(super) const UNSUPPORTED: u32 = 1;
    pub(super) const CANCELLED: u32 = 2;
    pub(super) const BUSY: u32 = 3;
    pub(super) const INVALID: u32 = 4;
    pub(super) const JAMMED: u32 = 6;
    pub(super) const NO_DOCS: u32 = 7;
    pub(super) const COVER_OPEN: u32 = 8;
    pub(super) const IO_ERROR: u32 = 9;
}

const MODES: [&str; 3] = ["Lineart", "Gray", "Color"];
const SOURCES: [&str; 3] = ["Flatbed", "ADF", "ADF Duplex"];
const RESOLUTIONS: [u32; 5] = [75, 100, 150, 200, 300];
/// The longest of the texts above, with NUL.
const TEXT_SIZE: usize = 12;
const NAMES: [&str; 11] = [
    "init",
    "getDevices",
    "open",
    "close",
    "getOptions",
    "control",
    "parameters",
    "start",
    "cancel",
    "authorize",
    "exit",
];

/// One client.
#[derive(Debug)]
struct Session<'a> {
    inside: &'a Inside,
    /// Where clients come for data: they ask at the address that they know.
    host: IpAddr,
    mode: ColourMode,
    source: Source,
    dpi: u16,
    /// Left, top, right and bottom, in 1/65536 of a millimetre.
    edges: [u32; 4],
    job: Option<u64>,
    data: Option<Data>,
}

/// Serves one connection until it ends.
pub(crate) fn converse(inside: &Inside, line: &Line) -> io::Result<()> {
    let mut session = Session {
        inside,
        host: line
            .local_address()
            .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip()),
        mode: ColourMode::Grey,
        source: Source::Feeder,
        dpi: 150,
        edges: [0, 0, fixed(WIDTH), fixed(HEIGHT)],
        job: None,
        data: None,
    };
    let outcome = session.serve(line);
    session.end_job();
    outcome
}

impl Session<'_> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the plan's check lets no other kind through to here"
    )]
    fn serve(&mut self, line: &Line) -> io::Result<()> {
        let reader = Reader(line);
        while let Some(call) = reader.maybe_word()? {
            let name = usize::try_from(call).ok().and_then(|call| NAMES.get(call));
            let name = name.ok_or(io::ErrorKind::InvalidData)?;
            let kinds = self.inside.engine.change(|engine| engine.request(name));
            let mut reply = Writer::default();
            let goes_on = self.call(name, &reader, &mut reply, &kinds)?;
            if !self.inside.goes_on(&kinds) {
                return Ok(());
            }
            let mut reply = reply.0;
            for kind in &kinds {
                match kind {
                    Kind::Garbage => {
                        let length = reply.len();
                        let garbage = |engine: &mut super::Engine| engine.injector.garbage(length);
                        reply = self.inside.engine.change(garbage);
                    }
                    Kind::Truncate(missing) => reply.truncate(reply.len().saturating_sub(*missing)),
                    Kind::CutAfter(length) => {
                        reply.truncate(*length);
                        return line.write(&reply);
                    }
                    _ => {}
                }
            }
            line.write(&reply)?;
            if !goes_on {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Carries out a call. Returns whether the session goes on.
    fn call(
        &mut self,
        name: &str,
        reader: &Reader<'_>,
        reply: &mut Writer,
        kinds: &[Kind],
    ) -> io::Result<bool> {
        let refusal = if kinds.contains(&Kind::Busy) {
            Some(status::BUSY)
        } else {
            kinds.contains(&Kind::Refuse).then_some(status::UNSUPPORTED)
        };
        match name {
            "init" => {
                reader.word()?;
                reader.text()?;
                reply.words(&[refusal.unwrap_or(status::GOOD), VERSION]);
            }
            "getDevices" => {
                // Two pointers, the second of which is none.
                reply.words(&[refusal.unwrap_or(status::GOOD), 2, 0]);
                reply
                    .text(DEVICE)
                    .text("Madoguchi")
                    .text(&self.inside.name)
                    .text("scanner");
                reply.word(1);
            }
            "open" => {
                let device = reader.text()?;
                let good = device.is_empty() || device == DEVICE;
                let status = if good { status::GOOD } else { status::INVALID };
                reply.words(&[refusal.unwrap_or(status), 0]).nothing();
            }
            "close" | "cancel" => {
                reader.word()?;
                self.end_job();
                reply.word(0);
            }
            "getOptions" => {
                reader.word()?;
                options(reply);
            }
            "control" => self.control(reader, reply, refusal)?,
            "parameters" => {
                reader.word()?;
                let (width, height) = Image::size(self.area(), self.dpi);
                let (format, depth) = match self.mode {
                    ColourMode::Lineart => (0, 1),
                    ColourMode::Grey => (0, 8),
                    ColourMode::Colour => (1, 8),
                };
                let row = Image::row(width, self.mode);
                let sizes = [row, width, height].map(|size| u32::try_from(size).unwrap_or(0));
                reply.words(&[refusal.unwrap_or(status::GOOD), format, 1]);
                reply.words(&sizes).word(depth);
            }
            "start" => {
                reader.word()?;
                self.start(reply, refusal)?;
            }
            "authorize" => {
                for _ in 0..3 {
                    reader.text()?;
                }
                reply.word(0);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Scans the next page and opens a port for its data.
    fn start(&mut self, reply: &mut Writer, refusal: Option<u32>) -> io::Result<()> {
        self.data = None;
        let fed = match refusal {
            Some(status) => Err(status),
            None => self.next_page().map_err(|trouble| self.told(trouble)),
        };
        let fed = match fed {
            Ok(fed) => fed,
            Err(status) => {
                reply.words(&[status, 0, 0]).nothing();
                return Ok(());
            }
        };
        if !self.inside.goes_on(&fed.kinds) {
            reply.words(&[status::IO_ERROR, 0, 0]).nothing();
            return Ok(());
        }
        let wanted = fed.wanted;
        let image = scan(
            &fed.content,
            &self.inside.font,
            wanted.area,
            (wanted.dpi, wanted.mode),
        );
        let data = Data::serve(self.host, image.pixels, &fed.kinds)?;
        let port = u32::from(data.address.port());
        self.data = Some(data);
        // Samples have eight bits at most, so the byte order means nothing.
        reply.words(&[status::GOOD, port, 0x1234]).nothing();
        Ok(())
    }

    fn next_page(&mut self) -> Result<crate::document::engine::Fed, Trouble> {
        let wanted = Wanted {
            source: self.source,
            area: self.area(),
            dpi: self.dpi,
            mode: self.mode,
        };
        if self.source == Source::Glass {
            self.end_job();
        }
        let number = match self.job {
            Some(number) => number,
            None => self.inside.engine.change(|engine| engine.begin(wanted))?,
        };
        self.job = Some(number);
        let page = self.inside.engine.change(|engine| engine.next_page(number));
        if page.is_err() {
            self.job = None;
        }
        page
    }

    fn told(&self, trouble: Trouble) -> u32 {
        match trouble {
            Trouble::Busy => status::BUSY,
            Trouble::Jammed => status::JAMMED,
            Trouble::CoverOpen => status::COVER_OPEN,
            Trouble::Empty => status::NO_DOCS,
            Trouble::Cancelled => status::CANCELLED,
            Trouble::NoJob => status::IO_ERROR,
        }
    }

    fn end_job(&mut self) {
        self.data = None;
        if let Some(number) = self.job.take() {
            self.inside.engine.change(|engine| engine.end(number));
        }
    }

    /// The area between the edges, on the page.
    fn area(&self) -> Area {
        let [left, top, right, bottom] = self.edges.map(three_hundredths);
        let (left, top) = (left.min(WIDTH - 1), top.min(HEIGHT - 1));
        Area {
            left,
            top,
            width: right.min(WIDTH).saturating_sub(left).max(1),
            height: bottom.min(HEIGHT).saturating_sub(top).max(1),
        }
    }

    /// Reads or sets an option.
    fn control(
        &mut self,
        reader: &Reader<'_>,
        reply: &mut Writer,
        refusal: Option<u32>,
    ) -> io::Result<()> {
        let (_, option, action) = (reader.word()?, reader.word()?, reader.word()?);
        let mut value = Value::None;
        if action != 2 {
            let (kind, _size) = (reader.word()?, reader.word()?);
            value = Value::read(reader, kind)?;
        }
        let set = refusal.is_none() && action == 1;
        let good = !set || self.set(option, &value);
        let status = refusal.unwrap_or(if good && action != 2 {
            status::GOOD
        } else {
            status::INVALID
        });
        // Parameters change with every option.
        let info = if set && good { 4 } else { 0 };
        reply.words(&[status, info]);
        self.show(option, reply);
        reply.nothing();
        Ok(())
    }

    fn set(&mut self, option: u32, value: &Value) -> bool {
        match (option, value) {
            (1, Value::Word(dpi)) if RESOLUTIONS.contains(dpi) => {
                self.dpi = u16::try_from(*dpi).unwrap_or(self.dpi);
            }
            (2, Value::Text(text)) => match text.as_str() {
                "Lineart" => self.mode = ColourMode::Lineart,
                "Gray" => self.mode = ColourMode::Grey,
                "Color" => self.mode = ColourMode::Colour,
                _ => return false,
            },
            (3, Value::Text(text)) => {
                self.source = match text.as_str() {
                    "Flatbed" => Source::Glass,
                    "ADF" => Source::Feeder,
                    "ADF Duplex" => Source::FeederDuplex,
                    _ => return false,
                };
            }
            (4..=7, Value::Word(place)) => {
                let edge = usize::try_from(option - 4).unwrap_or(0);
                if let Some(edge) = self.edges.get_mut(edge) {
                    *edge = (*place).min(fixed(HEIGHT));
                }
            }
            _ => return false,
        }
        true
    }

    /// Type, size and value of an option.
    fn show(&self, option: u32, reply: &mut Writer) {
        let edge = option
            .checked_sub(4)
            .and_then(|edge| usize::try_from(edge).ok());
        let edge = edge.and_then(|edge| self.edges.get(edge)).copied();
        let text = match option {
            2 => match self.mode {
                ColourMode::Lineart => "Lineart",
                ColourMode::Grey => "Gray",
                ColourMode::Colour => "Color",
            },
            3 => match self.source {
                Source::Glass => "Flatbed",
                Source::Feeder => "ADF",
                Source::FeederDuplex => "ADF Duplex",
            },
            0 => {
                reply.words(&[1, 4, 1, OPTIONS]);
                return;
            }
            1 => {
                reply.words(&[1, 4, 1, u32::from(self.dpi)]);
                return;
            }
            _ => {
                reply.words(&[2, 4, 1, edge.unwrap_or(0)]);
                return;
            }
        };
        reply.words(&[3, u32::try_from(TEXT_SIZE).unwrap_or(0)]);
        reply.characters(text, TEXT_SIZE);
    }
}

/// A value that a client sends.
#[derive(Debug)]
enum Value {
    None,
    Word(u32),
    Text(String),
}

impl Value {
    fn read(reader: &Reader<'_>, kind: u32) -> io::Result<Self> {
        if kind == 3 {
            return Ok(Self::Text(reader.text()?));
        }
        let length = reader.word()?;
        let mut value = Self::None;
        // No option here has more than one word.
        if length > 16 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        for _ in 0..length {
            value = Self::Word(reader.word()?);
        }
        Ok(value)
    }
}

/// How many options there are, the first of which says so.
const OPTIONS: u32 = 8;

/// The option descriptors: name, title, description, type, unit, size, capabilities, constraint.
fn options(reply: &mut Writer) {
    let head = |reply: &mut Writer, texts: [&str; 2], words: [u32; 5]| {
        // A pointer to a descriptor.
        reply.word(0);
        reply.text(texts[0]).text(texts[1]).text(texts[1]);
        reply.words(&words);
    };
    let text_size = u32::try_from(TEXT_SIZE).unwrap_or(0);
    reply.word(OPTIONS);
    head(reply, ["", "Number of options"], [1, 0, 4, 4, 0]);
    head(reply, ["resolution", "Scan resolution"], [1, 4, 4, 5, 2]);
    let count = u32::try_from(RESOLUTIONS.len()).unwrap_or(0);
    reply.words(&[count + 1, count]).words(&RESOLUTIONS);
    for (name, title, texts) in [
        ("mode", "Scan mode", MODES),
        ("source", "Scan source", SOURCES),
    ] {
        head(reply, [name, title], [3, 0, text_size, 5, 3]);
        reply.word(4);
        for text in texts {
            reply.text(text);
        }
        reply.nothing();
    }
    for (name, title, most) in [
        ("tl-x", "Top-left x", WIDTH),
        ("tl-y", "Top-left y", HEIGHT),
        ("br-x", "Bottom-right x", WIDTH),
        ("br-y", "Bottom-right y", HEIGHT),
    ] {
        head(reply, [name, title], [2, 3, 4, 5, 1]);
        // A pointer to a range.
        reply.words(&[0, 0, fixed(most), 0]);
    }
}

/// Three hundredths of an inch as 1/65536 of a millimetre.
fn fixed(length: u32) -> u32 {
    u32::try_from(u64::from(length) * 254 * 65_536 / 3000).unwrap_or(u32::MAX)
}

fn three_hundredths(place: u32) -> u32 {
    u32::try_from((u64::from(place) * 3000 + 127 * 65_536) / (254 * 65_536)).unwrap_or(u32::MAX)
}
