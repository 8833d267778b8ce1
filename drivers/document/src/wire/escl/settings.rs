//! What shall be scanned: the body of `POST ScanJobs`.

/// Where the paper lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputSource {
    /// On the glass.
    Platen,
    /// In the feeder.
    Feeder {
        /// Both sides.
        duplex: bool,
    },
}

/// What shall be scanned. All texts are ours or came out of [`parse_capabilities`](super::parse_capabilities).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSettings<'a> {
    /// The scanner's own version of eSCL, because devices refuse a higher one.
    pub version: &'a str,
    /// Where the paper lies.
    pub source: InputSource,
    /// The width in 1/300 inch.
    pub width: u32,
    /// The height in 1/300 inch.
    pub height: u32,
    /// The colour mode, such as `RGB24`.
    pub mode: &'a str,
    /// The format, such as `image/jpeg`.
    pub format: &'a str,
    /// Dots per inch.
    pub resolution: u32,
}

/// Writes the body of `POST ScanJobs`.
///
/// The order of the elements is that of the specification's schema, on which some devices insist.
#[must_use]
pub fn settings(job: &JobSettings<'_>) -> String {
    let (source, duplex) = match job.source {
        InputSource::Platen => ("Platen", ""),
        InputSource::Feeder { duplex: false } => ("Feeder", "<scan:Duplex>false</scan:Duplex>"),
        InputSource::Feeder { duplex: true } => ("Feeder", "<scan:Duplex>true</scan:Duplex>"),
    };
    let (version, mode, format) = (escape(job.version), escape(job.mode), escape(job.format));
    // The second element of the format exists from 2.1 on, and is ignored before.
    format!(
        concat!(
            r#"<?xml version="1.0" encoding="UTF-8"?>"#,
            "\n",
            r#"<scan:ScanSettings xmlns:pwg="http://www.pwg.org/schemas/2010/12/sm" "#,
            r#"xmlns:scan="http://schemas.hp.com/imaging/escl/2011/05/03">"#,
            "<pwg:Version>{version}</pwg:Version>",
            "<pwg:ScanRegions><pwg:ScanRegion>",
            "<pwg:ContentRegionUnits>escl:ThreeHundredthsOfInches</pwg:ContentRegionUnits>",
            "<pwg:XOffset>0</pwg:XOffset><pwg:YOffset>0</pwg:YOffset>",
            "<pwg:Width>{width}</pwg:Width><pwg:Height>{height}</pwg:Height>",
            "</pwg:ScanRegion></pwg:ScanRegions>",
            "<pwg:InputSource>{source}</pwg:InputSource>",
            "<scan:ColorMode>{mode}</scan:ColorMode>",
            "<pwg:DocumentFormat>{format}</pwg:DocumentFormat>",
            "<scan:DocumentFormatExt>{format}</scan:DocumentFormatExt>",
            "<scan:XResolution>{resolution}</scan:XResolution>",
            "<scan:YResolution>{resolution}</scan:YResolution>",
            "{duplex}",
            "</scan:ScanSettings>",
        ),
        version = version,
        width = job.width,
        height = job.height,
        source = source,
        mode = mode,
        format = format,
        resolution = job.resolution,
        duplex = duplex,
    )
}

/// Keeps what a device said of itself from becoming markup.
fn escape(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || "./-+_".contains(*c))
        .collect()
}
