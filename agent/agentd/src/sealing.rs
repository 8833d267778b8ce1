//! Signatures sealed: from what a tablet felt to the container and its exports.
//!
//! It works on a thread of its own, because a document can have many pages.
//! Invariants: what is sealed is exactly what came from the tablet; the key is the agent's own; a container that
//! cannot be made fails the job, an export that cannot be made is left out and named, because nobody can give the
//! same signature again.

use std::sync::Arc;

use agent_api::document::KeptDocument;
use agent_api::job::JobResult;
use agent_api::signature::{ShownPage, SignedSummary, SigningOrder};
use agent_core::Sealed;
use agent_core::effect::AuditOrder;
use agent_core::event::{HostSays, NewDocument};
use agent_core::ids::HostRun;
use agent_core::task::Fault;
use device_api::FaultCode;
use host_protocol as wire;
use ring::signature::Ed25519KeyPair;
use signature::container::{
    self, Device, Document, InkPart, Outcome, Picture, Signer as _, Statement, Times,
};
use signature::{Axis, CapturedBy, ClockSource, Digitizer, Ink, Sample, Turn, inkml};
use thiserror::Error;
use zeroize::Zeroizing;

use self::exporter::Exporter;
pub use self::exporter::Municipality;
use crate::keeping::{self, NameSource};
use crate::parcel::{Content, Parcel};

mod exporter;

/// What is known of a signature from its beginning.
#[derive(Debug)]
pub struct Signing {
    /// What is to be made of it.
    pub order: SigningOrder,
    /// For whom and why.
    pub audit: AuditOrder,
    /// The document.
    pub document: Content,
    /// When it began, in milliseconds since 1970.
    pub begun_at: u64,
}

/// A signature that was given and is not sealed yet.
#[derive(Debug)]
pub struct ToSeal {
    /// The host's job.
    pub of: (HostRun, u64),
    /// What is known from its beginning.
    pub signing: Signing,
    /// What the host says of it.
    pub signature: wire::Signature,
    /// The samples.
    pub samples: Zeroizing<Vec<u8>>,
}

/// What seals.
#[derive(Debug, Clone)]
pub struct Seal {
    /// The agent's id.
    pub agent: String,
    /// The agent's key.
    pub key: Arc<Ed25519KeyPair>,
    /// Who signs the documents, where that is configured.
    pub municipality: Option<Arc<Municipality>>,
}

