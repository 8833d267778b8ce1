//! The shape of Rust files.

use crate::{File, Repository};

/// Above this many lines before its tests, a file says in its header why it is long; one that holds
/// nothing but tests need not, because it is read a test at a time.
const LONG: usize = 500;

/// Above this many lines before its tests, a file is refused.
const TOO_LONG: usize = 800;

/// How a header says why a file is long.
const REASON: &str = "//! Long because";

/// What ties code to one operating system.
const OF_ONE_SYSTEM: [&str; 8] = [
    "std::os::unix",
    "std::os::linux",
    "std::os::windows",
    "cfg(unix",
    "cfg(windows",
    "cfg(target_os",
    "rustix::",
    "windows_sys::",
];

/// What writes the raw exchanges of one kind of device, with the one file that may.
///
/// Cards have commands that are secret; links have frames that are.
const WIRE_LOGGERS: [(&str, &str); 2] = [
    ("target: \"wire\"", "drivers/smartcard/src/wire.rs"),
    ("target: \"link::wire\"", "drivers/link/src/wire.rs"),
];

/// The crate that moves frames, in which no other file logs at the level of frames.
const LINK: &str = "drivers/link/src/";

/// Complains about files without header, too long, or with code that belongs elsewhere.
#[must_use]
pub fn check(repository: &Repository) -> Vec<String> {
    let sources: Vec<&File> = repository
        .files
        .iter()
        .filter(|file| file.extension() == "rs")
        .collect();
    let mut complaints: Vec<String> = sources.iter().flat_map(|file| one_file(file)).collect();
    complaints.extend(sources.iter().flat_map(|file| wire_logger(file)));
    complaints
}

fn one_file(file: &File) -> Vec<String> {
    [header(file), size(file), module_file(file), system(file)]
        .into_iter()
        .flatten()
        .collect()
}

fn header(file: &File) -> Option<String> {
    let first = file.lines().next().map_or("", |(_, line)| line);
    (!first.starts_with("//! "))
        .then(|| format!("{}: does not open with a `//!` header", file.path))
}

fn size(file: &File) -> Option<String> {
    let before_tests = file.lines().take_while(|(_, line)| *line != "#[cfg(test)]");
    let length = before_tests.count();
    if length > TOO_LONG {
        return Some(format!(
            "{}: {length} lines before its tests; split it",
            file.path
        ));
    }
    let has_reason = file.lines().any(|(_, line)| line.starts_with(REASON));
    let only_tests = file.path.ends_with("/tests.rs") || is_test(&file.path);
    (length > LONG && !has_reason && !only_tests).then(|| {
        format!(
            "{}: {length} lines; split it or say `{REASON} ...`",
            file.path
        )
    })
}

/// Whether a file is part of an integration test.
fn is_test(path: &str) -> bool {
    // GROUP/CRATE/tests/...; the group `tests` itself holds crates.
    path.split('/').nth(2) == Some("tests")
}

fn module_file(file: &File) -> Option<String> {
    // What integration tests share must be called so, or Cargo takes it for a test of its own.
    let is_mod = file.path.ends_with("/mod.rs") && !file.path.ends_with("/tests/common/mod.rs");
    is_mod.then(|| format!("{}: name the file after its module", file.path))
}

/// The agent and the drivers compile for Windows: what does not stands in a module `platform`.
fn system(file: &File) -> Option<String> {
    let product = file.path.starts_with("agent/") || file.path.starts_with("drivers/");
    let parts: Vec<&str> = file.path.split('/').collect();
    let exempt = ["platform", "platform.rs", "tests"];
    if !product || parts.iter().any(|part| exempt.contains(part)) {
        return None;
    }
    let before_tests = file.lines().take_while(|(_, line)| *line != "#[cfg(test)]");
    let code = before_tests.filter(|(_, line)| !line.trim_start().starts_with("//"));
    let mut tied = code.filter(|(_, line)| OF_ONE_SYSTEM.iter().any(|mark| line.contains(mark)));
    tied.next().map(|(number, _)| {
        format!(
            "{}:{number}: tied to one operating system; move it to `platform`",
            file.path
        )
    })
}

