//! What a job is asked to do, how it goes, and what may be told of it.
//!
//! Invariant: nothing here holds anything that a card gives only against a secret.

use std::time::Duration;

use device_api::{DeviceClass, FaultCode};

use crate::ids::{DocumentId, JobId, LeaseId};

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Read, without any secret, what a card says of itself.
    IdentifyCard,
    /// Read a My Number card and prove it genuine.
    ReadMyNumberCard {
        /// What to read.
        fields: Vec<Field>,
        /// Which secret opens the card, and how it gets there.
        credential: Credential,
    },
    /// Give codes as they are scanned.
    ScanCodes,
    /// Show a document and take the citizen's signature.
    CaptureSignature {
        /// Who shows the document, where the tablet does not.
        surface: Surface,
        /// The visit to which it belongs.
        visit: Option<String>,
    },
    /// Show crosses and have them tapped.
    CalibrateTablet {
        /// Who shows them, where the tablet does not.
        surface: Surface,
    },
    /// Print a ticket.
    PrintTicket {
        /// Its name.
        ticket: String,
        /// A further paper, marked as such.
        reissue: bool,
    },
    /// List the tickets of which nobody knows whether they came out.
    ListTickets,
    /// Say whether such a ticket came out.
    SettleTicket {
        /// Its name.
        ticket: String,
    },
    /// Print a PDF.
    PrintDocument,
    /// Scan paper.
    ScanDocument,
    /// Type values into a form of another program.
    TypeText {
        /// The form.
        form: String,
    },
    /// Write values into a file for another system.
    HandOver {
        /// The template.
        template: String,
    },
}

impl Task {
    /// The class of devices that can do it.
    #[must_use]
    pub const fn class(&self) -> DeviceClass {
        match self {
            Self::IdentifyCard | Self::ReadMyNumberCard { .. } => DeviceClass::CardReader,
            Self::ScanCodes => DeviceClass::CodeScanner,
            Self::CaptureSignature { .. } | Self::CalibrateTablet { .. } => {
                DeviceClass::SignatureTablet
            }
            Self::PrintTicket { .. } | Self::ListTickets | Self::SettleTicket { .. } => {
                DeviceClass::TicketPrinter
            }
            Self::PrintDocument => DeviceClass::PagePrinter,
            Self::ScanDocument => DeviceClass::DocumentScanner,
            Self::TypeText { .. } => DeviceClass::Keyboard,
            Self::HandOver { .. } => DeviceClass::Handover,
        }
    }

    /// Its name in the API and in the audit log.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::IdentifyCard => "identifyCard",
            Self::ReadMyNumberCard { .. } => "readMyNumberCard",
            Self::ScanCodes => "scanCodes",
            Self::CaptureSignature { .. } => "captureSignature",
            Self::CalibrateTablet { .. } => "calibrateTablet",
            Self::PrintTicket { .. } => "printTicket",
            Self::ListTickets => "listTickets",
            Self::SettleTicket { .. } => "settleTicket",
            Self::PrintDocument => "printDocument",
            Self::ScanDocument => "scanDocument",
            Self::TypeText { .. } => "typeText",
            Self::HandOver { .. } => "handOver",
        }
    }

    /// What it is about, for the audit log: a ticket, a visit, a form or a template; never a person.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::PrintTicket { ticket, .. } | Self::SettleTicket { ticket } => Some(ticket),
            Self::CaptureSignature { visit, .. } => visit.as_deref(),
            Self::TypeText { form } => Some(form),
            Self::HandOver { template } => Some(template),
            Self::IdentifyCard
            | Self::ReadMyNumberCard { .. }
            | Self::ScanCodes
            | Self::CalibrateTablet { .. }
            | Self::ListTickets
            | Self::PrintDocument
            | Self::ScanDocument => None,
        }
    }

    /// Whether it can be done although a person must first do something at the device.
    pub(crate) const fn minds_no_trouble(&self) -> bool {
        matches!(self, Self::ListTickets | Self::SettleTicket { .. })
    }

    /// Whether its items need a session to go to.
    pub(crate) const fn needs_session(&self) -> bool {
        matches!(
            self,
            Self::ScanCodes
                | Self::CaptureSignature {
                    surface: Surface::Application,
                    ..
                }
                | Self::CalibrateTablet {
                    surface: Surface::Application,
                }
        )
    }

    /// Who shows what it has to show, where the device does not.
    pub(crate) const fn surface(&self) -> Option<Surface> {
        if let Self::CaptureSignature { surface, .. } | Self::CalibrateTablet { surface } = self {
            Some(*surface)
        } else {
            None
        }
    }
}

