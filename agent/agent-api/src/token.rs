//! Counter tokens and nonces.
//!
//! A counter token is a compact JWS (RFC 7515) with `alg: EdDSA` (Ed25519, RFC 8037), signed by the
//! backend of the counter application, sent as `Authorization: Bearer`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The claims of a counter token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenClaims {
    /// The issuer, as named in the agent's configuration.
    pub iss: String,
    /// The audience: the agent's id.
    pub aud: String,
    /// The staff id.
    pub sub: String,
    /// The origin of the page that uses the token, such as `https://madoguchi.city.example.jp`.
    pub origin: String,
    /// The counter at which the staff member sits, such as `3`.
    pub counter: String,
    /// What the token permits; the names of [`Scope`].
    pub scopes: Vec<Scope>,
    /// Seconds since 1970 at which it was issued.
    pub iat: u64,
    /// Seconds since 1970 at which it expires; at most 15 minutes after `iat`.
    pub exp: u64,
    /// For a privileged call: the nonce that this agent gave out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// What an origin's grant and a token can permit. Both must.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Scope {
    /// See card readers and their state.
    #[serde(rename = "cardReader.see")]
    SeeCardReaders,
    /// Read what a card says of itself without any secret.
    #[serde(rename = "cardReader.identify")]
    IdentifyCard,
    /// Read the four attributes.
    #[serde(rename = "cardReader.readFourAttributes")]
    ReadFourAttributes,
    /// Read the individual number. Privileged: needs a nonce.
    #[serde(rename = "cardReader.readIndividualNumber")]
    ReadIndividualNumber,
    /// Hand in a PIN by API instead of the citizen's screen. Privileged: needs a nonce.
    #[serde(rename = "cardReader.pinByApi")]
    PinByApi,
    /// Hand in verification number B by API.
    #[serde(rename = "cardReader.verificationNumberB")]
    VerificationNumberB,
    /// Allow the last PIN try to be spent. Privileged: needs a nonce.
    #[serde(rename = "cardReader.lastTry")]
    LastTry,
    /// Pair and unpair the citizen's PIN screen.
    #[serde(rename = "pinScreen.pair")]
    PairPinScreen,
    /// See code scanners and their state.
    #[serde(rename = "codeScanner.see")]
    SeeCodeScanners,
    /// Get the codes that are scanned.
    #[serde(rename = "codeScanner.scan")]
    ScanCodes,
    /// See signature tablets and their state.
    #[serde(rename = "signatureTablet.see")]
    SeeSignatureTablets,
    /// Show a document and take the citizen's signature.
    #[serde(rename = "signatureTablet.capture")]
    CaptureSignature,
    /// Calibrate a signature tablet, which changes how all later signatures are mapped.
    #[serde(rename = "signatureTablet.calibrate")]
    CalibrateTablet,
    /// See ticket printers and their state.
    #[serde(rename = "ticketPrinter.see")]
    SeeTicketPrinters,
    /// Print tickets.
    #[serde(rename = "ticketPrinter.print")]
    PrintTickets,
    /// Say of a ticket whether it came out, and have it printed again.
    #[serde(rename = "ticketPrinter.settle")]
    SettleTickets,
    /// See page printers and their state.
    #[serde(rename = "pagePrinter.see")]
    SeePagePrinters,
    /// Print documents on pages.
    #[serde(rename = "pagePrinter.print")]
    PrintDocuments,
    /// See document scanners and their state.
    #[serde(rename = "documentScanner.see")]
    SeeDocumentScanners,
    /// Scan documents.
    #[serde(rename = "documentScanner.scan")]
    ScanDocuments,
    /// See whether text can be typed into a legacy form.
    #[serde(rename = "keyboard.see")]
    SeeKeyboards,
    /// Type text into a legacy form. Privileged: needs a nonce.
    #[serde(rename = "keyboard.type")]
    TypeText,
    /// See the folders through which other systems take data over.
    #[serde(rename = "handover.see")]
    SeeHandovers,
    /// Write data into a file for another system.
    #[serde(rename = "handover.write")]
    HandOver,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 24] = [
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

    /// What it permits, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::SeeCardReaders => "See card readers and their state.",
            Self::IdentifyCard => "Read what a card says of itself without any secret.",
            Self::ReadFourAttributes => "Read the four attributes.",
            Self::ReadIndividualNumber => "Read the individual number.",
            Self::PinByApi => "Hand in a PIN by API instead of the citizen's screen.",
            Self::VerificationNumberB => "Hand in verification number B by API.",
            Self::LastTry => "Allow the last PIN try to be spent.",
            Self::PairPinScreen => "Pair and unpair the citizen's PIN screen.",
            Self::SeeCodeScanners => "See code scanners and their state.",
            Self::ScanCodes => "Get the codes that are scanned.",
            Self::SeeSignatureTablets => "See signature tablets and their state.",
            Self::CaptureSignature => "Show a document and take the citizen's signature.",
            Self::CalibrateTablet => {
                "Calibrate a signature tablet, which changes how all later signatures are mapped."
            }
            Self::SeeTicketPrinters => "See ticket printers and their state.",
            Self::PrintTickets => "Print tickets.",
            Self::SettleTickets => {
                "Say of a ticket whether it came out, and have it printed again."
            }
            Self::SeePagePrinters => "See page printers and their state.",
            Self::PrintDocuments => "Print documents on pages.",
            Self::SeeDocumentScanners => "See document scanners and their state.",
            Self::ScanDocuments => "Scan documents.",
            Self::SeeKeyboards => "See whether text can be typed into a legacy form.",
            Self::TypeText => "Type text into a legacy form.",
            Self::SeeHandovers => "See the folders through which other systems take data over.",
            Self::HandOver => "Write data into a file for another system.",
        }
    }

    /// Whether each use needs a token with an unused nonce of the agent.
    #[must_use]
    pub const fn is_privileged(self) -> bool {
        match self {
            Self::ReadIndividualNumber | Self::PinByApi | Self::LastTry | Self::TypeText => true,
            Self::SeeCardReaders
            | Self::IdentifyCard
            | Self::ReadFourAttributes
            | Self::VerificationNumberB
            | Self::PairPinScreen
            | Self::SeeCodeScanners
            | Self::ScanCodes
            | Self::SeeSignatureTablets
            | Self::CaptureSignature
            | Self::CalibrateTablet
            | Self::SeeTicketPrinters
            | Self::PrintTickets
            | Self::SettleTickets
            | Self::SeePagePrinters
            | Self::PrintDocuments
            | Self::SeeDocumentScanners
            | Self::ScanDocuments
            | Self::SeeKeyboards
            | Self::SeeHandovers
            | Self::HandOver => false,
        }
    }
}

/// A nonce for one privileged call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nonce {
    /// To be put into the `nonce` claim of a token.
    pub nonce: String,
    /// Milliseconds until it expires unused.
    pub expires_in_ms: u64,
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn the_name_of_a_scope_is_its_name_on_the_wire() {
        for scope in Scope::ALL {
            let wire = serde_json::to_string(&scope).unwrap();
            assert_eq!(wire, format!("\"{}\"", scope.as_str()));
        }
    }
}
