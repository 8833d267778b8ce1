//! The proof that the search would notice: one protection is taken out of a copy of the sources, and the
//! same run must fail.
//!
//! A copy, because a way to switch a protection off must exist nowhere in the product.
//! The copy is built into a target folder of its own, which stays for the next time.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use rand::Rng as _;

use super::{Found, HostLog, Hunt};

/// A protection, and what the run must notice without it.
struct Removal {
    name: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    noticed: fn(&Found) -> bool,
}

const REMOVALS: [Removal; 2] = [
    Removal {
        name: "the log and the recordings hide nothing",
        file: "drivers/smartcard/src/wire.rs",
        from: "Sensitivity::Personal => None,",
        to: "Sensitivity::Personal => Some(hex_text(bytes)),",
        noticed: |found| {
            let seen = |what: &str, place: &str| {
                let mut traces = found.traces.iter();
                traces.any(|trace| trace.what == what && trace.place.contains(place))
            };
            let all = [
                "PIN",
                "mistyped PIN",
                "name",
                "address",
                "individual number",
                "birth date",
                "number B",
            ];
            all.iter()
                .all(|what| seen(what, "recordings") && seen(what, "driver-host.log"))
        },
    },
    Removal {
        name: "the driver host may dump core",
        file: "drivers/driver-host/src/main.rs",
        from: "platform::keep_memory_private()?;",
        to: "",
        noticed: |found| {
            let dumped = !found.cores.is_empty() || !found.cores_would_show;
            dumped && found.unprotected.iter().any(|name| name == "driver-host")
        },
    },
];

/// Runs the hunt against driver hosts without protections.
///
/// # Errors
/// When one of them passes, or cannot be built.
pub fn redaction_removed() -> anyhow::Result<String> {
    let mut told = Vec::new();
    for removal in &REMOVALS {
        let driver_host = build_without(removal).with_context(|| removal.name)?;
        let hunt = Hunt {
            driver_host,
            host_log: HostLog::Whole,
            seed: rand::rng().random(),
        };
        let found = hunt.run().with_context(|| removal.name)?;
        ensure!((removal.noticed)(&found), "not noticed: {}", removal.name);
        for core in &found.cores {
            fs::remove_file(core)?;
        }
        let (traces, cores) = (found.traces.len(), found.cores.len());
        told.push(format!("{}: {traces} traces, {cores} cores", removal.name));
    }
    Ok(format!("all noticed; {}", told.join("; ")))
}

fn build_without(removal: &Removal) -> anyhow::Result<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = own.ancestors().nth(2).context("no workspace")?;
    let target = root.join("target/redaction-removed");
    let copy = tempfile::Builder::new()
        .prefix("madoguchi-copy-")
        .tempdir()?;
    copy_sources(root, copy.path())?;
    let file = copy.path().join(removal.file);
    let text = fs::read_to_string(&file)?;
    ensure!(
        text.matches(removal.from).count() == 1,
        "{} has changed",
        removal.file
    );
    fs::write(&file, text.replace(removal.from, removal.to))?;
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
