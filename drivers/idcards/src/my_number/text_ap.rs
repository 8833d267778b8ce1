//! 券面入力補助AP, the card-surface input application: from selected to opened to read.
//!
//! ```text
//! TextAp::select -> TextAp --tries_left--> TextAp
//!                     |
//!                   verify   consumes the application and the secret
//!                     |
//!            OpenedTextAp -> four_attributes, individual_number -> prove
//! ```
//!
//! Both states borrow the card's exclusive transaction: nobody else can send a command in between, so a
//! retry counter that was read stays true until this code verifies, and an opened application cannot
//! outlive the transaction in which it was opened.
//!
//! Invariants: the last try is not spent unless that was allowed; a secret is sent at most once, because
//! sending consumes it; nothing can be read by a type that has not verified.

use std::fmt;

use device_api::Secret;
use ring::digest::{SHA256, digest};
use smartcard::{CardChannel, ChannelError};
use zeroize::Zeroizing;

use super::attributes::{self, Attributes};
use super::error::{Attempt, CardError, VerifyError};
use super::proof::{self, Authenticity, Challenge, Evidence};
use super::wire;
use crate::{personal::PersonalText, trust::TrustAnchors};

/// Which secret opens the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// The citizen's 4-digit PIN (券面事項入力補助用暗証番号). Opens everything.
    Pin,
    /// Verification number B (照合番号B), 14 digits printed on the card. Opens all but the number.
    NumberB,
}

impl SecretKind {
    const fn key(self) -> u8 {
        match self {
            Self::Pin => 0x11,
            Self::NumberB => 0x15,
        }
    }

    const fn digits(self) -> usize {
        match self {
            Self::Pin => 4,
            Self::NumberB => 14,
        }
    }

    fn accepts(self, secret: &Secret) -> bool {
        secret.len() == self.digits() && secret.expose().iter().all(u8::is_ascii_digit)
    }
}

/// Whether the one try that is left may be spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastTry {
    /// A person with the right to do so allowed it for this one secret.
    Allowed,
    /// Nobody did.
    NotAllowed,
}

/// How many tries a secret has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tries {
    /// This many, at least one.
    Left(u8),
    /// None: only the municipality can reset it.
    Blocked,
}

/// The application, selected; nothing is verified.
pub struct TextAp<'a> {
    channel: &'a mut dyn CardChannel,
    counted: Option<(SecretKind, Tries)>,
}

impl<'a> TextAp<'a> {
    /// Selects the application, which forgets whatever was verified in it before. One exchange.
    ///
    /// # Errors
    /// [`CardError::NotMyNumber`] when the card lacks the application; otherwise see [`CardError`].
    pub fn select(channel: &'a mut dyn CardChannel) -> Result<Self, CardError> {
        wire::select(channel, &wire::TEXT_AP)?;
        Ok(Self {
            channel,
            counted: None,
        })
    }

    /// Asks the card how many tries `kind` has left. Spends none. One exchange.
    ///
    /// A card that counts the secret as verified already is selected anew and asked again: somebody else
    /// verified it, and what they opened is not ours to use.
    ///
    /// # Errors
    /// See [`CardError`].
    pub fn tries_left(&mut self, kind: SecretKind) -> Result<Tries, CardError> {
        let tries = match self.ask_counter(kind)? {
            Some(tries) => tries,
            None => {
                wire::select(self.channel, &wire::TEXT_AP)?;
                self.ask_counter(kind)?
                    .ok_or(CardError::StaleVerification)?
            }
        };
        self.counted = Some((kind, tries));
        Ok(tries)
    }

