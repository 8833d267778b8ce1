//! What scanners call things, and where models differ from their specifications.
//!
//! SANE fixes the names of four options only; what a source or a mode is called is each backend's own.
//! The names below stand in the backends named beside them (sane-backends 1.2.1, manual pages).

use crate::scanner::{ColourMode, Source};

/// What a SANE backend may call a source; compared without regard to case.
pub(crate) const fn source_names(source: Source) -> &'static [&'static str] {
    match source {
        // test, genesys, hpaio, pixma, epson2, avision.
        Source::Flatbed => &["flatbed", "fb", "platen", "normal"],
        // test; fujitsu and canon_dr; epsonds and epson2; pixma; kodak; brother.
        Source::Feeder => &[
            "automatic document feeder",
            "adf",
            "adf front",
            "adf simplex",
            "document feeder",
            "automatic document feeder(left aligned)",
            "automatic document feeder(centrally aligned)",
        ],
        // fujitsu and canon_dr; epsonds; brother.
        Source::FeederDuplex => &[
            "adf duplex",
            "duplex",
            "automatic document feeder(left aligned,duplex)",
            "automatic document feeder(centrally aligned,duplex)",
        ],
    }
}

/// Options that turn a feeder to both sides, with their value: epson2 has `adf-mode`, others a switch.
pub(crate) const DUPLEX_OPTIONS: [(&str, &str); 3] = [
    ("adf-mode", "Duplex"),
    ("adf_mode", "Duplex"),
    ("duplex", "yes"),
];

/// What a SANE backend may call a colour mode; compared without regard to case.
pub(crate) const fn mode_names(colour: ColourMode) -> &'static [&'static str] {
    match colour {
        // test, genesys, epson2, hpaio; pixma; brother.
        ColourMode::Colour => &["color", "24bit color", "24bit color[fast]", "24-bit color"],
        ColourMode::Gray => &["gray", "grayscale", "true gray", "grey"],
        // genesys, fujitsu; epson2; brother.
        ColourMode::Bilevel => &["lineart", "binary", "black & white", "black and white"],
    }
}

/// What eSCL calls a colour mode.
///
/// A bilevel page is scanned in gray and divided here: devices deliver bilevel pages as PDF or TIFF only,
/// because JPEG has none.
pub(crate) const fn escl_mode(colour: ColourMode) -> &'static str {
    match colour {
        ColourMode::Colour => "RGB24",
        ColourMode::Gray | ColourMode::Bilevel => "Grayscale8",
    }
}

/// The formats in which a page is wanted over eSCL, best first.
///
/// PDF is not among them: it would have to be taken apart again to be straightened and to become PDF/A.
pub(crate) const ESCL_FORMATS: [&str; 2] = ["image/jpeg", "image/png"];
