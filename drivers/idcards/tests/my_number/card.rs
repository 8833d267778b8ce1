//! A My Number card in memory, as far as the driver sees one: access rules, retry counters, short
//! identifiers, padding, status words; and ways to make it misbehave.
//!
//! Its rules are those of `docs/devices/my-number-card.md`.

use std::collections::BTreeMap;
use std::fs;

use device_api::Secret;
use idcards::TrustAnchors;
use idcards::my_number::{Challenge, LastTry, OpenedTextAp, SecretKind, TextAp};
use smartcard::{CardChannel, ChannelError, Command, Response, Sensitivity, StatusWord};

pub(crate) const PIN: &str = "4071";
pub(crate) const NUMBER_B: &str = "55021720352285";

const PIN_KEY: u8 = 0x11;
const NUMBER_B_KEY: u8 = 0x15;

/// What a misbehaving card does with one command.
#[derive(Debug, Clone)]
pub(crate) enum Misbehaviour {
    /// The connection breaks; the command may have had its effect.
    Break(ChannelError),
    /// It answers with this status word and no data, and does nothing.
    Answer(u16),
    /// It answers with these data and 9000, and does nothing.
    Data(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Application {
    Common,
    Text,
}

pub(crate) struct TestCard {
    pub(crate) files: BTreeMap<u8, Vec<u8>>,
    pub(crate) record: Vec<u8>,
    /// The challenge that it can answer, with the answer.
    pub(crate) answer: Option<([u8; 32], Vec<u8>)>,
    pub(crate) tries: BTreeMap<u8, u8>,
    pub(crate) extended: bool,
    /// Whether selecting the application clears what was verified, as it does on a real card.
    pub(crate) forgets: bool,
    pub(crate) verified: Option<u8>,
    /// By the index of the command.
    pub(crate) misbehaves: BTreeMap<usize, Misbehaviour>,
    /// Every command that came, as hexadecimal header.
    pub(crate) log: Vec<String>,
    /// How often a secret came.
    pub(crate) secrets_seen: usize,
    /// The commands that were not marked although their answer is personal.
    pub(crate) shown: Vec<String>,
    selected: Option<Application>,
    current: Option<u8>,
}

impl TestCard {
    /// The synthetic card of `fixtures/synthetic`.
    pub(crate) fn synthetic() -> Self {
        let answer = (
            synthetic_challenge(),
            fixture("synthetic/challenge-signature.bin"),
        );
        let files = [0x01, 0x02, 0x03, 0x04, 0x07]
            .map(|id| (id, fixture(&format!("synthetic/ef-{id:04X}.bin"))));
        Self::new(files, fixture("synthetic/record.bin"), Some(answer))
    }

    /// The published dump of a J-LIS test card, which cannot answer a challenge.
    pub(crate) fn jlis_dump() -> Self {
        let names = ["0001-physical", "0002", "0003", "0004", "0007"];
        let files = std::array::from_fn::<_, 5, _>(|index| {
            let id = [0x01, 0x02, 0x03, 0x04, 0x07][index];
            (
                id,
                fixture(&format!("jlis-test-card/text-{}.bin", names[index])),
            )
        });
        let record = [&[0x01, 0x1C][..], b"400000012719843", b"13221", b"20350217"].concat();
        Self::new(files, record, None)
    }

    fn new(
        files: [(u8, Vec<u8>); 5],
        record: Vec<u8>,
        answer: Option<([u8; 32], Vec<u8>)>,
    ) -> Self {
        Self {
            files: files.into(),
            record,
            answer,
            tries: [(PIN_KEY, 3), (NUMBER_B_KEY, 10)].into(),
            extended: false,
            forgets: true,
            verified: None,
            misbehaves: BTreeMap::new(),
            log: Vec::new(),
            secrets_seen: 0,
            shown: Vec::new(),
            selected: None,
            current: None,
        }
    }

    pub(crate) fn with_extended_length(mut self) -> Self {
        self.extended = true;
        self
    }

    pub(crate) fn with_file(mut self, id: u8, content: Vec<u8>) -> Self {
        self.files.insert(id, content);
        self
    }

    pub(crate) fn misbehaving(mut self, index: usize, misbehaviour: Misbehaviour) -> Self {
        self.misbehaves.insert(index, misbehaviour);
        self
    }

    /// The text application, opened by the right secret.
    pub(crate) fn opened(&mut self, kind: SecretKind) -> OpenedTextAp<'_> {
        TextAp::select(self)
            .expect("the card has the application")
            .verify(kind, secret(kind), LastTry::NotAllowed)
            .expect("the secret is right")
    }

    fn answer_to(&mut self, command: &Command) -> Response {
        match command.header() {
            [0x00, 0xA4, 0x04, 0x0C] => self.select(command.data()),
            [0x00, 0xB2, 0x01, 0x0C] if self.selected == Some(Application::Common) => {
                ok(self.record.clone())
            }
            _ if self.selected != Some(Application::Text) => status(0x6A82),
            [0x00, 0x20, 0x00, key @ 0x80..=0x9F] => self.verify(key & 0x1F, command.data()),
            [0x00, 0xB0, id @ 0x80..=0x9F, offset] => {
                self.current = Some(id & 0x1F);
                self.read(usize::from(offset), command.expected())
            }
            [0x00, 0xB0, high, low] => self.read(
                usize::from(u16::from_be_bytes([high, low])),
                command.expected(),
            ),
            [0x80, 0x2A, 0x00, 0x00] => self.sign(command.data()),
            _ => status(0x6D00),
        }
    }

    fn select(&mut self, aid: &[u8]) -> Response {
        self.selected = match aid {
            [0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00] => {
                Some(Application::Common)
            }
            [0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x08] => Some(Application::Text),
            _ => return status(0x6A82),
        };
        self.current = None;
        if self.forgets {
            self.verified = None;
        }
        status(0x9000)
    }

    fn verify(&mut self, key: u8, digits: &[u8]) -> Response {
        let Some(tries) = self.tries.get_mut(&key) else {
            return status(0x6A88);
        };
        let counter = 0x63C0 | u16::from(*tries);
        if digits.is_empty() {
            return status(if self.verified == Some(key) {
                0x9000
            } else {
                counter
            });
        }
        if *tries == 0 {
            return status(0x6984);
        }
        let right = if key == PIN_KEY { PIN } else { NUMBER_B };
        if digits != right.as_bytes() {
            *tries -= 1;
            return status(counter - 1);
        }
        *tries = if key == PIN_KEY { 3 } else { 10 };
        self.verified = Some(key);
        status(0x9000)
    }

    fn read(&self, offset: usize, expected: Option<usize>) -> Response {
        let allowed = match (self.current, self.verified) {
            (Some(0x04), _) | (Some(_), Some(PIN_KEY)) => true,
            (Some(id), Some(NUMBER_B_KEY)) => id != 0x01,
            _ => false,
        };
        let Some(file) = self.current.and_then(|id| self.files.get(&id)) else {
            return status(0x6A82);
        };
        if !allowed {
            return status(0x6982);
        }
        match file.get(offset..) {
            Some(rest) if !rest.is_empty() => {
                ok(rest[..rest.len().min(expected.unwrap_or(0))].to_vec())
            }
            _ => status(0x6B00),
        }
    }

    fn sign(&self, digest_info: &[u8]) -> Response {
        match &self.answer {
            Some((challenge, signature)) if digest_info == sha256_digest_info(challenge) => {
                ok(signature.clone())
            }
            _ => status(0x6985),
        }
    }
}

impl CardChannel for TestCard {
    fn transmit(&mut self, command: Command) -> Result<Response, ChannelError> {
        let index = self.log.len();
        let header: Vec<String> = command
            .header()
            .iter()
            .map(|b| format!("{b:02X}"))
            .collect();
        let header = header.join(" ");
        self.log.push(header.clone());
        if command.data_sensitivity() == Sensitivity::Personal {
            self.secrets_seen += 1;
        }
        let response = match self.misbehaves.get(&index).cloned() {
            Some(Misbehaviour::Break(error)) => {
                // What the card did with the command, nobody learns.
                let _lost = self.answer_to(&command);
                return Err(error);
            }
            Some(Misbehaviour::Answer(word)) => status(word),
            Some(Misbehaviour::Data(data)) => ok(data),
            None => self.answer_to(&command),
        };
        let has_data = !response.data().is_empty() && self.current != Some(0x04);
        if has_data && command.answer_sensitivity() == Sensitivity::Open {
            self.shown.push(header);
        }
        Ok(response)
    }

