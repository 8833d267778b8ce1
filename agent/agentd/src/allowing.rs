//! Which driver hosts of other vendors may start: those whose every file is what a listed publisher signed.
//!
//! ```text
//! manifest + signature -> publisher's key -> names and digests of program and files
//! each file -> copied into a private folder while it is digested -> compared -> started from there
//! ```
//! Invariants: nothing runs that was not digested here, because what runs is the copy that was made in
//! the same pass; a difference leaves no copy behind; this is done before every start, restarts included.
//! Not covered: what the program loads without being listed (the system's libraries, an interpreter's own
//! modules), and whoever can already write as the agent's user.
//! `docs/vendor-drivers.md` tells operators and vendors the same.

use std::fs::{File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::path::{Component, Path, PathBuf};

use device_api::FaultCode;
use ring::digest::{Context, SHA256};
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;
use thiserror::Error;

use crate::platform;

/// The largest manifest that is read, in bytes.
const MAX_MANIFEST: u64 = 1024 * 1024;
/// The largest file of a driver host, in bytes.
const MAX_FILE: u64 = 1024 * 1024 * 1024;
/// The number of the manifest's shape.
const FORMAT: u32 = 1;
const CHUNK: usize = 64 * 1024;

/// A driver host of another vendor, as the configuration lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vendor {
    /// Its name; the ids of its devices begin with it and a colon.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments; one that is a listed file becomes the copy's path.
    pub args: Vec<String>,
    /// Every other file that the program loads.
    pub files: Vec<PathBuf>,
    /// What the publisher signed.
    pub manifest: PathBuf,
    /// The signature, 64 bytes.
    pub signature: PathBuf,
    /// Who must have signed.
    pub publisher: Publisher,
    /// The folder of the copies, of the agent's user alone.
    pub folder: PathBuf,
}

/// Somebody whose driver hosts may start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// For logs.
    pub name: String,
    /// The Ed25519 public key.
    pub public_key: [u8; 32],
}

/// A command line all of whose files were verified.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The program's copy.
    pub program: PathBuf,
    /// The arguments.
    pub args: Vec<String>,
    /// The folder to start it in.
    pub folder: PathBuf,
}

/// Why a driver host is not started.
#[derive(Debug, Error)]
pub enum NotAllowed {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The signature is of somebody else, or the manifest was changed after it was signed.
    #[error("{manifest} is not signed by {publisher}")]
    Signature {
        /// The manifest.
        manifest: PathBuf,
        /// Who should have signed.
        publisher: String,
    },
    /// What was signed is no manifest of a known shape.
    #[error("{path} is no manifest of format {FORMAT}")]
    Malformed {
        /// The manifest.
        path: PathBuf,
    },
    /// The manifest is of another driver.
    #[error("the manifest is of the driver {found:?}")]
    OtherDriver {
        /// Which.
        found: String,
    },
    /// The configuration names a file that was not signed.
    #[error("{path} is not in the manifest")]
    NotInManifest {
        /// The file.
        path: PathBuf,
    },
    /// The manifest names a file that the configuration does not.
    #[error("the manifest names {path:?}, which the configuration does not")]
    NotConfigured {
        /// The file, as the manifest has it.
        path: String,
    },
    /// A file is not what was signed.
    #[error("{path} differs: signed {signed}, found {found}")]
    Changed {
        /// The file.
        path: PathBuf,
        /// The digest in the manifest.
        signed: String,
        /// The digest of what is there.
        found: String,
    },
    /// No private copy can be made.
    #[error("cannot copy into {path}")]
    Copy {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl NotAllowed {
    /// The fault's code.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        FaultCode::HostNotAllowed
    }
}

/// What a publisher signs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: u32,
    name: String,
    vendor: String,
    version: String,
    program: Entry,
    files: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// The end of the path, such as `lib/reader.py`: where it is installed is the operator's business.
    path: String,
    sha256: String,
}

