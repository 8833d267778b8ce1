//! The agent's own key, made at the first start, and the proof that it signs with it.
//!
//! Another local program can sit on the agent's port before the agent does; the page's backend tells the
//! two apart by a signed challenge (defence D10).
//! Invariant: the private key exists in this process and in one file that only the agent's user can read.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agent_api::hello::{Proof, ProofRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use device_api::FaultCode;
use ring::rand::SecureRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::origin::Origin;
use crate::refusal::Refusal;
use crate::state_dir::StateDir;

/// The file in the state folder.
const KEY_FILE: &str = "agent-key.pk8";
/// What a proof's signature begins with, so that it can never be taken for one over anything else.
const PROOF_CONTEXT: &[u8] = b"madoguchi-agent-proof-v1\0";

/// Who this agent is.
#[derive(Debug, Clone)]
pub struct Identity {
    agent_id: String,
    key: Arc<Ed25519KeyPair>,
}

/// The key can be neither read nor made.
#[derive(Debug, Error)]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error("cannot use the key file {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file holds no key. It is never replaced by itself: the agent would become another one.
    #[error("{path} holds no Ed25519 key; restore it, or remove it to make this a new agent")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The operating system gives no randomness.
    #[error("no randomness for a new key")]
    NoRandomness,
}

impl Identity {
    /// Reads the key, or makes it at the first start.
    ///
    /// # Errors
    /// See [`IdentityError`].
    pub fn open(
        agent_id: String,
        dir: &StateDir,
        random: &dyn SecureRandom,
    ) -> Result<Self, IdentityError> {
        let path = dir.path().join(KEY_FILE);
        let document = match std::fs::read(&path) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(dir, &path, random)?,
            Err(source) => return Err(IdentityError::File { path, source }),
        };
        let key = Ed25519KeyPair::from_pkcs8(&document)
            .map_err(|_rejected| IdentityError::Damaged { path })?;
        Ok(Self {
            agent_id,
            key: Arc::new(key),
        })
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// The private key, for the thread that signs the heads of the audit log.
    #[must_use]
    pub fn key(&self) -> Arc<Ed25519KeyPair> {
        Arc::clone(&self.key)
    }

    /// Answers a challenge of a page of `origin`.
    ///
    /// # Errors
    /// `DOR-SCHEMA` where the challenge is not 32 bytes: a chosen text of another length could be a
    /// message with a meaning of its own.
    pub fn prove(&self, request: &ProofRequest, origin: &Origin) -> Result<Proof, Refusal> {
        let challenge = URL_SAFE_NO_PAD
            .decode(&request.challenge)
            .unwrap_or_default();
        if challenge.len() != 32 {
            let refusal = Refusal::new(FaultCode::DoorSchema);
            return Err(refusal.about("challenge: 32 bytes as base64url without padding"));
        }
        let message = [PROOF_CONTEXT, origin.as_str().as_bytes(), b"\0", &challenge].concat();
        Ok(Proof {
            agent: self.agent_id.clone(),
            public_key: URL_SAFE_NO_PAD.encode(self.public_key()),
            signature: URL_SAFE_NO_PAD.encode(self.key.sign(&message)),
        })
    }
}

fn make(
    dir: &StateDir,
    path: &Path,
    random: &dyn SecureRandom,
) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
    let document = Ed25519KeyPair::generate_pkcs8(random)
        .map_err(|_unspecified| IdentityError::NoRandomness)?;
    let bytes = Zeroizing::new(document.as_ref().to_vec());
    dir.replace(KEY_FILE, &bytes)
        .map_err(|source| IdentityError::File {
            path: path.to_owned(),
            source,
        })?;
    tracing::info!(path = %path.display(), "made a new agent key");
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use agent_api::hello::ProofRequest;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::{Identity, IdentityError, KEY_FILE};
    use crate::origin::Origin;
    use crate::state_dir::StateDir;

    fn open(dir: &StateDir) -> Result<Identity, IdentityError> {
        Identity::open("agent".to_owned(), dir, &SystemRandom::new())
    }

    #[test]
    fn the_key_is_made_once_and_kept() {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(temp.path()).unwrap();
        let first = open(&dir).unwrap().public_key().to_vec();
        assert_eq!(open(&dir).unwrap().public_key(), first);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_the_key() {
        use std::os::unix::fs::PermissionsExt as _;

        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(temp.path()).unwrap();
        open(&dir).unwrap();
        let mode = std::fs::metadata(temp.path().join(KEY_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o7777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_never_replaced() {
        let temp = tempfile::tempdir().unwrap();
        let dir = StateDir::open(temp.path()).unwrap();
        std::fs::write(temp.path().join(KEY_FILE), b"torn").unwrap();
        assert!(matches!(open(&dir), Err(IdentityError::Damaged { .. })));
        assert_eq!(std::fs::read(temp.path().join(KEY_FILE)).unwrap(), b"torn");
    }

    #[test]
    fn a_proof_verifies_for_its_origin_only() {
        let temp = tempfile::tempdir().unwrap();
        let identity = open(&StateDir::open(temp.path()).unwrap()).unwrap();
        let request = ProofRequest {
            challenge: URL_SAFE_NO_PAD.encode([9; 32]),
        };
        let proof = identity
            .prove(&request, &Origin::parse("https://a.test").unwrap())
            .unwrap();
        let signature = URL_SAFE_NO_PAD.decode(proof.signature).unwrap();
        let public = URL_SAFE_NO_PAD.decode(proof.public_key).unwrap();
        let verify = |origin: &str| {
            let message = [
                b"madoguchi-agent-proof-v1\0",
                origin.as_bytes(),
                b"\0",
                &[9; 32],
            ]
            .concat();
            UnparsedPublicKey::new(&ED25519, &public)
                .verify(&message, &signature)
                .is_ok()
        };
        assert!(verify("https://a.test") && !verify("https://b.test"));
    }

    #[test]
    fn a_challenge_of_another_length_is_refused() {
        let temp = tempfile::tempdir().unwrap();
        let identity = open(&StateDir::open(temp.path()).unwrap()).unwrap();
        let request = ProofRequest {
            challenge: URL_SAFE_NO_PAD.encode([9; 31]),
        };
        assert!(
            identity
                .prove(&request, &Origin::parse("https://a.test").unwrap())
                .is_err()
        );
    }
}
