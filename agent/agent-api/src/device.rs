//! Devices and their state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::document::Source;

/// The devices that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceList {
    /// The devices.
    pub devices: Vec<Device>,
    /// The operating system's card service: `starting` until the driver host of the readers has spoken.
    pub card_service: CardService,
}

/// The operating system's card service, as the driver host sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum CardService {
    /// The driver host has not spoken yet.
    Starting,
    /// It answers.
    Up,
    /// It does not run.
    Down,
    /// It runs and refuses the agent: the permissions of the agent's user are to be corrected.
    Denied,
    /// This agent serves no card readers.
    Unused,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Device {
    /// Stable over unplugging and restarts.
    pub id: String,
    /// The kind: `cardReader`, `codeScanner`, `signatureTablet`, `ticketPrinter`, `pagePrinter`,
    /// `documentScanner`, `keyboard` or `handover`.
    pub class: String,
    /// The name that the operating system shows.
    pub name: String,
    /// Whether it can be used, and what stands on it.
    pub state: DeviceState,
    /// Whether it can be used now; where not, the error says why and what to do.
    pub health: Health,
    /// What it can do.
    pub capabilities: Capabilities,
    /// What it says of itself.
    pub make: Make,
    /// What it has done in its life, as far as that is counted, such as `cuts`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
}

/// The state of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeviceState {
    /// A card reader: ready; no card on it.
    Empty,
    /// A card reader: ready; a card is on it.
    CardPresent,
    /// A card is on it and does not answer.
    CardMute,
    /// Ready; said of devices that take no card.
    Ready,
    /// It answers, and a person must do something first; `health` says what.
    NotReady,
    /// The operating system denies access.
    Denied,
    /// Another program holds it.
    InUse,
    /// It does not answer.
    Unresponsive,
    /// It was here and is gone.
    Absent,
}

/// Whether a device can be used now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Health {
    /// Whether a job can be started.
    pub usable: bool,
    /// Where it cannot: the code of `docs/errors.md`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Codes of what will stand in the way soon, such as `PRN-PAPER-LOW`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What a device can do. What is absent it cannot do, or it is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capabilities {
    /// Whether the PIN can be typed on the device itself.
    pub pin_pad: bool,
    /// Signature tablets: who shows the document, and who feels the pen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pen: Option<Pen>,
    /// Signature tablets: whether it takes `calibrateTablet`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub calibrates: bool,
    /// Ticket printers: dots in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dots: Option<u32>,
    /// Printers and document scanners: resolutions, in dots per inch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolutions: Vec<u32>,
    /// Document scanners: where paper can lie.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// Keyboards and handover folders: the forms or templates that are configured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub templates: Vec<String>,
}

/// Who shows the document to be signed, and who feels the pen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Pen {
    /// The device has a screen of its own and does both.
    OwnScreen,
    /// The device feels the pen; a page shows the document.
    Display,
    /// A page does both, by pointer events of the browser.
    Page,
}

/// What a device says of itself; whatever it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
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
