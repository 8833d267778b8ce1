//! The commands of the My Number card, with their access rules.
//!
//! Files and secrets of the card-surface input application (`myna-card`; two projects agree on most):
//!
//! | file | opened by |
//! |---|---|
//! | 0001 individual number | PIN or verification number A |
//! | 0002 four attributes | PIN or verification number B |
//! | 0003 integrity, 0006 session key, 0007 card key | any of the three |
//! | 0004 certificate, 0005 application data, 0008 | nothing needed |
//! | 0011 PIN, 0014 number A, 0015 number B | - |
//! | 0012 a secret that is blocked from birth; 0013 the card's private key | - |
//!
//! Invariant: a try is spent, and stored as spent, before a mismatch is answered.

use rsa::Pkcs1v15Sign;
use rsa::rand_core::{OsRng, RngCore};
use sim_kit::CommandApdu;

use crate::answer::{Answer, Status};
use crate::card::{Application, EndOfFile, MyNumberCard, Verified};
use crate::tries::Secret;

/// What a file id means in the application that is selected.
enum FileKind {
    Transparent,
    Records,
    Secret(Secret),
    BlockedSecret,
    PrivateKey,
}

impl MyNumberCard {
    /// SELECT (JICSAP 6.4.8).
    pub(crate) fn select(&mut self, command: &CommandApdu) -> Result<Answer, Status> {
        let data = command.data.as_slice();
        match (command.p1, command.p2) {
            (0x04, 0x0C) => {
                if !(1..=16).contains(&data.len()) {
                    return Err(Status::WRONG_LENGTH);
                }
                self.session.application = Application::find(data).ok_or(Status::NOT_FOUND)?;
                self.session.current_file = None;
                self.session.verified = Verified::default();
                Ok(Answer::done())
            }
            (0x02, 0x0C) => {
                let id = <[u8; 2]>::try_from(data).ok().ok_or(Status::WRONG_LENGTH)?;
                let [0x00, low] = id else {
                    return Err(Status::NOT_FOUND);
                };
                self.file(low).ok_or(Status::NOT_FOUND)?;
                self.session.current_file = Some(low);
                Ok(Answer::done())
            }
            // The master file cannot be selected: 9000 without any effect where an application is
            // selected, 6A86 where none is, and 3F00 is not found (`myna-card`).
            (0x00, 0x00) if data.is_empty() => match self.session.application {
                Application::IssuerDomain => Err(Status::WRONG_PARAMETERS),
                Application::Common | Application::Text => Ok(Answer::done()),
            },
            (0x00, _) if data == [0x3F, 0x00] => Err(Status::NOT_FOUND),
            _ => Err(Status::WRONG_PARAMETERS),
        }
    }

    /// READ BINARY (JICSAP 6.4.1), of the current file or of one named by its short identifier.
    pub(crate) fn read_binary(&mut self, command: &CommandApdu) -> Result<Answer, Status> {
        let (id, offset) = match command.p1 {
            0x80..=0x9F => {
                self.choose_short(command.p1 & 0x1F)?;
                (command.p1 & 0x1F, usize::from(command.p2))
            }
            0xA0.. => return Err(Status::WRONG_PARAMETERS),
            high => {
                let id = self.session.current_file.ok_or(Status::NO_CURRENT_FILE)?;
                (id, usize::from(u16::from_be_bytes([high, command.p2])))
            }
        };
        let expected = expected_only(command)?;
        let Some(FileKind::Transparent) = self.file(id) else {
            return Err(Status::FILE_STRUCTURE);
        };
        if !self.may_read(id) {
            return Err(Status::SECURITY_STATUS);
        }
        let content = self.image.text_files.get(&id).ok_or(Status::NOT_FOUND)?;
        // Nothing lies at or behind the last byte (`myna-card`: 6B00 behind the end).
        let rest = content.get(offset..).filter(|rest| !rest.is_empty());
        let rest = rest.ok_or(Status::WRONG_OFFSET)?;
        match (rest.get(..expected), self.quirks.end_of_file) {
            (Some(part), _) => Ok(Answer::with(part.to_vec())),
            (None, EndOfFile::Plain) => Ok(Answer::with(rest.to_vec())),
            (None, EndOfFile::Warning) => Ok(Answer::cut_short(rest.to_vec())),
        }
    }

