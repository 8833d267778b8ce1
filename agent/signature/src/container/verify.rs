//! Verification: everything that is wrong is named, not only the first thing.

use ring::signature::{ED25519, UnparsedPublicKey};
use thiserror::Error;

use super::statement::{Device, Statement, StatementError};
use super::{
    CONTENT_TYPE, EDDSA, LABELS, LONGEST_CONTAINER, TAG_SIGN1, key_id, sha256, to_be_signed,
};
use crate::cbor::{self, CborError, Value};
use crate::ink::{CapturedBy, Ink};
use crate::inkml::{self, InkmlError};

/// What a container is held against.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The device's Ed25519 public key, from enrolment and not from the container.
    pub public_key: &'a [u8; 32],
    /// The InkML, where it was kept apart; where it lies inside too, both must be the same.
    pub inkml: Option<&'a [u8]>,
    /// Files that are said to have been shown, each with a name for the report; each must be a source
    /// document or an uploaded picture of the statement.
    pub files: &'a [(&'a str, &'a [u8])],
}

/// A container in which nothing is wrong.
#[derive(Debug)]
pub struct Verified {
    /// What it states.
    pub statement: Statement,
    /// The ink, where there is some and it was inside or in the evidence.
    pub ink: Option<Ink>,
}

/// A container in which something is wrong.
#[derive(Debug)]
pub struct Rejected {
    /// All that is wrong, at least one thing.
    pub defects: Vec<Defect>,
    /// What it states, where that can be read; not to be believed.
    pub statement: Option<Box<Statement>>,
}