/// Why a signature cannot be sealed.
#[derive(Debug, Error)]
pub enum SealError {
    /// The samples are no samples.
    #[error("the samples of the driver host cannot be read")]
    Samples,
    /// The host says other things of the samples than they show.
    #[error("the driver host counted {told} samples, and {found} came")]
    Count {
        /// What it said.
        told: u32,
        /// What came.
        found: usize,
    },
    /// A digest is none.
    #[error("a digest of the driver host is none")]
    Digest,
    /// The document that was shown is not the one that was handed in.
    #[error("the driver host showed another document")]
    Document,
    /// The samples are no ink.
    #[error("the samples are no ink")]
    Ink(#[from] signature::InkError),
    /// The statement cannot be made.
    #[error("the statement cannot be made")]
    Statement(#[from] container::StatementError),
    /// The operating system gives no random name.
    #[error("no random name can be had")]
    Name,
}

impl Seal {
    /// Seals a signature of a tablet that stands so; what the core is to hear of it. Blocks while it works.
    #[must_use]
    pub fn seal(&self, to_seal: &ToSeal, turn: Turn, unix_millis: u64) -> HostSays<Parcel> {
        let work = to_seal.of.1;
        match self.try_seal(to_seal, turn, unix_millis) {
            Ok((result, documents, evidence)) => HostSays::Done {
                work,
                verdict: None,
                result: Sealed::new(Parcel::Result(Box::new(result))),
                documents,
                evidence: Some(evidence),
            },
            Err(error) => {
                let code = match error {
                    SealError::Ink(signature::InkError::NothingWritten) => {
                        FaultCode::SignatureEmpty
                    }
                    SealError::Name | SealError::Statement(_) => FaultCode::AgentInternal,
                    SealError::Samples
                    | SealError::Count { .. }
                    | SealError::Digest
                    | SealError::Document
                    | SealError::Ink(_) => FaultCode::HostUnusable,
                };
                tracing::warn!(%error, fault = code.as_str(), "a signature was not sealed");
                HostSays::Failed {
                    work,
                    fault: Fault::from(code),
                    about: None,
                }
            }
        }
    }

    fn try_seal(&self, to_seal: &ToSeal, turn: Turn, unix_millis: u64) -> Result<Made, SealError> {
        let ToSeal {
            signing, signature, ..
        } = to_seal;
        let samples = samples_of(&to_seal.samples, signature.count)?;
        let ink = ink_of(signature, signing, samples)?;
        // What a page felt is measured on its upright picture.
        let by_page = matches!(ink.captured_by(), CapturedBy::Page { .. });
        let ink = ink.turned(if by_page { Turn::None } else { turn });
        let inkml = inkml::write(&ink);
        let statement = self.statement(to_seal, &inkml, unix_millis)?;
        let sealed = Zeroizing::new(container::seal(&statement, &*self.key)?);
        let evidence = container::sha256(&sealed);
        let names = NameSource::default();
        let mut made: Vec<(KeptDocument, NewDocument<Parcel>)> = Vec::new();
        let mut add = |role: &'static str, media_type: &str, bytes| {
            let content = Content {
                media_type: media_type.to_owned(),
                bytes,
            };
            made.push(keeping::keep(role, content, &names).ok_or(SealError::Name)?);
            Ok::<(), SealError>(())
        };
        add("container", "application/cose", sealed.clone())?;
        let exporter = Exporter {
            ink: &ink,
            inkml: &inkml,
            container: &sealed,
            area: &signature.area,
            document: &signing.document.bytes,
            place: signing.order.place.as_ref(),
            municipality: self.municipality.as_deref(),
            unix_millis,
        };
        let mut not_made = Vec::new();
        for export in &signing.order.exports {
            match exporter.make(*export) {
                Ok((role, media_type, bytes)) => add(role, media_type, bytes)?,
                Err(error) => {
                    tracing::warn!(%error, ?export, "an export of a signature was not made");
                    not_made.push(*export);
                }
            }
        }
        let summary = SignedSummary {
            document_sha256: signature.document_sha256.clone(),
            shown: signature.shown.iter().map(shown).collect(),
            ink_sha256: hex::encode(container::sha256(&inkml)),
            device: device_name(&signature.device),
            attempts: signature.attempts,
            samples: [signature.count, signature.lost],
            signed_at: unix_millis,
            sealed_by: hex::encode(self.key.key_id()),
            not_made,
        };
        let (told, kept) = made.into_iter().unzip();
        let result = JobResult::Signature {
            summary,
            documents: told,
        };
        Ok((result, kept, evidence))
    }

    fn statement(
        &self,
        to_seal: &ToSeal,
        inkml: &[u8],
        unix_millis: u64,
    ) -> Result<Statement, SealError> {
        let ToSeal {
            signing, signature, ..
        } = to_seal;
        let source = digest(&signature.document_sha256)?;
        if source != container::sha256(&signing.document.bytes) {
            return Err(SealError::Document);
        }
        let pictures = signature.shown.iter().map(|page| {
            let picture_sha256 = digest(&page.picture_sha256)?;
            let sent = page.sent_sha256.as_deref().map(digest).transpose()?;
            Ok(Picture {
                picture_sha256,
                uploaded_sha256: sent.unwrap_or(picture_sha256),
                shown_ms: page.shown_ms,
            })
        });
        let begun = i64::try_from(signing.begun_at).unwrap_or(i64::MAX);
        let ended = i64::try_from(unix_millis).unwrap_or(i64::MAX);
        let span = unix_millis
            .saturating_sub(signing.begun_at)
            .saturating_mul(1000);
        let audit = &signing.audit;
        Ok(Statement {
            documents: vec![Document {
                title: signing.document.media_type.clone(),
                source_sha256: source,
                pictures: pictures.collect::<Result<_, SealError>>()?,
            }],
            device: Device::of(&digitizer(signature), &captured_by(signature, signing)),
            agent: self.agent.clone(),
            staff: audit.staff.clone(),
            counter: audit.counter.clone(),
            visit: audit.subject.clone().unwrap_or_else(|| "-".to_owned()),
            origin: audit.origin.as_str().to_owned(),
            purpose: audit.purpose.clone(),
            times: Times {
                monotonic_start_us: 0,
                monotonic_end_us: span,
                start_unix_ms: begun,
                end_unix_ms: ended.max(begun),
            },
            attempts: signature.attempts,
            outcome: Outcome::Signed(InkPart::inside(inkml)),
        })
    }
}

type Made = (JobResult, Vec<NewDocument<Parcel>>, [u8; 32]);

fn samples_of(bytes: &[u8], told: u32) -> Result<Vec<Sample>, SealError> {
    let read: Vec<wire::InkSample> =
        serde_json::from_slice(bytes).map_err(|_error| SealError::Samples)?;
    if usize::try_from(told) != Ok(read.len()) {
        let found = read.len();
        return Err(SealError::Count { told, found });
    }
    let one = |sample: wire::InkSample| {
        let wire::InkSample(t_us, x, y, pressure, tilt_x, tilt_y, flags) = sample;
        Some(Sample {
            t_us,
            x,
            y,
            pressure: u16::try_from(pressure).ok()?,
            tilt_x: i16::try_from(tilt_x).ok()?,
            tilt_y: i16::try_from(tilt_y).ok()?,
            tip: flags & 1 != 0,
            in_range: flags & 2 != 0,
            lost_before: u32::from(flags & 4 != 0),
        })
    };
    read.into_iter()
        .map(one)
        .collect::<Option<_>>()
        .ok_or(SealError::Samples)
}

fn ink_of(
    signature: &wire::Signature,
    signing: &Signing,
    samples: Vec<Sample>,
) -> Result<Ink, SealError> {
    let started = i64::try_from(signing.begun_at).unwrap_or(i64::MAX);
    let by = captured_by(signature, signing);
    Ok(Ink::new(digitizer(signature), by, started, samples)?)
}

fn captured_by(signature: &wire::Signature, signing: &Signing) -> CapturedBy {
    match signature.device.clock {
        wire::SampleClock::Page => CapturedBy::Page {
            origin: signing.audit.origin.as_str().to_owned(),
        },
        wire::SampleClock::Device | wire::SampleClock::Host => CapturedBy::Device,
    }
}

fn digitizer(signature: &wire::Signature) -> Digitizer {
    let device = &signature.device;
    let axis = |max| Axis {
        min: 0,
        max,
        units_per_metre: Some(device.milli_units_per_mm).filter(|units| *units > 0),
    };
    Digitizer {
        manufacturer: String::new(),
        model: device.model.clone(),
        serial: device.serial.clone(),
        firmware: device.firmware.clone(),
        x: axis(device.max_x),
        y: axis(device.max_y),
        pressure_max: u16::try_from(device.max_pressure)
            .ok()
            .filter(|max| *max > 0),
        tilt: true,
        nominal_rate_mhz: Some(device.nominal_rate.saturating_mul(1000)).filter(|rate| *rate > 0),
        measured_rate_mhz: Some(signature.measured_milli_rate).filter(|rate| *rate > 0),
        clock: match device.clock {
            wire::SampleClock::Device => ClockSource::Device,
            wire::SampleClock::Host => ClockSource::Host,
            wire::SampleClock::Page => ClockSource::Page,
        },
    }
}

fn device_name(device: &wire::InkDevice) -> String {
    let parts = [device.model.as_str(), device.serial.as_str()];
    let named: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    named.join(" ")
}

fn shown(page: &wire::ShownPage) -> ShownPage {
    ShownPage {
        page: page.page,
        picture_sha256: page.picture_sha256.clone(),
        shown_ms: page.shown_ms,
    }
}

fn digest(text: &str) -> Result<[u8; 32], SealError> {
    let bytes = hex::decode(text).map_err(|_error| SealError::Digest)?;
    bytes.try_into().map_err(|_bytes| SealError::Digest)
}

#[cfg(test)]
mod tests;
