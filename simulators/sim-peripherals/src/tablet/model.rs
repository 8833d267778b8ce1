//! What a tablet is told and what it shows: settings, actions, counters, views.

use serde::{Deserialize, Serialize};

use crate::line::{Address, Attach};
use crate::tablet::stu::PenFlags;

/// What kind of tablet it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TabletKind {
    /// Like a Wacom STU-540, with a screen of its own.
    Stu(PenFlags),
    /// A generic HID digitizer; what it shows is the host's screen.
    PenDisplay,
}

/// How it is attached and what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TabletSettings {
    /// How it is attached.
    pub attach: Attach,
    /// What it is.
    pub kind: TabletKind,
}

impl Default for TabletSettings {
    fn default() -> Self {
        Self {
            attach: Attach::Tcp(0),
            kind: TabletKind::Stu(PenFlags::default()),
        }
    }
}

/// What a person does, apart from writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TabletAction {
    /// Pulls the cable; the screen goes dark and forgets.
    Unplug,
    /// Puts it back; a tablet that hung works again.
    Plug,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TabletCounters {
    /// Connections taken.
    pub connections: u64,
    /// Samples that the pen made.
    pub samples: u64,
    /// Reports that left it.
    pub reports: u64,
    /// Feature reports asked for.
    pub gets: u64,
    /// Feature and output reports brought.
    pub sets: u64,
    /// Of both, those refused.
    pub refused: u64,
    /// Faults that struck.
    pub faults: u64,
}

/// What the tablet shows to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TabletView {
    /// Where it is reached, or was before the cable was pulled.
    pub address: Address,
    /// What it is.
    pub kind: TabletKind,
    /// Whether the cable is in.
    pub plugged: bool,
    /// Whether a host is connected.
    pub connected: bool,
    /// Whether it hangs by a fault.
    pub hung: bool,
    /// Its screen, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen: Option<ScreenView>,
}

/// A tablet's screen as shown to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScreenView {
    /// SHA-256 over the pixels (red, green, blue, row by row) without ink.
    pub sha256: String,
    /// Images that the host has brought.
    pub images: u64,
    /// Whether the pen leaves ink.
    pub inking: bool,
    /// Whether samples carry time and sequence.
    pub timed: bool,
}

/// Why nothing can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PenError {
    /// No host is there.
    #[error("no host is connected to the tablet")]
    NobodyThere,
    /// It hangs by a fault.
    #[error("the tablet hangs")]
    Hung,
}
