//! Paths that documents and comments name exist, and so do the tests that `docs/security.md` names.

use std::path::{Component, Path, PathBuf};

use crate::{File, Repository};

/// Complains about relative links in Markdown that lead nowhere, and about documents of `docs/` that
/// any text names and that do not exist.
#[must_use]
pub fn check(repository: &Repository) -> Vec<String> {
    let exists = |path: &str| repository.root.join(path).exists();
    // The tests of this rule name documents that must not exist.
    let files = repository
        .files
        .iter()
        .filter(|file| !file.path.starts_with("tests/tidy/"));
    files.flat_map(|file| one_file(file, &exists)).collect()
}

/// Complains about tests that the security page names as proof and that do not exist.
#[must_use]
pub fn check_proofs(repository: &Repository) -> Vec<String> {
    let page = repository
        .files
        .iter()
        .find(|file| file.path == "docs/security.md");
    let page = page.and_then(|file| file.text.as_deref()).unwrap_or("");
    let sources: Vec<&str> = repository
        .files
        .iter()
        .filter(|file| file.extension() == "rs")
        .filter_map(|file| file.text.as_deref())
        .collect();
    let exists = |name: &str| {
        sources
            .iter()
            .any(|text| text.contains(&format!("fn {name}(")))
    };
    let dead = named_tests(page).into_iter().filter(|name| !exists(name));
    dead.map(|name| format!("docs/security.md: no test {name}"))
        .collect()
}

/// Names between backticks that are sentences: lower case, with two underscores or more.
fn named_tests(page: &str) -> Vec<&str> {
    let quoted = page.split('`').skip(1).step_by(2);
    let is_name = |text: &&str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        text.matches('_').count() >= 2 && text.chars().all(plain)
    };
    quoted.filter(is_name).collect()
}

fn one_file(file: &File, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for (number, line) in file.lines() {
        let named = named_documents(line).into_iter();
        let linked = match file.extension() {
            "md" => linked_paths(&file.path, line),
            _ => Vec::new(),
        };
        let dead = named.chain(linked).filter(|path| !exists(path));
        complaints.extend(dead.map(|path| format!("{}:{number}: no {path}", file.path)));
    }
    complaints
}

/// The targets of `[text](target)` that are paths, from the root.
fn linked_paths(document: &str, line: &str) -> Vec<String> {
    let folder = Path::new(document)
        .parent()
        .unwrap_or_else(|| Path::new(""));
    let targets = line
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'));
    let paths = targets.map(|(target, _)| target.split('#').next().unwrap_or(""));
    paths
        .filter(|path| !path.is_empty() && !path.contains("://") && !path.starts_with("mailto:"))
        .map(|path| resolve(&folder.join(path)))
        .collect()
}

fn resolve(path: &Path) -> String {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Normal(name) => resolved.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    resolved.display().to_string()
}

/// Documents named by their path from the root, such as `docs/errors.md`, in any text.
fn named_documents(line: &str) -> Vec<String> {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let mut names = Vec::new();
    for (at, _) in line.match_indices("docs/") {
        let before = line.get(..at).and_then(|part| part.chars().next_back());
        // Part of a longer path, which is relative to something else.
        if before.is_some_and(|c| is_path(c) && c != '(') {
            continue;
        }
        let rest = line.get(at..).unwrap_or("");
        let end = rest.find(|c| !is_path(c)).unwrap_or(rest.len());
        let name = rest.get(..end).unwrap_or("").trim_end_matches('.');
        let is_document = [".md", ".json", ".yaml"]
            .iter()
            .any(|ending| name.ends_with(ending));
        if is_document && !name.contains("NNNN") {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_between_backticks_are_taken_for_tests() {
        let page = "| `Origin` | `a_page_that_floods`, `equality_is_exact` | `docs/a.md` |";
        assert_eq!(
            named_tests(page),
            ["a_page_that_floods", "equality_is_exact"]
        );
    }

    #[test]
    fn a_dead_link_is_named_and_a_living_one_is_not() {
        let exists = |path: &str| path == "docs/errors.md";
        let page = |text: &str| one_file(&File::imagined("docs/a.md", text), &exists);
        assert!(page("[x](errors.md#top) [y](https://example.com/z) [z](#here)").is_empty());
        assert_eq!(page("[x](../gone.md)"), ["docs/a.md:1: no gone.md"]);
        let source = File::imagined("a.rs", "//! See `docs/errors.md` and `docs/gone.md`.");
        assert_eq!(one_file(&source, &exists), ["a.rs:1: no docs/gone.md"]);
    }
}
