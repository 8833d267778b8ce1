//! Examples in documentation run where there are any, and are looked for nowhere else.
//!
//! Cargo compiles a library once more to find them.

use crate::{File, Repository};

/// What may stand behind the opening fence of an example that is compiled.
const COMPILED: [&str; 5] = ["", "rust", "no_run", "should_panic", "compile_fail"];

const FENCE: &str = "```";

/// Complains about libraries whose examples do not run, and about those without any that are searched.
#[must_use]
pub fn check(repository: &Repository) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in repository.metadata.workspace_packages() {
        let folder = package.manifest_path.parent();
        let folder = folder.and_then(|folder| folder.strip_prefix(&repository.root).ok());
        let Some(library) = package.targets.iter().find(|target| target.is_lib()) else {
            continue;
        };
        let sources = folder.map(|folder| format!("{folder}/src/"));
        let mut sources = repository.files.iter().filter(|file| {
            sources
                .as_ref()
                .is_some_and(|folder| file.path.starts_with(folder))
        });
        let example = sources.find_map(|file| example(file).map(|line| (&file.path, line)));
        complaints.extend(match (example, library.doctest) {
            (Some((path, line)), false) => Some(format!(
                "{path}:{line}: an example that never runs; take `doctest = false` out of {}",
                package.manifest_path
            )),
            (None, true) => Some(format!(
                "{}: no example in it; say `doctest = false` under `[lib]`",
                package.manifest_path
            )),
            (Some(_), true) | (None, false) => None,
        });
    }
    complaints
}

/// The line on which the first example begins.
fn example(file: &File) -> Option<usize> {
    let mut within = false;
    file.lines().find_map(|(number, line)| {
        let line = line.trim_start();
        let text = line
            .strip_prefix("///")
            .or_else(|| line.strip_prefix("//!"))?;
        let kind = text.trim_start().strip_prefix(FENCE)?.trim();
        within = !within;
        (within && COMPILED.contains(&kind)).then_some(number)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<usize> {
        example(&File {
            path: "agent/audit/src/lib.rs".to_owned(),
            text: Some(text.to_owned()),
        })
    }

    #[test]
    fn an_example_is_told_from_a_picture_and_from_its_own_end() {
        assert_eq!(found("//! A.\n//!\n//! ```\n//! a();\n//! ```\n"), Some(3));
        assert_eq!(found("/// ```no_run\n/// a();\n/// ```\n"), Some(1));
        assert_eq!(found("//! ```text\n//! a -> b\n//! ```\n"), None);
        assert_eq!(found("//! ```text\n//! ```\n/// ```\n"), Some(3));
        assert_eq!(found("const A: &str = \"```\";\n"), None);
    }
}
