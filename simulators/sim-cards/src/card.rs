//! The My Number card as a state machine: power, selection, session.
//!
//! | event | application | current file | verified secrets |
//! |---|---|---|---|
//! | power applied | issuer's domain | none | none |
//! | warm reset | stays | stays | stay |
//! | SELECT of an application | that one | none | none |
//! | power removed | - | - | none |
//!
//! That a warm reset keeps a verified PIN, and only loss of power or leaving the application ends it,
//! was measured by `myna-card`; it is what makes a reader that does not power off dangerous.
//!
//! Commands are in `commands.rs`; the rules of each are tested in `tests/rules.rs`.

use sim_kit::{Card, CommandApdu, Power};

use crate::answer::{Answer, Status};
use crate::card_image::CardImage;
use crate::tries::{Secret, Tries, TryCounters};

/// A simulated My Number card.
#[derive(Debug)]
pub struct MyNumberCard {
    pub(crate) image: CardImage,
    pub(crate) tries: TryCounters,
    pub(crate) quirks: Quirks,
    pub(crate) session: Session,
}

/// In what cards of the same kind differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// The first command after power was applied is answered 6F00 (`myna-card`: seen after unpowering).
    pub first_command_fails: bool,
    /// Extended lengths are understood; otherwise they are answered 6700.
    /// (Older contact cards announce neither chaining nor extended lengths in their historical bytes.)
    pub extended_lengths: bool,
    /// What a read past the last byte of a file is answered.
    pub end_of_file: EndOfFile,
}

/// What a card does when a read asks for more than the file still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndOfFile {
    /// What there is, and 9000 (JICSAP 6.4.1: reads to the end of the file within the length).
    Plain,
    /// What there is, and 6282 (ISO/IEC 7816-4, 11.2.3: end of file reached). No card is known to do so;
    /// `myna-card` expects it all the same, and loses the bytes that come with it.
    Warning,
}

impl Default for Quirks {
    fn default() -> Self {
        Self {
            first_command_fails: true,
            extended_lengths: true,
            end_of_file: EndOfFile::Plain,
        }
    }
}

/// What lasts from one command to the next.
#[derive(Debug, Default)]
pub(crate) struct Session {
    powered: bool,
    fresh: bool,
    pub(crate) application: Application,
    pub(crate) current_file: Option<u8>,
    pub(crate) verified: Verified,
}

/// The application that is selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Application {
    /// The issuer's security domain, which is selected after power-up (`myna-card`).
    #[default]
    IssuerDomain,
    /// Common card data.
    Common,
    /// Card-surface input support, also called text application.
    Text,
}

impl Application {
    /// Identifiers: two projects agree on the last two, `myna-card` measured the first.
    const ALL: [(Self, &'static [u8]); 3] = [
        (Self::IssuerDomain, b"\xA0\x00\x00\x01\x51\x00\x00"),
        (Self::Common, b"\xD3\x92\x10\x00\x31\x00\x01\x01\x01\x00"),
        (Self::Text, b"\xD3\x92\x10\x00\x31\x00\x01\x01\x04\x08"),
    ];

    /// The application with exactly this identifier. (Real cards take some prefixes, too; a product
    /// must not rely on it, so a prefix is refused here: our choice.)
    pub(crate) fn find(identifier: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|(_, known)| *known == identifier)
            .map(|(found, _)| found)
    }
}

/// Which secrets were presented since the application was selected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verified {
    pub(crate) pin: bool,
    pub(crate) a: bool,
    pub(crate) b: bool,
}

impl Verified {
    pub(crate) const fn has(self, secret: Secret) -> bool {
        match secret {
            Secret::Pin => self.pin,
            Secret::A => self.a,
            Secret::B => self.b,
        }
    }

    pub(crate) const fn set(&mut self, secret: Secret, verified: bool) {
        match secret {
            Secret::Pin => self.pin = verified,
            Secret::A => self.a = verified,
            Secret::B => self.b = verified,
        }
    }
}

impl MyNumberCard {
    /// A card with these contents, whose tries are counted by `tries`.
    #[must_use]
    pub fn new(image: CardImage, tries: TryCounters, quirks: Quirks) -> Self {
        Self {
            image,
            tries,
            quirks,
            session: Session::default(),
        }
    }

    /// Tries left.
    #[must_use]
    pub const fn tries_left(&self) -> Tries {
        self.tries.left()
    }

    /// Puts the tries back to what they were on the card's first day, as a municipal office would.
    ///
    /// # Errors
    ///
    /// When they cannot be stored.
    pub fn start_over(&mut self) -> std::io::Result<()> {
        self.session.verified = Verified::default();
        self.tries.start_over()
    }

    fn process(&mut self, bytes: &[u8]) -> Answer {
        if std::mem::take(&mut self.session.fresh) && self.quirks.first_command_fails {
            return Status::NO_DIAGNOSIS.into();
        }
        match CommandApdu::parse(bytes) {
            Ok(command) if command.extended && !self.quirks.extended_lengths => {
                Status::WRONG_LENGTH.into()
            }
            Ok(command) => self.dispatch(&command).unwrap_or_else(Answer::from),
            Err(_) => Status::WRONG_LENGTH.into(),
        }
    }

    /// Class first, then instruction (ISO/IEC 7816-4, 5.4.1).
    fn dispatch(&mut self, command: &CommandApdu) -> Result<Answer, Status> {
        match (command.cla, command.ins) {
            (0x00, 0x20) => self.verify(command),
            (0x00, 0x84) => Self::challenge(command),
            (0x00, 0xA4) => self.select(command),
            (0x00, 0xB0) => self.read_binary(command),
            (0x00, 0xB2) => self.read_record(command),
            (0x00, 0xCA) => self.data_object(command),
            (0x80, 0x2A) => self.sign(command),
            (0x00 | 0x80, 0x20 | 0x2A | 0x84 | 0xA4 | 0xB0 | 0xB2 | 0xCA) => {
                Err(Status::UNKNOWN_CLASS)
            }
            (0x00 | 0x80, _) => Err(Status::UNKNOWN_INSTRUCTION),
            // Bits 1 and 2 name a logical channel, bits 3 and 4 secure messaging.
            (0x01..=0x0F | 0x81..=0x8F, _) if command.cla & 0x03 != 0 => {
                Err(Status::CHANNEL_NOT_SUPPORTED)
            }
            (0x01..=0x0F | 0x81..=0x8F, _) => Err(Status::SECURE_MESSAGING_NOT_SUPPORTED),
            _ => Err(Status::UNKNOWN_CLASS),
        }
    }
}

impl Card for MyNumberCard {
    fn atr(&self) -> Vec<u8> {
        CardImage::atr()
    }

    fn power(&mut self, change: Power) {
        match change {
            // Applying power to a powered card, as a reader does that has lost track, changes nothing.
            Power::On if !self.session.powered => {
                self.session = Session {
                    powered: true,
                    fresh: true,
                    ..Session::default()
                };
            }
            Power::On | Power::Reset => {}
            Power::Off => self.session = Session::default(),
        }
    }

    fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        self.process(command).into_bytes()
    }
}
