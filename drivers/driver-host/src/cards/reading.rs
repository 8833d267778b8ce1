//! What a job does with a card, step by step.
//!
//! ```text
//! wait for a card -> session 1: identify, show it, read the retry counter -> ask
//!       answer within ANSWER_IS_IMMEDIATE:  the same session: verify -> read -> prove
//!       answer later:  session 1 ends, card off; session 2: identify again, the same card?,
//!                      retry counter again -> verify -> read -> prove
//! ```
//!
//! A person may take minutes, and no transaction is held meanwhile: Windows resets a card whose
//! transaction idles for five seconds, and other programs must not starve.
//! An answer that is there at once costs no exchange, because the transaction was never given up and so
//! nothing can have changed.
//! A late answer costs five, each for a reason: SELECT and READ RECORD of the common application (it must
//! be the card that the person was shown), SELECT of the application (power-off forgot it), the retry
//! counter (another program may have spent a try), and a repetition where the card answers `6F00` to the
//! first command after power-up.
//!
//! A PIN that is typed on the reader never comes here: the reader is told to take it, and the exchange that would
//! have sent it brings the card's answer, or that nobody typed.
//!
//! Invariants: a secret goes to a card at most once; after it has gone, nothing is begun again; a session
//! is begun once more only where the card is still there, and before any secret has gone.

use std::{sync::Arc, time::Duration};

use device_api::{Clock, Deadline, Patience, Secret, Stop};
use host_protocol::{Answer, CardFacts, Credential, Field, Product, Reading, Step, Task};
use idcards::{
    TrustAnchors,
    my_number::{
        Attempt, CardError, CardIdentity, Challenge, LastTry, OpenedTextAp, TextAp, Tries,
        VerifyError, identify,
    },
};
use ring::rand::SecureRandom;
use smartcard::keypad::{CANCELLED_AT_KEYS, NOBODY_TYPED};
use smartcard::{BeginError, Presence, Reader, Recorder, Session};

use super::{fault::JobError, recordings::Recordings, translate};
use crate::job::Job;

/// An answer that comes within this span was not typed by a person just now: it was supplied with the job.
///
/// Well below the five seconds after which Windows resets an idle transaction.
const ANSWER_IS_IMMEDIATE: Duration = Duration::from_millis(300);

/// What all jobs of a host use.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) anchors: TrustAnchors,
    pub(crate) random: Box<dyn Random>,
    pub(crate) recordings: Option<Recordings>,
}

/// A source of random bytes that can be shown in `Debug`.
pub(crate) trait Random: SecureRandom + Send + Sync + std::fmt::Debug {}

impl<R: SecureRandom + Send + Sync + std::fmt::Debug> Random for R {}

/// Does what a job asks for.
pub(crate) fn work(job: &Job, reader: &mut Reader, tools: &Tools) -> Result<Product, JobError> {
    let visit = Visit { job, tools };
    match &job.task {
        Task::IdentifyCard {} => {
            let card = once_more_with_a_fresh_session(|| visit.identify_card(reader))?;
            Ok(Product::Card { card })
        }
        Task::ReadMyNumberCard {
            fields,
            credential,
            today,
        } => {
            let wanted = Wanted {
                fields,
                credential: *credential,
                today,
            };
            let reading = visit.read_card(reader, &wanted)?;
            Ok(Product::Reading { reading })
        }
        // The floor lets no other task come as far as a reader.
        Task::ScanCodes {}
        | Task::CaptureSignature { .. }
        | Task::CalibrateTablet {}
        | Task::PrintTicket { .. }
        | Task::ListTickets {}
        | Task::SettleTicket { .. }
        | Task::PrintDocument { .. }
        | Task::ScanDocument { .. }
        | Task::TypeText { .. }
        | Task::HandOver { .. } => Err(JobError::AnswerUnfit),
    }
}

/// A card that is there but broke off before any secret was sent gets one fresh start.
fn once_more_with_a_fresh_session<T>(
    mut attempt: impl FnMut() -> Result<T, JobError>,
) -> Result<T, JobError> {
    match attempt() {
        Err(error) if error.recoverable() => {
            tracing::info!(%error, "card broke off; beginning once more");
            attempt()
        }
        result => result,
    }
}

/// What is to be read.
struct Wanted<'a> {
    fields: &'a [Field],
    credential: Credential,
    today: &'a str,
}

/// How the first session ended.
enum First {
    /// The answer was there at once, and all is read.
    Read(Reading),
    /// A person is still thinking; this is the card that they were shown.
    Asked(CardIdentity, Presence),
}

/// One job at one reader.
struct Visit<'a> {
    job: &'a Job,
    tools: &'a Tools,
}

