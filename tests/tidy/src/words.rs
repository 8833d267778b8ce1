//! Text that must not appear in the repository.

use crate::{File, Repository};

/// One forbidden text.
struct Word {
    text: &'static str,
    /// The extensions of the files in which it is forbidden; empty for all.
    extensions: &'static [&'static str],
    why: &'static str,
}

const SCRIPTS: &[&str] = &["ts", "js", "mjs"];

const WORDS: [Word; 15] = [
    Word {
        text: "/home/",
        extensions: &[],
        why: "a path of one machine",
    },
    Word {
        text: "/root/",
        extensions: &[],
        why: "a path of one machine",
    },
    Word {
        text: concat!("/wo", "rk/"),
        extensions: &[],
        why: "a path of one machine",
    },
    Word {
        text: concat!("index.cra", "tes.io"),
        extensions: &[],
        why: "the host of a registry",
    },
    Word {
        text: concat!("static.cra", "tes.io"),
        extensions: &[],
        why: "the host of a registry",
    },
    Word {
        text: concat!("registry.npm", "js.org"),
        extensions: &[],
        why: "the host of a registry",
    },
    Word {
        text: "SPDX-License-Identifier",
        extensions: &[],
        why: "licences stand in docs/",
    },
    Word {
        text: "#[ignore",
        extensions: &["rs"],
        why: "a test runs or does not exist",
    },
    Word {
        text: "FIXME",
        extensions: &[],
        why: "fix it, or name an issue",
    },
    Word {
        text: "XXX",
        extensions: &["rs", "ts", "md"],
        why: "fix it, or name an issue",
    },
    Word {
        text: "test.skip(",
        extensions: SCRIPTS,
        why: "a test runs or does not exist",
    },
    Word {
        text: "it.skip(",
        extensions: SCRIPTS,
        why: "a test runs or does not exist",
    },
    Word {
        text: "describe.skip(",
        extensions: SCRIPTS,
        why: "a test runs or does not exist",
    },
    Word {
        text: ".only(",
        extensions: SCRIPTS,
        why: "all tests run",
    },
    Word {
        text: "retries =",
        extensions: &["toml"],
        why: "a test passes or fails, once",
    },
];

/// The files that hold such text because they speak of it.
const SPEAK_OF_IT: [&str; 2] = ["tests/tidy/src/words.rs", "Cargo.lock"];

/// Complains about every line that holds forbidden text.
#[must_use]
pub fn check(repository: &Repository) -> Vec<String> {
    let files = repository.files.iter();
    files
        .filter(|file| !SPEAK_OF_IT.contains(&file.path.as_str()))
        .flat_map(|file| {
            file.lines()
                .filter_map(|(at, line)| one_line(file, at, line))
        })
        .collect()
}

fn one_line(file: &File, number: usize, line: &str) -> Option<String> {
    let found = |word: &&Word| {
        let applies = word.extensions.is_empty() || word.extensions.contains(&file.extension());
        applies && holds(line, word.text)
    };
    let why = WORDS.iter().find(found).map(|word| word.why);
    let why = why.or_else(|| unnamed_todo(line).then_some("name the issue: TODO(#12)"));
    why.map(|why| format!("{}:{number}: {why}", file.path))
}

/// Whether `text` stands in `line`; a path must begin there, so that `/proc/1/root/` is none.
fn holds(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| {
        let before = line.get(..at).and_then(|part| part.chars().next_back());
        !text.starts_with('/')
            || !before.is_some_and(|c| c.is_alphanumeric() || "_-.}*/".contains(c))
    })
}

fn unnamed_todo(line: &str) -> bool {
    let marker = concat!("TO", "DO");
    line.match_indices(marker).any(|(at, found)| {
        let after = line.get(at + found.len()..).unwrap_or("");
        !after.starts_with("(#")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complains(path: &str, line: &str) -> bool {
        one_line(&File::imagined(path, line), 1, line).is_some()
    }

    #[test]
    fn forbidden_text_is_found_where_it_is_forbidden() {
        assert!(complains("docs/a.md", "see /home/taro/notes"));
        assert!(complains("a.rs", "#[ignore]"));
        assert!(complains("a.test.ts", "test.skip('x', () => {});"));
        assert!(complains("a.rs", concat!("// TO", "DO: later")));
        assert!(!complains("a.rs", concat!("// TO", "DO(#12): later")));
        assert!(!complains("a.rs", "items.iter().skip(1)"));
        assert!(!complains("a.rs", "/proc/12/root/run"));
    }
}
