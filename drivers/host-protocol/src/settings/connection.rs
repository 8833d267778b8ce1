//! Where a device is.

use serde::{Deserialize, Serialize};

/// Where a device is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Connection {
    /// On a serial line, or a USB device that looks like one.
    Serial(Line),
    /// At this address and port, such as `192.168.10.7:9100`.
    Tcp(String),
    /// A USB device of its class; what is left out may be anything.
    Usb {
        /// The vendor's number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        vendor: Option<u16>,
        /// The product's number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<u16>,
        /// The device's serial number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        serial: Option<String>,
    },
    /// A keyboard's device file, such as one below `/dev/input/by-id`. Linux only.
    Keyboard(String),
    /// A simulated USB device at this address and port, which must be on this machine.
    Simulated(String),
}

/// A serial line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Line {
    /// The device file, or the port's name on Windows, such as `COM3`.
    pub path: String,
    /// Bits a second.
    /// Default: 9600.
    #[serde(default = "usual_baud")]
    pub baud: u32,
}

const fn usual_baud() -> u32 {
    9600
}
