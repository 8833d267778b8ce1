//! A4 pages through a print server: CUPS, or a printer that speaks IPP itself.
//!
//! ```text
//! Get-Printer-Attributes -> [stopped: fail] -> Create-Job -> Send-Document -> Get-Job-Attributes ... -> completed
//! ```
//!
//! The job is created before the document leaves, so its number is known when the connection breaks: then
//! the server is asked what became of it. A job of a printer that stops is cancelled and fails at once, so
//! that nothing comes out by surprise when somebody fills paper in.
//!
//! The server is asked for the job's state every [`POLL`]: CUPS offers events by a request that it answers
//! at once when there are none, so asking for the job costs the same.
//!
//! Limits: plain IPP to an IP address (no TLS, no host names, no password), which is what a CUPS server on
//! the same machine offers.
//!
//! Facts: RFC 8010 (encoding), RFC 8011 (operations, states, reasons), RFC 9112 (HTTP/1.1).

mod client;
pub mod http;
pub mod ipp;
mod reasons;

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use device_api::{FaultCode, Patience, Stop};
use thiserror::Error;

pub use client::IppPrinter;
use http::HttpError;
pub use reasons::reason_fault;

/// How often the server is asked for the job's state.
pub const POLL: Duration = Duration::from_millis(500);

/// Prints documents of pages.
pub trait PagePrinter: Send + fmt::Debug {
    /// Prints a PDF; blocks until the server says that it is done.
    ///
    /// # Errors
    /// [`PageError::fault`] says what people are told. [`PageError::Unsure`] means that pages may come out.
    fn print(
        &mut self,
        pdf: &[u8],
        options: &PageOptions,
        on_progress: &mut dyn FnMut(PageProgress),
        patience: &Patience,
    ) -> Result<PagesPrinted, PageError>;

    /// Asks how the printer is.
    ///
    /// # Errors
    /// Where the server does not answer.
    fn status(&mut self, patience: &Patience) -> Result<PageStatus, PageError>;
}

/// Where the printer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSettings {
    /// The print server, such as `127.0.0.1:631`.
    pub address: SocketAddr,
    /// The printer on it, such as `/printers/forms`, or `/ipp/print` of a printer that serves itself.
    pub path: String,
    /// Under which name jobs stand in the server's list; not of a citizen, and usually the counter's.
    pub user: String,
}

/// How to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageOptions {
    /// How often.
    pub copies: u8,
    /// On which sides.
    pub sides: Sides,
    /// On which paper, as IPP names it; `iso_a4_210x297mm` is A4. Nothing leaves it to the printer.
    pub media: Option<String>,
}

impl Default for PageOptions {
    fn default() -> Self {
        Self {
            copies: 1,
            sides: Sides::One,
            media: None,
        }
    }
}

/// On which sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sides {
    /// On one side.
    One,
    /// On both, turned at the long edge.
    TwoLongEdge,
    /// On both, turned at the short edge.
    TwoShortEdge,
}

/// How far a job got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageProgress {
    /// Its number on the server.
    pub job: i32,
    /// Where it stands.
    pub state: JobState,
    /// Sheets that came out, where the server counts them.
    pub sheets: Option<u32>,
}

/// Where a job stands (RFC 8011, 5.3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// It waits for its turn.
    Pending,
    /// Somebody holds it.
    Held,
    /// It is printed.
    Processing,
    /// The printer stopped in the middle.
    Stopped,
    /// It was cancelled.
    Cancelled,
    /// The server gave it up.
    Aborted,
    /// It is done.
    Completed,
}

impl JobState {
    const fn of(number: i32) -> Option<Self> {
        Some(match number {
            3 => Self::Pending,
            4 => Self::Held,
            5 => Self::Processing,
            6 => Self::Stopped,
            7 => Self::Cancelled,
            8 => Self::Aborted,
            9 => Self::Completed,
            _ => return None,
        })
    }
}

/// A document that was printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagesPrinted {
    /// Its number on the server.
    pub job: i32,
    /// Sheets, where the server counts them.
    pub sheets: Option<u32>,
    /// What people should be told although it printed.
    pub warnings: Vec<FaultCode>,
}

/// How a page printer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageStatus {
    /// Whether it takes jobs.
    pub accepting: bool,
    /// What keeps it from printing.
    pub fault: Option<FaultCode>,
    /// What people should be told although it prints.
    pub warnings: Vec<FaultCode>,
    /// What it says of itself, in the words of IPP.
    pub reasons: Vec<String>,
    /// Whether it takes PDF.
    pub takes_pdf: bool,
    create_job: bool,
}

/// Why a document was not printed.
#[derive(Debug, Error)]
pub enum PageError {
    /// What was given is no PDF. Nothing was sent.
    #[error("the document is no PDF")]
    NotPdf,
    /// The printer does not print PDF. Nothing was sent.
    #[error("the printer does not print PDF")]
    NoPdf,
    /// The printer is stopped; no page came out, and none will later.
    #[error("the printer is stopped: {reasons:?}")]
    Blocked {
        /// What people are told.
        fault: FaultCode,
        /// What it says of itself.
        reasons: Vec<String>,
    },
    /// The server refuses.
    #[error("the print server refuses to {attempted}: status {status:#06x}")]
    Refused {
        /// What was attempted.
        attempted: &'static str,
        /// The status of RFC 8011, appendix B.
        status: u16,
    },
    /// The server gave the job up, or somebody cancelled it there, before it counted a sheet.
    #[error("the job ended as {state:?}")]
    Ended {
        /// How.
        state: JobState,
    },
    /// The server cannot be reached, before anything of the document was sent.
    #[error("the print server does not answer to {attempted}")]
    Unreachable {
        /// What was attempted.
        attempted: &'static str,
        /// Why.
        #[source]
        source: HttpError,
    },
    /// What the server answers is no IPP.
    #[error("the print server answers to {attempted} with what is no IPP")]
    Garbled {
        /// What was attempted.
        attempted: &'static str,
    },
    /// The work was cancelled or its deadline passed, and so was the job. Before a deadline no page had come out;
    /// of what was cancelled by hand, pages that had come out stay.
    #[error("stopped, and the job was cancelled")]
    Stopped(Stop),
    /// The document has left, and nobody knows what became of it; a part of it may have come out.
    #[error("nobody knows what became of the job")]
    Unsure {
        /// Its number on the server, where it is known.
        job: Option<i32>,
    },
}

impl PageError {
    /// The fault that people are told.
    #[must_use]
    pub const fn fault(&self) -> FaultCode {
        match self {
            Self::NotPdf => FaultCode::PrinterContent,
            Self::NoPdf | Self::Refused { .. } | Self::Ended { .. } => FaultCode::PrinterRejected,
            Self::Blocked { fault, .. } => *fault,
            Self::Unreachable { source, .. } => match source {
                HttpError::Stopped(Stop::Cancelled) => FaultCode::JobCancelled,
                HttpError::Stopped(Stop::Deadline) => FaultCode::DeviceHung,
                HttpError::Connection(..) => FaultCode::PrinterOffline,
                HttpError::Garbled | HttpError::TooLong | HttpError::Status(_) => {
                    FaultCode::DeviceFailed
                }
            },
            Self::Garbled { .. } => FaultCode::DeviceFailed,
            Self::Stopped(Stop::Cancelled) => FaultCode::JobCancelled,
            Self::Stopped(Stop::Deadline) => FaultCode::JobDeadline,
            Self::Unsure { .. } => FaultCode::PrinterUnknown,
        }
    }
}

#[cfg(test)]
mod tests;
