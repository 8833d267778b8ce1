//! The top level, and where crates stand.

use std::collections::BTreeSet;

use crate::Repository;

/// What stands at the top level, besides hidden entries.
const TOP_LEVEL: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "agent",
    "docs",
    "drivers",
    "kiosk",
    "provisioning",
    "simulators",
];

/// The folder of the tests, named apart because only it may use everything.
const TESTS: &str = "tests";

/// The folders in which crates stand, one level below.
const GROUPS: [&str; 6] = [
    "agent",
    "drivers",
    "kiosk",
    "provisioning",
    "simulators",
    TESTS,
];

/// Complains about entries that do not belong and crates that stand elsewhere.
#[must_use]
pub fn check(repository: &Repository) -> Vec<String> {
    let mut complaints = top_level(repository.files.iter().map(|file| file.path.as_str()));
    for package in repository.metadata.workspace_packages() {
        let folder = package.manifest_path.parent();
        let path = folder.and_then(|folder| folder.strip_prefix(&repository.root).ok());
        let path = path.map(ToString::to_string).unwrap_or_default();
        complaints.extend(crate_place(&package.name, &path));
    }
    complaints
}

fn top_level<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<String> {
    let present: BTreeSet<&str> = paths
        .filter_map(|path| path.split('/').next())
        .filter(|entry| !entry.starts_with('.'))
        .collect();
    let wanted: BTreeSet<&str> = TOP_LEVEL.into_iter().chain([TESTS]).collect();
    let extra = present
        .difference(&wanted)
        .map(|name| format!("{name}: not a top-level entry"));
    let missing = wanted
        .difference(&present)
        .map(|name| format!("{name}: missing at top level"));
    extra.chain(missing).collect()
}

fn crate_place(name: &str, path: &str) -> Option<String> {
    if (name, path) == ("xtask", ".cargo/xtask") {
        return None;
    }
    match path.split_once('/') {
        Some((group, folder)) if GROUPS.contains(&group) && folder == name => None,
        _ => Some(format!(
            "crate {name} stands in {path}, not in GROUP/{name}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stray_entry_and_a_missing_one_are_named() {
        let paths = TOP_LEVEL.iter().copied().filter(|entry| *entry != "kiosk");
        let complaints = top_level(paths.chain(["tests/a", "notes.txt", ".ci/run"]));
        assert_eq!(
            complaints,
            [
                "notes.txt: not a top-level entry",
                "kiosk: missing at top level"
            ]
        );
    }

    #[test]
    fn a_crate_stands_one_level_below_its_group_under_its_own_name() {
        assert_eq!(crate_place("audit", "agent/audit"), None);
        for path in ["audit", "agent/log", "agent/parts/audit", "docs/audit"] {
            assert!(crate_place("audit", path).is_some(), "{path}");
        }
    }
}
