//! Where one reading ends and the next begins, on a serial line or a keyboard.
//!
//! ```text
//!            start                    suffix
//! outside -----------> inside --------------------> outside   (a reading)
//!    ^  stray bytes      | too long                    ^
//!    '--'                v                             |
//!                    discarding -----------------------'      (an error, once)
//!                        ^ bytes were lost
//! ```
//!
//! The silence between two bytes is the last resort: it closes a reading only where no suffix is
//! configured or the settings say so, because a reading that was cut off also ends in silence.
//! STX in the middle begins anew where readings begin with STX (so binary content with a byte 02 needs
//! another way to the machine; `docs/devices/code-scanners.md`).
//! Invariant: at most `longest` bytes of content are held, with their identifier.

use std::time::Duration;

use device_api::Moment;
use thiserror::Error;
use zeroize::Zeroizing;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const TAB: u8 = 0x09;
const LF: u8 = 0x0A;
const CR: u8 = 0x0D;

/// What a scanner sends before the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// Nothing.
    Nothing,
    /// STX (02).
    Stx,
    /// Bytes that were set in the scanner; at most [`Start::LONGEST`].
    Bytes(Vec<u8>),
}

impl Start {
    /// More is never looked for in front of a reading.
    pub const LONGEST: usize = 16;
}

/// What a scanner sends after the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suffix {
    /// Nothing: silence ends a reading.
    Nothing,
    /// CR. A LF that follows at once belongs to it.
    Cr,
    /// CR LF; a CR alone is content.
    CrLf,
    /// TAB.
    Tab,
    /// ETX (03).
    Etx,
    /// ETX and the exclusive or of everything after the start, ETX included.
    EtxLrc,
}

/// How a scanner delimits what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Framing {
    /// What comes first.
    pub start: Start,
    /// Whether an AIM identifier stands in front of the content, behind the start.
    pub aim: bool,
    /// What comes last.
    pub suffix: Suffix,
    /// The longest content. The largest QR code holds 7089 digits.
    pub longest: usize,
    /// How long a pause between two bytes may be, as this machine sees it: a busy machine sees pauses that
    /// the scanner did not make, and an error is better than two readings in one.
    pub silence: Duration,
    /// Whether a reading that ended in silence instead of its suffix is delivered.
    pub silence_delivers: bool,
}

impl Default for Framing {
    fn default() -> Self {
        Self {
            start: Start::Nothing,
            aim: true,
            suffix: Suffix::Cr,
            longest: 8192,
            silence: Duration::from_millis(500),
            silence_delivers: false,
        }
    }
}

/// Which rule ended a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClosedBy {
    /// CR.
    Cr,
    /// CR LF.
    CrLf,
    /// TAB.
    Tab,
    /// ETX.
    Etx,
    /// ETX with the right check byte.
    Lrc,
    /// Nothing came any more; the content may be cut off.
    Silence,
    /// A report that says that none follows.
    LastReport,
}

impl ClosedBy {
    /// The name used in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cr => "cr",
            Self::CrLf => "crLf",
            Self::Tab => "tab",
            Self::Etx => "etx",
            Self::Lrc => "lrc",
            Self::Silence => "silence",
            Self::LastReport => "lastReport",
        }
    }
}

/// One reading, without what delimits it.
#[derive(PartialEq, Eq)]
pub struct Framed {
    /// The AIM identifier, where there is one, and the content.
    pub payload: Zeroizing<Vec<u8>>,
    /// Which rule ended it.
    pub closed_by: ClosedBy,
}

impl std::fmt::Debug for Framed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Framed({:?}, {} bytes)",
            self.closed_by,
            self.payload.len()
        )
    }
}

/// Why bytes did not become a reading.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum FramingError {
    /// More came than a reading may hold; the rest is dropped up to its end.
    #[error("a reading is longer than {limit} bytes")]
    TooLong {
        /// The limit.
        limit: usize,
    },
    /// Silence, or a new beginning, before the end.
    #[error("a reading stopped after {had} bytes")]
    Unfinished {
        /// How many bytes of content had come.
        had: usize,
    },
    /// The check byte does not fit.
    #[error("the check byte of a reading is wrong")]
    Lrc,
    /// Bytes came, and none of them begins a reading.
    #[error("{stray} bytes came outside of any reading")]
    NoStart {
        /// How many.
        stray: usize,
    },
}

