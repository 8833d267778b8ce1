//! The log: standard error and the files of a [`Book`], our own lines only.
//!
//! Libraries below us can write frames and headers at trace level, and a frame can hold a PIN or a token.
//! So lines of other crates never pass, whatever filter is configured.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use device_api::Clock;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, filter, fmt};

mod book;
pub(crate) mod system;

pub use book::Book;
pub(crate) use book::newest;

/// The folder of the files, within the state folder.
pub const LOGS_DIR: &str = "logs";

/// Where lines are kept beside standard error, once there is a state folder. Lines come from every thread of
/// the process, as the subscriber that takes them is the process's.
static BOOK: Mutex<Option<Book>> = Mutex::new(None);

/// Whose lines pass.
const OURS: [&str; 7] = [
    "agentd",
    "agent_core",
    "audit",
    "commands",
    "driver_host",
    "host_protocol",
    "telemetry",
];

/// Starts the log of this process; a second call changes nothing.
pub fn start(log_filter: &str) {
    let wanted = || EnvFilter::try_new(log_filter).unwrap_or_else(|_error| EnvFilter::new("info"));
    let ours = || filter::filter_fn(|meta| is_ours(meta.target()));
    let lines = fmt::layer().with_writer(io::stderr).with_ansi(false);
    let kept = fmt::layer().with_writer(|| Kept).with_ansi(false);
    let started = tracing_subscriber::registry()
        .with(lines.with_filter(wanted()).with_filter(ours()))
        .with(kept.with_filter(wanted()).with_filter(ours()))
        .try_init();
    if started.is_err() {
        tracing::debug!("the log had been started before");
    }
}

/// Keeps all further lines in the state folder too.
///
/// # Errors
/// The folder cannot be used; lines go to standard error all the same.
pub fn keep(state_dir: &Path, clock: Arc<dyn Clock>) -> io::Result<()> {
    let book = Book::open(folder(state_dir), clock)?;
    *BOOK.lock().unwrap_or_else(PoisonError::into_inner) = Some(book);
    Ok(())
}

/// Deletes what is too old, where nothing is written that would do it.
pub fn tidy() {
    if let Some(book) = &mut *BOOK.lock().unwrap_or_else(PoisonError::into_inner) {
        book.tidy();
    }
}

/// The folder of the files in a state folder.
#[must_use]
pub fn folder(state_dir: &Path) -> PathBuf {
    state_dir.join(LOGS_DIR)
}

/// Writes lines into the book, where there is one. A line that cannot be kept is lost: there is no third place.
#[derive(Debug)]
struct Kept;

impl io::Write for Kept {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(book) = &mut *BOOK.lock().unwrap_or_else(PoisonError::into_inner) {
            book.write(line);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn is_ours(target: &str) -> bool {
    let root = target.split_once("::").map_or(target, |(root, _rest)| root);
    OURS.contains(&root)
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn lines_of_libraries_never_pass() {
        assert!(is_ours("agentd::door") && is_ours("driver_host"));
        for target in [
            "tungstenite::protocol",
            "hyper::proto",
            "agentd_evil",
            "tokio",
        ] {
            assert!(!is_ours(target), "{target}");
        }
    }
}
