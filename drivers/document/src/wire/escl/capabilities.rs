//! What a scanner can do: the answer to `GET ScannerCapabilities`.

use super::tree::{Element, parse};
use crate::wire::WireError;

/// The most resolutions that are kept of one source.
const RESOLUTIONS: usize = 256;

/// What a scanner can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caps {
    /// The version of eSCL, such as `2.62`.
    pub version: String,
    /// Maker and model.
    pub model: String,
    /// The glass.
    pub platen: Option<InputCaps>,
    /// The feeder, one side.
    pub adf: Option<InputCaps>,
    /// The feeder, both sides.
    pub adf_duplex: Option<InputCaps>,
}

/// What one source can do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputCaps {
    /// Narrowest to widest, in 1/300 inch.
    pub width: (u32, u32),
    /// Shortest to longest, in 1/300 inch.
    pub height: (u32, u32),
    /// Colour modes, such as `RGB24`.
    pub modes: Vec<String>,
    /// Formats, such as `image/jpeg`.
    pub formats: Vec<String>,
    /// Resolutions that are listed.
    pub resolutions: Vec<u32>,
    /// Resolutions as smallest, largest and step.
    pub range: Option<(u32, u32, u32)>,
}

impl InputCaps {
    /// Whether this resolution is offered.
    #[must_use]
    pub fn offers(&self, resolution: u32) -> bool {
        self.resolutions.contains(&resolution)
            || self.range.is_some_and(|(min, max, step)| {
                (min..=max).contains(&resolution) && (resolution - min).is_multiple_of(step.max(1))
            })
    }
}

/// Reads the answer to `GET ScannerCapabilities`.
///
/// # Errors
/// [`WireError`] where it is something else.
pub fn parse_capabilities(bytes: &[u8]) -> Result<Caps, WireError> {
    let root = parse(bytes, "ScannerCapabilities")?;
    // Profiles that stand at the top are referred to from the sources.
    let shared: Vec<&Element> = root
        .child("SettingProfiles")
        .map(|profiles| profiles.all("SettingProfile"))
        .unwrap_or_default();
    let source = |within: &str, name: &str| {
        let caps = root.child(within)?.child(name)?;
        Some(input(caps, &shared))
    };
    let mut caps = Caps {
        version: root.text_of("Version").unwrap_or_default().to_owned(),
        model: root.text_of("MakeAndModel").unwrap_or_default().to_owned(),
        platen: source("Platen", "PlatenInputCaps"),
        adf: source("Adf", "AdfSimplexInputCaps"),
        adf_duplex: source("Adf", "AdfDuplexInputCaps"),
    };
    // A device that describes its settings once means them for its other sources too.
    let first = [&caps.platen, &caps.adf, &caps.adf_duplex]
        .into_iter()
        .flatten()
        .find(|input| !input.modes.is_empty())
        .cloned();
    for input in [&mut caps.platen, &mut caps.adf, &mut caps.adf_duplex] {
        if let (Some(input), Some(first)) = (input.as_mut(), first.as_ref()) {
            fill(input, first);
        }
    }
    Ok(caps)
}

fn fill(input: &mut InputCaps, first: &InputCaps) {
    if input.modes.is_empty() {
        input.modes.clone_from(&first.modes);
    }
    if input.formats.is_empty() {
        input.formats.clone_from(&first.formats);
    }
    if input.resolutions.is_empty() && input.range.is_none() {
        input.resolutions.clone_from(&first.resolutions);
        input.range = first.range;
    }
}

fn input(caps: &Element, shared: &[&Element]) -> InputCaps {
    let mut profiles = caps.all("SettingProfile");
    let named: Vec<&Element> = profiles
        .iter()
        .filter_map(|profile| profile.reference.as_ref())
        .filter_map(|name| shared.iter().find(|one| one.label.as_ref() == Some(name)))
        .copied()
        .collect();
    profiles.extend(named);
    let texts = |name: &str| {
        let mut found: Vec<String> = Vec::new();
        for profile in &profiles {
            for element in profile.all(name) {
                let text = element.text.trim().to_ascii_lowercase();
                let text = match name {
                    "ColorMode" => element.text.trim().to_owned(),
                    _ => text,
                };
                if !text.is_empty() && !found.contains(&text) && found.len() < RESOLUTIONS {
                    found.push(text);
                }
            }
        }
        found
    };
    let mut formats = texts("DocumentFormat");
    for format in texts("DocumentFormatExt") {
        if !formats.contains(&format) {
            formats.push(format);
        }
    }
    InputCaps {
        width: span(caps, "MinWidth", "MaxWidth"),
        height: span(caps, "MinHeight", "MaxHeight"),
        modes: texts("ColorMode"),
        formats,
        resolutions: resolutions(&profiles),
        range: profiles.iter().find_map(|profile| range(profile)),
    }
}

fn span(caps: &Element, min: &str, max: &str) -> (u32, u32) {
    (
        caps.number_of(min).unwrap_or(0),
        caps.number_of(max).unwrap_or(0),
    )
}

/// Only resolutions that are the same in both directions: everything else distorts.
fn resolutions(profiles: &[&Element]) -> Vec<u32> {
    let mut found = Vec::new();
    for profile in profiles {
        for one in profile.all("DiscreteResolution") {
            let (x, y) = (one.number_of("XResolution"), one.number_of("YResolution"));
            if let (Some(x), Some(y)) = (x, y)
                && x == y
                && x > 0
                && !found.contains(&x)
                && found.len() < RESOLUTIONS
            {
                found.push(x);
            }
        }
    }
    found
}

fn range(profile: &Element) -> Option<(u32, u32, u32)> {
    let x = *profile.all("XResolutionRange").first()?;
    Some((
        x.number_of("Min")?.max(1),
        x.number_of("Max")?,
        x.number_of("Step").unwrap_or(1).max(1),
    ))
}
