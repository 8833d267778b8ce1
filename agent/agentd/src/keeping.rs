//! Documents that come of jobs: named, measured, and told to pages.

use agent_api::document::KeptDocument;
use agent_core::event::{DocumentFacts, NewDocument};
use agent_core::ids::DocumentId;
use agent_core::{DOCUMENT_LIFE, Sealed};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::parcel::{Content, Parcel};
use crate::translate::api::millis;

/// Names that nobody can guess.
#[derive(Debug)]
pub struct NameSource(SystemRandom);

impl Default for NameSource {
    fn default() -> Self {
        Self(SystemRandom::new())
    }
}

impl NameSource {
    /// 128 random bits as text; `None` where the operating system has none to give.
    fn draw(&self) -> Option<DocumentId> {
        let mut bytes = [0; 16];
        self.0.fill(&mut bytes).ok()?;
        Some(DocumentId::new(URL_SAFE_NO_PAD.encode(bytes)))
    }
}

/// What is known of a document.
#[must_use]
pub fn facts(role: &'static str, content: &Content) -> DocumentFacts {
    DocumentFacts {
        role,
        media_type: content.media_type.clone(),
        length: u64::try_from(content.bytes.len()).unwrap_or(u64::MAX),
        sha256: sha256(&content.bytes),
    }
}

/// A document as pages are told of it.
#[must_use]
pub fn told(id: &DocumentId, facts: &DocumentFacts) -> KeptDocument {
    KeptDocument {
        id: id.as_str().to_owned(),
        role: facts.role.to_owned(),
        media_type: facts.media_type.clone(),
        length: facts.length,
        sha256: hex::encode(facts.sha256),
        expires_in_ms: millis(DOCUMENT_LIFE),
    }
}

/// Names a document that came of a job: as the page is told, and as the core keeps it.
#[must_use]
pub fn keep(
    role: &'static str,
    content: Content,
    names: &NameSource,
) -> Option<(KeptDocument, NewDocument<Parcel>)> {
    let id = names.draw()?;
    let facts = facts(role, &content);
    let kept = told(&id, &facts);
    let content = Sealed::new(Parcel::Content(content));
    Some((kept, NewDocument { id, facts, content }))
}

/// SHA-256 of a task as it was handed in, to tell one order from another.
#[must_use]
pub fn digest_of(task: &agent_api::job::Task) -> [u8; 32] {
    let text = serde_json::to_vec(task).map(Zeroizing::new);
    sha256(
        text.as_ref()
            .map(|text| text.as_slice())
            .unwrap_or_default(),
    )
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut copy = [0; 32];
    let found = digest(&SHA256, bytes);
    for (to, from) in copy.iter_mut().zip(found.as_ref()) {
        *to = *from;
    }
    copy
}