impl Vendor {
    /// Verifies everything and makes the copies. Reads and writes files for as long as that takes.
    ///
    /// # Errors
    /// Names the first thing that differs; no copy is left then.
    pub fn verify(&self) -> Result<Allowed, NotAllowed> {
        self.clear()?;
        let allowed = self.signed_manifest().and_then(|manifest| {
            tracing::info!(
                driver = self.name,
                vendor = manifest.vendor,
                version = manifest.version,
                "the manifest of a vendor's driver host is signed"
            );
            self.copy_all(&manifest)
        });
        if allowed.is_err() {
            self.clear()?;
        }
        allowed
    }

    fn signed_manifest(&self) -> Result<Manifest, NotAllowed> {
        let text = read_small(&self.manifest)?;
        let signature = read_small(&self.signature)?;
        let key = UnparsedPublicKey::new(&ED25519, self.publisher.public_key);
        key.verify(&text, &signature)
            .map_err(|_unspecified| NotAllowed::Signature {
                manifest: self.manifest.clone(),
                publisher: self.publisher.name.clone(),
            })?;
        let malformed = || NotAllowed::Malformed {
            path: self.manifest.clone(),
        };
        let manifest: Manifest =
            serde_json::from_slice(&text).map_err(|_signed_nonsense| malformed())?;
        if manifest.format != FORMAT {
            return Err(malformed());
        }
        if manifest.name != self.name {
            return Err(NotAllowed::OtherDriver {
                found: manifest.name,
            });
        }
        Ok(manifest)
    }

    fn copy_all(&self, manifest: &Manifest) -> Result<Allowed, NotAllowed> {
        if !self.program.ends_with(&manifest.program.path) {
            return Err(NotAllowed::NotInManifest {
                path: self.program.clone(),
            });
        }
        let program = self.copy(&self.program, &manifest.program)?;
        let mut left: Vec<&Entry> = manifest.files.iter().collect();
        let mut args = self.args.clone();
        for file in &self.files {
            let place = left.iter().position(|entry| file.ends_with(&entry.path));
            let entry = place
                .map(|place| left.swap_remove(place))
                .ok_or_else(|| NotAllowed::NotInManifest { path: file.clone() })?;
            let copy = self.copy(file, entry)?;
            for arg in args.iter_mut().filter(|arg| Path::new(arg) == file) {
                *arg = copy.display().to_string();
            }
        }
        if let Some(entry) = left.first() {
            return Err(NotAllowed::NotConfigured {
                path: entry.path.clone(),
            });
        }
        Ok(Allowed {
            program,
            args,
            folder: self.folder.clone(),
        })
    }

    /// Copies and digests in one pass, so that nobody can change the file between the two. Folders are
    /// kept, so that files find each other beside themselves.
    fn copy(&self, from: &Path, entry: &Entry) -> Result<PathBuf, NotAllowed> {
        let names = from
            .components()
            .filter(|c| matches!(c, Component::Normal(_)));
        let to = self.folder.join(names.collect::<PathBuf>());
        let uncopied = |source| NotAllowed::Copy {
            path: to.clone(),
            source,
        };
        let mut source = Source::open(from)?;
        if let Some(folder) = to.parent() {
            platform::make_private_dir(folder).map_err(uncopied)?;
        }
        let mut copy = platform::private_file().open(&to).map_err(uncopied)?;
        let mut digest = Context::new(&SHA256);
        while let Some(chunk) = source.next()? {
            digest.update(chunk);
            copy.write_all(chunk).map_err(uncopied)?;
        }
        let found = hex::encode(digest.finish());
        if found != entry.sha256 {
            return Err(NotAllowed::Changed {
                path: from.to_owned(),
                signed: entry.sha256.clone(),
                found,
            });
        }
        let mut permissions = source.permissions;
        permissions.set_readonly(true);
        copy.set_permissions(permissions).map_err(uncopied)?;
        Ok(to)
    }

