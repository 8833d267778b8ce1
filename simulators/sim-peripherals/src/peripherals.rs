//! All four devices of a counter, as settings say; a counter may leave any of them out.

use std::io;

use serde::{Deserialize, Serialize};

use crate::document::{DocumentScanner, DocumentSettings, DocumentView};
use crate::printer::{Printer, PrinterSettings, PrinterView};
use crate::scanner::{CodeScanner, ScannerSettings, ScannerView};
use crate::tablet::{SignatureTablet, TabletSettings, TabletView};

/// Which devices there are, and what they are like. An empty object is a device with usual settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PeripheralSettings {
    /// The printer.
    pub printer: Option<PrinterSettings>,
    /// The code scanner.
    pub code_scanner: Option<ScannerSettings>,
    /// The tablet.
    pub tablet: Option<TabletSettings>,
    /// The document scanner.
    pub document_scanner: Option<DocumentSettings>,
}

/// Running devices. Dropping them ends them.
#[derive(Debug)]
pub struct Peripherals {
    /// The printer.
    pub printer: Option<Printer>,
    /// The code scanner.
    pub code_scanner: Option<CodeScanner>,
    /// The tablet.
    pub tablet: Option<SignatureTablet>,
    /// The document scanner.
    pub document_scanner: Option<DocumentScanner>,
}

/// How all devices stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PeripheralsView {
    /// The printer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub printer: Option<PrinterView>,
    /// The code scanner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_scanner: Option<ScannerView>,
    /// The tablet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tablet: Option<TabletView>,
    /// The document scanner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_scanner: Option<DocumentView>,
}

impl PeripheralSettings {
    /// All four devices, each as it usually is, at ports that the system chooses.
    #[must_use]
    pub fn all() -> Self {
        Self {
            printer: Some(PrinterSettings::default()),
            code_scanner: Some(ScannerSettings::default()),
            tablet: Some(TabletSettings::default()),
            document_scanner: Some(DocumentSettings::default()),
        }
    }
}

impl Peripherals {
    /// Starts what the settings name.
    ///
    /// # Errors
    ///
    /// When a port, a terminal or a thread cannot be had; what was started has ended again.
    pub fn start(settings: PeripheralSettings) -> io::Result<Self> {
        Ok(Self {
            printer: settings.printer.map(Printer::start).transpose()?,
            code_scanner: settings.code_scanner.map(CodeScanner::start).transpose()?,
            tablet: settings.tablet.map(SignatureTablet::start).transpose()?,
            document_scanner: settings
                .document_scanner
                .map(DocumentScanner::start)
                .transpose()?,
        })
    }

    /// How they stand.
    #[must_use]
    pub fn view(&self) -> PeripheralsView {
        PeripheralsView {
            printer: self.printer.as_ref().map(Printer::view),
            code_scanner: self.code_scanner.as_ref().map(CodeScanner::view),
            tablet: self.tablet.as_ref().map(SignatureTablet::view),
            document_scanner: self.document_scanner.as_ref().map(DocumentScanner::view),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_and_views_are_json_in_camel_case() {
        let text = r#"{"printer":{"width":512,"attach":{"tcp":0}},"tablet":{"kind":"penDisplay"},
            "codeScanner":{"interface":{"stream":{"aim":true,"suffix":"crLf"}}},"documentScanner":{}}"#;
        let settings: PeripheralSettings = serde_json::from_str(text).unwrap();
        let peripherals = Peripherals::start(settings).unwrap();
        let view = serde_json::to_value(peripherals.view()).unwrap();
        assert_eq!(view["printer"]["paper"], "enough");
        assert_eq!(view["codeScanner"]["connected"], false);
        assert_eq!(view["documentScanner"]["coverOpen"], false);
        assert!(view["tablet"]["address"]["tcp"].is_string());
        let none: PeripheralSettings = serde_json::from_str("{}").unwrap();
        assert_eq!(none, PeripheralSettings::default());
        assert!(serde_json::from_str::<PeripheralSettings>(r#"{"fax":{}}"#).is_err());
    }
}
