//! Ticket printers.

use serde::{Deserialize, Serialize};

use super::Connection;

/// The settings of the host of ticket printers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, default)]
pub struct TicketPrinters {
    /// The absolute folder in which each printer keeps what became of its tickets. The agent fills it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_dir: Option<String>,
    /// The printers.
    pub printers: Vec<TicketPrinter>,
}

/// One ticket printer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct TicketPrinter {
    /// Its name, unique among the ticket printers of this machine. What is known of its tickets is kept
    /// under it, so a printer that is renamed forgets them.
    pub name: String,
    /// Where it is: `serial`, `tcp`, or `usb` with the vendor's and the product's number.
    pub connection: Connection,
    /// Its model: `tm-t88vii`, `tm-t88vi`, `tm-t88v`, `tm-t20iii`, `tm-m30iii`, `ct-s651`, `star-escpos`,
    /// `generic-80` or `generic-58`.
    pub profile: String,
    /// Dots in a line, a multiple of 8, where the paper is narrower than the model's usual one.
    /// Default: as the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dots: Option<u16>,
    /// The length of a new roll in metres, to foresee its end.
    /// Default: unknown, and only the printer's own sensor tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll_metres: Option<u16>,
    /// Absolute paths of font files, the ordinary one first.
    /// Default: those that come with the product's packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fonts: Vec<String>,
    /// The same in bold.
    /// Default: those that come with the product's packages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bold_fonts: Vec<String>,
    /// Who is there when it fails.
    /// Default: `attended`.
    #[serde(default)]
    pub attendance: Attendance,
    /// On a serial line, who says when to pause.
    /// Default: `hardware`, as printers leave the factory.
    #[serde(default)]
    pub flow: Flow,
}

/// Who is there when a printer fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Attendance {
    /// Staff see the printer, and say whether a paper came out.
    #[default]
    Attended,
    /// A kiosk alone: a number whose paper is in doubt stays valid and is shown on the screen.
    Unattended,
}

/// Who says when to pause on a serial line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Flow {
    /// Nobody.
    None,
    /// The characters XON and XOFF.
    Software,
    /// The wires RTS and CTS.
    #[default]
    Hardware,
}
