//! Everything that is written into one card: files, objects, secrets, key.
//!
//! An image is built from a [`Holder`] and the test [`Pki`], or from explicit files, such as the
//! published dump of a test card. Anomalies are made here, so that the card itself always behaves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use rsa::RsaPrivateKey;
use thiserror::Error;

use crate::certificate::{self, CA_COMMON, CA_TEXT, CA_UNKNOWN, MUNICIPALITY, SIGNER};
use crate::files;
use crate::holder::{Anomaly, Holder};
use crate::pki::{Pki, PkiError};

/// ATR of a My Number card on a contactless reader, from the list of pcsc-tools.
const CONTACTLESS_ATR: [u8; 13] = [
    0x3B, 0x88, 0x80, 0x01, 0x00, 0x4B, 0x51, 0xFF, 0xB3, 0x81, 0xD1, 0x00, 0x0F,
];
/// ATR of a My Number card on a contact reader without its first byte (pcsc-tools, OpenSC), which data
/// object 5F51 holds.
const CONTACT_ATR: [u8; 18] = [
    0xDA, 0x13, 0xFF, 0x81, 0x31, 0xFB, 0x46, 0x80, 0x12, 0x39, 0x2F, 0x31, 0xC1, 0x73, 0xC6, 0x01,
    0xC0, 0x3B,
];
/// Key id in EF 0005: the authority's number plus one, as on the test card.
const APPLICATION_KEY: certificate::KeyId = *b"9000034\x08\x05001\x00\x00\x00\x00";

/// Sizes of the files of the card-surface input application: our choice, with room for long addresses,
/// so that a reader meets filler behind every object that is not of fixed size.
const ATTRIBUTES_SIZE: usize = 1024;
const FILE_BLOCK: usize = 32;

/// The contents of a card.
#[derive(Clone)]
pub struct CardImage {
    pub(crate) card_info: Vec<u8>,
    pub(crate) text_files: BTreeMap<u8, Vec<u8>>,
    pub(crate) objects: BTreeMap<u16, Vec<u8>>,
    pub(crate) secrets: Secrets,
    pub(crate) signing_key: Option<Arc<RsaPrivateKey>>,
}

/// The secrets of the card-surface input application.
#[derive(Clone)]
pub struct Secrets {
    /// PIN.
    pub pin: String,
    /// Verification number A: the individual number.
    pub a: String,
    /// Verification number B.
    pub b: String,
}

/// Why a card cannot be written.
#[derive(Debug, Error)]
pub enum ImageError {
    /// A key is not to be had.
    #[error("cannot get a key for the card")]
    Key(#[from] PkiError),
    /// A signature could not be made.
    #[error("cannot sign the card's data")]
    Signature(#[from] rsa::Error),
    /// Name and address do not fit into the file.
    #[error("name and address do not fit into {ATTRIBUTES_SIZE} bytes")]
    TooLong,
}

impl CardImage {
    /// The card of `holder`, with whatever is wrong with it.
    ///
    /// # Errors
    ///
    /// When a key cannot be had or the attributes do not fit.
    pub fn for_holder(holder: &Holder, pki: &Pki) -> Result<Self, ImageError> {
        let owner = match &holder.anomaly {
            Some(Anomaly::CloneOf(original)) => original,
            _ => &holder.id,
        };
        let certified_key = pki.key(&format!("card-{owner}"))?.to_public_key();
        let expiry = holder.expiry.to_string();
        let chain = certificate::certificate_object(
            (CA_COMMON, &*pki.key("ca-common")?),
            (MUNICIPALITY, &pki.key("municipality")?.to_public_key()),
        )?;
        let signer = Signer::of(holder, pki)?;
        let mut text_files = signed_files(holder, &signer.key)?;
        text_files.insert(0x04, signer.certificate);
        text_files.insert(
            0x05,
            files::application_data(holder.quirks.extended_lengths, APPLICATION_KEY),
        );
        text_files.insert(
            0x06,
            files::session_key(&pki.key("session")?.to_public_key()),
        );
        text_files.insert(0x07, files::card_key(&certified_key, &signer.key)?);
        text_files.insert(0x08, vec![0xFF; 16]);
        for (id, file) in &mut text_files {
            if !matches!(id, 0x01 | 0x02 | 0x08) {
                let size = file.len().next_multiple_of(FILE_BLOCK);
                file.resize(size, 0xFF);
            }
        }
        Ok(Self {
            card_info: files::card_info(&holder.serial, &holder.municipality, &expiry),
            text_files,
            objects: BTreeMap::from([
                (0x0045, holder.serial.clone().into_bytes()),
                (0x00F0, holder.municipality.clone().into_bytes()),
                (0x00F2, expiry.into_bytes()),
                (0x00F8, chain),
                (0x5F51, CONTACT_ATR.to_vec()),
            ]),
            secrets: Secrets {
                pin: holder.pin.clone(),
                a: holder.number.clone(),
                b: holder.verification_number_b(),
            },
            signing_key: Some(pki.key(&format!("card-{}", holder.id))?),
        })
    }

    /// A card made of explicit files, by the last byte of their ids, and data objects.
    ///
    /// It has no private key, so it refuses the anti-clone challenge.
    #[must_use]
    pub const fn from_files(
        card_info: Vec<u8>,
        text_files: BTreeMap<u8, Vec<u8>>,
        objects: BTreeMap<u16, Vec<u8>>,
        secrets: Secrets,
    ) -> Self {
        Self {
            card_info,
            text_files,
            objects,
            secrets,
            signing_key: None,
        }
    }

    /// The published dump of a J-LIS test card; see `data/jlis-test-card/README.md`.
    ///
    /// Its PIN was not published and is 1234 here.
    #[must_use]
    pub fn published_test_card() -> Self {
        let text_files: [(u8, &[u8]); 7] = [
            (
                0x01,
                include_bytes!("../data/jlis-test-card/text-0001-physical.bin"),
            ),
            (0x02, include_bytes!("../data/jlis-test-card/text-0002.bin")),
            (0x03, include_bytes!("../data/jlis-test-card/text-0003.bin")),
            (0x04, include_bytes!("../data/jlis-test-card/text-0004.bin")),
            (0x05, include_bytes!("../data/jlis-test-card/text-0005.bin")),
            (0x06, include_bytes!("../data/jlis-test-card/text-0006.bin")),
            (0x07, include_bytes!("../data/jlis-test-card/text-0007.bin")),
        ];
        let objects: [(u16, &[u8]); 6] = [
            (0x0045, b"400000012719843"),
            (0x00F0, b"13221"),
            (0x00F2, b"20350217"),
            (
                0x00F8,
                include_bytes!("../data/jlis-test-card/mf-do-F8.bin"),
            ),
            (
                0x7F21,
                include_bytes!("../data/jlis-test-card/mf-do-7F21.bin"),
            ),
            (0x5F51, &CONTACT_ATR),
        ];
        Self::from_files(
            files::card_info("400000012719843", "13221", "20350217"),
            text_files
                .into_iter()
                .map(|(id, file)| (id, file.to_vec()))
                .collect(),
            objects
                .into_iter()
                .map(|(tag, object)| (tag, object.to_vec()))
                .collect(),
            Secrets {
                pin: "1234".to_owned(),
                a: "537686677188".to_owned(),
                b: "55021720352285".to_owned(),
            },
        )
    }

    /// The answer to reset that a contactless reader shows.
    pub(crate) fn atr() -> Vec<u8> {
        CONTACTLESS_ATR.to_vec()
    }
}

impl fmt::Debug for CardImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardImage").finish_non_exhaustive()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets")
    }
}