    fn takes_extended_length(&self) -> bool {
        self.extended
    }
}

pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read(&path).expect("the fixture stands in the repository")
}

pub(crate) fn synthetic_challenge() -> [u8; 32] {
    fixture("synthetic/challenge.bin")
        .try_into()
        .expect("a challenge has 32 bytes")
}

/// The challenge that the synthetic card can answer.
pub(crate) fn challenge() -> Challenge {
    Challenge::new(synthetic_challenge())
}

/// The keys that vouch for the synthetic card.
pub(crate) fn synthetic_anchors() -> TrustAnchors {
    let json = String::from_utf8(fixture("synthetic/anchors.json")).expect("JSON is UTF-8");
    TrustAnchors::load(&json).expect("the file is a key file")
}

pub(crate) fn secret(kind: SecretKind) -> Secret {
    Secret::from(match kind {
        SecretKind::Pin => PIN.to_owned(),
        SecretKind::NumberB => NUMBER_B.to_owned(),
    })
}

fn sha256_digest_info(message: &[u8]) -> Vec<u8> {
    let prefix = hex::decode("3031300d060960864801650304020105000420").expect("hexadecimal");
    [
        prefix.as_slice(),
        ring::digest::digest(&ring::digest::SHA256, message).as_ref(),
    ]
    .concat()
}

fn ok(data: Vec<u8>) -> Response {
    Response::new(data, StatusWord::OK)
}

fn status(word: u16) -> Response {
    Response::new(Vec::new(), StatusWord(word))
}
