//! The log on standard error, and what a panic may say there.

use std::{io, panic, thread};

use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::cli::LogFormat;

/// Starts logging.
pub(crate) fn start(filter: &str, format: LogFormat) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("log filter")?;
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => {
            registry
                .with(fmt::layer().with_ansi(false).with_writer(io::stderr))
                .try_init()?;
        }
        LogFormat::Json => {
            registry
                .with(fmt::layer().json().with_writer(io::stderr))
                .try_init()?;
        }
    }
    panic::set_hook(Box::new(|info| {
        // The payload is left out: a panic's text can quote the value it stumbled over, and here that can
        // be a citizen's.
        let thread = thread::current();
        let place = info.location().map(ToString::to_string);
        tracing::error!(thread = thread.name(), place, "panicked");
    }));
    Ok(())
}