/// Who shows a document that is to be signed, or a cross that is to be tapped, where the tablet does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// The citizen's screen of this counter.
    CitizenScreen,
    /// A page of the application.
    Application,
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Name, address, birth date, sex (基本4情報).
    FourAttributes,
    /// The individual number (個人番号).
    IndividualNumber,
}

/// Which secret opens the card, and how it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// The citizen types the PIN on the paired PIN screen.
    PinOnScreen {
        /// With the keys in shuffled positions.
        shuffled: bool,
    },
    /// The application hands the PIN in.
    PinByApi,
    /// The citizen types the PIN on the keys of the device itself.
    PinOnDevice,
    /// The application hands in verification number B (照合番号B).
    VerificationNumberB,
}

/// A job as it was asked for. Two orders under one idempotency key must be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOrder {
    /// The lease of the device.
    pub lease: LeaseId,
    /// The lease's fence.
    pub fence: u64,
    /// Why the data are needed, for the audit log.
    pub purpose: String,
    /// Time until the job must have ended, waiting included.
    pub within: Duration,
    /// What to do.
    pub task: Task,
    /// SHA-256 of the task as it was handed in, so that two orders can be told apart by what the core does
    /// not look at.
    pub digest: [u8; 32],
    /// The documents that it uses up, in the order in which its content names them.
    pub documents: Vec<DocumentId>,
}

/// A job as its owner may see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    /// The job.
    pub id: JobId,
    /// The word that the clerk's page and the PIN screen both show.
    pub word: &'static str,
    /// The device.
    pub device: device_api::DeviceId,
    /// Where it stands.
    pub state: JobState,
    /// How far it has come, while running.
    pub step: Option<Step>,
    /// What the card says of itself without a secret, once known.
    pub card: Option<CardFacts>,
    /// What is being waited for.
    pub question: Option<QuestionView>,
    /// Why it failed or was cancelled.
    pub fault: Option<Fault>,
    /// Which part of what was handed in is at fault.
    pub about: Option<String>,
    /// Whether a result waits to be taken.
    pub result_waiting: bool,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Taken on; the device has not begun.
    Accepted,
    /// The device works on it, or its end is being recorded.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// How far a running job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Waiting for a person to put the card.
    WaitingForCard,
    /// Finding out what card it is.
    Identifying,
    /// Reading what was asked for.
    Reading,
    /// Checking signatures and that the card is no copy.
    Verifying,
    /// Waiting for a code to be held in front of the scanner.
    WaitingForCode,
    /// The citizen sees the document.
    Showing,
    /// The citizen signs.
    Signing,
    /// The paper is on its way.
    Printing,
    /// Waiting for paper in the document scanner.
    WaitingForPaper,
    /// Pages are being scanned.
    Scanning,
    /// What was scanned is being straightened and put together.
    Processing,
    /// The text is announced on the desktop before it is typed.
    Announcing,
    /// Text is being typed.
    Typing,
    /// The file is being written.
    Writing,
    /// The other system has not said yet that it took the file.
    WaitingForReceipt,
}

/// What a card says of itself without any secret. Its serial is personal and stays in the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFacts {
    /// Five digits of the municipality that issued the card.
    pub municipality_code: String,
    /// Last day of validity, `YYYY-MM-DD`.
    pub expires_on: String,
    /// Whether that day has passed.
    pub expired: Option<bool>,
}

/// What a job waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuestionView {
    /// Its number within the job.
    pub ask: u32,
    /// What is asked, and where.
    pub kind: QuestionKind,
    /// Tries left, read from the card just now.
    pub tries_left: u8,
    /// Whether the last try has been allowed.
    pub last_try_allowed: bool,
}

/// What is asked, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionKind {
    /// The PIN, on the citizen's screen.
    PinOnScreen,
    /// The PIN, by API.
    PinByApi,
    /// The PIN, on the keys of the device. With more than one try left it needs nobody's answer.
    PinOnDevice,
    /// Verification number B, by API.
    VerificationNumberB,
}

/// Why a job ended badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The stable code.
    pub code: FaultCode,
    /// For faults of a PIN: how many tries the card has left.
    pub tries_left: Option<u8>,
}

impl From<FaultCode> for Fault {
    fn from(code: FaultCode) -> Self {
        Self {
            code,
            tries_left: None,
        }
    }
}

/// Whether a card's data can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Signed by a trusted issuer, unchanged, and the card is no copy.
    Genuine,
    /// Could not be decided.
    NotVerified,
    /// A check failed.
    Forged,
}