/// The key that signs a holder's data, and the certificate that the card shows for it.
struct Signer {
    key: Arc<RsaPrivateKey>,
    certificate: Vec<u8>,
}

impl Signer {
    fn of(holder: &Holder, pki: &Pki) -> Result<Self, ImageError> {
        let (key, authority, key_id) = match holder.anomaly {
            // The forger claims the right authority's key id, but cannot sign with its key.
            Some(Anomaly::WrongAuthority) => ("signer-rogue", "ca-rogue", CA_TEXT),
            Some(Anomaly::UnknownAuthority) => ("signer-rogue", "ca-rogue", CA_UNKNOWN),
            None
            | Some(
                Anomaly::AttributesChanged
                | Anomaly::SignatureBroken
                | Anomaly::CloneOf(_)
                | Anomaly::DamagedText,
            ) => ("signer", "ca-text", CA_TEXT),
        };
        let key = pki.key(key)?;
        let certificate = certificate::certificate(
            (key_id, &*pki.key(authority)?),
            (SIGNER, &key.to_public_key()),
        )?;
        Ok(Self { key, certificate })
    }
}

/// EF 0001 to 0003.
fn signed_files(
    holder: &Holder,
    signer: &RsaPrivateKey,
) -> Result<BTreeMap<u8, Vec<u8>>, ImageError> {
    let mut name = holder.name.clone().into_bytes();
    if holder.anomaly == Some(Anomaly::DamagedText) {
        // The last character loses its last byte, before the authority signs: genuine, but no text.
        name.pop();
    }
    let number = files::number(&holder.number);
    let attributes = attributes_file(holder, &name)?;
    let digest = files::attributes_digest(&attributes).ok_or(ImageError::TooLong)?;
    let mut integrity = files::integrity(&number, digest, signer)?;
    let attributes = match holder.anomaly {
        Some(Anomaly::AttributesChanged) => attributes_file(holder, "偽名　太郎".as_bytes())?,
        Some(Anomaly::SignatureBroken) => {
            if let Some(last) = integrity.last_mut() {
                *last ^= 1;
            }
            attributes
        }
        _ => attributes,
    };
    let attributes = files::padded(attributes, ATTRIBUTES_SIZE);
    Ok(BTreeMap::from([
        (0x01, number),
        (0x02, attributes),
        (0x03, integrity),
    ]))
}

fn attributes_file(holder: &Holder, name: &[u8]) -> Result<Vec<u8>, ImageError> {
    files::attributes(
        name,
        holder.address.as_bytes(),
        &holder.birth.to_string(),
        holder.sex,
    )
    .filter(|file| file.len() <= ATTRIBUTES_SIZE)
    .ok_or(ImageError::TooLong)
}