    /// Takes away the copies of the last start.
    fn clear(&self) -> Result<(), NotAllowed> {
        match std::fs::remove_dir_all(&self.folder) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(NotAllowed::Copy {
                path: self.folder.clone(),
                source,
            }),
        }
    }
}

/// A file that is read in pieces, up to [`MAX_FILE`].
struct Source {
    path: PathBuf,
    file: io::Take<File>,
    permissions: Permissions,
    chunk: Vec<u8>,
}

impl Source {
    fn open(path: &Path) -> Result<Self, NotAllowed> {
        let unreadable = |source| NotAllowed::Unreadable {
            path: path.to_owned(),
            source,
        };
        let file = File::open(path).map_err(unreadable)?;
        let facts = file.metadata().map_err(unreadable)?;
        if !facts.is_file() || facts.len() > MAX_FILE {
            return Err(unreadable(io::ErrorKind::InvalidInput.into()));
        }
        Ok(Self {
            path: path.to_owned(),
            file: file.take(MAX_FILE),
            permissions: facts.permissions(),
            chunk: vec![0; CHUNK],
        })
    }

    fn next(&mut self) -> Result<Option<&[u8]>, NotAllowed> {
        let count = self
            .file
            .read(&mut self.chunk)
            .map_err(|source| NotAllowed::Unreadable {
                path: self.path.clone(),
                source,
            })?;
        let chunk = self.chunk.get(..count).unwrap_or_default();
        Ok((count > 0).then_some(chunk))
    }
}

