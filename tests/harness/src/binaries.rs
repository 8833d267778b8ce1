//! Finds the programs of this workspace, built beforehand, beside the running test.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// The path of the workspace's program `name`, of the same profile as the running executable.
///
/// # Errors
/// When it has not been built; the text names the command that builds it.
pub fn binary(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the running program")?;
    let folder = profile_folder(&own).context("this program does not stand in a target folder")?;
    let path = folder.join(name);
    if !path.is_file() {
        let release = if folder.ends_with("release") {
            " --release"
        } else {
            ""
        };
        bail!(
            "{} is missing; cargo build{release} --package {name}",
            path.display()
        );
    }
    Ok(path)
}

/// The folder in which Cargo builds.
pub(crate) fn target_folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the running program")?;
    let target = profile_folder(&own).and_then(Path::parent);
    target
        .map(Path::to_owned)
        .context("this program does not stand in a target folder")
}

/// The root of the workspace.
pub(crate) fn workspace() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own)
}

/// Tests stand in `target/PROFILE/deps`, programs in `target/PROFILE`.
fn profile_folder(executable: &Path) -> Option<&Path> {
    let folder = executable.parent()?;
    if folder.ends_with("deps") {
        folder.parent()
    } else {
        Some(folder)
    }
}
