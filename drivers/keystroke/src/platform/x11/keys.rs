//! Key codes: those that stand for keys, and spare ones that are given characters.
//!
//! A code that is given a new character while the program is still behind would make it read the old press as
//! the new character. So codes are used anew only when all were used, and after the settling time.

use std::collections::{BTreeMap, VecDeque};

use x11rb::{
    connection::Connection as _,
    protocol::{
        xinput::{self, ConnectionExt as _, Device, XIEventMask},
        xproto::{AtomEnum, ConnectionExt as _, GrabMode, ModMask, PropMode},
    },
    wrapper::ConnectionExt as _,
};

use super::desk::Desk;
use crate::{
    plan::Key,
    typist::{Interference, TypistError},
};

/// Where the codes that we gave characters are listed, on the root window.
const LISTED: &str = "_MADOGUCHI_KEYS";
/// Keysym of Escape (X Protocol, appendix A).
const ESCAPE: u32 = 0xFF1B;
/// Codes of evdev are 8 less, and 0 is no key there.
const NEVER: u8 = 8;

/// The keyboard as this session changed it.
#[derive(Debug)]
pub(super) struct Keys {
    keys: BTreeMap<u32, u8>,
    escape: Option<u8>,
    free: Vec<u8>,
    /// In the order of their first use.
    wanted: Vec<char>,
    given: BTreeMap<char, u8>,
    settling: bool,
    sent: VecDeque<u8>,
}

impl Keys {
    /// Gives as many of the characters as there are spare codes, and begins to listen to keys.
    pub(super) fn prepare(desk: &Desk, characters: &[char]) -> Result<Self, TypistError> {
        give_back_listed(desk)?;
        let mut keys = Self::read(desk)?;
        keys.wanted = characters.to_vec();
        if keys.free.is_empty() {
            return Err(TypistError::Lacks {
                what: "spare key codes",
            });
        }
        let mask = xinput::EventMask {
            deviceid: Device::ALL_MASTER.into(),
            mask: vec![XIEventMask::RAW_KEY_PRESS],
        };
        desk.done(
            desk.connection
                .xinput_xi_select_events(desk.root(), &[mask]),
        )?;
        keys.claim_escape(desk)?;
        keys.list(desk)?;
        if let Err(error) = keys.give_from(desk, 0) {
            keys.give_back(desk)?;
            return Err(error);
        }
        Ok(keys)
    }

    /// Escape goes to us and not to the form, which might clear itself. Where another program has claimed the key
    /// already, it is heard all the same.
    fn claim_escape(&self, desk: &Desk) -> Result<(), TypistError> {
        let Some(code) = self.escape else {
            return Err(TypistError::Lacks {
                what: "the key Escape",
            });
        };
        let (root, mode) = (desk.root(), GrabMode::ASYNC);
        desk.attempt(
            desk.connection
                .grab_key(false, root, ModMask::ANY, code, mode, mode),
        )
    }

    fn read(desk: &Desk) -> Result<Self, TypistError> {
        let setup = desk.connection.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let count = last.saturating_sub(first).saturating_add(1);
        let table = desk.reply(desk.connection.get_keyboard_mapping(first, count))?;
        let width = usize::from(table.keysyms_per_keycode).max(1);
        let mut keys = BTreeMap::new();
        let mut free = Vec::new();
        for (code, symbols) in (first..=last).zip(table.keysyms.chunks(width)) {
            if symbols.iter().all(|symbol| *symbol == 0) {
                free.extend((code != NEVER).then_some(code));
            } else if let Some(symbol) = symbols.first() {
                keys.entry(*symbol).or_insert(code);
            }
        }
        Ok(Self {
            escape: keys.get(&ESCAPE).copied(),
            keys,
            free,
            wanted: Vec::new(),
            given: BTreeMap::new(),
            settling: false,
            sent: VecDeque::new(),
        })
    }

    /// The code of a character; `None` the first time after its key was changed, so that programs can follow.
    pub(super) fn code(&mut self, desk: &Desk, one: char) -> Result<Option<u8>, TypistError> {
        if let Some(code) = self.given.get(&one) {
            return Ok(Some(*code));
        }
        // First the program takes up what it has, then the keys change, then the program follows.
        self.settling = !self.settling;
        if !self.settling {
            self.free
                .extend(std::mem::take(&mut self.given).into_values());
            let place = self.wanted.iter().position(|wanted| *wanted == one);
            self.give_from(
                desk,
                place.ok_or(TypistError::Lacks {
                    what: "a character that was not announced",
                })?,
            )?;
        }
        Ok(None)
    }

