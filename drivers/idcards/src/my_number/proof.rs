//! Whether what was read is the issuer's, and whether the card is no copy.
//!
//! | step | file | checked with | forged when it fails |
//! |---|---|---|---|
//! | 1 | EF0004, certificate of the signing key | the trust anchor whose key id it names | `certificate-signature` |
//! | 2 | EF0003, hashes of EF0001 and EF0002 | the certificate's key | `record-signature` |
//! | 3 | what was read | the hashes of EF0003 | `attributes-hash`, `number-hash` |
//! | 4 | EF0007, the card's own public key | the certificate's key | `card-key-signature` |
//! | 5 | a challenge signed by the card | the card's own public key | `challenge-signature` |
//!
//! Each step uses only what the step before it has proved.
//! A check that could not be made is never counted as passed: it ends with a doubt, not with `genuine`.
//! Facts: layouts and what each signature covers were checked against a published dump of a test card,
//! see `tests/fixtures`.

use std::fmt;

use smartcard::CardChannel;
use zeroize::Zeroizing;

use super::attributes::{contents, only};
use super::error::CardError;
use super::wire;
use crate::certificate::{CvCertificate, PublicKey};
use crate::tlv::ber;
use crate::trust::{AnchorUse, TrustAnchors};

/// Random bytes for one challenge to one card. Made by the caller, fresh for each card; used once.
pub struct Challenge([u8; 32]);

impl Challenge {
    /// A challenge of these bytes, which must come from a generator that nobody can predict.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge(..)")
    }
}

/// The verdict about what was read from a card, and who vouches for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticity {
    /// The verdict.
    pub verdict: Verdict,
    /// The name of the trust anchor to which the card's certificate leads, where it leads to one.
    pub anchor: Option<String>,
}

/// The verdict about what was read from a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Signed by a trusted issuer, unchanged, and the card holds a key that the same issuer signed.
    Genuine,
    /// Could not be decided.
    NotVerified(Doubt),
    /// A check failed.
    Forged(Forgery),
}

impl Verdict {
    /// The stable word for why it is not genuine.
    #[must_use]
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Genuine => None,
            Self::NotVerified(doubt) => Some(doubt.as_str()),
            Self::Forged(forgery) => Some(forgery.as_str()),
        }
    }
}

/// Why a verdict could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing was read that could be proved.
    NothingRead,
    /// No configured trust anchor for this application has the key id that the certificate names.
    IssuerUnknown,
    /// The card lacks a file that the check needs.
    FileMissing,
    /// The card refused to show a file that the check needs.
    FileRefused,
    /// A file that the check needs does not have the form that it must have.
    FileMalformed,
    /// The card refused to sign the challenge.
    ChallengeRefused,
}

impl Doubt {
    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NothingRead => "nothing-read",
            Self::IssuerUnknown => "issuer-unknown",
            Self::FileMissing => "file-missing",
            Self::FileRefused => "file-refused",
            Self::FileMalformed => "file-malformed",
            Self::ChallengeRefused => "challenge-refused",
        }
    }
}

/// Which check failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgery {
    /// The certificate names a trust anchor that did not sign it.
    CertificateSignature,
    /// The hashes are not signed by the certificate's key.
    RecordSignature,
    /// The attributes are not those that were signed.
    AttributesHash,
    /// The individual number is not the one that was signed.
    NumberHash,
    /// The card's own key is not signed by the certificate's key.
    CardKeySignature,
    /// The card does not hold the private half of its own key: it is a copy.
    ChallengeSignature,
}

impl Forgery {
    /// The stable word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CertificateSignature => "certificate-signature",
            Self::RecordSignature => "record-signature",
            Self::AttributesHash => "attributes-hash",
            Self::NumberHash => "number-hash",
            Self::CardKeySignature => "card-key-signature",
            Self::ChallengeSignature => "challenge-signature",
        }
    }
}

/// SHA-256 hashes of what was read.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) attributes: Option<Zeroizing<Vec<u8>>>,
    pub(super) individual_number: Option<Zeroizing<Vec<u8>>>,
}

/// What ends the checks early: a verdict, or a card that is gone.
enum Stop {
    Verdict(Verdict),
    Lost(CardError),
}

impl From<Doubt> for Stop {
    fn from(doubt: Doubt) -> Self {
        Self::Verdict(Verdict::NotVerified(doubt))
    }
}

impl From<Forgery> for Stop {
    fn from(forgery: Forgery) -> Self {
        Self::Verdict(Verdict::Forged(forgery))
    }
}

/// See [`super::OpenedTextAp::prove`].
pub(super) fn prove(
    channel: &mut dyn CardChannel,
    evidence: &Evidence,
    anchors: &TrustAnchors,
    challenge: Challenge,
) -> Result<Authenticity, CardError> {
    let mut anchor = None;
    let outcome = check_all(channel, evidence, challenge, |certificate| {
        let found = trusted_by(certificate, anchors)?;
        anchor = Some(found);
        Ok(())
    });
    let verdict = match outcome {
        Ok(()) => Verdict::Genuine,
        Err(Stop::Verdict(verdict)) => verdict,
        Err(Stop::Lost(error)) => return Err(error),
    };
    Ok(Authenticity { verdict, anchor })
}

