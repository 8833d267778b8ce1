//! The files of the repository and its packages, read once.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use cargo_metadata::{Metadata, MetadataCommand};

/// The repository as the rules see it.
#[derive(Debug)]
pub struct Repository {
    /// Its root folder.
    pub root: PathBuf,
    /// Every file that is or would be committed.
    pub files: Vec<File>,
    /// What `cargo metadata` says of the workspace and everything it depends on.
    pub metadata: Metadata,
}

/// One file.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path from the root, with `/` between folders.
    pub path: String,
    /// Its text; `None` where it is not UTF-8.
    pub text: Option<String>,
}

impl Repository {
    /// Reads the repository in which this crate stands.
    ///
    /// # Errors
    /// When `git` or `cargo` cannot be asked, or a file not be read.
    pub fn read() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("no root")?;
        // What is committed and what would be; a file that was deleted and not yet committed is gone.
        let listed = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .current_dir(root)
            .output()
            .context("cannot run git")?;
        if !listed.status.success() {
            bail!("git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
        }
        let listed = String::from_utf8(listed.stdout).context("a path is not UTF-8")?;
        let present = listed.split('\0').filter(|path| root.join(path).is_file());
        let mut files = present
            .map(|path| File::read(root, path))
            .collect::<Result<Vec<_>, _>>()?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let metadata = MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .exec()
            .context("cannot run cargo metadata")?;
        Ok(Self {
            root: root.to_owned(),
            files,
            metadata,
        })
    }
}

impl File {
    /// A file that exists only in a test of a rule.
    #[must_use]
    pub fn imagined(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: Some(text.to_owned()),
        }
    }

    fn read(root: &Path, path: &str) -> anyhow::Result<Self> {
        let bytes =
            std::fs::read(root.join(path)).with_context(|| format!("cannot read {path}"))?;
        Ok(Self {
            path: path.to_owned(),
            text: String::from_utf8(bytes).ok(),
        })
    }

    /// Its lines with their numbers, counted from 1; none where it is not text.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .iter()
            .flat_map(|text| text.lines())
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }

    /// What follows the last dot of its name.
    #[must_use]
    pub fn extension(&self) -> &str {
        Path::new(&self.path)
            .extension()
            .and_then(|text| text.to_str())
            .unwrap_or("")
    }
}
