//! The arguments. Nothing secret is ever among them.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Serves devices to the agent over standard input and output.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    /// Which log records to write to standard error, such as `info` or `debug,wire=trace`.
    #[arg(long, value_name = "FILTER", default_value = "info", global = true)]
    pub(crate) log: String,
    /// How to write them.
    #[arg(long, value_enum, default_value_t = LogFormat::Text, global = true)]
    pub(crate) log_format: LogFormat,
    /// Only say what is wrong with the settings on standard input, or with the trust anchors, and end.
    #[arg(long, global = true)]
    pub(crate) check_settings: bool,
    /// The devices to serve.
    #[command(subcommand)]
    pub(crate) family: Family,
}

/// The form of log records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// A line of text for each.
    Text,
    /// A JSON object on a line for each.
    Json,
}

/// The devices to serve.
#[derive(Debug, Subcommand)]
pub(crate) enum Family {
    /// Card readers of the PC/SC service.
    Pcsc(Pcsc),
    /// Devices of another family, as the settings name them that come with the welcome.
    #[command(flatten)]
    Stations(Stations),
}

/// The families whose devices stand in the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
pub(crate) enum Stations {
    /// Code scanners.
    Scanner,
    /// Printers of tickets and receipts.
    TicketPrinter,
    /// Printers of pages.
    PagePrinter,
    /// Scanners of documents.
    DocumentScanner,
    /// Signature tablets.
    Tablet,
    /// The keyboard of this machine.
    Keyboard,
    /// Handover folders.
    Handover,
}

/// Card readers of the PC/SC service.
#[derive(Debug, clap::Args)]
pub(crate) struct Pcsc {
    /// Trust anchors that ship with the product: `jlis-production` or `jlis-test`.
    #[arg(long, value_name = "NAME")]
    pub(crate) trust: Vec<String>,
    /// A file of further trust anchors, of the same shape as those that ship.
    #[arg(long, value_name = "PATH")]
    pub(crate) trust_file: Vec<PathBuf>,
    /// Write what passes between us and cards, without secrets, into files of this folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) record: Option<PathBuf>,
}
