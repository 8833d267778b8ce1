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
}

impl DeviceClass {
    /// The name used in configuration, API and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CardReader => "cardReader",
        }
    }
}