fn read_small(path: &Path) -> Result<Vec<u8>, NotAllowed> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_MANIFEST).read_to_end(&mut bytes));
    read.map_err(|source| NotAllowed::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};
    use tempfile::TempDir;

    use super::*;

    /// An installed driver: a shell script as program, and a file that it loads.
    struct Installed {
        folder: TempDir,
        key: Ed25519KeyPair,
    }

    fn key() -> Ed25519KeyPair {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap()
    }

    fn sha256(bytes: &[u8]) -> String {
        hex::encode(ring::digest::digest(&SHA256, bytes))
    }

    impl Installed {
        fn new() -> Self {
            let installed = Self {
                folder: tempfile::tempdir().unwrap(),
                key: key(),
            };
            installed.write("opt/driver.sh", b". \"$1\"");
            installed.write("opt/lib/said.sh", b"echo signed");
            let entry = |name: &str| {
                let bytes = std::fs::read(installed.path(&format!("opt/{name}"))).unwrap();
                serde_json::json!({"path": name, "sha256": sha256(&bytes)})
            };
            let manifest = serde_json::json!({
                "format": 1, "name": "acme", "vendor": "Acme", "version": "1.0",
                "program": entry("driver.sh"), "files": [entry("lib/said.sh")],
            });
            installed.sign(&manifest);
            installed
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn write(&self, name: &str, bytes: &[u8]) {
            let path = self.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }

        fn sign(&self, manifest: &serde_json::Value) {
            let text = serde_json::to_vec(manifest).unwrap();
            self.write("opt/manifest.sig", self.key.sign(&text).as_ref());
            self.write("opt/manifest.json", &text);
        }

        fn manifest(&self) -> serde_json::Value {
            let text = std::fs::read(self.path("opt/manifest.json")).unwrap();
            serde_json::from_slice(&text).unwrap()
        }

        fn vendor(&self) -> Vendor {
            let said = self.path("opt/lib/said.sh");
            Vendor {
                name: "acme".to_owned(),
                program: self.path("opt/driver.sh"),
                args: vec![said.display().to_string()],
                files: vec![said],
                manifest: self.path("opt/manifest.json"),
                signature: self.path("opt/manifest.sig"),
                publisher: Publisher {
                    name: "acme-release".to_owned(),
                    public_key: self.key.public_key().as_ref().try_into().unwrap(),
                },
                folder: self.path("state/vendor/acme"),
            }
        }

        /// Why it may not start; nothing of it is left where it could be run from.
        fn refusal(&self) -> String {
            let vendor = self.vendor();
            let refused = vendor.verify().unwrap_err();
            assert!(!vendor.folder.exists());
            assert_eq!(refused.fault().as_str(), "HST-NOT-ALLOWED");
            refused.to_string()
        }
    }

    #[test]
    fn a_driver_as_its_publisher_signed_it_runs_from_a_copy() {
        let installed = Installed::new();
        let allowed = installed.vendor().verify().unwrap();
        assert!(allowed.program.starts_with(installed.path("state")));
        assert!(Path::new(&allowed.args[0]).starts_with(installed.path("state")));
        let facts = std::fs::metadata(&allowed.program).unwrap();
        assert!(facts.permissions().readonly());
        // And again, as after a crash.
        assert_eq!(installed.vendor().verify().unwrap(), allowed);
    }

    #[test]
    fn one_changed_byte_of_any_file_is_refused_and_the_file_named() {
        for name in ["opt/driver.sh", "opt/lib/said.sh"] {
            let installed = Installed::new();
            let mut bytes = std::fs::read(installed.path(name)).unwrap();
            bytes[0] ^= 1;
            installed.write(name, &bytes);
            let refusal = installed.refusal();
            assert!(
                refusal.contains(name) && refusal.contains("differs"),
                "{refusal}"
            );
        }
    }

    #[test]
    fn every_changed_byte_of_manifest_or_signature_is_refused() {
        for name in ["opt/manifest.json", "opt/manifest.sig"] {
            let installed = Installed::new();
            let whole = std::fs::read(installed.path(name)).unwrap();
            for at in 0..whole.len() {
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                installed.write(name, &bytes);
                let refusal = installed.refusal();
                assert!(refusal.contains("not signed by acme-release"), "{refusal}");
            }
        }
    }

    #[test]
    fn a_driver_that_a_stranger_signed_is_refused() {
        let mut installed = Installed::new();
        let listed = installed.vendor().publisher;
        installed.key = key();
        installed.sign(&installed.manifest());
        let vendor = Vendor {
            publisher: listed,
            ..installed.vendor()
        };
        let refused = vendor.verify().unwrap_err();
        assert!(matches!(refused, NotAllowed::Signature { .. }), "{refused}");
    }

    #[test]
    fn a_manifest_and_a_configuration_that_name_different_files_are_refused() {
        let installed = Installed::new();
        let mut more = installed.vendor();
        more.files.push(installed.path("opt/manifest.json"));
        assert!(matches!(
            more.verify(),
            Err(NotAllowed::NotInManifest { .. })
        ));
        let mut fewer = installed.vendor();
        fewer.files.clear();
        assert!(matches!(
            fewer.verify(),
            Err(NotAllowed::NotConfigured { .. })
        ));
        let mut other = installed.vendor();
        other.program = installed.path("opt/lib/said.sh");
        assert!(matches!(
            other.verify(),
            Err(NotAllowed::NotInManifest { .. })
        ));
    }

    #[test]
    fn a_manifest_of_another_driver_or_shape_is_refused() {
        let installed = Installed::new();
        let original = installed.manifest();
        for (key, value, words) in [
            (
                "name",
                serde_json::json!("other"),
                "of the driver \"other\"",
            ),
            ("format", serde_json::json!(2), "no manifest of format 1"),
            ("note", serde_json::json!(""), "no manifest of format 1"),
        ] {
            let mut manifest = original.clone();
            manifest[key] = value;
            installed.sign(&manifest);
            let refusal = installed.refusal();
            assert!(refusal.contains(words), "{refusal}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_swapped_after_the_check_do_not_run() {
        let installed = Installed::new();
        let allowed = installed.vendor().verify().unwrap();
        installed.write("opt/driver.sh", b"echo swapped");
        installed.write("opt/lib/said.sh", b"echo swapped");
        let output = std::process::Command::new("/bin/sh")
            .arg(&allowed.program)
            .args(&allowed.args)
            .output()
            .unwrap();
        assert_eq!(output.stdout, b"signed\n");
    }
}
