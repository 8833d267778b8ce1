//! What can be permitted: one name per class of device and operation.

use device_api::DeviceClass;

use crate::access::Need;
use crate::event::JobAnswer;
use crate::task::{Credential, Field, QuestionKind, Task};

/// An operation that an origin's grant and a token can permit. Both must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// See card readers and their state.
    SeeCardReaders,
    /// Read what a card says of itself without any secret.
    IdentifyCard,
    /// Read the four attributes.
    ReadFourAttributes,
    /// Read the individual number. Privileged.
    ReadIndividualNumber,
    /// Hand in a PIN by API. Privileged.
    PinByApi,
    /// Hand in verification number B by API.
    VerificationNumberB,
    /// Allow the last PIN try to be spent. Privileged.
    LastTry,
    /// Pair and unpair the citizen's PIN screen.
    PairPinScreen,
    /// See code scanners and their state.
    SeeCodeScanners,
    /// Get the codes that are scanned.
    ScanCodes,
    /// See signature tablets and their state.
    SeeSignatureTablets,
    /// Show a document and take the citizen's signature.
    CaptureSignature,
    /// Calibrate a signature tablet, which changes how all later signatures are mapped.
    CalibrateTablet,
    /// See ticket printers and their state.
    SeeTicketPrinters,
    /// Print tickets.
    PrintTickets,
    /// Say of a ticket whether it came out, and have it printed again.
    SettleTickets,
    /// See page printers and their state.
    SeePagePrinters,
    /// Print documents on pages.
    PrintDocuments,
    /// See document scanners and their state.
    SeeDocumentScanners,
    /// Scan documents.
    ScanDocuments,
    /// See whether text can be typed into a legacy form.
    SeeKeyboards,
    /// Type text into a legacy form. Privileged.
    TypeText,
    /// See the folders through which other systems take data over.
    SeeHandovers,
    /// Write data into a file for another system.
    HandOver,
}

impl Scope {
    /// Every scope.
    pub const ALL: &'static [Self] = &[
        Self::SeeCardReaders,
        Self::IdentifyCard,
        Self::ReadFourAttributes,
        Self::ReadIndividualNumber,
        Self::PinByApi,
        Self::VerificationNumberB,
        Self::LastTry,
        Self::PairPinScreen,
        Self::SeeCodeScanners,
        Self::ScanCodes,
        Self::SeeSignatureTablets,
        Self::CaptureSignature,
        Self::CalibrateTablet,
        Self::SeeTicketPrinters,
        Self::PrintTickets,
        Self::SettleTickets,
        Self::SeePagePrinters,
        Self::PrintDocuments,
        Self::SeeDocumentScanners,
        Self::ScanDocuments,
        Self::SeeKeyboards,
        Self::TypeText,
        Self::SeeHandovers,
        Self::HandOver,
    ];

    /// Those that need a nonce where they are used.
    pub(crate) const PRIVILEGED: &'static [Self] = &[
        Self::ReadIndividualNumber,
        Self::PinByApi,
        Self::LastTry,
        Self::TypeText,
    ];

    /// The name in tokens and in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeeCardReaders => "cardReader.see",
            Self::IdentifyCard => "cardReader.identify",
            Self::ReadFourAttributes => "cardReader.readFourAttributes",
            Self::ReadIndividualNumber => "cardReader.readIndividualNumber",
            Self::PinByApi => "cardReader.pinByApi",
            Self::VerificationNumberB => "cardReader.verificationNumberB",
            Self::LastTry => "cardReader.lastTry",
            Self::PairPinScreen => "pinScreen.pair",
            Self::SeeCodeScanners => "codeScanner.see",
            Self::ScanCodes => "codeScanner.scan",
            Self::SeeSignatureTablets => "signatureTablet.see",
            Self::CaptureSignature => "signatureTablet.capture",
            Self::CalibrateTablet => "signatureTablet.calibrate",
            Self::SeeTicketPrinters => "ticketPrinter.see",
            Self::PrintTickets => "ticketPrinter.print",
            Self::SettleTickets => "ticketPrinter.settle",
            Self::SeePagePrinters => "pagePrinter.see",
            Self::PrintDocuments => "pagePrinter.print",
            Self::SeeDocumentScanners => "documentScanner.see",
            Self::ScanDocuments => "documentScanner.scan",
            Self::SeeKeyboards => "keyboard.see",
            Self::TypeText => "keyboard.type",
            Self::SeeHandovers => "handover.see",
            Self::HandOver => "handover.write",
        }
    }

    /// The scope of this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.as_str() == name)
    }

    /// The scope without which a class of devices stays invisible.
    #[must_use]
    pub const fn to_see(class: DeviceClass) -> Self {
        match class {
            DeviceClass::CardReader => Self::SeeCardReaders,
            DeviceClass::CodeScanner => Self::SeeCodeScanners,
            DeviceClass::SignatureTablet => Self::SeeSignatureTablets,
            DeviceClass::TicketPrinter => Self::SeeTicketPrinters,
            DeviceClass::PagePrinter => Self::SeePagePrinters,
            DeviceClass::DocumentScanner => Self::SeeDocumentScanners,
            DeviceClass::Keyboard => Self::SeeKeyboards,
            DeviceClass::Handover => Self::SeeHandovers,
        }
    }
}

