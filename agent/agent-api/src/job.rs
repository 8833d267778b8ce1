//! Jobs: what is asked, how it goes, what comes out.
//!
//! ```text
//! accepted -> running -> succeeded | failed | cancelled
//! ```
//! The result of a job that succeeded is handed out once, to the client that started it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::desk::{HandedOver, Named};
use crate::document::{DocumentScan, KeptDocument, PageFacts};
use crate::error::ErrorBody;
use crate::secret::SecretText;
use crate::signature::{Calibration, SignedSummary, SigningOrder, Surface};
use crate::ticket::{PrintedTicket, TicketElement, UnknownTicket};

/// Asks for a job. The header `Idempotency-Key` names the attempt: the same key again returns the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobRequest {
    /// The lease of the device.
    pub lease: String,
    /// The lease's fence.
    pub fence: u64,
    /// Why the data are needed, for the audit log, such as `住民票の写しの交付`; 1 to 200 characters.
    pub purpose: String,
    /// Milliseconds until the job must have ended; 1,000 to 600,000.
    pub deadline_ms: u32,
    /// What to do.
    pub task: Task,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Task {
    /// Read, without any secret, what a card says of itself.
    IdentifyCard {},
    /// Read a My Number card and prove it genuine.
    ReadMyNumberCard {
        /// What to read; nothing else is read.
        fields: Vec<Field>,
        /// Which secret opens the card, and how it gets there.
        credential: Credential,
    },
    /// Get codes as they are scanned, each as an `item` of the event stream, the next only when the last
    /// was `received`. The lease must be bound to the session of that stream.
    /// Being cancelled and reaching the deadline are its ordinary ends.
    ScanCodes {},
    /// Show a document and take the citizen's signature.
    CaptureSignature {
        /// What, and how.
        order: SigningOrder,
    },
    /// Calibrate a tablet whose `capabilities.calibrates` says that it can be: five crosses are shown one after
    /// the other, and a person touches the middle of each with the pen. From the success on, also after a
    /// restart, signatures are mapped by what came of it. Taps that give no calibration end the job with
    /// `SIG-CALIBRATION` and change nothing.
    CalibrateTablet {
        /// Who shows the crosses, where the tablet has no screen of its own; over the whole monitor under the
        /// pen, as it will show documents.
        surface: Surface,
    },
    /// Print a ticket on at most one paper that is not marked 再発行.
    PrintTicket {
        /// The ticket's own name, the same for every attempt: 1 to 64 letters, digits, dots, hyphens or
        /// underscores.
        ticket: String,
        /// What stands on it, from top to bottom.
        content: Vec<TicketElement>,
        /// A further paper, marked 再発行, where one has come out or may have. Needs `ticketPrinter.settle`.
        #[serde(default)]
        reissue: bool,
    },
    /// List the tickets of which nobody knows whether they came out.
    ListTickets {},
    /// Say of such a ticket, after a look at the printer, whether its paper came out.
    SettleTicket {
        /// The ticket.
        ticket: String,
        /// Whether its paper came out.
        // Renamed by hand, because the schema generator overlooks `rename_all_fields`.
        #[serde(rename = "cameOut")]
        came_out: bool,
    },
    /// Print a PDF that was handed in by `POST /v1/documents`.
    PrintDocument {
        /// The document; this job uses it up.
        document: String,
        /// How many copies, 1 to 20.
        copies: u32,
        /// Whether on both sides.
        duplex: bool,
    },
    /// Scan paper; the result names a document that `POST /v1/documents/{id}/take` hands out once.
    ScanDocument {
        /// What, and how.
        order: DocumentScan,
    },
    /// Type values into a form of another program; which forms there are stands in `capabilities.templates`.
    TypeText {
        /// The form.
        form: String,
        /// The values by name.
        values: Named<SecretText>,
    },
    /// Write values into a file for another system; which templates there are stands in
    /// `capabilities.templates`.
    HandOver {
        /// The template.
        template: String,
        /// The values by name.
        values: Named<SecretText>,
    },
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// Name, address, birth date, sex (基本4情報).
    FourAttributes,
    /// The individual number (個人番号). Needs its own grant, a nonce, and the PIN.
    IndividualNumber,
}

/// Which secret opens the card, and how it gets there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// The citizen types the PIN on the paired PIN screen. No page of the application sees it.
    PinOnScreen,
    /// The same, with the keys in shuffled positions.
    PinOnScreenShuffled,
    /// The application hands the PIN in; needs its own grant.
    PinByApi,
    /// The citizen types the PIN on the keys of the reader, where `capabilities.pinPad` says that it has
    /// them; on any other reader the job is refused with `PIN-NO-PAD`.
    PinOnDevice,
    /// The application hands in verification number B (照合番号B), which never opens the individual number.
    VerificationNumberB,
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Job {
    /// The job.
    pub id: String,
    /// A short word that the clerk's page and the PIN screen both show, so that both people know they
    /// speak of the same job.
    pub word: String,
    /// The device.
    pub device: String,
    /// Where it stands.
    pub state: JobState,
    /// How far it has come, while running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// What the card says of itself without a secret, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardFacts>,
    /// What is being waited for, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// Why it failed or was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorBody>,
    /// Whether a result waits to be taken.
    pub result_waiting: bool,
}

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum JobState {
    /// Taken on; the device has not begun.
    Accepted,
    /// The device works on it.
    Running,
    /// It ended well.
    Succeeded,
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// How far a running job has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
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
    /// The file is written; the other system has not said yet that it took it.
    WaitingForReceipt,
}

