//! Document scanners.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The settings of the host of document scanners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, default)]
pub struct DocumentScanners {
    /// The scanners.
    pub scanners: Vec<DocumentScanner>,
}

/// One document scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct DocumentScanner {
    /// Its name, unique among the document scanners of this machine.
    pub name: String,
    /// How it is reached: `sane` with `address` and `device`, or `escl` with a URL, such as
    /// `reached_by = { escl = "http://localhost:60000/eSCL" }`.
    pub reached_by: ReachedBy,
}

/// How a document scanner is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ReachedBy {
    /// Through a SANE server.
    Sane(SaneScanner),
    /// By eSCL (AirScan), at this URL without a slash at its end. Whoever serves a USB scanner over
    /// `ipp-usb` finds it at `http://localhost:60000/eSCL`.
    Escl(String),
}

/// A scanner of a SANE server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct SaneScanner {
    /// The server, such as `127.0.0.1`, with `:` and its port where that is not 6566.
    pub address: String,
    /// The scanner's name at that server, as `scanimage -L` shows it.
    pub device: String,
    /// Further options of the scanner's backend that are set before each scan, by name.
    /// Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
}