    /// READ RECORD (JICSAP 6.4.4): one record by its number, of the current or a named file.
    pub(crate) fn read_record(&mut self, command: &CommandApdu) -> Result<Answer, Status> {
        match command.p2 & 0x07 {
            0x04 => {}
            // All records from one on: a card may answer that it has no such function (JICSAP 6.4.4).
            0x05 => return Err(Status::FUNCTION_NOT_SUPPORTED),
            _ => return Err(Status::WRONG_PARAMETERS),
        }
        let id = match command.p2 >> 3 {
            0 => self.session.current_file.ok_or(Status::NO_CURRENT_FILE)?,
            short => {
                self.choose_short(short)?;
                short
            }
        };
        let expected = expected_only(command)?;
        let Some(FileKind::Records) = self.file(id) else {
            return Err(Status::FILE_STRUCTURE);
        };
        if command.p1 != 1 {
            return Err(Status::RECORD_NOT_FOUND);
        }
        whole_object(&self.image.card_info, expected)
    }

    /// VERIFY (JICSAP 6.4.9): with data, presents a secret; without, asks for the tries left.
    pub(crate) fn verify(&mut self, command: &CommandApdu) -> Result<Answer, Status> {
        if command.p1 != 0 || command.p2 & 0xE0 != 0x80 {
            return Err(Status::WRONG_PARAMETERS);
        }
        if command.data.len() > 16 {
            return Err(Status::WRONG_LENGTH);
        }
        let id = match command.p2 & 0x1F {
            0 => self.session.current_file.ok_or(Status::NO_CURRENT_FILE)?,
            short => short,
        };
        match self.file(id) {
            Some(FileKind::Secret(secret)) => {
                self.session.current_file = Some(id);
                self.verify_secret(secret, &command.data)
            }
            Some(FileKind::BlockedSecret) if command.data.is_empty() => Err(Status::tries_left(0)),
            Some(FileKind::BlockedSecret) => Err(Status::BLOCKED),
            Some(FileKind::Transparent | FileKind::Records | FileKind::PrivateKey) => {
                Err(Status::FILE_STRUCTURE)
            }
            // Which word a real card answers here is not known: our choice.
            None => Err(Status::REFERENCE_NOT_FOUND),
        }
    }

    fn verify_secret(&mut self, secret: Secret, presented: &[u8]) -> Result<Answer, Status> {
        let left = self.tries.left().of(secret);
        if presented.is_empty() {
            return if self.session.verified.has(secret) {
                Ok(Answer::done())
            } else {
                Err(Status::tries_left(left))
            };
        }
        if left == 0 {
            return Err(Status::BLOCKED);
        }
        self.session.verified.set(secret, false);
        let expected = match secret {
            Secret::Pin => &self.image.secrets.pin,
            Secret::A => &self.image.secrets.a,
            Secret::B => &self.image.secrets.b,
        };
        if expected.as_bytes() == presented {
            self.tries
                .restore(secret)
                .ok()
                .ok_or(Status::MEMORY_FAILURE)?;
            self.session.verified.set(secret, true);
            return Ok(Answer::done());
        }
        // A wrong length is a wrong secret and costs a try, too: our choice, the stricter one.
        let left = self
            .tries
            .spend(secret)
            .ok()
            .ok_or(Status::MEMORY_FAILURE)?;
        Err(Status::tries_left(left))
    }

    /// GET CHALLENGE: 1 to 256 random bytes; the extended form is refused with 6985 (`myna-card`).
    pub(crate) fn challenge(command: &CommandApdu) -> Result<Answer, Status> {
        if (command.p1, command.p2) != (0, 0) {
            return Err(Status::WRONG_PARAMETERS);
        }
        if command.extended {
            return Err(Status::CONDITIONS_OF_USE);
        }
        let mut bytes = vec![0; expected_only(command)?];
        OsRng.fill_bytes(&mut bytes);
        Ok(Answer::with(bytes))
    }