impl Visit<'_> {
    fn identify_card(&self, reader: &mut Reader) -> Result<CardFacts, JobError> {
        let mut session = self.wait_and_begin(reader)?;
        self.job.progress(Step::Identifying, None);
        let identity = identify(&mut session).map_err(JobError::BeforeSecret)?;
        end(session);
        Ok(translate::card(&identity, None))
    }

    fn read_card(&self, reader: &mut Reader, wanted: &Wanted<'_>) -> Result<Reading, JobError> {
        let number = wanted.fields.contains(&Field::IndividualNumber);
        if number && wanted.credential == Credential::VerificationNumberB {
            return Err(JobError::BeforeSecret(CardError::NumberNeedsPin));
        }
        if wanted.credential == Credential::PinOnDevice && !reader.has_keys() {
            return Err(JobError::NoKeys);
        }
        match once_more_with_a_fresh_session(|| self.first_session(reader, wanted))? {
            First::Read(reading) => Ok(reading),
            First::Asked(identity, presence) => {
                let answer = self.answer(&presence, &self.job.patience)?;
                let mut permitted = Some(Permitted::from_answer(answer, wanted.credential)?);
                once_more_with_a_fresh_session(|| {
                    self.second_session(reader, wanted, (&identity, &mut permitted))
                })
            }
        }
    }

    fn first_session(&self, reader: &mut Reader, wanted: &Wanted<'_>) -> Result<First, JobError> {
        let mut session = self.wait_and_begin(reader)?;
        let presence = session.presence();
        self.job.progress(Step::Identifying, None);
        let identity = identify(&mut session).map_err(JobError::BeforeSecret)?;
        let facts = translate::card(&identity, Some(wanted.today));
        self.job.progress(Step::Identifying, Some(facts));
        prepare_keys(&mut session, wanted.credential)?;
        let (application, tries_left) = count_tries(&mut session, wanted.credential)?;
        self.job
            .ask(translate::question(wanted.credential, tries_left));
        let Some(answer) = self.immediate_answer(&presence)? else {
            end(session);
            return Ok(First::Asked(identity, presence));
        };
        let permitted = Permitted::from_answer(answer, wanted.credential)?;
        let opened = permitted.open(application, wanted.credential)?;
        let reading = self.read_opened(opened, wanted, &identity)?;
        end(session);
        Ok(First::Read(reading))
    }

    /// The secret is taken when it is sent, so that nothing can send it again.
    fn second_session(
        &self,
        reader: &mut Reader,
        wanted: &Wanted<'_>,
        (shown, permitted): (&CardIdentity, &mut Option<Permitted>),
    ) -> Result<Reading, JobError> {
        let mut session = reader
            .begin(&self.job.patience, self.recorder())
            .map_err(|error| {
                if error == BeginError::NoCard {
                    JobError::LiftedWhileAsked
                } else {
                    JobError::Begin(error)
                }
            })?;
        let identity = identify(&mut session).map_err(JobError::BeforeSecret)?;
        if identity.serial != shown.serial {
            return Err(JobError::OtherCard);
        }
        prepare_keys(&mut session, wanted.credential)?;
        let (application, _tries_left) = count_tries(&mut session, wanted.credential)?;
        let permitted = permitted.take().ok_or(JobError::Unanswered)?;
        let opened = permitted.open(application, wanted.credential)?;
        let reading = self.read_opened(opened, wanted, &identity)?;
        end(session);
        Ok(reading)
    }

    fn wait_and_begin<'reader>(
        &self,
        reader: &'reader mut Reader,
    ) -> Result<Session<'reader>, JobError> {
        if !reader.has_card() {
            self.job.progress(Step::WaitingForCard, None);
        }
        reader
            .begin_with_next_card(&self.job.patience, self.recorder())
            .map_err(JobError::Begin)
    }

    /// Reads and proves what the job asked for, and nothing else.
    fn read_opened(
        &self,
        mut opened: OpenedTextAp<'_>,
        wanted: &Wanted<'_>,
        identity: &CardIdentity,
    ) -> Result<Reading, JobError> {
        self.job.progress(Step::Reading, None);
        let attributes = if wanted.fields.contains(&Field::FourAttributes) {
            Some(opened.four_attributes().map_err(JobError::AfterSecret)?)
        } else {
            None
        };
        let individual_number = if wanted.fields.contains(&Field::IndividualNumber) {
            Some(opened.individual_number().map_err(JobError::AfterSecret)?)
        } else {
            None
        };
        self.job.progress(Step::Verifying, None);
        let authenticity = opened
            .prove(&self.tools.anchors, self.challenge()?)
            .map_err(JobError::AfterSecret)?;
        Ok(Reading {
            card: translate::card(identity, Some(wanted.today)),
            notices: attributes
                .as_ref()
                .map(translate::notices)
                .unwrap_or_default(),
            attributes: attributes.as_ref().map(translate::attributes),
            individual_number: individual_number.as_ref().map(translate::secret),
            authenticity: translate::authenticity(authenticity),
        })
    }

    fn challenge(&self) -> Result<Challenge, JobError> {
        let mut bytes = [0; 32];
        self.tools
            .random
            .fill(&mut bytes)
            .map_err(|_unspecified| JobError::NoRandomness)?;
        Ok(Challenge::new(bytes))
    }

    /// The answer, if it was supplied with the job.
    fn immediate_answer(&self, presence: &Presence) -> Result<Option<Answer>, JobError> {
        let patience = &self.job.patience;
        let soon = Deadline::at(self.tools.clock.now().plus(ANSWER_IS_IMMEDIATE));
        match self.answer(presence, &patience.no_later_than(soon)) {
            Err(JobError::Stopped(Stop::Deadline)) if patience.check().is_ok() => Ok(None),
            Err(error) => Err(error),
            Ok(answer) => Ok(Some(answer)),
        }
    }

    /// Waits for the person, for as long as the card stays.
    fn answer(&self, presence: &Presence, patience: &Patience) -> Result<Answer, JobError> {
        presence
            .attend(patience, || self.job.take_answer())
            .map_err(|error| {
                if let BeginError::Stopped(stop) = error {
                    JobError::Stopped(stop)
                } else if error == BeginError::NoCard {
                    JobError::LiftedWhileAsked
                } else {
                    JobError::LostWhileAsked(error)
                }
            })
    }

    fn recorder(&self) -> Option<Recorder> {
        self.tools
            .recordings
            .as_ref()
            .and_then(|recordings| recordings.begin(self.job.id))
    }
}

