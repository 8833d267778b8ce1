//! A card reader with a keypad of its own, played over `vhci_hcd`.
//!
//! It speaks the class of chip card readers (USB Device Class: Smart Card CCID, revision 1.1; clauses below
//! are of it) at the level of whole commands, short and extended, so that the real `libccid` above it adds
//! nothing of its own. Behind it lies any card of `sim-kit`.
//!
//! ```text
//! smartcard -> libpcsclite -> pcscd -> libccid -> usbfs -> vhci_hcd -> CardReader -> Card
//!                                                          a person's finger --'
//! ```
//!
//! What a person does is a method: a card put down or lifted, a key pressed, nothing done for too long.

use std::collections::VecDeque;
use std::fmt;
use std::sync::PoisonError;
use std::sync::mpsc::Sender;

use sim_kit::{Power, SharedCard};

use crate::vhci::{Giving, Setup, Taking, UsbDevice, descriptors};

/// Numbers of a reader with keys for which `libccid` has no special rule: VASCO DIGIPASS 920.
const VENDOR: u16 = 0x1a44;
const PRODUCT: u16 = 0x0920;

/// Its serial number, which the service makes part of the reader's name.
pub const SERIAL: &str = "CCID0001";

const BULK_IN: u8 = 0x81;
const BULK_OUT: u8 = 0x02;
const INTERRUPT: u8 = 0x83;

/// Commands (clause 6.1) and answers (6.2).
mod message {
    pub(super) const SET_PARAMETERS: u8 = 0x61;
    pub(super) const POWER_ON: u8 = 0x62;
    pub(super) const POWER_OFF: u8 = 0x63;
    pub(super) const SLOT_STATUS: u8 = 0x65;
    pub(super) const SECURE: u8 = 0x69;
    pub(super) const PARAMETERS: u8 = 0x6c;
    pub(super) const RESET_PARAMETERS: u8 = 0x6d;
    pub(super) const BLOCK: u8 = 0x6f;
    pub(super) const ABORT: u8 = 0x72;
    pub(super) const DATA: u8 = 0x80;
    pub(super) const STATUS: u8 = 0x81;
    pub(super) const PARAMETERS_ARE: u8 = 0x82;
    pub(super) const SLOT_CHANGED: u8 = 0x50;
}

/// Slot errors (clause 6.2.6).
mod error {
    pub(super) const UNSUPPORTED: u8 = 0;
    pub(super) const BAD_LENGTH: u8 = 1;
    pub(super) const BAD_SLOT: u8 = 5;
    /// The first byte of the PIN's data structure; an error number is the place of what is not supported.
    pub(super) const PIN_OPERATION: u8 = 10;
    pub(super) const PIN_FORMAT: u8 = 12;
    pub(super) const PIN_CANCELLED: u8 = 0xef;
    pub(super) const PIN_TIMEOUT: u8 = 0xf0;
    pub(super) const CARD_MUTE: u8 = 0xfe;
}

/// A key of the keypad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A digit, as a number.
    Digit(u8),
    /// Confirms.
    Enter,
    /// Gives up.
    Cancel,
}

/// Where an answer belongs.
#[derive(Debug, Clone, Copy)]
struct Asked {
    slot: u8,
    sequence: u8,
}

/// A PIN that is being typed (clause 6.1.11.7, PIN verification data structure).
struct Entry {
    asked: Asked,
    command: Vec<u8>,
    place: usize,
    shortest: usize,
    longest: usize,
    digits: Vec<u8>,
}

/// The reader.
#[derive(Default)]
pub struct CardReader {
    card: Option<SharedCard>,
    is_powered: bool,
    answers: VecDeque<Vec<u8>>,
    changes: VecDeque<Vec<u8>>,
    entry: Option<Entry>,
    /// Is told when a person is asked for a PIN.
    asks: Option<Sender<()>>,
    /// After how many exchanges the card falls silent, and who is told then.
    silent: Option<(u32, Sender<()>)>,
    unanswered: Option<Asked>,
    /// Commands that brought a PIN from the host.
    pins_seen: u32,
}

