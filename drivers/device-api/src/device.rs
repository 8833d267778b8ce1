//! What a device is called, and what kind it is.

use std::fmt;

/// The stable name of a device on this machine, such as `pcsc:Virtual PCD 00 00`.
///
/// It survives unplugging and a restart of the agent.
/// It is never shown to a page that holds no grant for the device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// Names a device.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The kind of a device, which decides the operations that it offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceClass {
    /// A reader of chip cards, contact or contactless.
    CardReader,
    /// A reader of bar codes and 2D codes.
    CodeScanner,
    /// A tablet or pen display on which a citizen signs.
    SignatureTablet,
    /// A printer of tickets and receipts on a paper roll.
    TicketPrinter,
    /// A printer of A4 pages.
    PagePrinter,
    /// A scanner of paper documents.
    DocumentScanner,
    /// The keyboard of this machine, into which text for a legacy form can be typed.
    Keyboard,
    /// A folder through which another system takes reception data over.
    Handover,
}

impl DeviceClass {
    /// Every class.
    pub const ALL: &'static [Self] = &[
        Self::CardReader,
        Self::CodeScanner,
        Self::SignatureTablet,
        Self::TicketPrinter,
        Self::PagePrinter,
        Self::DocumentScanner,
        Self::Keyboard,
        Self::Handover,
    ];

    /// The name used in configuration, API, host protocol and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CardReader => "cardReader",
            Self::CodeScanner => "codeScanner",
            Self::SignatureTablet => "signatureTablet",
            Self::TicketPrinter => "ticketPrinter",
            Self::PagePrinter => "pagePrinter",
            Self::DocumentScanner => "documentScanner",
            Self::Keyboard => "keyboard",
            Self::Handover => "handover",
        }
    }

    /// The class of this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|class| class.as_str() == name)
    }
}
