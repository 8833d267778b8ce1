//! Devices and their state.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The devices that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeviceList {
    /// The devices.
    pub devices: Vec<Device>,
    /// The operating system's card service: `starting` until a driver host has spoken.
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
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Device {
    /// Stable over unplugging and restarts.
    pub id: String,
    /// The kind: `cardReader`.
    pub class: String,
    /// The name that the operating system shows.
    pub name: String,
    /// Whether it can be used, and what stands on it.
    pub state: DeviceState,
    /// Whether it can be used now; where not, the error says why and what to do.
    pub health: Health,
    /// What it can do.
    pub capabilities: Capabilities,
}

/// The state of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum DeviceState {
    /// Ready; no card on it.
    Empty,
    /// Ready; a card is on it.
    CardPresent,
    /// A card is on it and does not answer.
    CardMute,
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
}

/// What a device can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Capabilities {
    /// Whether the PIN can be typed on the device itself.
    pub pin_pad: bool,
}