/// Cuts a stream of bytes into readings.
#[derive(Debug)]
pub struct Framer {
    framing: Framing,
    state: State,
    buffer: Buffer,
    stray: usize,
    swallow_lf: bool,
    last: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    Inside,
    AwaitingLrc,
    Discarding,
    DiscardingLrc,
}

#[derive(Default)]
struct Buffer(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Framer {
    /// A framer that has seen nothing.
    #[must_use]
    pub fn new(mut framing: Framing) -> Self {
        if let Start::Bytes(bytes) = &mut framing.start {
            bytes.truncate(Start::LONGEST);
        }
        if framing.start == Start::Bytes(Vec::new()) {
            framing.start = Start::Nothing;
        }
        Self {
            framing,
            state: State::Outside,
            buffer: Buffer::default(),
            stray: 0,
            swallow_lf: false,
            last: None,
        }
    }

    /// Takes what came at `at`, and returns what it completes.
    pub fn push(&mut self, bytes: &[u8], at: Moment) -> Vec<Result<Framed, FramingError>> {
        let mut done: Vec<_> = self.tick(at).into_iter().collect();
        self.last = Some(at);
        done.extend(bytes.iter().filter_map(|byte| self.byte(*byte)));
        done
    }

    /// Takes the passing of time: closes what has been silent for too long.
    pub fn tick(&mut self, now: Moment) -> Option<Result<Framed, FramingError>> {
        if self.due().is_none_or(|due| now < due) {
            return None;
        }
        let state = self.state;
        let stray = std::mem::take(&mut self.stray);
        let payload = self.close();
        match state {
            State::Outside => Some(Err(FramingError::NoStart { stray })),
            State::Discarding | State::DiscardingLrc => None,
            State::Inside if self.silence_delivers() => Some(Ok(Framed {
                payload,
                closed_by: ClosedBy::Silence,
            })),
            State::Inside | State::AwaitingLrc => {
                Some(Err(FramingError::Unfinished { had: payload.len() }))
            }
        }
    }

    /// When silence will have lasted too long, if anything is unfinished.
    #[must_use]
    pub fn due(&self) -> Option<Moment> {
        let open = self.state != State::Outside || self.stray > 0;
        self.last
            .filter(|_| open)
            .map(|last| last.plus(self.framing.silence))
    }

    /// Whether a reading has begun whose end is still to come, and which is not being dropped.
    #[must_use]
    pub const fn is_inside(&self) -> bool {
        matches!(self.state, State::Inside | State::AwaitingLrc)
    }

    /// Whether the next byte begins a reading, whatever it is.
    #[must_use]
    pub fn begins_with_any(&self) -> bool {
        self.state == State::Outside && self.framing.start == Start::Nothing
    }

    /// Drops what is unfinished, as after an interruption of the device.
    pub fn reset(&mut self) {
        self.close();
        self.stray = 0;
        self.swallow_lf = false;
    }

    /// Drops what is unfinished at `at`, and what follows up to the suffix, a new beginning or silence:
    /// bytes were lost, so that what comes next may be the rest of a reading.
    pub fn discard(&mut self, at: Moment) {
        self.reset();
        self.state = State::Discarding;
        self.last = Some(at);
    }

    fn silence_delivers(&self) -> bool {
        self.framing.suffix == Suffix::Nothing || self.framing.silence_delivers
    }

    fn byte(&mut self, byte: u8) -> Option<Result<Framed, FramingError>> {
        if std::mem::take(&mut self.swallow_lf) && byte == LF && self.state == State::Outside {
            return None;
        }
        if self.buffer.0.capacity() == 0 {
            self.make_room();
        }
        match self.state {
            State::Outside => self.outside(byte),
            State::Inside => self.inside(byte),
            State::AwaitingLrc => Some(self.check(byte)),
            State::Discarding => self.discarding(byte),
            State::DiscardingLrc => {
                self.close();
                None
            }
        }
    }

    fn outside(&mut self, byte: u8) -> Option<Result<Framed, FramingError>> {
        let wanted: &[u8] = match &self.framing.start {
            Start::Nothing => {
                self.state = State::Inside;
                return self.inside(byte);
            }
            Start::Stx => &[STX],
            Start::Bytes(bytes) => bytes,
        };
        self.buffer.0.push(byte);
        // The buffer holds at most the start, so this is short.
        while !wanted.starts_with(&self.buffer.0) {
            self.buffer.0.remove(0);
            self.stray = self.stray.saturating_add(1);
        }
        if self.buffer.0.len() == wanted.len() {
            self.begin();
        } else if !self.buffer.0.is_empty() {
            self.stray = self.stray.max(1);
        }
        None
    }

    fn inside(&mut self, byte: u8) -> Option<Result<Framed, FramingError>> {
        if self.framing.start == Start::Stx && byte == STX {
            let had = self.buffer.0.len();
            self.begin();
            return (had > 0).then_some(Err(FramingError::Unfinished { had }));
        }
        if let Some(closed_by) = self.closes(byte) {
            return self.finish(closed_by);
        }
        if self.framing.suffix == Suffix::EtxLrc && byte == ETX {
            self.state = State::AwaitingLrc;
            return None;
        }
        self.buffer.0.push(byte);
        if self.buffer.0.len() > self.room(byte) {
            self.close();
            self.state = State::Discarding;
            return Some(Err(FramingError::TooLong {
                limit: self.framing.longest,
            }));
        }
        None
    }

    /// How long the buffer may be with `last` at its end: content, identifier, and a CR that may be of the
    /// suffix.
    fn room(&self, last: u8) -> usize {
        let identifier = if self.framing.aim { 3 } else { 0 };
        let pending = usize::from(self.framing.suffix == Suffix::CrLf && last == CR);
        self.framing.longest.saturating_add(identifier + pending)
    }

    fn discarding(&mut self, byte: u8) -> Option<Result<Framed, FramingError>> {
        if self.framing.start == Start::Stx && byte == STX {
            self.begin();
        } else if self.framing.suffix == Suffix::EtxLrc && byte == ETX {
            self.state = State::DiscardingLrc;
        } else if self.closes(byte).is_some() {
            self.close();
            self.swallow_lf = byte == CR;
        } else {
            // Only the last byte, for the sake of CR LF.
            self.buffer.0.clear();
            self.buffer.0.push(byte);
        }
        None
    }

    fn check(&mut self, byte: u8) -> Result<Framed, FramingError> {
        let lrc = self.buffer.0.iter().fold(ETX, |lrc, byte| lrc ^ byte);
        let payload = self.close();
        if lrc == byte {
            Ok(Framed {
                payload,
                closed_by: ClosedBy::Lrc,
            })
        } else {
            Err(FramingError::Lrc)
        }
    }

    fn closes(&self, byte: u8) -> Option<ClosedBy> {
        match (self.framing.suffix, byte) {
            (Suffix::Cr, CR) => Some(ClosedBy::Cr),
            (Suffix::CrLf, LF) if self.buffer.0.last() == Some(&CR) => Some(ClosedBy::CrLf),
            (Suffix::Tab, TAB) => Some(ClosedBy::Tab),
            (Suffix::Etx, ETX) => Some(ClosedBy::Etx),
            _ => None,
        }
    }

    fn finish(&mut self, closed_by: ClosedBy) -> Option<Result<Framed, FramingError>> {
        let mut payload = self.close();
        match closed_by {
            ClosedBy::CrLf => {
                payload.pop();
            }
            ClosedBy::Cr => self.swallow_lf = true,
            ClosedBy::Tab
            | ClosedBy::Etx
            | ClosedBy::Lrc
            | ClosedBy::Silence
            | ClosedBy::LastReport => {}
        }
        (!payload.is_empty()).then_some(Ok(Framed { payload, closed_by }))
    }

    fn begin(&mut self) {
        self.close();
        self.stray = 0;
        self.state = State::Inside;
    }

    fn close(&mut self) -> Zeroizing<Vec<u8>> {
        self.state = State::Outside;
        std::mem::take(&mut self.buffer.0)
    }

    /// A buffer that never grows: growing would leave copies behind that nobody erases.
    fn make_room(&mut self) {
        let most = self.framing.longest.saturating_add(8).max(Start::LONGEST);
        self.buffer.0.reserve_exact(most);
    }
}

#[cfg(test)]
mod tests;