/// What a card says of itself without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CardFacts {
    /// Five digits of the municipality that issued the card.
    pub municipality_code: String,
    /// Last day of validity, `YYYY-MM-DD`.
    pub expires_on: String,
    /// Whether that day has passed.
    pub expired: bool,
}

/// What a job waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// Its number within the job.
    pub ask: u32,
    /// What is asked.
    pub kind: QuestionKind,
    /// Tries left, read from the card just now. With one left, the last try must be allowed first.
    pub tries_left: u8,
    /// Whether the last try has been allowed.
    pub last_try_allowed: bool,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum QuestionKind {
    /// The PIN, on the citizen's screen.
    PinOnScreen,
    /// The PIN, by this API.
    PinByApi,
    /// The PIN, on the keys of the reader. With more than one try left the reader takes it at once;
    /// the question stays open while the citizen types.
    PinOnDevice,
    /// Verification number B, by this API.
    VerificationNumberB,
}

/// An answer to a question of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum JobAnswer {
    /// The secret that was asked for: a 4-digit PIN, or 14 digits of verification number B.
    Secret {
        /// The number of the question.
        ask: u32,
        /// Digits, ASCII.
        value: SecretText,
    },
    /// Allows the last try to be spent. Privileged; the secret follows on its usual way.
    AllowLastTry {
        /// The number of the question.
        ask: u32,
    },
    /// The citizen declined.
    Decline {
        /// The number of the question.
        ask: u32,
    },
}

/// The result of a job, handed out once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum JobResult {
    /// Of `identifyCard`.
    Card {
        /// What the card says of itself.
        card: CardFacts,
        /// Fifteen digits of the maker's serial.
        serial: SecretText,
    },
    /// Of `readMyNumberCard`.
    Reading {
        /// What the card says of itself.
        card: CardFacts,
        /// Fifteen digits of the maker's serial.
        serial: SecretText,
        /// The four attributes, where asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<Attributes>,
        /// The individual number, where asked for.
        // Renamed by hand, because the schema generator overlooks `rename_all_fields`.
        #[serde(
            rename = "individualNumber",
            default,
            skip_serializing_if = "Option::is_none"
        )]
        individual_number: Option<SecretText>,
        /// Whether the data can be believed.
        authenticity: Authenticity,
        /// Characters that a person should look at.
        notices: Vec<TextNotice>,
    },
    /// Of `scanCodes`.
    Scans {
        /// How many codes were received.
        delivered: u32,
        /// How many were scanned and received by nobody.
        undelivered: u32,
    },
    /// Of `captureSignature`.
    Signature {
        /// What was signed, how and when.
        summary: SignedSummary,
        /// The sealed container, always, then the exports that were ordered, in their order.
        documents: Vec<KeptDocument>,
    },
    /// Of `calibrateTablet`.
    Calibration {
        /// What came of it; in use already.
        calibration: Calibration,
    },
    /// Of `printTicket` and `settleTicket`.
    Ticket {
        /// What became of it.
        ticket: PrintedTicket,
    },
    /// Of `listTickets`.
    Tickets {
        /// The tickets of which nobody knows whether they came out.
        tickets: Vec<UnknownTicket>,
    },
    /// Of `printDocument`.
    Pages {
        /// How many sides the printer says it has printed; absent where it does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        printed: Option<u32>,
    },
    /// Of `scanDocument`.
    Document {
        /// The document, to be taken once.
        document: KeptDocument,
        /// Its pages.
        pages: Vec<PageFacts>,
        /// How many blank pages were left out.
        #[serde(rename = "blankDropped")]
        blank_dropped: u32,
    },
    /// Of `typeText`.
    Typed {
        /// How many steps of the form were done.
        steps: u32,
    },
    /// Of `handOver`.
    HandedOver {
        /// What was written.
        file: HandedOver,
    },
}

/// The four attributes (基本4情報), as the card holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attributes {
    /// Name; variation sequences kept.
    pub name: SecretText,
    /// Address; variation sequences kept.
    pub address: SecretText,
    /// Birth date, `YYYY-MM-DD`, or as the card holds it where that is no date.
    pub birth_date: SecretText,
    /// JIS X 0303: `1` male, `2` female, `0` not known, `9` not applicable.
    pub sex: SecretText,
}

/// Whether a card's data can be believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authenticity {
    /// The verdict.
    pub verdict: Verdict,
    /// For `notVerified` and `forged`: which check gave this verdict, as a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The trust anchor under which the data were verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
}

/// The verdict about a card's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// Signed by a trusted issuer, unchanged, and the card holds the key that belongs to the data.
    Genuine,
    /// Could not be decided.
    NotVerified,
    /// A check failed: the data were changed, or the card is a copy.
    Forged,
}

/// A character of a text that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TextNotice {
    /// The text in which it stands.
    pub field: AttributeName,
    /// Its position, counted in Unicode scalar values from 0.
    pub position: u32,
    /// What is special about it.
    pub kind: NoticeKind,
}

/// Which of the attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum AttributeName {
    /// The name.
    Name,
    /// The address.
    Address,
}

/// What is special about a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum NoticeKind {
    /// Not in JIS X 0213: other systems may not take it.
    OutsideJisX0213,
    /// In a private-use area: its shape depends on a supplied font.
    PrivateUse,
    /// A variation selector follows it: the shape differs from the plain character.
    VariationSequence,
    /// U+FFFD or a control character: the text was damaged.
    Damaged,
}
