//! The three vocabularies and the ways between them.
//!
//! ```text
//! agent-api (pages)  <->  agent-core (decisions)  <->  host-protocol (driver hosts)
//!            [`api`]                          [`host`]
//! ```
//! Every match is exhaustive, so that a word added to one vocabulary does not compile until it has a
//! meaning in the next.
//! Invariant: nothing is decided here, and secrets pass as secrets.

pub mod api;
pub mod device;
pub mod host;
pub mod product;
mod today;
pub mod work;

use std::collections::{BTreeMap, BTreeSet};

use agent_api::token::Scope;
use agent_core::{access, ids};

pub use today::today_in_japan;

use crate::origin::Origin;

/// A scope, as the core names it.
#[must_use]
pub const fn scope(scope: Scope) -> access::Scope {
    match scope {
        Scope::SeeCardReaders => access::Scope::SeeCardReaders,
        Scope::IdentifyCard => access::Scope::IdentifyCard,
        Scope::ReadFourAttributes => access::Scope::ReadFourAttributes,
        Scope::ReadIndividualNumber => access::Scope::ReadIndividualNumber,
        Scope::PinByApi => access::Scope::PinByApi,
        Scope::VerificationNumberB => access::Scope::VerificationNumberB,
        Scope::LastTry => access::Scope::LastTry,
        Scope::PairPinScreen => access::Scope::PairPinScreen,
        Scope::SeeCodeScanners => access::Scope::SeeCodeScanners,
        Scope::ScanCodes => access::Scope::ScanCodes,
        Scope::SeeSignatureTablets => access::Scope::SeeSignatureTablets,
        Scope::CaptureSignature => access::Scope::CaptureSignature,
        Scope::CalibrateTablet => access::Scope::CalibrateTablet,
        Scope::SeeTicketPrinters => access::Scope::SeeTicketPrinters,
        Scope::PrintTickets => access::Scope::PrintTickets,
        Scope::SettleTickets => access::Scope::SettleTickets,
        Scope::SeePagePrinters => access::Scope::SeePagePrinters,
        Scope::PrintDocuments => access::Scope::PrintDocuments,
        Scope::SeeDocumentScanners => access::Scope::SeeDocumentScanners,
        Scope::ScanDocuments => access::Scope::ScanDocuments,
        Scope::SeeKeyboards => access::Scope::SeeKeyboards,
        Scope::TypeText => access::Scope::TypeText,
        Scope::SeeHandovers => access::Scope::SeeHandovers,
        Scope::HandOver => access::Scope::HandOver,
    }
}

/// The configured grants, as the core wants them.
#[must_use]
pub fn grants(grants: &BTreeMap<Origin, BTreeSet<Scope>>) -> access::Grants {
    let one = |(origin, operations): (&Origin, &BTreeSet<Scope>)| {
        (
            ids::Origin::new(origin.as_str()),
            operations.iter().copied().map(scope).collect(),
        )
    };
    grants.iter().map(one).collect()
}