impl CardReader {
    /// A card is put down.
    pub fn insert(&mut self, card: SharedCard) {
        self.card = Some(card);
        self.is_powered = false;
        self.changes.push_back(vec![message::SLOT_CHANGED, 0b11]);
    }

    /// The card is lifted; whatever was under way with it fails.
    pub fn lift(&mut self) {
        self.cut_power();
        self.card = None;
        self.changes.push_back(vec![message::SLOT_CHANGED, 0b10]);
        let typed = self.entry.take().map(|entry| entry.asked);
        for asked in typed.into_iter().chain(self.unanswered.take()) {
            self.fail(message::DATA, asked, error::CARD_MUTE);
        }
    }

    /// Tells `who` whenever a person is asked for a PIN.
    pub fn tell_when_asking(&mut self, who: Sender<()>) {
        self.asks = Some(who);
    }

    /// The card answers `exchanges` more commands; the one after is never answered, and `who` is told.
    pub fn fall_silent_after(&mut self, exchanges: u32, who: Sender<()>) {
        self.silent = Some((exchanges, who));
    }

    /// How many commands came that held a PIN already.
    #[must_use]
    pub const fn pins_seen(&self) -> u32 {
        self.pins_seen
    }

    /// Whether a person is asked for a PIN.
    #[must_use]
    pub const fn is_asking(&self) -> bool {
        self.entry.is_some()
    }

    /// A key is pressed. Enter does nothing while digits are missing, nor a digit more than fit.
    pub fn press(&mut self, key: Key) {
        let Some(mut entry) = self.entry.take() else {
            return;
        };
        match key {
            Key::Digit(digit) if entry.digits.len() < entry.longest => {
                entry.digits.push(b'0' + digit % 10);
            }
            Key::Enter if entry.digits.len() >= entry.shortest => return self.verify(entry),
            Key::Cancel => return self.fail(message::DATA, entry.asked, error::PIN_CANCELLED),
            Key::Digit(_) | Key::Enter => {}
        }
        self.entry = Some(entry);
    }

    /// Nobody presses anything until the reader gives up.
    pub fn nobody_types(&mut self) {
        if let Some(entry) = self.entry.take() {
            self.fail(message::DATA, entry.asked, error::PIN_TIMEOUT);
        }
    }

    fn verify(&mut self, entry: Entry) {
        let mut command = entry.command;
        let room = command.get_mut(entry.place..).unwrap_or_default();
        for (place, digit) in room.iter_mut().zip(&entry.digits) {
            *place = *digit;
        }
        self.pass(entry.asked, &command);
    }