/// Has the reader take the PIN, where it is to be typed there: from then on, none is sent from here.
fn prepare_keys(session: &mut Session<'_>, credential: Credential) -> Result<(), JobError> {
    if credential != Credential::PinOnDevice {
        return Ok(());
    }
    let attempt = Attempt::Verify;
    match session.take_pins_from_keys() {
        Ok(true) => Ok(()),
        Ok(false) => Err(JobError::NoKeys),
        Err(source) => Err(JobError::BeforeSecret(CardError::Channel {
            attempt,
            source,
        })),
    }
}

/// Selects the application and reads the retry counter; a blocked secret is not even asked for.
fn count_tries<'session>(
    session: &'session mut Session<'_>,
    credential: Credential,
) -> Result<(TextAp<'session>, u8), JobError> {
    let mut application = TextAp::select(session).map_err(JobError::BeforeSecret)?;
    match application.tries_left(translate::secret_kind(credential)) {
        Ok(Tries::Left(tries_left)) => Ok((application, tries_left)),
        Ok(Tries::Blocked) => Err(JobError::Blocked),
        Err(error) => Err(JobError::BeforeSecret(error)),
    }
}

/// A secret, and whether the last try may be spent on it.
struct Permitted {
    secret: Secret,
    last_try: LastTry,
}

impl Permitted {
    fn from_answer(answer: Answer, credential: Credential) -> Result<Self, JobError> {
        let on_device = credential == Credential::PinOnDevice;
        let (secret, last_try_allowed) = match answer {
            Answer::Secret {
                value,
                last_try_allowed,
            } if !on_device => (value.expose().as_bytes().to_vec(), last_try_allowed),
            // As many places as the PIN has digits; the reader fills them in, and these never leave the host.
            Answer::EnterOnDevice { last_try_allowed } if on_device => {
                (b"0000".to_vec(), last_try_allowed)
            }
            Answer::Secret { .. } | Answer::EnterOnDevice { .. } => {
                return Err(JobError::AnswerUnfit);
            }
            Answer::Declined => return Err(JobError::Declined),
            Answer::TimedOut => return Err(JobError::Unanswered),
        };
        Ok(Self {
            secret: Secret::new(secret),
            last_try: if last_try_allowed {
                LastTry::Allowed
            } else {
                LastTry::NotAllowed
            },
        })
    }

    /// Has the card verify the secret, which is gone then, whatever the outcome.
    fn open(
        self,
        application: TextAp<'_>,
        credential: Credential,
    ) -> Result<OpenedTextAp<'_>, JobError> {
        application
            .verify(
                translate::secret_kind(credential),
                self.secret,
                self.last_try,
            )
            .map_err(|error| refusal(error, credential))
    }
}

/// What became of a PIN; on a reader's keys a person may have typed none.
fn refusal(error: VerifyError, credential: Credential) -> JobError {
    let status = if let VerifyError::Card(CardError::Refused {
        attempt: Attempt::Verify,
        status,
    }) = &error
    {
        Some(*status).filter(|_| credential == Credential::PinOnDevice)
    } else {
        None
    };
    match status {
        Some(NOBODY_TYPED) => JobError::Unanswered,
        Some(CANCELLED_AT_KEYS) => JobError::Declined,
        Some(_) | None => JobError::Verify(error),
    }
}

/// Powers the card off. What was read stays true where that fails, so it is no failure of the job.
fn end(session: Session<'_>) {
    if let Err(error) = session.finish() {
        tracing::warn!(%error, "card could not be powered off");
    }
}
