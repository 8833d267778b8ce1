//! The proof that the search would notice: redaction is taken out of a copy of the sources, and the same
//! run must find what it hides.
//!
//! A copy, because a way to switch redaction off must exist nowhere in the product.
//! The copy is built into a target folder of its own, which stays for the next time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use rand::Rng as _;

use super::{HostLog, Hunt};

/// Where the one function that writes exchanges down decides what it hides.
const FILE: &str = "drivers/smartcard/src/wire.rs";
const HIDDEN: &str = "Sensitivity::Personal => None,";
const SHOWN: &str = "Sensitivity::Personal => Some(hex_text(bytes)),";

/// What must be found where nothing is hidden, in the log as in the recordings.
const EXPECTED: [&str; 7] = [
    "PIN",
    "mistyped PIN",
    "name",
    "address",
    "individual number",
    "birth date",
    "number B",
];

/// Runs the hunt against a driver host that hides nothing.
///
/// The protections against core dumps are not taken out likewise: the agent's limit of zero holds for its
/// children too, so a driver host without its own still leaves none.
///
/// # Errors
/// When something is not found, or the copy cannot be built.
pub fn redaction_removed() -> anyhow::Result<String> {
    let hunt = Hunt {
        driver_host: build_without_redaction()?,
        host_log: HostLog::Whole,
        seed: rand::rng().random(),
    };
    let found = hunt.run()?;
    for what in EXPECTED {
        for place in ["recordings", "driver-host.log"] {
            let mut traces = found.traces.iter();
            let seen = traces.any(|trace| trace.what == what && trace.place.contains(place));
            ensure!(
                seen,
                "without redaction, the {what} is not found in {place}"
            );
        }
    }
    let traces = found.traces.len();
    Ok(format!(
        "without redaction, {traces} traces: each of {} in log and recordings",
        EXPECTED.join(", ")
    ))
}

fn build_without_redaction() -> anyhow::Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.ancestors().nth(2).context("no workspace")?;
    let target = root.join("target/redaction-removed");
    let copy = tempfile::Builder::new()
        .prefix("madoguchi-copy-")
        .tempdir()?;
    copy_sources(root, copy.path())?;
    let file = copy.path().join(FILE);
    let text = fs::read_to_string(&file)?;
    ensure!(text.matches(HIDDEN).count() == 1, "{FILE} has changed");
    fs::write(&file, text.replace(HIDDEN, SHOWN))?;
    let mut cargo = Command::new("cargo");
    cargo.current_dir(copy.path());
    cargo.args([
        "build",
        "--quiet",
        "--package",
        "driver-host",
        "--target-dir",
    ]);
    let status = cargo.arg(&target).status().context("starting cargo")?;
    ensure!(status.success(), "the copy does not build");
    Ok(target.join("debug/driver-host"))
}

/// Copies the workspace without what is built or fetched.
fn copy_sources(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let left_out = ["target", ".git", "node_modules", "dist"];
        if left_out.iter().any(|out| name == *out) {
            continue;
        }
        if kind.is_dir() {
            copy_sources(&entry.path(), &to.join(&name))?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to.join(&name))?;
        }
    }
    Ok(())
}
