//! Signatures of the tests, verified by programs that share no code with ours.
//!
//! The tests of `signature` and `telemetry` leave what they sealed and signed in `target/tmp`, in a folder of
//! their name: what is good in `valid`, what somebody changed in `invalid`.
//! The programs are Python's, with libraries of the versions that `requirements.txt` beside this crate's
//! manifest names, in an environment of their own under `target/python`; delete that folder to begin anew.
//! Tests that read codes from pictures take zxing-cpp from there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::packages;
use crate::run::{command, must, root, target};

/// What the programs need, in fixed versions: a list, and the list that it includes.
const REQUIREMENTS: &str = ".cargo/xtask/requirements.txt";
const INCLUDED: [&str; 2] = [
    "agent/signature/tests/requirements.txt",
    "agent/telemetry/tests/requirements.txt",
];

/// Whose tests leave something to judge.
const WRITERS: [&str; 2] = ["signature", "telemetry"];

/// Debian's interpreter, for which Debian's `python3-venv` is.
const PYTHON: &str = "/usr/bin/python3";

/// Verifies what the last run of the tests left.
pub(crate) fn check() -> anyhow::Result<ExitCode> {
    packages::ensure(packages::JUDGES)?;
    let python = environment()?;
    let mut judged = 0;
    for writer in WRITERS {
        judged += judge_all(&python, writer)?;
    }
    println!("{judged} containers, documents and envelopes judged as they should be");
    Ok(ExitCode::SUCCESS)
}

/// How many files of one writer were judged, each as it should be.
fn judge_all(python: &Path, writer: &str) -> anyhow::Result<usize> {
    let work = target().join("tmp").join(writer);
    let mut judged = 0;
    for (folder, verdict) in [("valid", 0), ("invalid", 1)] {
        for path in files(&work.join(folder), writer)? {
            let mut judge = judge(python, &work, &path)?;
            let output = judge.output().context("cannot start Python")?;
            if output.status.code() != Some(verdict) {
                bail!(
                    "{} is to be {folder}; the other program says: {}{}",
                    path.display(),
                    String::from_utf8_lossy(&output.stdout),
                    String::from_utf8_lossy(&output.stderr),
                );
            }
            judged += 1;
        }
    }
    Ok(judged)
}

/// The command that does it, for the list of steps of `cargo xtask test`.
pub(crate) fn step() -> Command {
    command(
        &crate::run::beside_this_program("xtask").to_string_lossy(),
        &["signatures"],
    )
}

/// Python with the libraries, made anew where others are required than it has.
pub(crate) fn environment() -> anyhow::Result<PathBuf> {
    let folder = root().join("target/python");
    let (python, has) = (folder.join("bin/python"), folder.join("requirements.txt"));
    let mut required = Vec::new();
    for list in [REQUIREMENTS].into_iter().chain(INCLUDED) {
        required.extend(fs::read(root().join(list)).context(list)?);
    }
    if fs::read(&has).is_ok_and(|has| has == required) {
        return Ok(python);
    }
    println!(
        "fetching what {REQUIREMENTS} names into {}",
        folder.display()
    );
    must(command(PYTHON, &["-m", "venv", "--clear", text(&folder)?]))?;
    let install = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        REQUIREMENTS,
    ];
    must(command(text(&python)?, &install))?;
    // Written last, so it stands for all that comes before.
    fs::write(has, required)?;
    Ok(python)
}

/// The files of one folder, by name; an empty folder is an error, because nothing would be proved.
fn files(folder: &Path, writer: &str) -> anyhow::Result<Vec<PathBuf>> {
    let missing = || {
        format!(
            "nothing in {}; run first: cargo test -p {writer}",
            folder.display()
        )
    };
    let entries = fs::read_dir(folder).with_context(missing)?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<anyhow::Result<Vec<_>>>()?;
    if paths.is_empty() {
        bail!(missing());
    }
    paths.sort();
    Ok(paths)
}

/// The program that judges a file, by its kind.
fn judge(python: &Path, work: &Path, path: &Path) -> anyhow::Result<Command> {
    let tests = Path::new("agent/signature/tests");
    let mut judge = Command::new(python);
    judge.current_dir(root());
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("pdf") => judge
            .arg(tests.join("verify_pdf.py"))
            .arg(path)
            .arg(tests.join("data/root.pem")),
        Some("cbor") => judge
            .arg(tests.join("verify_container.py"))
            .arg(path)
            .args(["device.pub", "ink.inkml", "form.pdf"].map(|name| work.join(name))),
        Some("json") => judge
            .arg("agent/telemetry/tests/verify_envelope.py")
            .arg(path)
            .arg("docs/protocol/telemetry.cddl"),
        _ => bail!("nobody judges {}", path.display()),
    };
    Ok(judge)
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str()
        .with_context(|| format!("{} is not UTF-8", path.display()))
}