fn check_all(
    channel: &mut dyn CardChannel,
    evidence: &Evidence,
    challenge: Challenge,
    trust: impl FnOnce(&CvCertificate) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if evidence.attributes.is_none() && evidence.individual_number.is_none() {
        return Err(Doubt::NothingRead.into());
    }
    let file = read(channel, wire::CERTIFICATE)?;
    let certificate = CvCertificate::parse(&file).ok_or(Doubt::FileMalformed)?;
    trust(&certificate)?;

    let file = read(channel, wire::INTEGRITY_RECORD)?;
    check_record(&file, &certificate.subject_key, evidence)?;

    let file = read(channel, wire::CARD_KEY)?;
    let card_key = check_card_key(&file, &certificate.subject_key)?;
    check_challenge(channel, &card_key, challenge)
}

/// The name of the anchor that signed the certificate.
fn trusted_by(certificate: &CvCertificate, anchors: &TrustAnchors) -> Result<String, Stop> {
    let mut known = false;
    for anchor in anchors.matching(AnchorUse::TextAp, &certificate.issuer_key_id) {
        known = true;
        if certificate.is_signed_by(anchor.key()) {
            return Ok(anchor.name().to_owned());
        }
    }
    Err(if known {
        Forgery::CertificateSignature.into()
    } else {
        Doubt::IssuerUnknown.into()
    })
}

/// `FF30 { DF31 hash of number, DF32 hash of attributes, DF33 signature over what stands before it }`.
fn check_record(file: &[u8], issuer: &PublicKey, evidence: &Evidence) -> Result<(), Stop> {
    let parts = SignedFile::parse(file, 0xFF30, 0xDF33).ok_or(Doubt::FileMalformed)?;
    if !issuer.verifies(parts.signed, parts.signature) {
        return Err(Forgery::RecordSignature.into());
    }
    let objects = ber::all(parts.signed).map_err(|_not_objects| Doubt::FileMalformed)?;
    let number_hash = only(&objects, 0xDF31).ok_or(Doubt::FileMalformed)?;
    let attributes_hash = only(&objects, 0xDF32).ok_or(Doubt::FileMalformed)?;
    if evidence
        .attributes
        .as_ref()
        .is_some_and(|read| read.as_slice() != attributes_hash)
    {
        return Err(Forgery::AttributesHash.into());
    }
    if evidence
        .individual_number
        .as_ref()
        .is_some_and(|read| read.as_slice() != number_hash)
    {
        return Err(Forgery::NumberHash.into());
    }
    Ok(())
}

/// `FF50 { DF51 the card's public key, DF52 signature over what stands before it }`.
fn check_card_key(file: &[u8], issuer: &PublicKey) -> Result<PublicKey, Stop> {
    let parts = SignedFile::parse(file, 0xFF50, 0xDF52).ok_or(Doubt::FileMalformed)?;
    if !issuer.verifies(parts.signed, parts.signature) {
        return Err(Forgery::CardKeySignature.into());
    }
    let (object, _rest) =
        ber::split(parts.signed).map_err(|_not_an_object| Doubt::FileMalformed)?;
    let key = (object.tag == 0xDF51)
        .then(|| PublicKey::parse(object.value))
        .flatten();
    Ok(key.ok_or(Doubt::FileMalformed)?)
}

fn check_challenge(
    channel: &mut dyn CardChannel,
    card_key: &PublicKey,
    challenge: Challenge,
) -> Result<(), Stop> {
    let signature = match wire::sign(channel, digest_info(&challenge.0)) {
        Ok(response) => response,
        Err(CardError::Refused { .. }) => return Err(Doubt::ChallengeRefused.into()),
        Err(lost) => return Err(Stop::Lost(lost)),
    };
    // The card was given the DigestInfo of this challenge, so its answer is a plain signature over it.
    if card_key.verifies(&challenge.0, signature.data()) {
        Ok(())
    } else {
        Err(Forgery::ChallengeSignature.into())
    }
}

/// The DER DigestInfo of the SHA-256 hash of `message` (RFC 8017, 9.2, note 1).
fn digest_info(message: &[u8]) -> Vec<u8> {
    const PREFIX: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let hash = ring::digest::digest(&ring::digest::SHA256, message);
    [&PREFIX, hash.as_ref()].concat()
}

/// An object whose last part signs the bytes of the parts before it, headers included.
struct SignedFile<'a> {
    signed: &'a [u8],
    signature: &'a [u8],
}

impl<'a> SignedFile<'a> {
    fn parse(file: &'a [u8], tag: u16, signature_tag: u16) -> Option<Self> {
        let parts = contents(file, tag)?;
        let mut rest = parts;
        while !rest.is_empty() {
            let before = parts.len().checked_sub(rest.len())?;
            let (object, behind) = ber::split(rest).ok()?;
            if object.tag == signature_tag {
                let signed = parts.get(..before)?;
                return behind.is_empty().then_some(Self {
                    signed,
                    signature: object.value,
                });
            }
            rest = behind;
        }
        None
    }
}

fn read(channel: &mut dyn CardChannel, file: wire::File) -> Result<Zeroizing<Vec<u8>>, Stop> {
    wire::read_file(channel, file).map_err(|error| match error {
        CardError::Refused { status, .. } if matches!(status.0, 0x6A82 | 0x6A83) => {
            Doubt::FileMissing.into()
        }
        CardError::Refused { .. } => Doubt::FileRefused.into(),
        CardError::Malformed { .. } => Doubt::FileMalformed.into(),
        lost @ (CardError::Channel { .. }
        | CardError::NotMyNumber
        | CardError::StaleVerification
        | CardError::NumberNeedsPin) => Stop::Lost(lost),
    })
}
