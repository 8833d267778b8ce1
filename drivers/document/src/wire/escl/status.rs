//! How a scanner is: the answer to `GET ScannerStatus`.

use super::tree::parse;
use crate::wire::WireError;

/// How a scanner is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannerStatus {
    /// What it does.
    pub state: ScannerState,
    /// How its feeder is; `None` where it has none, or does not say.
    pub adf: Option<AdfState>,
    /// The jobs that it remembers: the path of each, and its state.
    pub jobs: Vec<(String, JobState)>,
}

/// What a scanner does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScannerState {
    /// Nothing.
    Idle,
    /// Scans, or does something else meanwhile.
    Processing,
    /// Examines itself.
    Testing,
    /// Has stopped, because something is wrong.
    Stopped,
    /// Is out of service.
    Down,
    /// Something that the specification does not know.
    Unknown,
}

/// How a feeder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdfState {
    /// Moves paper.
    Processing,
    /// Has no paper.
    Empty,
    /// Has paper.
    Loaded,
    /// Paper is stuck, did not come, or came several at once.
    Jam,
    /// Its cover is open.
    HatchOpen,
    /// Something that the specification does not know, or a rarer fault of it.
    Fault,
}

/// How a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Waits or runs.
    Active,
    /// Ended as it should.
    Completed,
    /// Ended by somebody.
    Canceled,
    /// Ended by a fault.
    Aborted,
}

/// Reads the answer to `GET ScannerStatus`.
///
/// # Errors
/// [`WireError`] where it is something else.
pub fn parse_status(bytes: &[u8]) -> Result<ScannerStatus, WireError> {
    let root = parse(bytes, "ScannerStatus")?;
    let state = match root.text_of("State") {
        Some("Idle") => ScannerState::Idle,
        Some("Processing") => ScannerState::Processing,
        Some("Testing") => ScannerState::Testing,
        Some("Stopped") => ScannerState::Stopped,
        Some("Down") => ScannerState::Down,
        Some(_) | None => ScannerState::Unknown,
    };
    let adf = root.text_of("AdfState").map(|text| match text {
        "ScannerAdfProcessing" => AdfState::Processing,
        "ScannerAdfEmpty" => AdfState::Empty,
        "ScannerAdfLoaded" => AdfState::Loaded,
        "ScannerAdfJam" | "ScannerAdfMispick" | "ScannerAdfMultipickDetected" => AdfState::Jam,
        "ScannerAdfHatchOpen" => AdfState::HatchOpen,
        _ => AdfState::Fault,
    });
    let mut jobs = Vec::new();
    for job in root.all("JobInfo").into_iter().take(256) {
        let (Some(uri), Some(state)) = (job.text_of("JobUri"), job.text_of("JobState")) else {
            continue;
        };
        let state = match state {
            "Completed" => JobState::Completed,
            "Canceled" => JobState::Canceled,
            "Aborted" => JobState::Aborted,
            _ => JobState::Active,
        };
        if let Ok(path) = crate::wire::http::job_path(uri) {
            jobs.push((path, state));
        }
    }
    Ok(ScannerStatus { state, adf, jobs })
}
