//! The test authorities and all other keys: RSA-2048, made once when first needed, kept in a folder.
//!
//! | key | what it is |
//! |---|---|
//! | `ca-text` | authority of the card-surface input application; the only trust anchor that counts |
//! | `ca-common` | authority of the certificate in data object 00F8 |
//! | `municipality` | what `ca-common` certifies |
//! | `signer` | signs holders' data; certified by `ca-text` |
//! | `ca-rogue`, `signer-rogue` | a forger's authority, and the key that it certifies |
//! | `session` | the public key in EF 0006 |
//! | `card-<id>` | the private key of one card |
//!
//! Invariant: a key that others may have seen never changes: two processes that make the same key at
//! the same time end up with the same one.
//!
//! The `rsa` crate's private-key operations leak through timing (RUSTSEC-2023-0071); these keys protect
//! nobody, and nothing outside simulators may use this crate for private keys.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use rsa::rand_core::{OsRng, RngCore};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde::Serialize;
use thiserror::Error;

use crate::certificate::{self, KeyId};

/// Size of every key on the card (cards' files have room for no other).
const BITS: usize = 2048;

/// A folder of keys.
pub struct Pki {
    folder: PathBuf,
    known: Mutex<BTreeMap<String, Arc<RsaPrivateKey>>>,
}

/// Why a key is not to be had.
#[derive(Debug, Error)]
pub enum PkiError {
    /// A file or folder could not be used.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no RSA-2048 key.
    #[error("{path} holds no RSA-2048 private key")]
    NoKey {
        /// Which.
        path: PathBuf,
    },
    /// A key could not be made or used.
    #[error("the key {name} cannot be made or used")]
    Rsa {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: rsa::Error,
    },
}

impl Pki {
    /// The keys in `folder`, which is made when it is not there.
    ///
    /// # Errors
    ///
    /// When the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, PkiError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|source| PkiError::File {
            path: folder.clone(),
            source,
        })?;
        Ok(Self {
            folder,
            known: Mutex::default(),
        })
    }

    /// Writes the authorities' public keys in the form in which trust anchors are configured, and
    /// returns where.
    ///
    /// # Errors
    ///
    /// When a key cannot be made or the file not be written.
    pub fn write_authorities(&self) -> Result<PathBuf, PkiError> {
        let path = self.folder.join("test-ca.json");
        let file = AuthoritiesFile {
            what: "RSA-2048 public keys of the simulator's test authorities",
            provenance: "made by sim-cards on this machine",
            confidence: "simulated cards only; never to be trusted for a real card",
            keys: vec![
                self.authority(
                    "ca-common",
                    certificate::CA_COMMON,
                    "common card data chain",
                )?,
                self.authority(
                    "ca-text",
                    certificate::CA_TEXT,
                    "card-surface input (text) AP",
                )?,
            ],
        };
        let failed = |source| PkiError::File {
            path: path.clone(),
            source,
        };
        let text = serde_json::to_vec_pretty(&file).map_err(|error| failed(error.into()))?;
        replace(&path, &text).map_err(failed)?;
        Ok(path)
    }

    /// The private key of this name.
    pub(crate) fn key(&self, name: &str) -> Result<Arc<RsaPrivateKey>, PkiError> {
        // One at a time: two threads that want the same key would both spend a second making it.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = known.get(name) {
            return Ok(Arc::clone(key));
        }
        let path = self.folder.join(format!("{name}.der"));
        let key = Arc::new(match load(&path)? {
            Some(key) => key,
            None => make(name, &path)?,
        });
        known.insert(name.to_owned(), Arc::clone(&key));
        Ok(key)
    }

    fn authority(
        &self,
        name: &str,
        key_id: KeyId,
        purpose: &'static str,
    ) -> Result<AuthorityKey, PkiError> {
        let key = self.key(name)?;
        Ok(AuthorityKey {
            ca: String::from_utf8_lossy(key_id.first_chunk::<7>().unwrap_or(&[0; 7])).into_owned(),
            generation: "simulated",
            purpose,
            key_id: hex::encode(key_id),
            exponent: format!("{:0>6}", hex::encode(key.e().to_bytes_be())),
            modulus: hex::encode(modulus(&key.to_public_key())),
        })
    }
}

impl fmt::Debug for Pki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pki")
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}

/// The modulus in 256 bytes.
pub(crate) fn modulus(key: &RsaPublicKey) -> Vec<u8> {
    let mut bytes = key.n().to_bytes_be();
    let missing = (BITS / 8).saturating_sub(bytes.len());
    bytes.splice(0..0, std::iter::repeat_n(0, missing));
    bytes
}

fn load(path: &Path) -> Result<Option<RsaPrivateKey>, PkiError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(PkiError::File {
                path: path.to_owned(),
                source,
            });
        }
    };
    RsaPrivateKey::from_pkcs8_der(&bytes)
        .ok()
        .filter(|key| key.size() == BITS / 8)
        .map(Some)
        .ok_or_else(|| PkiError::NoKey {
            path: path.to_owned(),
        })
}

/// Makes a key and publishes it, unless another process was quicker: then its key is taken.
fn make(name: &str, path: &Path) -> Result<RsaPrivateKey, PkiError> {
    tracing::debug!(name, "making a key");
    let failed = |source| PkiError::Rsa {
        name: name.to_owned(),
        source,
    };
    let key = RsaPrivateKey::new(&mut OsRng, BITS).map_err(failed)?;
    let der = key
        .to_pkcs8_der()
        .map_err(|error| failed(rsa::Error::Pkcs8(error)))?;
    let fresh = fresh_name(path);
    let published = write(&fresh, der.as_bytes()).and_then(|()| fs::hard_link(&fresh, path));
    let removed = fs::remove_file(&fresh);
    match published {
        Ok(()) => {
            removed.map_err(|source| PkiError::File {
                path: fresh,
                source,
            })?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            load(path)?.ok_or_else(|| PkiError::NoKey {
                path: path.to_owned(),
            })
        }
        Err(source) => Err(PkiError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = fresh_name(path);
    write(&fresh, content)?;
    fs::rename(&fresh, path)
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(content)?;
    file.sync_data()
}

/// A name beside `path` that no other process uses.
fn fresh_name(path: &Path) -> PathBuf {
    path.with_extension(format!("{:016x}.new", OsRng.next_u64()))
}

/// The shape in which the product takes trust anchors.
#[derive(Serialize)]
struct AuthoritiesFile {
    what: &'static str,
    provenance: &'static str,
    confidence: &'static str,
    keys: Vec<AuthorityKey>,
}

#[derive(Serialize)]
struct AuthorityKey {
    ca: String,
    generation: &'static str,
    #[serde(rename = "use")]
    purpose: &'static str,
    key_id: String,
    exponent: String,
    modulus: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_for_everybody_who_opens_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let keys: Vec<_> = std::thread::scope(|scope| {
            let one = || Pki::open(folder.path()).unwrap().key("signer").unwrap();
            let threads = [scope.spawn(one), scope.spawn(one)];
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap().to_public_key())
                .collect()
        });
        assert_eq!(keys[0], keys[1]);
        let names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(names, ["signer.der"], "nothing half-made stays behind");
    }

    #[test]
    fn a_file_that_is_no_key_is_reported_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signer.der");
        fs::write(&path, b"no key").unwrap();
        let pki = Pki::open(folder.path()).unwrap();
        assert!(matches!(pki.key("signer"), Err(PkiError::NoKey { .. })));
        assert_eq!(fs::read(path).unwrap(), b"no key");
    }
}