    /// Gives characters to all free codes, beginning with the one at `place`.
    fn give_from(&mut self, desk: &Desk, place: usize) -> Result<(), TypistError> {
        let wanted: Vec<char> = self
            .wanted
            .iter()
            .skip(place)
            .take(self.free.len())
            .copied()
            .collect();
        wanted.into_iter().try_for_each(|one| self.give(desk, one))
    }

    /// The code of a key.
    pub(super) fn key(&self, key: Key) -> Result<u8, TypistError> {
        let code = self.keys.get(&symbol_of(key)).copied();
        code.ok_or(TypistError::Lacks {
            what: "a key of the form",
        })
    }

    /// A press of this code was typed by us, and will come back.
    pub(super) fn sent(&mut self, code: u8) {
        self.sent.push_back(code);
    }

    /// A key went down: one of ours, or a person's.
    pub(super) fn pressed(&mut self, detail: u32) -> Option<Interference> {
        let code = u8::try_from(detail).ok();
        if code.is_some() && code == self.escape {
            return Some(Interference::Escape);
        }
        if code.is_some() && self.sent.front().copied() == code {
            self.sent.pop_front();
            return None;
        }
        Some(Interference::Key)
    }

    /// Takes the characters from the keys again.
    pub(super) fn give_back(&mut self, desk: &Desk) -> Result<(), TypistError> {
        self.given.clear();
        give_back_listed(desk)
    }

    fn give(&mut self, desk: &Desk, one: char) -> Result<(), TypistError> {
        let (Some(code), Some(symbol)) = (self.free.pop(), keysym(one)) else {
            return Err(TypistError::Lacks {
                what: "a key code for a character",
            });
        };
        // Twice, or the server would derive a second level from the first (X Protocol, section 5).
        desk.done(
            desk.connection
                .change_keyboard_mapping(1, code, 2, &[symbol, symbol]),
        )?;
        self.given.insert(one, code);
        Ok(())
    }

    /// Listed before they are given, so that a killed process leaves no citizen's characters on the keyboard
    /// for longer than to the next start.
    fn list(&self, desk: &Desk) -> Result<(), TypistError> {
        let property = desk.atom(LISTED)?;
        let kind = u32::from(AtomEnum::CARDINAL);
        let asked = desk.connection.change_property8(
            PropMode::REPLACE,
            desk.root(),
            property,
            kind,
            &self.free,
        );
        desk.done(asked)
    }
}

fn give_back_listed(desk: &Desk) -> Result<(), TypistError> {
    let property = desk.atom(LISTED)?;
    let Some((_, codes)) = desk.property(desk.root(), property)? else {
        return Ok(());
    };
    let lowest = desk.connection.setup().min_keycode;
    for code in codes.into_iter().filter(|code| *code >= lowest) {
        desk.done(desk.connection.change_keyboard_mapping(1, code, 2, &[0, 0]))?;
    }
    desk.done(desk.connection.delete_property(desk.root(), property))
}

/// Latin-1 stands for itself, everything else is its code point and 0x01000000 (X Protocol, appendix A).
pub(super) fn keysym(one: char) -> Option<u32> {
    match u32::from(one) {
        code @ (0x20..=0x7E | 0xA0..=0xFF) => Some(code),
        code @ 0x100.. => Some(0x0100_0000 | code),
        _ => None,
    }
}

/// Keysyms of keys (X Protocol, appendix A).
const fn symbol_of(key: Key) -> u32 {
    match key {
        Key::Tab => 0xFF09,
        Key::Enter => 0xFF0D,
        Key::Home => 0xFF50,
        Key::Left => 0xFF51,
        Key::Up => 0xFF52,
        Key::Right => 0xFF53,
        Key::Down => 0xFF54,
        Key::End => 0xFF57,
        Key::F1 => 0xFFBE,
        Key::F2 => 0xFFBF,
        Key::F3 => 0xFFC0,
        Key::F4 => 0xFFC1,
        Key::F5 => 0xFFC2,
        Key::F6 => 0xFFC3,
        Key::F7 => 0xFFC4,
        Key::F8 => 0xFFC5,
        Key::F9 => 0xFFC6,
        Key::F10 => 0xFFC7,
        Key::F11 => 0xFFC8,
        Key::F12 => 0xFFC9,
    }
}
