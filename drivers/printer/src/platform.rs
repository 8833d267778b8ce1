//! What differs between operating systems: where fonts lie.

use std::path::PathBuf;

/// The font files that are tried, the ordinary one first; those that do not exist are passed over.
///
/// Linux: Debian's `fonts-morisawa-bizud-gothic`, `fonts-ipamj-mincho` and `fonts-ipafont-gothic`.
/// Windows: BIZ UDGothic belongs to Windows 10 and later; IPAmj Mincho is installed by the city.
#[must_use]
pub fn fonts() -> Vec<PathBuf> {
    FONTS.iter().map(PathBuf::from).collect()
}

/// The same in bold.
#[must_use]
pub fn bold_fonts() -> Vec<PathBuf> {
    BOLD_FONTS.iter().map(PathBuf::from).collect()
}

#[cfg(not(windows))]
const FONTS: [&str; 3] = [
    "/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Regular.ttf",
    "/usr/share/fonts/truetype/ipamj/ipamjm.ttf",
    "/usr/share/fonts/opentype/ipafont-gothic/ipag.ttf",
];
#[cfg(not(windows))]
const BOLD_FONTS: [&str; 1] = ["/usr/share/fonts/truetype/bizud-gothic/BIZUDGothic-Bold.ttf"];

#[cfg(windows)]
const FONTS: [&str; 2] = [
    "C:\\Windows\\Fonts\\BIZ-UDGothicR.ttc",
    "C:\\Windows\\Fonts\\ipamjm.ttf",
];
#[cfg(windows)]
const BOLD_FONTS: [&str; 1] = ["C:\\Windows\\Fonts\\BIZ-UDGothicB.ttc"];
