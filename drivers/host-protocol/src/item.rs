//! What comes of a job before its end, and what the citizen does in its course.

use serde::{Deserialize, Serialize};

use crate::pen::{InkSample, ToShow};
use crate::scan::Scan;

/// Something that came of a job before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Item {
    /// Of `scanCodes`. The host holds the next one back until this one was `received`.
    Scan {
        /// The code.
        scan: Box<Scan>,
    },
    /// Of `captureSignature`: what the pen did since the last item. For showing only; the whole ink comes
    /// with the product. Needs no `received`.
    Ink {
        /// The samples.
        samples: Vec<InkSample>,
    },
    /// Of `captureSignature` and `calibrateTablet` on a tablet without a screen of its own: what the citizen's
    /// page is to show. Needs no `received`.
    Show {
        /// The page.
        page: ToShow,
    },
    /// Of `scanDocument`: a page is scanned. Needs no `received`.
    Page {
        /// How many pages there are now.
        pages: u32,
    },
}

/// What the citizen did on the screen that the agent shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Act {
    /// The page that a `show` item asked for is on the screen.
    Shown {
        /// Its number, counted from 1.
        page: u32,
    },
    /// The citizen turned to this page.
    Turn {
        /// Its number, counted from 1.
        page: u32,
    },
    /// The pen's samples, where the page feels the pen (`pen`: `page`).
    Ink {
        /// The samples, in the page's own units as told by its `shown` area.
        samples: Vec<InkSample>,
    },
    /// The citizen wants to sign anew.
    Redo {},
    /// The citizen is content with what is signed.
    Confirm {},
    /// The citizen does not want to sign.
    Decline {},
}
