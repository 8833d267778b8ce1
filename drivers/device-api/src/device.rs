//! What a device is called, and what kind it is.

use std::collections::BTreeMap;
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

/// What is known of a device beyond its state; nothing of it is about a citizen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceFacts {
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it says of itself.
    pub make: Make,
    /// What it has done in its life, as far as that is counted.
    pub counters: BTreeMap<String, u64>,
}

/// What a device can do, beyond what its class says. What is absent it cannot do, or it is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Card readers: whether the PIN can be typed on the device itself.
    pub pin_pad: bool,
    /// Signature tablets: who shows the document, and who feels the pen.
    pub pen: Option<Pen>,
    /// Signature tablets: whether crosses can be tapped on it to calibrate it.
    pub calibrates: bool,
    /// Ticket printers: dots in a line.
    pub dots: Option<u32>,
    /// Printers and document scanners: resolutions, in dots per inch.
    pub resolutions: Vec<u32>,
    /// Document scanners: where paper can lie.
    pub sources: Vec<Source>,
    /// Keyboards and handover folders: the forms or templates that are configured.
    pub templates: Vec<String>,
}

/// Who shows the document to be signed, and who feels the pen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pen {
    /// The device has a screen of its own and does both.
    OwnScreen,
    /// The device feels the pen; the citizen's page shows the document.
    Display,
    /// The citizen's page does both, by pointer events of the browser.
    Page,
}

/// Where paper can lie in a document scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// On the glass, one page.
    Flatbed,
    /// In the feeder, the upper side of each sheet.
    Feeder,
    /// In the feeder, both sides of each sheet.
    FeederDuplex,
}

/// What a device says of itself; whatever it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Make {
    /// The maker.
    pub vendor: String,
    /// The model.
    pub model: String,
    /// Its serial number.
    pub serial: String,
    /// The version of its firmware.
    pub firmware: String,
}
