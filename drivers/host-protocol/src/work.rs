//! What a host can be asked to do, and what comes out.

use serde::{Deserialize, Serialize};

use crate::desk::{HandedOver, Typed};
use crate::paper::{Attachment, ScanOrder, ScannedDocument};
use crate::pen::{Calibration, SignOrder, Signature};
use crate::scan::ScanCount;
use crate::ticket::{PrintedTicket, StoredTicket, TicketElement};
use crate::{Named, SecretText};

/// A job's task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Task {
    /// Reads, without any secret, what the card says of itself.
    IdentifyCard {},
    /// Reads a My Number card through the card-surface input AP and proves it genuine.
    ReadMyNumberCard {
        /// What to read; nothing else is read.
        fields: Vec<Field>,
        /// Which secret opens the card.
        credential: Credential,
        /// Today in Japan as `YYYY-MM-DD`, to tell whether the card has expired.
        today: String,
    },
    /// Gives each scanned code as an item, one at a time: the next follows when the last was `received`.
    /// Runs until it is cancelled or its deadline comes; both are its ordinary ends.
    ScanCodes {},
    /// Shows a document and takes the citizen's signature.
    CaptureSignature {
        /// What, and how.
        order: SignOrder,
    },
    /// Shows five crosses one after the other, has each tapped with the pen, and fits a map to the taps. Only
    /// for a device whose capabilities say `calibrates`.
    CalibrateTablet {},
    /// Prints a ticket on at most one paper, or says that nobody knows.
    PrintTicket {
        /// The ticket's own name, the same for every attempt.
        ticket: String,
        /// What stands on it.
        content: Vec<TicketElement>,
        /// A further paper, marked as such (再発行), where one has come out or may have.
        reissue: bool,
    },
    /// Tells of tickets of which nobody knows whether they came out.
    ListTickets {},
    /// A person looked at the printer: says of such a ticket whether it came out.
    SettleTicket {
        /// The ticket.
        ticket: String,
        /// Whether its paper came out.
        came_out: bool,
    },
    /// Prints a PDF on pages.
    PrintDocument {
        /// The PDF.
        document: Attachment,
        /// How many copies.
        copies: u32,
        /// Whether on both sides.
        duplex: bool,
    },
    /// Scans paper.
    ScanDocument {
        /// What, and how.
        order: ScanOrder,
    },
    /// Types values into a form of another program that is named in the settings.
    TypeText {
        /// The form.
        form: String,
        /// The values.
        values: Named<SecretText>,
    },
    /// Writes values into a file for another system by a template that is named in the settings.
    HandOver {
        /// The template.
        template: String,
        /// The values.
        values: Named<SecretText>,
    },
}

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// Name, address, birth date, sex (基本4情報).
    FourAttributes,
    /// The individual number (個人番号), only with the PIN.
    IndividualNumber,
}

/// Which secret opens the card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Credential {
    /// The citizen's 4-digit PIN.
    Pin,
    /// The same PIN, typed on the keys of the reader, only for a device that has them: the host asks
    /// [`crate::Question::PinOnDevice`] and never learns the PIN.
    PinOnDevice,
    /// Verification number B (照合番号B), from what is printed on the card.
    VerificationNumberB,
}

/// What a job produced.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Product {
    /// Of [`Task::IdentifyCard`].
    Card {
        /// What the card says of itself.
        card: CardFacts,
    },
    /// Of [`Task::ReadMyNumberCard`].
    Reading {
        /// What was read.
        reading: Reading,
    },
    /// Of [`Task::ScanCodes`].
    Scans {
        /// How many.
        count: ScanCount,
    },
    /// Of [`Task::CaptureSignature`].
    Signature {
        /// What was signed.
        signature: Box<Signature>,
    },
    /// Of [`Task::CalibrateTablet`].
    Calibration {
        /// The map, which the device uses from now on.
        calibration: Calibration,
    },
    /// Of [`Task::PrintTicket`] and [`Task::SettleTicket`].
    Ticket {
        /// What became of it.
        ticket: PrintedTicket,
    },
    /// Of [`Task::ListTickets`].
    Tickets {
        /// The tickets.
        tickets: Vec<StoredTicket>,
    },
    /// Of [`Task::PrintDocument`].
    Pages {
        /// How many sheets' sides the printer says it has printed; absent where it does not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        printed: Option<u32>,
    },
    /// Of [`Task::ScanDocument`].
    Document {
        /// What was scanned.
        document: ScannedDocument,
    },
    /// Of [`Task::TypeText`].
    Typed {
        /// What was typed.
        typed: Typed,
    },
    /// Of [`Task::HandOver`].
    HandedOver {
        /// What was written.
        file: HandedOver,
    },
}

/// What a My Number card says of itself without any secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CardFacts {
    /// Five digits of the municipality that issued the card.
    pub municipality_code: String,
    /// Fifteen digits of the maker's serial. It names a card, so it is treated as personal.
    pub serial: SecretText,
    /// Last day of validity, `YYYY-MM-DD`.
    pub expires_on: String,
    /// Whether that day lies before the `today` of the task; absent where the task gave none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired: Option<bool>,
}

/// What was read from a My Number card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Reading {
    /// What the card says of itself.
    pub card: CardFacts,
    /// The four attributes, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
    /// The individual number, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub individual_number: Option<SecretText>,
    /// Whether the data are the issuer's and the card is no copy.
    pub authenticity: Authenticity,
    /// Characters that a person should look at.
    pub notices: Vec<TextNotice>,
}

/// The four attributes (基本4情報), as the card holds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Authenticity {
    /// The verdict.
    pub verdict: Verdict,
    /// For `notVerified` and `forged`: which check gave this verdict, as a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// For `genuine` and where a chain was found: the name of the trust anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
}

/// The verdict about a card's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AttributeName {
    /// The name.
    Name,
    /// The address.
    Address,
}

/// What is special about a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum NoticeKind {
    /// Not in JIS X 0213: other systems may not take it.
    OutsideJisX0213,
    /// In a private-use area: its shape depends on a supplied font.
    PrivateUse,
    /// A variation selector follows it: the shape differs from the plain character.
    VariationSequence,
    /// U+FFFD or a control character: the text was damaged before it reached the card or on the way.
    Damaged,
}
