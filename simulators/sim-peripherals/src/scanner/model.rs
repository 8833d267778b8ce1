//! What a code scanner is told and what it shows: settings, actions, counters, views.

use serde::{Deserialize, Serialize};

use crate::line::{Address, Attach};
use crate::scanner::framing::Framing;
use crate::scanner::keyboard::Layout;

/// What the scanner is to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Interface {
    /// Bytes, wrapped like this.
    Stream(Framing),
    /// A HID point-of-sale device.
    HidPos,
    /// A keyboard of this layout.
    Keyboard(Layout),
}

/// What kind of scanner it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ScannerSettings {
    /// How it is attached.
    pub attach: Attach,
    /// What it is to the host.
    pub interface: Interface,
}

impl Default for ScannerSettings {
    fn default() -> Self {
        Self {
            attach: Attach::Tcp(0),
            interface: Interface::Stream(Framing::default()),
        }
    }
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ScannerAction {
    /// Pulls the cable.
    Unplug,
    /// Puts it back; a scanner that hung works again.
    Plug,
}

/// What became of a scan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scanned {
    /// Bytes or reports that left the scanner.
    pub sent: usize,
    /// Characters that a keyboard cannot type.
    pub lost_characters: usize,
}

/// Why a scan did not leave the scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// No host is there.
    #[error("no host is connected to the scanner")]
    NobodyThere,
    /// It hangs by a fault.
    #[error("the scanner hangs")]
    Hung,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScannerCounters {
    /// Connections taken.
    pub connections: u64,
    /// Codes held before it.
    pub scans: u64,
    /// Codes of which something left it.
    pub sent: u64,
    /// Bytes that left it.
    pub bytes_sent: u64,
    /// Bytes that the host sent.
    pub bytes_received: u64,
    /// Faults that struck.
    pub faults: u64,
}

/// What the scanner shows to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a lamp of its own, and they are independent"
)]
pub struct ScannerView {
    /// Where it is reached, or was before the cable was pulled.
    pub address: Address,
    /// What it is to the host.
    pub interface: Interface,
    /// Whether the cable is in.
    pub plugged: bool,
    /// Whether a host is connected; always, on a terminal.
    pub connected: bool,
    /// Whether it hangs by a fault.
    pub hung: bool,
    /// Whether a code waits to be sent together with the next one.
    pub held: bool,
}