/// One thing that is wrong.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum Defect {
    /// More bytes than [`LONGEST_CONTAINER`].
    #[error("the container has {0} bytes, which is too long")]
    TooLong(usize),
    /// Not deterministic CBOR.
    #[error("the container is not deterministic CBOR")]
    Container(#[source] CborError),
    /// CBOR, but no COSE_Sign1.
    #[error("the container is no COSE_Sign1")]
    Envelope,
    /// The protected header is not exactly algorithm, content type and key id.
    #[error("the protected header is not the one of a container")]
    Header,
    /// Another algorithm than EdDSA.
    #[error("the algorithm is not EdDSA")]
    Algorithm,
    /// The payload is said to be something else.
    #[error("the content type is not the one of a container")]
    ContentType,
    /// Sealed with another key.
    #[error("it was sealed with the key {0}, not with this one")]
    OtherKey(String),
    /// The signature does not fit header and statement.
    #[error("the signature does not fit: header or statement were changed, or the key is another")]
    Signature,
    /// The statement is not deterministic CBOR.
    #[error("the statement is not deterministic CBOR")]
    Payload(#[source] CborError),
    /// The statement cannot be read.
    #[error("the statement cannot be read")]
    Statement(#[source] StatementError),
    /// The ink inside is not the one whose hash was sealed.
    #[error("the ink inside the container is not the one that was sealed")]
    InkInside,
    /// The ink kept apart is not the one whose hash was sealed.
    #[error("the ink that was kept apart is not the one that was sealed")]
    InkApart,
    /// There is ink, and the statement says that nobody signed.
    #[error("there is ink although nobody signed")]
    InkUnexpected,
    /// The ink has the sealed hash, and is no InkML of ours.
    #[error("the ink cannot be read")]
    Ink(#[source] InkmlError),
    /// The ink names another device or another origin than the statement.
    #[error("the ink names another {0} than the statement")]
    Mismatch(&'static str),
    /// The ink takes longer than the capture.
    #[error("the ink takes longer than the capture")]
    Span,
    /// A file that was not shown.
    #[error("the file {0} is neither a document nor a picture of the statement")]
    File(String),
}

/// Checks a container against evidence.
///
/// # Errors
/// Where anything is wrong, with all of it.
pub fn verify(container: &[u8], evidence: &Evidence<'_>) -> Result<Verified, Rejected> {
    let mut defects = Vec::new();
    let statement = open(container, evidence.public_key, &mut defects);
    let ink = statement
        .as_ref()
        .and_then(|statement| check_ink(statement, evidence.inkml, &mut defects));
    if let Some(statement) = &statement {
        check_files(statement, evidence.files, &mut defects);
    }
    match (statement, defects.is_empty()) {
        (Some(statement), true) => Ok(Verified { statement, ink }),
        (statement, _) => Err(Rejected {
            defects,
            statement: statement.map(Box::new),
        }),
    }
}

/// Opens the envelope; the statement is returned even where the signature does not fit.
fn open(container: &[u8], key: &[u8; 32], defects: &mut Vec<Defect>) -> Option<Statement> {
    if container.len() > LONGEST_CONTAINER {
        defects.push(Defect::TooLong(container.len()));
        return None;
    }
    let value = match cbor::read(container) {
        Ok(value) => value,
        Err(error) => {
            defects.push(Defect::Container(error));
            return None;
        }
    };
    let Some((protected, payload, signature)) = envelope(value) else {
        defects.push(Defect::Envelope);
        return None;
    };
    check_header(&protected, key, defects);
    let signed = to_be_signed(&protected, &payload);
    if UnparsedPublicKey::new(&ED25519, key)
        .verify(&signed, &signature)
        .is_err()
    {
        defects.push(Defect::Signature);
    }
    let value = match cbor::read(&payload) {
        Ok(value) => value,
        Err(error) => {
            defects.push(Defect::Payload(error));
            return None;
        }
    };
    match Statement::from_value(value) {
        Ok(statement) => Some(statement),
        Err(error) => {
            defects.push(Defect::Statement(error));
            None
        }
    }
}

type Parts = (Vec<u8>, Vec<u8>, Vec<u8>);

fn envelope(value: Value) -> Option<Parts> {
    let Value::Tag(TAG_SIGN1, inner) = value else {
        return None;
    };
    let [protected, unprotected, payload, signature] =
        <[Value; 4]>::try_from(inner.into_array()?).ok()?;
    // Nothing that is not signed.
    if unprotected != Value::Map(Vec::new()) {
        return None;
    }
    Some((
        protected.into_bytes()?,
        payload.into_bytes()?,
        signature.into_bytes()?,
    ))
}

fn check_header(protected: &[u8], key: &[u8; 32], defects: &mut Vec<Defect>) {
    let Ok(Value::Map(entries)) = cbor::read(protected) else {
        defects.push(Defect::Header);
        return;
    };
    let (labels, values): (Vec<Value>, Vec<Value>) = entries.into_iter().unzip();
    let values = <[Value; 3]>::try_from(values);
    let (true, Ok([algorithm, content_type, id])) = (labels == LABELS.map(Value::Uint), values)
    else {
        defects.push(Defect::Header);
        return;
    };
    if algorithm != Value::Negative(EDDSA) {
        defects.push(Defect::Algorithm);
    }
    if content_type != Value::text(CONTENT_TYPE) {
        defects.push(Defect::ContentType);
    }
    match id.into_bytes() {
        Some(id) if id == key_id(key) => {}
        Some(id) => defects.push(Defect::OtherKey(hex::encode(id))),
        None => defects.push(Defect::Header),
    }
}

fn check_ink(
    statement: &Statement,
    apart: Option<&[u8]>,
    defects: &mut Vec<Defect>,
) -> Option<Ink> {
    let Some(part) = statement.ink() else {
        if apart.is_some() {
            defects.push(Defect::InkUnexpected);
        }
        return None;
    };
    let fits = |bytes: &[u8]| {
        sha256(bytes) == part.sha256 && u64::try_from(bytes.len()) == Ok(part.length)
    };
    let inside = part.inkml.as_deref();
    let mut good = None;
    for (bytes, defect) in [(inside, Defect::InkInside), (apart, Defect::InkApart)] {
        match bytes {
            Some(bytes) if fits(bytes) => good = Some(bytes),
            Some(_) => defects.push(defect),
            None => {}
        }
    }
    let ink = match inkml::read(good?) {
        Ok(ink) => ink,
        Err(error) => {
            defects.push(Defect::Ink(error));
            return None;
        }
    };
    compare(statement, &ink, defects);
    Some(ink)
}

fn compare(statement: &Statement, ink: &Ink, defects: &mut Vec<Defect>) {
    if Device::of(ink.digitizer(), ink.captured_by()) != statement.device {
        defects.push(Defect::Mismatch("device"));
    }
    if let CapturedBy::Page { origin } = ink.captured_by()
        && *origin != statement.origin
    {
        defects.push(Defect::Mismatch("origin"));
    }
    let times = statement.times;
    let span = times
        .monotonic_end_us
        .saturating_sub(times.monotonic_start_us);
    if ink.samples().last().is_some_and(|last| last.t_us > span) {
        defects.push(Defect::Span);
    }
}

fn check_files(statement: &Statement, files: &[(&str, &[u8])], defects: &mut Vec<Defect>) {
    for (name, bytes) in files {
        let hash = sha256(bytes);
        let known = statement.documents.iter().any(|document| {
            let mut pictures = document.pictures.iter();
            document.source_sha256 == hash
                || pictures.any(|picture| picture.uploaded_sha256 == hash)
        });
        if !known {
            defects.push(Defect::File((*name).to_owned()));
        }
    }
}

impl std::fmt::Debug for Evidence<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Evidence")
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}