    /// Bulk-OUT messages (clause 6.1): a head of ten bytes, then data.
    fn command(&mut self, bytes: &[u8]) {
        let Some((head, data)) = bytes.split_first_chunk::<10>() else {
            return;
        };
        let [kind, l0, l1, l2, l3, slot, sequence, ..] = *head;
        let asked = Asked { slot, sequence };
        let answer = match kind {
            message::SECURE | message::BLOCK | message::POWER_ON => message::DATA,
            message::PARAMETERS | message::SET_PARAMETERS | message::RESET_PARAMETERS => {
                message::PARAMETERS_ARE
            }
            _ => message::STATUS,
        };
        let told = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3]));
        if told != Ok(data.len()) {
            return self.fail(answer, asked, error::BAD_LENGTH);
        }
        if slot != 0 {
            return self.fail(answer, asked, error::BAD_SLOT);
        }
        match kind {
            message::POWER_ON => self.power_on(asked),
            message::POWER_OFF => {
                self.cut_power();
                self.reply(message::STATUS, asked, &[]);
            }
            message::SLOT_STATUS | message::ABORT => self.reply(message::STATUS, asked, &[]),
            // Whatever is set: an answer at this level is made by the reader alone (clause 6.2.3, T=1).
            message::PARAMETERS | message::SET_PARAMETERS | message::RESET_PARAMETERS => {
                self.reply(answer, asked, &[0x11, 0x10, 0, 0x4d, 0, 0xfe, 0]);
            }
            message::BLOCK => self.block(asked, data),
            message::SECURE => self.ask(asked, data),
            _ => self.fail(answer, asked, error::UNSUPPORTED),
        }
    }

    fn power_on(&mut self, asked: Asked) {
        let Some(card) = self.card.clone() else {
            return self.fail(message::DATA, asked, error::CARD_MUTE);
        };
        let change = if self.is_powered {
            Power::Reset
        } else {
            Power::On
        };
        self.is_powered = true;
        let atr = {
            let mut card = card.lock().unwrap_or_else(PoisonError::into_inner);
            card.power(change);
            card.atr()
        };
        self.reply(message::DATA, asked, &atr);
    }

    fn cut_power(&mut self) {
        self.is_powered = false;
        if let Some(card) = &self.card {
            card.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .power(Power::Off);
        }
    }

    fn block(&mut self, asked: Asked, command: &[u8]) {
        // VERIFY with data (ISO/IEC 7816-4, 7.5.6): a PIN that the host knows.
        if matches!(command, [_, 0x20, _, _, length, ..] if *length > 0) {
            self.pins_seen += 1;
        }
        match self.silent.take() {
            Some((0, who)) => {
                self.unanswered = Some(asked);
                // Who does not listen any more has failed already.
                let _deaf = who.send(());
            }
            Some((left, who)) => {
                self.silent = Some((left - 1, who));
                self.pass(asked, command);
            }
            None => self.pass(asked, command),
        }
    }

    fn pass(&mut self, asked: Asked, command: &[u8]) {
        let card = self.card.clone().filter(|_| self.is_powered);
        let Some(card) = card else {
            return self.fail(message::DATA, asked, error::CARD_MUTE);
        };
        let answer = card
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .transmit(command);
        self.reply(message::DATA, asked, &answer);
    }

    /// PC_to_RDR_Secure (clause 6.1.11): has a person type, or says what of it is not supported.
    fn ask(&mut self, asked: Asked, data: &[u8]) {
        match entry(asked, data) {
            Ok(entry) => {
                self.entry = Some(entry);
                if let Some(who) = &self.asks {
                    // Who does not listen any more has failed already.
                    let _deaf = who.send(());
                }
            }
            Err(code) => self.fail(message::DATA, asked, code),
        }
    }

    fn reply(&mut self, kind: u8, asked: Asked, data: &[u8]) {
        self.answer(kind, asked, None, data);
    }

    fn fail(&mut self, kind: u8, asked: Asked, code: u8) {
        self.answer(kind, asked, Some(code), &[]);
    }

    /// Bulk-IN messages (clause 6.2): length, slot, sequence, slot status, error, and one byte that depends.
    fn answer(&mut self, kind: u8, asked: Asked, code: Option<u8>, data: &[u8]) {
        /// Of bmCommandStatus: failed.
        const FAILED: u8 = 0x40;
        let card = match (&self.card, self.is_powered) {
            (None, _) => 2,
            (Some(_), false) => 1,
            (Some(_), true) => 0,
        };
        let status = card | code.map_or(0, |_| FAILED);
        // The protocol of the parameters: T=1.
        let last = u8::from(kind == message::PARAMETERS_ARE);
        let mut bytes = vec![kind];
        bytes.extend(u32::try_from(data.len()).unwrap_or(0).to_le_bytes());
        bytes.extend([asked.slot, asked.sequence, status, code.unwrap_or(0), last]);
        bytes.extend(data);
        self.answers.push_back(bytes);
    }
}