/// What starting a task needs. Only the individual number and typing into another program make the start
/// itself privileged; a PIN by API is privileged when it is handed in.
pub(crate) fn scope_to_start(task: &Task) -> Need {
    let mut scopes = vec![Scope::to_see(task.class())];
    let mut privileged = false;
    match task {
        Task::ScanCodes => scopes.push(Scope::ScanCodes),
        Task::CaptureSignature { .. } => scopes.push(Scope::CaptureSignature),
        Task::CalibrateTablet { .. } => scopes.push(Scope::CalibrateTablet),
        Task::PrintTicket { reissue: false, .. } => scopes.push(Scope::PrintTickets),
        Task::PrintTicket { reissue: true, .. } => {
            scopes.extend([Scope::PrintTickets, Scope::SettleTickets]);
        }
        Task::ListTickets | Task::SettleTicket { .. } => scopes.push(Scope::SettleTickets),
        Task::PrintDocument => scopes.push(Scope::PrintDocuments),
        Task::ScanDocument => scopes.push(Scope::ScanDocuments),
        Task::TypeText { .. } => {
            scopes.push(Scope::TypeText);
            privileged = true;
        }
        Task::HandOver { .. } => scopes.push(Scope::HandOver),
        Task::IdentifyCard => scopes.push(Scope::IdentifyCard),
        Task::ReadMyNumberCard { fields, credential } => {
            for field in fields {
                scopes.push(match field {
                    Field::FourAttributes => Scope::ReadFourAttributes,
                    Field::IndividualNumber => Scope::ReadIndividualNumber,
                });
                privileged |= *field == Field::IndividualNumber;
            }
            match credential {
                // The secret passes no application on these ways.
                Credential::PinOnScreen { .. } | Credential::PinOnDevice => {}
                Credential::PinByApi => scopes.push(Scope::PinByApi),
                Credential::VerificationNumberB => scopes.push(Scope::VerificationNumberB),
            }
        }
    }
    Need { scopes, privileged }
}

/// What answering a question needs.
pub(crate) fn scope_to_answer(kind: QuestionKind, answer: &JobAnswer) -> Need {
    match (answer, kind) {
        (JobAnswer::Decline, _) => Need {
            scopes: vec![Scope::SeeCardReaders],
            privileged: false,
        },
        (JobAnswer::AllowLastTry, _) => Need {
            scopes: vec![Scope::LastTry],
            privileged: true,
        },
        (JobAnswer::Secret(_), QuestionKind::VerificationNumberB) => Need {
            scopes: vec![Scope::VerificationNumberB],
            privileged: false,
        },
        // A PIN that belongs on the screen or the device is refused later because of where it came
        // from; until then it needs no less than a PIN by API does.
        (
            JobAnswer::Secret(_),
            QuestionKind::PinByApi | QuestionKind::PinOnScreen | QuestionKind::PinOnDevice,
        ) => Need {
            scopes: vec![Scope::PinByApi],
            privileged: true,
        },
    }
}
