//! The log: standard error, our own lines only.
//!
//! Libraries below us can write frames and headers at trace level, and a frame can hold a PIN or a token.
//! So lines of other crates never pass, whatever filter is configured.

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, filter, fmt};

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
    let wanted = EnvFilter::try_new(log_filter).unwrap_or_else(|_error| EnvFilter::new("info"));
    let ours = filter::filter_fn(|meta| is_ours(meta.target()));
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    let started = tracing_subscriber::registry()
        .with(lines.with_filter(wanted).with_filter(ours))
        .try_init();
    if started.is_err() {
        tracing::debug!("the log had been started before");
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
