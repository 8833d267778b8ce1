//! What the operating system shows of the agent's processes, and what it keeps of one that crashes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use harness::ProcessFigures;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Where the kernel says what becomes of a core.
const CORE_PATTERN: &str = "/proc/sys/kernel/core_pattern";

/// Lets processes that are started from now on dump core, as far as this user may, until it is dropped.
///
/// Otherwise that nothing was dumped would be the merit of whoever started the test.
#[derive(Debug)]
pub(crate) struct CoresWanted {
    before: Rlimit,
}

impl CoresWanted {
    pub(crate) fn from_now_on() -> anyhow::Result<Self> {
        let before = getrlimit(Resource::Core);
        let most = Rlimit {
            current: before.maximum,
            maximum: before.maximum,
        };
        setrlimit(Resource::Core, most).context("raising the limit of core dumps")?;
        Ok(Self { before })
    }

    /// Whether a process that does not protect itself would leave a core in its working folder here.
    ///
    /// Asked of a shell that aborts, so that the answer is the machine's and not ours.
    pub(crate) fn would_be_seen(&self) -> anyhow::Result<bool> {
        let folder = tempfile::tempdir()?;
        let mut shell = Command::new("sh");
        shell.args(["-c", "kill -ABRT $$"]);
        shell.current_dir(folder.path()).status()?;
        Ok(!cores_in(folder.path())?.is_empty())
    }
}

impl Drop for CoresWanted {
    fn drop(&mut self) {
        // Lowering a limit is always allowed.
        let _lowered = setrlimit(
            Resource::Core,
            Rlimit {
                current: self.before.current,
                maximum: self.before.maximum,
            },
        );
    }
}

/// Files in `folder` that are cores by their name and form.
pub(crate) fn cores_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut cores = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.contains("core") && path.is_file() && fs::read(&path)?.starts_with(b"\x7FELF") {
            cores.push(path);
        }
    }
    Ok(cores)
}

/// How the kernel names cores, for the report.
pub(crate) fn core_pattern() -> String {
    fs::read_to_string(CORE_PATTERN)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// What anybody may see of a process: name and bytes of each.
pub(crate) fn shown_of(process: &ProcessFigures) -> anyhow::Result<Vec<(String, Vec<u8>)>> {
    let folder = PathBuf::from(format!("/proc/{}", process.id));
    let mut shown = Vec::new();
    for file in ["cmdline", "comm"] {
        let bytes = fs::read(folder.join(file))?;
        shown.push((format!("{file} of {}", process.name), bytes));
    }
    // Of a process that protects itself, only root may read it.
    if let Ok(bytes) = fs::read(folder.join("environ")) {
        shown.push((format!("environ of {}", process.name), bytes));
    }
    let mut threads = Vec::new();
    for thread in fs::read_dir(folder.join("task"))? {
        threads.extend(fs::read(thread?.path().join("comm"))?);
    }
    shown.push((format!("threads of {}", process.name), threads));
    Ok(shown)
}

/// The folder in which a process would leave its core.
pub(crate) fn working_folder(process: &ProcessFigures) -> anyhow::Result<PathBuf> {
    fs::read_link(format!("/proc/{}/cwd", process.id)).context("a working folder")
}

/// Whether a process may dump core, now or after raising its own limit.
pub(crate) fn may_dump(process: &ProcessFigures) -> anyhow::Result<bool> {
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.id))?;
    let mut lines = limits.lines();
    let line = lines.find(|line| line.starts_with("Max core file size"));
    let mut values = line.context("no core limit")?.split_whitespace().skip(4);
    Ok((values.next(), values.next()) != (Some("0"), Some("0")))
}

/// Files outside of `folder` that a process holds open for writing.
pub(crate) fn writes_outside(
    process: &ProcessFigures,
    folder: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let own = PathBuf::from(format!("/proc/{}", process.id));
    let mut outside = Vec::new();
    for entry in fs::read_dir(own.join("fd"))? {
        let entry = entry?;
        // One that was closed since the folder was read is not open.
        let Ok(target) = fs::read_link(entry.path()) else {
            continue;
        };
        let info =
            fs::read_to_string(own.join("fdinfo").join(entry.file_name())).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        let writes = flags.is_some_and(|flags| flags & 0o3 != 0);
        if writes && target.is_file() && !target.starts_with(folder) {
            outside.push(target);
        }
    }
    Ok(outside)
}
