//! The newest lines of the machine's own log, where systemd keeps one.
//!
//! The kernel's, the card service's and the agent's service alone: others may name files and people.
//! Each line begins with the word `system`, so that nobody takes it for one of ours.
//! How long the machine keeps them is journald's rule
//! (`provisioning/packaging/journald/madoguchi.conf`).

use std::io;
use std::process::{Command, Stdio};

/// Whose lines, as `journalctl(1)` takes matches: each of these.
const WHOSE: [&str; 5] = [
    "_TRANSPORT=kernel",
    "+",
    "_SYSTEMD_UNIT=pcscd.service",
    "+",
    "_SYSTEMD_UNIT=madoguchi-agent.service",
];

/// At most so many lines, the oldest first; one that says so where there is no such log.
///
/// Blocks until another program has read the log.
pub(crate) fn newest(most: usize) -> Vec<String> {
    let mut journal = Command::new("journalctl");
    journal
        .args(["--quiet", "--no-pager", "--output=short-iso"])
        .arg(format!("--lines={most}"))
        .args(WHOSE);
    let lines = printed(journal);
    lines.unwrap_or_else(|error| vec![format!("system log cannot be read: {}", error.kind())])
}

/// What a program prints, each line with the word before it.
fn printed(mut program: Command) -> io::Result<Vec<String>> {
    let output = program
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(|line| format!("system {line}")).collect())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        shell
    }

    #[test]
    fn each_line_says_whose_it_is() {
        let lines = printed(shell("printf 'a kernel: usb 1-1\\nb pcscd[9]: started\\n'")).unwrap();
        assert_eq!(
            lines,
            ["system a kernel: usb 1-1", "system b pcscd[9]: started"]
        );
        assert!(printed(shell("echo lost; exit 1")).is_err());
    }

    #[test]
    fn a_machine_without_that_log_says_so_or_has_no_more_than_asked_for() {
        assert!(newest(3).len() <= 3);
        assert!(newest(3).iter().all(|line| line.starts_with("system")));
    }
}
