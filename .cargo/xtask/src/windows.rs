//! `cargo xtask windows --check`: builds drivers and agent for `x86_64-pc-windows-gnu`.
//!
//! The toolchain of most machines has no standard library for Windows.
//! Debian has a newer Rust compiler with the library's source; both are unpacked under
//! `target/windows`, nothing of them is installed, and the library is built once.
//! Delete that folder to begin anew.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::packages;
use crate::run::{cargo, command, must, root};

const TARGET: &str = "x86_64-pc-windows-gnu";

/// The crates that must build; simulators and tests run on Linux.
const CRATES: [&str; 19] = [
    "agent-api",
    "agent-core",
    "agentd",
    "audit",
    "conformance",
    "device-api",
    "document",
    "driver-host",
    "driver-template",
    "handover",
    "host-protocol",
    "idcards",
    "keystroke",
    "link",
    "printer",
    "scanner",
    "signature",
    "smartcard",
    "tablet",
];

/// Builds for Windows.
pub(crate) fn check() -> anyhow::Result<ExitCode> {
    packages::ensure(packages::WINDOWS)?;
    let folder = root().join("target/windows");
    let compiler = Compiler { folder: &folder };
    if !compiler.is_complete() {
        compiler.unpack()?;
        compiler.write_wrapper()?;
        compiler.build_standard_library()?;
    }
    let crates: Vec<&str> = CRATES.iter().flat_map(|name| ["--package", name]).collect();
    let mut build = cargo(&[&["build", "--target", TARGET], crates.as_slice()].concat());
    build
        .env("RUSTC", compiler.wrapper())
        .env("CARGO_TARGET_DIR", folder.join("build"));
    must(build)?;
    println!("{} crates build for {TARGET}", CRATES.len());
    Ok(ExitCode::SUCCESS)
}

/// The unpacked compiler.
struct Compiler<'a> {
    folder: &'a Path,
}

impl Compiler<'_> {
    fn wrapper(&self) -> PathBuf {
        self.folder.join("rustc")
    }

    fn unpacked(&self) -> PathBuf {
        self.folder.join("root")
    }

    fn library_folder(&self) -> PathBuf {
        self.unpacked()
            .join("usr/lib/rustlib")
            .join(TARGET)
            .join("lib")
    }

    /// The library is copied last, so it stands for all that comes before.
    fn is_complete(&self) -> bool {
        self.wrapper().exists() && self.library_folder().join("complete").exists()
    }

    fn unpack(&self) -> anyhow::Result<()> {
        let archives = self.folder.join("packages");
        fs::create_dir_all(archives.join("partial"))?;
        fs::create_dir_all(self.unpacked())?;
        println!(
            "fetching Debian's rustc-web and rust-web-src into {}",
            archives.display()
        );
        let cache = format!("Dir::Cache::archives={}", archives.display());
        must(packages::as_root(&["apt-get", "update", "--quiet=2"]))?;
        let fetch = [
            "apt-get",
            "install",
            "--yes",
            "--quiet=2",
            "--no-install-recommends",
        ];
        let what = [
            "--download-only",
            "--option",
            &cache,
            "rustc-web",
            "rust-web-src",
        ];
        must(packages::as_root(&[&fetch[..], &what].concat()))?;
        for archive in fs::read_dir(&archives)? {
            let path = archive?.path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                self.unpack_one(&path)?;
            }
        }
        fs::remove_dir_all(archives)?;
        Ok(())
    }

    fn unpack_one(&self, archive: &Path) -> anyhow::Result<()> {
        let (archive, root) = (path_text(archive)?, self.unpacked());
        let root = path_text(&root)?;
        if !archive.contains("rust-web-src") {
            return must(command("dpkg", &["--extract", archive, root]));
        }
        // Of the source only the library is needed; the rest is several hundred megabytes.
        let script = "dpkg-deb --fsys-tarfile \"$1\" | tar --extract --directory \"$2\" \
                      --wildcards './usr/src/rustc-*/library' './usr/lib/rustlib/src*'";
        must(command(
            "bash",
            &["-euo", "pipefail", "-c", script, "bash", archive, root],
        ))
    }

    /// The compiler finds its own libraries only when it is told where they are.
    fn write_wrapper(&self) -> anyhow::Result<()> {
        let root = self.unpacked();
        let root = path_text(&root)?;
        let script = format!(
            "#!/bin/sh\n\
             LD_LIBRARY_PATH=\"{root}/usr/lib/x86_64-linux-gnu\" exec \"{root}/usr/bin/rustc\" \"$@\"\n"
        );
        fs::write(self.wrapper(), script)?;
        fs::set_permissions(self.wrapper(), fs::Permissions::from_mode(0o755))?;
        must(command(path_text(&self.wrapper())?, &["--version"]))
    }

    /// Builds the standard library as the compiler's own build does, so that its parts fit together.
    fn build_standard_library(&self) -> anyhow::Result<()> {
        let build = self.folder.join("standard-library");
        let manifest = self.library_source()?.join("sysroot/Cargo.toml");
        let options = [
            "build",
            "--quiet",
            "--locked",
            "--profile",
            "dist",
            "--target",
            TARGET,
        ];
        let parts = [
            "--features",
            "panic-unwind,backtrace",
            "--manifest-path",
            path_text(&manifest)?,
        ];
        let mut library = cargo(&[&options[..], &parts].concat());
        library
            .env("RUSTC", self.wrapper())
            // The library uses unstable features of its own compiler.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Zforce-unstable-if-unmarked")
            .env("CARGO_PROFILE_DIST_DEBUG", "0")
            .env("CARGO_TARGET_DIR", &build);
        must(library)?;
        let target = self.library_folder();
        fs::create_dir_all(&target)?;
        for part in fs::read_dir(build.join(TARGET).join("dist/deps"))? {
            let part = part?;
            let name = part.file_name();
            let text = name.to_string_lossy();
            if text.ends_with(".rlib") && !text.starts_with("libsysroot-") {
                fs::copy(part.path(), target.join(&name))?;
            }
        }
        fs::remove_dir_all(build)?;
        fs::write(target.join("complete"), "")?;
        Ok(())
    }

    fn library_source(&self) -> anyhow::Result<PathBuf> {
        let sources = self.unpacked().join("usr/src");
        for entry in fs::read_dir(&sources)? {
            let library = entry?.path().join("library");
            if library.is_dir() {
                return Ok(library);
            }
        }
        bail!(
            "no source of the standard library below {}",
            sources.display()
        )
    }
}

fn path_text(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}
