//! Page printers.

use serde::{Deserialize, Serialize};

/// The settings of the host of page printers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, default)]
pub struct PagePrinters {
    /// The printers.
    pub printers: Vec<PagePrinter>,
}

/// One page printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct PagePrinter {
    /// Its name, unique among the page printers of this machine.
    pub name: String,
    /// Where it is, such as `ipp://127.0.0.1:631/printers/forms` of a print server on this machine, or
    /// `ipp://192.168.10.9/ipp/print` of a printer that serves itself: an IP address, the port where it is
    /// not 631, and the path.
    pub uri: String,
}