/// The data of PC_to_RDR_Secure for one PIN to be verified (clauses 6.1.11.1, 6.1.11.3 to 6.1.11.7).
fn entry(asked: Asked, data: &[u8]) -> Result<Entry, u8> {
    let Some((fixed, command)) = data.split_first_chunk::<15>() else {
        return Err(error::BAD_LENGTH);
    };
    let [operation, _timeout, format, block, length, most, least, ..] = *fixed;
    if operation != 0 {
        return Err(error::PIN_OPERATION);
    }
    // ASCII, justified left; its place in bytes or bits.
    if format & 0b111 != 0b010 {
        return Err(error::PIN_FORMAT);
    }
    // The length of the PIN stands nowhere in the command.
    if block & 0xf0 != 0 || length & 0x0f != 0 {
        return Err(error::PIN_FORMAT + 1);
    }
    let position = usize::from(format >> 3 & 0x0f);
    let position = if format & 0x80 == 0 {
        position / 8
    } else {
        position
    };
    let (place, room) = (5 + position, usize::from(block & 0x0f));
    if command.len() < place + room || usize::from(most) > room || least > most {
        return Err(error::BAD_LENGTH);
    }
    Ok(Entry {
        asked,
        command: command.to_vec(),
        place,
        shortest: usize::from(least),
        longest: usize::from(most),
        digits: Vec::new(),
    })
}

impl UsbDevice for CardReader {
    fn device_descriptor(&self) -> Vec<u8> {
        descriptors::device(VENDOR, PRODUCT, 0x0100)
    }

    fn configuration(&self) -> Vec<u8> {
        let interface = [
            // Bulk pair and interrupt endpoint (clause 5.2): class 0Bh.
            descriptors::interface(0, 3, [0x0b, 0, 0]),
            class_descriptor(),
            descriptors::bulk(BULK_IN).to_vec(),
            descriptors::bulk(BULK_OUT).to_vec(),
            descriptors::interrupt(INTERRUPT, 8).to_vec(),
        ];
        descriptors::configuration(1, &interface.concat())
    }

    fn string(&self, index: u8) -> Option<String> {
        let text = match index {
            1 => "Played",
            2 => "Played card reader",
            3 => SERIAL,
            _ => return None,
        };
        Some(text.to_owned())
    }

    fn control(&mut self, setup: &Setup, _: &[u8]) -> Option<Vec<u8>> {
        // ABORT (clause 5.3.1); clocks and rates are not to be chosen, so nothing lists them.
        ((setup.kind, setup.request) == (0x21, 1)).then(Vec::new)
    }

    fn take(&mut self, _: u8, bytes: &[u8]) -> Taking {
        self.command(bytes);
        Taking::Taken
    }

    fn give(&mut self, endpoint: u8, most: usize) -> Giving {
        let queue = if endpoint == INTERRUPT & 0x0f {
            &mut self.changes
        } else {
            &mut self.answers
        };
        let Some(mut bytes) = queue.pop_front() else {
            return Giving::Nothing;
        };
        if bytes.len() > most {
            let rest = bytes.split_off(most);
            queue.push_front(rest);
        }
        Giving::Bytes(bytes)
    }
}

impl Drop for CardReader {
    fn drop(&mut self) {
        self.cut_power();
    }
}

/// A card's traffic and a person's keys are nobody's business.
impl fmt::Debug for CardReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardReader")
            .field("has_card", &self.card.is_some())
            .field("is_asking", &self.is_asking())
            .finish_non_exhaustive()
    }
}

/// Clause 5.1.
fn class_descriptor() -> Vec<u8> {
    /// Parameters, activation, voltage, clock, rate, PPS and IFSD by itself; short and extended commands.
    const FEATURES: u32 = 0x0004_04be;
    /// The longest extended command with its head.
    const LONGEST: u32 = 10 + 65_544;
    const VERIFICATION: u8 = 1;
    let mut bytes = vec![0x36, 0x21, 0x10, 0x01, 0, 0b111];
    bytes.extend(3_u32.to_le_bytes());
    for clock in [4000_u32, 4000] {
        bytes.extend(clock.to_le_bytes());
    }
    bytes.push(0);
    for rate in [10_752_u32, 344_086] {
        bytes.extend(rate.to_le_bytes());
    }
    bytes.push(0);
    for number in [254, 0, 0, FEATURES, LONGEST] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend([0xff, 0xff, 0, 0, VERIFICATION, 1]);
    bytes
}

#[cfg(test)]
mod tests;
