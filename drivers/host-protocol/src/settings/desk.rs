//! Handing data to systems that cannot be changed.

use serde::{Deserialize, Serialize};

/// The settings of the host of handover folders.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Handovers {
    /// The folders.
    pub handovers: Vec<Handover>,
}

/// A folder through which another system takes reception data over as CSV files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// The file that describes the receiving system, as an absolute path (`docs/handover.md`).
    pub template: String,
    /// The counter, as it stands in file names: letters, digits, hyphens.
    pub counter: String,
    /// The folder into which files are written; it must exist.
    pub outgoing: String,
    /// The folder in which the other system acknowledges; it must exist.
    pub acknowledgements: String,
    /// The folder of the agent's own records of names and times; it must exist.
    pub state: String,
    /// Whether a job waits until the other system has taken its file, up to its deadline.
    /// Default: false.
    #[serde(default)]
    pub wait_for_receipt: bool,
    /// After how many minutes a file that was not taken counts as overdue.
    /// Default: 30.
    #[serde(default = "half_an_hour")]
    pub overdue_minutes: u32,
    /// Days after which files that were acknowledged are deleted.
    /// Default: 7.
    #[serde(default = "a_week")]
    pub keep_days: u32,
}

const fn half_an_hour() -> u32 {
    30
}

const fn a_week() -> u32 {
    7
}

/// The settings of the host of the keyboard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keyboards {
    /// The keyboard of this machine, where text may be typed.
    pub keyboard: Option<Keyboard>,
}

/// The keyboard of this machine, for typing into forms of programs that cannot be changed.
/// X11 only; on any other desktop it is not offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Keyboard {
    /// The files that describe the forms, as absolute paths (`docs/devices/keystrokes.md`).
    pub forms: Vec<String>,
    /// The display.
    /// Default: `:0`.
    #[serde(default = "first_display")]
    pub display: String,
    /// The font of the banner that stands on the desktop while text is typed, as an absolute path.
    /// Default: BIZ UDGothic, where Debian puts it.
    #[serde(default = "usual_font")]
    pub font: String,
}

fn first_display() -> String {
    ":0".to_owned()
}

fn usual_font() -> String {
    "/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Regular.ttf".to_owned()
}
