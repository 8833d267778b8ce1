//! What a counter's programs logged last, to explain a failure.

use harness::Counter;

/// How many lines of each log explain one.
const LAST_WORDS: usize = 60;

/// What everybody logged last.
#[must_use]
pub fn last_words(counter: &Counter) -> String {
    let files = counter.written_files().unwrap_or_default();
    let logs = files
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "log"));
    let mut text = String::new();
    for log in logs {
        let lines = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = lines.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LAST_WORDS)..);
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        text.push_str(&format!(
            "{name} ends with:\n{}\n",
            last.unwrap_or_default().join("\n")
        ));
    }
    text
}