/// One function of a crate writes raw exchanges, so that one place decides what is secret.
///
/// A macro without a target logs under the name of its module, which is how `link::wire` does it.
fn wire_logger(file: &File) -> Option<String> {
    if file.path.starts_with("tests/tidy/") {
        return None;
    }
    let named = WIRE_LOGGERS.into_iter().find(|(target, place)| {
        file.path != *place && file.lines().any(|(_, line)| line.contains(target))
    });
    if let Some((target, place)) = named {
        return Some(format!("{}: {target} belongs in {place}", file.path));
    }
    let is_link = file.path.starts_with(LINK) && !file.path.starts_with("drivers/link/src/wire");
    let traces = is_link && file.lines().any(|(_, line)| line.contains("trace!("));
    traces.then(|| {
        format!(
            "{}: frames are written down in {LINK}wire.rs only",
            file.path
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_header_is_named() {
        assert!(header(&File::imagined("a.rs", "use std::fs;\n")).is_some());
        assert!(header(&File::imagined("a.rs", "")).is_some());
        assert_eq!(header(&File::imagined("a.rs", "//! What it is.\n")), None);
    }

    #[test]
    fn length_counts_up_to_the_tests_and_a_reason_helps_up_to_a_limit() {
        let file = |lines: usize, first: &str| {
            File::imagined("a.rs", &format!("{first}\n{}", "x\n".repeat(lines - 1)))
        };
        assert_eq!(size(&file(LONG, "//! A.")), None);
        assert!(size(&file(LONG + 1, "//! A.")).is_some());
        assert_eq!(size(&file(LONG + 1, "//! Long because of a table.")), None);
        assert!(size(&file(TOO_LONG + 1, "//! Long because of a table.")).is_some());
        let tested = format!("//! A.\n#[cfg(test)]\n{}", "x\n".repeat(TOO_LONG));
        assert_eq!(size(&File::imagined("a.rs", &tested)), None);
    }

    #[test]
    fn files_of_tests_need_no_reason_but_have_the_limit() {
        let lines = |count: usize| format!("//! A.\n{}", "x\n".repeat(count));
        let path = "agent/audit/tests/journeys.rs";
        assert_eq!(size(&File::imagined(path, &lines(LONG + 1))), None);
        assert!(size(&File::imagined(path, &lines(TOO_LONG + 1))).is_some());
        let source = File::imagined("tests/harness/src/door.rs", &lines(LONG + 1));
        assert!(size(&source).is_some());
    }

    #[test]
    fn code_of_one_system_stands_in_platform() {
        let text = "//! A.\nuse std::os::unix::net::UnixStream;\n";
        assert!(system(&File::imagined("agent/agentd/src/door.rs", text)).is_some());
        assert_eq!(
            system(&File::imagined("agent/agentd/src/platform/unix.rs", text)),
            None
        );
        assert_eq!(
            system(&File::imagined("tests/harness/src/pcscd.rs", text)),
            None
        );
        let comment = "//! A.\n// Not `std::os::unix`, for a reason.\n";
        assert_eq!(
            system(&File::imagined("agent/agentd/src/door.rs", comment)),
            None
        );
    }

    #[test]
    fn a_second_writer_of_raw_exchanges_is_refused() {
        let card = "//! A.\ntracing::trace!(target: \"wire\", \"x\");\n";
        let link = "//! A.\ntracing::trace!(target: \"link::wire\", \"x\");\n";
        let plain = "//! A.\ntracing::trace!(\"x\");\n";
        for (path, text, refused) in [
            ("drivers/smartcard/src/wire.rs", card, false),
            ("drivers/smartcard/src/talk.rs", card, true),
            ("drivers/link/src/wire.rs", plain, false),
            ("drivers/link/src/wire.rs", link, false),
            ("drivers/link/src/tcp.rs", plain, true),
            ("drivers/scanner/src/driver.rs", link, true),
            ("drivers/scanner/src/driver.rs", plain, false),
        ] {
            let complaint = wire_logger(&File::imagined(path, text));
            assert_eq!(complaint.is_some(), refused, "{path}");
        }
    }
}
