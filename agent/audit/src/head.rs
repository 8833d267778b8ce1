//! The head: which record is the newest, signed by the agent.
//!
//! Two files are written in turn, so that a power loss while one is being written leaves the other.
//! Invariant: a head is written only after the record that it names is on the disk.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::FORMAT;
use crate::platform::private_file;
use crate::record::Hash;

/// The agent's key, which signs heads and never leaves its owner.
pub trait HeadSigner: Send + std::fmt::Debug {
    /// The Ed25519 public key.
    fn public_key(&self) -> [u8; 32];

    /// Ed25519 over `message`.
    fn sign(&self, message: &[u8]) -> [u8; 64];
}

impl HeadSigner for Ed25519KeyPair {
    fn public_key(&self) -> [u8; 32] {
        copied(KeyPair::public_key(self).as_ref())
    }

    fn sign(&self, message: &[u8]) -> [u8; 64] {
        copied(Ed25519KeyPair::sign(self, message).as_ref())
    }
}

/// A head, as it stands in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    format: u32,
    /// The newest record; 0 for an empty log.
    pub(crate) seq: u64,
    /// The SHA-256 of its line.
    hash: String,
    /// When the head was signed.
    time: String,
    /// The public key.
    key: String,
    signature: String,
}

/// What one of the two files holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// There is no such file.
    Absent,
    /// No head, or one whose signature does not fit.
    Damaged,
    /// A head of a newer format.
    Newer(u32),
    /// A head that is signed by the key that it names.
    Signed(Head),
}

impl Head {
    /// Signs a head.
    pub(crate) fn sign(seq: u64, hash: &Hash, time: &str, signer: &dyn HeadSigner) -> Self {
        let hash = hex::encode(hash);
        let signature = signer.sign(&message(seq, &hash, time));
        Self {
            format: FORMAT,
            seq,
            hash,
            time: time.to_owned(),
            key: hex::encode(signer.public_key()),
            signature: hex::encode(signature),
        }
    }

    /// Whether it names this line.
    pub(crate) fn names(&self, hash: &Hash) -> bool {
        self.hash == hex::encode(hash)
    }

    /// Whether this key signed it.
    pub(crate) fn is_by(&self, key: &[u8; 32]) -> bool {
        self.key == hex::encode(key)
    }

    /// The key that signed it, in hexadecimal digits.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Writes it into the file whose turn it is, and leaves syncing to the caller.
    pub(crate) fn write(&self, directory: &Path) -> io::Result<fs::File> {
        self.write_into(directory, self.seq % 2)
    }

    /// Writes it into one of the two files.
    pub(crate) fn write_into(&self, directory: &Path, slot: u64) -> io::Result<fs::File> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        let path = slot_path(directory, slot);
        // In place: a file of this size stays where it is on the disk, and a full disk has room for it.
        let mut file = private_file()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.write_all(&bytes)?;
        file.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        Ok(file)
    }

    fn is_signed(&self) -> bool {
        let (Ok(key), Ok(signature)) = (hex::decode(&self.key), hex::decode(&self.signature))
        else {
            return false;
        };
        // Capital digits would say the same in other bytes.
        if hex::encode(&key) != self.key || hex::encode(&signature) != self.signature {
            return false;
        }
        let message = message(self.seq, &self.hash, &self.time);
        UnparsedPublicKey::new(&ED25519, key)
            .verify(&message, &signature)
            .is_ok()
    }
}

/// Reads both files.
pub(crate) fn read_slots(directory: &Path) -> io::Result<[Slot; 2]> {
    Ok([
        read_slot(&slot_path(directory, 0))?,
        read_slot(&slot_path(directory, 1))?,
    ])
}

/// The newest of the signed heads.
pub(crate) fn newest(slots: &[Slot; 2]) -> Option<&Head> {
    signed(slots).max_by_key(|head| head.seq)
}

/// All signed heads.
pub(crate) fn signed(slots: &[Slot; 2]) -> impl Iterator<Item = &Head> {
    slots.iter().filter_map(|slot| match slot {
        Slot::Signed(head) => Some(head),
        Slot::Absent | Slot::Damaged | Slot::Newer(_) => None,
    })
}

fn read_slot(path: &Path) -> io::Result<Slot> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Slot::Absent),
        Err(error) => return Err(error),
    };
    #[derive(Deserialize)]
    struct Numbered {
        format: u32,
    }
    if let Ok(numbered) = serde_json::from_slice::<Numbered>(&bytes)
        && numbered.format > FORMAT
    {
        return Ok(Slot::Newer(numbered.format));
    }
    let Ok(head) = serde_json::from_slice::<Head>(&bytes) else {
        return Ok(Slot::Damaged);
    };
    // One head has one form, so that a byte cannot be changed without being noticed.
    let mut canonical = serde_json::to_vec(&head)?;
    canonical.push(b'\n');
    let ours = head.format == FORMAT && canonical == bytes && head.is_signed();
    Ok(if ours {
        Slot::Signed(head)
    } else {
        Slot::Damaged
    })
}

fn slot_path(directory: &Path, slot: u64) -> PathBuf {
    directory.join(format!("head-{slot}.json"))
}

/// What is signed. Lines of text, so that a shell can make the same.
fn message(seq: u64, hash: &str, time: &str) -> Vec<u8> {
    format!("madoguchi-audit-head-v1\n{seq}\n{hash}\n{time}\n").into_bytes()
}

fn copied<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut copy = [0; N];
    for (to, from) in copy.iter_mut().zip(bytes) {
        *to = *from;
    }
    copy
}
