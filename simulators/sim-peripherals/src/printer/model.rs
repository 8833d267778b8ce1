//! What a printer is told and what it shows: settings, actions, views.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::line::{Address, Attach};
use crate::printer::condition::{MachineError, PaperSupply};
use crate::printer::sheet::PaperView;

/// What kind of printer it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PrinterSettings {
    /// How it is attached.
    pub attach: Attach,
    /// Dots across.
    pub width: u16,
    /// What it answers when asked for its model.
    pub model: String,
    /// Whether real-time commands inside images are carried out, as some models do.
    pub real_time_in_data: bool,
    /// The size of its receive buffer; a printer that cannot print stops reading when it is full.
    pub buffer: usize,
    /// The font for text; absent: a usual one, or boxes.
    pub font: Option<PathBuf>,
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PrinterAction {
    /// Takes the roll out, or it is used up.
    TakePaperOut,
    /// Puts a new roll in.
    PutPaperIn,
    /// The roll gets thin.
    PaperNearEnd,
    /// Opens the cover.
    OpenCover,
    /// Closes it.
    CloseCover,
    /// Tears the hanging paper off.
    TearOff,
    /// Something gets stuck in the cutter; seen at the next cut.
    JamCutter,
    /// Frees the cutter. The host still has to say how to go on.
    FreeCutter,
    /// The head gets too hot.
    Overheat,
    /// It cools down.
    CoolDown,
    /// Takes it offline.
    GoOffline,
    /// Takes it online.
    GoOnline,
    /// Pulls the cable; the printer goes on with what it has.
    Unplug,
    /// Puts it back.
    Plug,
    /// Switches it off: what was not printed is lost.
    SwitchOff,
    /// Switches it on.
    SwitchOn,
}

/// What the printer shows to others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a lamp of its own, and they are independent"
)]
pub struct PrinterView {
    /// Where it is reached, or was before the cable was pulled.
    pub address: Address,
    /// Whether cable and power are in.
    pub reachable: bool,
    /// Whether it is switched on.
    pub powered: bool,
    /// Whether it would print.
    pub online: bool,
    /// Whether it hangs by a fault.
    pub hung: bool,
    /// Whether a host is connected.
    pub connected: bool,
    /// How the paper stands.
    pub paper: PaperSupply,
    /// Whether the cover is open.
    pub cover_open: bool,
    /// The error, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<MachineError>,
    /// Bytes received and not yet carried out.
    pub buffered: usize,
    /// The paper that hangs in it, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hanging: Option<PaperView>,
    /// How many papers have left it.
    pub papers: u64,
}

impl Default for PrinterSettings {
    fn default() -> Self {
        Self {
            attach: Attach::Tcp(0),
            width: 576,
            model: "TM-T88V".to_owned(),
            real_time_in_data: true,
            buffer: 64 * 1024,
            font: None,
        }
    }
}