    /// GET DATA: objects of the issuer's domain; the contact ATR answers everywhere (`myna-card`).
    pub(crate) fn data_object(&self, command: &CommandApdu) -> Result<Answer, Status> {
        const CONTACT_ATR: u16 = 0x5F51;
        let tag = u16::from_be_bytes([command.p1, command.p2]);
        let expected = expected_only(command)?;
        let reachable = tag == CONTACT_ATR || self.session.application == Application::IssuerDomain;
        let object = self.image.objects.get(&tag).filter(|_| reachable);
        whole_object(object.ok_or(Status::REFERENCE_NOT_FOUND)?, expected)
    }

    /// COMPUTE DIGITAL SIGNATURE with the card's own key, which needs no secret: the anti-clone check.
    ///
    /// The card pads what it is given (PKCS#1 v1.5, type 1) and signs; the sender makes the DigestInfo.
    pub(crate) fn sign(&self, command: &CommandApdu) -> Result<Answer, Status> {
        if (command.p1, command.p2) != (0, 0) {
            return Err(Status::WRONG_PARAMETERS);
        }
        // Without the application there is no default key: our choice of word.
        let (Application::Text, Some(key)) = (self.session.application, &self.image.signing_key)
        else {
            return Err(Status::CONDITIONS_OF_USE);
        };
        // 256 bytes of modulus minus eleven of padding.
        if !(1..=245).contains(&command.data.len()) {
            return Err(Status::WRONG_LENGTH);
        }
        let signature = key
            .sign(Pkcs1v15Sign::new_unprefixed(), &command.data)
            .ok()
            .ok_or(Status::CONDITIONS_OF_USE)?;
        whole_object(&signature, command.expected.ok_or(Status::WRONG_LENGTH)?)
    }

    /// What the file is, in the application that is selected.
    fn file(&self, id: u8) -> Option<FileKind> {
        match (self.session.application, id) {
            (Application::IssuerDomain, _) => None,
            (Application::Common, 0x01) => Some(FileKind::Records),
            (Application::Common, _) => None,
            (Application::Text, 0x11) => Some(FileKind::Secret(Secret::Pin)),
            (Application::Text, 0x12) => Some(FileKind::BlockedSecret),
            (Application::Text, 0x13) => Some(FileKind::PrivateKey),
            (Application::Text, 0x14) => Some(FileKind::Secret(Secret::A)),
            (Application::Text, 0x15) => Some(FileKind::Secret(Secret::B)),
            (Application::Text, id) => self
                .image
                .text_files
                .contains_key(&id)
                .then_some(FileKind::Transparent),
        }
    }

    fn may_read(&self, id: u8) -> bool {
        let Verified { pin, a, b } = self.session.verified;
        match id {
            0x01 => pin || a,
            0x02 => pin || b,
            0x03 | 0x06 | 0x07 => pin || a || b,
            _ => true,
        }
    }

    /// A short identifier also makes its file the current one (JICSAP 4.2).
    fn choose_short(&mut self, id: u8) -> Result<(), Status> {
        if id == 0 {
            return Err(Status::WRONG_PARAMETERS);
        }
        self.file(id).ok_or(Status::NOT_FOUND)?;
        self.session.current_file = Some(id);
        Ok(())
    }
}

/// The expected length of a command that must have one and no data.
fn expected_only(command: &CommandApdu) -> Result<usize, Status> {
    command
        .expected
        .filter(|_| command.data.is_empty())
        .ok_or(Status::WRONG_LENGTH)
}

/// An object that is answered whole or not at all (`myna-card`: 6700 where Le is too small).
fn whole_object(object: &[u8], expected: usize) -> Result<Answer, Status> {
    if object.len() > expected {
        return Err(Status::WRONG_LENGTH);
    }
    Ok(Answer::with(object.to_vec()))
}