    /// Has the card verify `secret`, once. One exchange, and one more where the counter was not read yet.
    ///
    /// Nothing is sent when the secret has the wrong form, when it is blocked, or when one try is left
    /// and `last_try` does not allow to spend it.
    ///
    /// # Errors
    /// See [`VerifyError`]. After any of them the application must be selected again.
    pub fn verify(
        mut self,
        kind: SecretKind,
        secret: Secret,
        last_try: LastTry,
    ) -> Result<OpenedTextAp<'a>, VerifyError> {
        if !kind.accepts(&secret) {
            return Err(VerifyError::Format);
        }
        let tries = match self.counted {
            Some((counted, tries)) if counted == kind => tries,
            _ => self.tries_left(kind).map_err(VerifyError::Card)?,
        };
        match (tries, last_try) {
            (Tries::Blocked | Tries::Left(0), _) => return Err(VerifyError::Blocked),
            (Tries::Left(1), LastTry::NotAllowed) => return Err(VerifyError::LastTry),
            (Tries::Left(_), _) => {}
        }
        self.send_secret(kind, secret)?;
        Ok(OpenedTextAp {
            channel: self.channel,
            opened_by: kind,
            evidence: Evidence::default(),
        })
    }

    fn send_secret(&mut self, kind: SecretKind, secret: Secret) -> Result<(), VerifyError> {
        let attempt = Attempt::Verify;
        let answer = self.channel.transmit(wire::verify(kind.key(), secret));
        let status = match answer {
            Ok(response) => response.status(),
            // By its contract the channel cancels between two commands, so this one was not sent.
            Err(source @ ChannelError::Cancelled) => {
                return Err(VerifyError::Card(CardError::Channel { attempt, source }));
            }
            Err(source) => return Err(VerifyError::OutcomeUnknown { source }),
        };
        match (status.0, status.tries_left()) {
            (0x9000, _) => Ok(()),
            (0x6983 | 0x6984, _) | (_, Some(0)) => Err(VerifyError::Blocked),
            (_, Some(tries_left)) => Err(VerifyError::Wrong { tries_left }),
            (_, None) => Err(VerifyError::Card(CardError::Refused { attempt, status })),
        }
    }

    /// The counter, or `None` when the card counts the secret as verified.
    fn ask_counter(&mut self, kind: SecretKind) -> Result<Option<Tries>, CardError> {
        let status = wire::ask_counter(self.channel, kind.key())?;
        match (status.0, status.tries_left()) {
            (0x9000, _) => Ok(None),
            (0x6983 | 0x6984, _) | (_, Some(0)) => Ok(Some(Tries::Blocked)),
            (_, Some(left)) => Ok(Some(Tries::Left(left))),
            (_, None) => Err(CardError::Refused {
                attempt: Attempt::AskRetryCounter,
                status,
            }),
        }
    }
}

impl fmt::Debug for TextAp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextAp")
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}

/// The application, opened by a secret that the card accepted in this transaction.
pub struct OpenedTextAp<'a> {
    channel: &'a mut dyn CardChannel,
    opened_by: SecretKind,
    evidence: Evidence,
}

impl OpenedTextAp<'_> {
    /// Reads name, address, birth date and sex. One exchange; one more for each 256 bytes beyond the first.
    ///
    /// # Errors
    /// [`CardError::Malformed`] when the file is not what it must be, such as text that is not UTF-8;
    /// otherwise see [`CardError`].
    pub fn four_attributes(&mut self) -> Result<Attributes, CardError> {
        let file = wire::read_file(self.channel, wire::ATTRIBUTES)?;
        let malformed = CardError::Malformed {
            attempt: Attempt::ReadAttributes,
        };
        // Hashed before it is understood: a file that makes no sense can still be told to be changed.
        let signed = attributes::signed_part(&file).ok_or(malformed)?;
        self.evidence.attributes = Some(hash(signed));
        Attributes::parse(&file).ok_or(malformed)
    }

    /// Reads the individual number (個人番号): twelve digits. One exchange.
    ///
    /// # Errors
    /// [`CardError::NumberNeedsPin`] when opened by verification number B; nothing is sent then.
    /// [`CardError::Malformed`] when the file does not hold twelve digits; otherwise see [`CardError`].
    pub fn individual_number(&mut self) -> Result<PersonalText, CardError> {
        if self.opened_by != SecretKind::Pin {
            return Err(CardError::NumberNeedsPin);
        }
        let file = wire::read_file(self.channel, wire::INDIVIDUAL_NUMBER)?;
        self.evidence.individual_number = Some(hash(&file));
        attributes::individual_number(&file).ok_or(CardError::Malformed {
            attempt: Attempt::ReadIndividualNumber,
        })
    }

    /// Finds out whether what was read so far is the issuer's, and whether the card is no copy.
    ///
    /// `challenge` holds fresh random bytes of the caller; the card signs them with the key that the issuer
    /// vouches for. Stops at the first check that decides the verdict.
    ///
    /// # Errors
    /// [`CardError::Channel`] when the card can no longer be reached. Everything else is a verdict.
    pub fn prove(
        &mut self,
        anchors: &TrustAnchors,
        challenge: Challenge,
    ) -> Result<Authenticity, CardError> {
        proof::prove(self.channel, &self.evidence, anchors, challenge)
    }
}

impl fmt::Debug for OpenedTextAp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenedTextAp")
            .field("opened_by", &self.opened_by)
            .finish_non_exhaustive()
    }
}

/// A hash of so few digits gives the digits away, so it is erased like them.
fn hash(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(digest(&SHA256, bytes).as_ref().to_vec())
}
