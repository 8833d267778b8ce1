//! What comes of a job before its end, and what the citizen does in its course.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::scan::Scan;
use crate::secret::SecretText;

/// Something that came of a job before its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
pub enum Item {
    /// Of `scanCodes`. The next follows when this one was `received`.
    Scan {
        /// The code.
        scan: Box<Scan>,
    },
    /// Of `captureSignature`: what the pen did since the last item, for showing.
    Ink {
        /// The samples.
        samples: Vec<InkSample>,
    },
    /// Of `captureSignature` and `calibrateTablet`: what a page is to show. To the citizen's screen, or, with `surface`:
    /// `application`, to the application.
    Show {
        /// The page.
        page: ToShow,
    },
    /// Of `scanDocument`: a page is scanned.
    Page {
        /// How many pages there are now.
        pages: u32,
    },
}

/// What the pen did at one moment: time since the capture began in microseconds, x, y, pressure, tilt x and
/// tilt y in hundredths of a degree, and flags: 1 the tip touches, 2 in range, 4 samples were lost before
/// this one. x, y and pressure are in the device's own units, whose ranges `show` gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InkSample(
    /// Time since the capture began, in microseconds.
    pub u64,
    /// x.
    pub i32,
    /// y.
    pub i32,
    /// Pressure.
    pub i32,
    /// Tilt x.
    pub i32,
    /// Tilt y.
    pub i32,
    /// Flags.
    pub u8,
);

/// A page that is to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToShow {
    /// Its number, counted from 1.
    pub page: u32,
    /// How many pages there are.
    pub pages: u32,
    /// The picture, a PNG as base64.
    pub picture: SecretText,
    /// Where on the picture the citizen signs: left, top, width, height in its pixels; absent on pages
    /// without a place to sign. The last page of a document has one; a last page without it is a cross that
    /// is to be touched with the pen, on which nothing else can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<[u32; 4]>,
    /// The same area in the pen's units; absent where the page feels the pen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ink_area: Option<[i32; 4]>,
}

/// What the citizen did on a page that shows a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
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
    /// The pen's samples, where the page feels the pen; x and y in hundredths of a pixel of the picture,
    /// pressure 0 to 65535.
    Ink {
        /// The samples.
        samples: Vec<InkSample>,
    },
    /// The citizen wants to sign anew.
    Redo {},
    /// The citizen is content with what is signed.
    Confirm {},
    /// The citizen does not want to sign.
    Decline {},
}
