//! HID devices without a kernel: identity, report descriptor, reports; and a stream that carries them.
//!
//! A report generator ([`HidModel`]) knows no transport, so the same one answers a kernel's `uhid`, a
//! virtual USB port, or a driver through the stream of [`stream`].

pub(crate) mod stream;

use std::fmt;

use serde::Serialize;

/// One report, its id first where the device has several.
#[derive(Clone, PartialEq, Eq)]
pub struct HidReport(pub Vec<u8>);

/// Codes and pen strokes are citizens' data.
impl fmt::Debug for HidReport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "HidReport({} bytes)", self.0.len())
    }
}

/// Who a device says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HidIdentity {
    /// USB vendor id.
    pub vendor: u16,
    /// USB product id.
    pub product: u16,
    /// The product's name.
    pub name: String,
    /// The serial number.
    pub serial: String,
}

/// What a host can ask of a HID device, whatever carries the question.
pub trait HidModel: Send + fmt::Debug {
    /// Who it is.
    fn identity(&self) -> HidIdentity;

    /// Its report descriptor.
    fn descriptor(&self) -> Vec<u8>;

    /// Answers "get feature report", id first; none where it refuses.
    fn feature(&mut self, id: u8) -> Option<Vec<u8>>;

    /// Takes "set feature report", id first; whether it accepts.
    fn set_feature(&mut self, report: &[u8]) -> bool;

    /// Takes an output report; whether it accepts.
    fn output(&mut self, report: &[u8]) -> bool;
}
