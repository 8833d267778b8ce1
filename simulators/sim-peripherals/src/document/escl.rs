//! A document scanner over eSCL.
//!
//! Source: the eSCL description of the Mopria Alliance as public clients and servers show it (sane-airscan,
//! AirSane): capabilities, status, jobs, "next document" until 404. Proved with `scanimage` through
//! sane-airscan.

use std::fmt::Write as _;
use std::io;

use crate::document::Inside;
use crate::document::engine::{Engine, Source, Trouble, Wanted};
use crate::document::http::{self, Request, Response};
use crate::document::page::{Area, ColourMode, HEIGHT, WIDTH, scan};
use crate::fault::Kind;
use crate::line::Line;

const RESOLUTIONS: [u16; 5] = [75, 100, 150, 200, 300];

/// Serves one connection until it ends.
pub(crate) fn converse(inside: &Inside, line: &Line) -> io::Result<()> {
    let mut rest = Vec::new();
    while let Some(request) = http::request(line, &mut rest)? {
        let name = name(&request);
        let kinds = inside.engine.change(|engine| engine.request(&name));
        let Some((response, kinds)) = answer(inside, &request, kinds) else {
            return Ok(());
        };
        if !inside.goes_on(&kinds) {
            return Ok(());
        }
        if !send(line, response, &kinds)? || request.last {
            return Ok(());
        }
    }
    Ok(())
}

/// The request's name, for counters and fault plans: a job's number is not in it.
fn name(request: &Request) -> String {
    let parts: Vec<&str> = request.path.trim_matches('/').split('/').skip(1).collect();
    let what = match parts.as_slice() {
        [_, _, last] => last,
        [first, ..] => first,
        [] => "",
    };
    format!("{} {what}", request.method)
}

/// The answer and all that faults do to it; none where the device falls silent.
fn answer(
    inside: &Inside,
    request: &Request,
    mut kinds: Vec<Kind>,
) -> Option<(Response, Vec<Kind>)> {
    if kinds.contains(&Kind::Busy) {
        return Some((Response::new(503).with("Retry-After", "1"), kinds));
    }
    if kinds.contains(&Kind::Refuse) {
        return Some((Response::new(404), kinds));
    }
    if !inside.goes_on(&kinds) {
        return None;
    }
    // What delays the request has delayed it now.
    kinds.retain(|kind| !matches!(kind, Kind::Slow(_)));
    let parts: Vec<&str> = request.path.trim_matches('/').split('/').collect();
    let response = match (request.method.as_str(), parts.as_slice()) {
        ("GET", ["eSCL", "ScannerCapabilities"]) => {
            Response::new(200).body("text/xml", capabilities(inside).into_bytes())
        }
        ("GET", ["eSCL", "ScannerStatus"]) => {
            let status = inside
                .engine
                .change(|engine| status(engine, &inside.cover_state));
            Response::new(200).body("text/xml", status.into_bytes())
        }
        ("POST", ["eSCL", "ScanJobs"]) => begin(inside, &request.body),
        ("GET", ["eSCL", "ScanJobs", job, "NextDocument"]) => {
            let (response, more) = next_document(inside, job);
            kinds.extend(more);
            response
        }
        ("DELETE", ["eSCL", "ScanJobs", job]) => {
            let number = job_number(job);
            let ended = inside.engine.change(|engine| engine.end(number));
            Response::new(if ended { 200 } else { 404 })
        }
        _ => Response::new(404),
    };
    if kinds.contains(&Kind::Garbage) {
        let mut garbled = response;
        let length = garbled.body.len();
        garbled.body = inside
            .engine
            .change(|engine| engine.injector.garbage(length));
        return Some((garbled, kinds));
    }
    Some((response, kinds))
}

fn begin(inside: &Inside, settings: &str) -> Response {
    let Some(wanted) = wanted(settings) else {
        return Response::new(400);
    };
    let jpeg =
        element(settings, "DocumentFormatExt").or_else(|| element(settings, "DocumentFormat"));
    let kind = match jpeg {
        Some("image/png") if inside.png => "png",
        _ => "jpeg",
    };
    match inside.engine.change(|engine| engine.begin(wanted)) {
        Ok(number) => {
            let job = format!("/eSCL/ScanJobs/{number}-{kind}");
            Response::new(201).with("Location", job)
        }
        Err(Trouble::Busy) => Response::new(503).with("Retry-After", "1"),
        Err(_) => Response::new(409),
    }
}

fn next_document(inside: &Inside, job: &str) -> (Response, Vec<Kind>) {
    let fed = match inside
        .engine
        .change(|engine| engine.next_page(job_number(job)))
    {
        Ok(fed) => fed,
        Err(Trouble::Jammed | Trouble::CoverOpen) => return (Response::new(503), Vec::new()),
        Err(Trouble::Cancelled) => return (Response::new(410), Vec::new()),
        Err(Trouble::Empty | Trouble::NoJob | Trouble::Busy) => {
            return (Response::new(404), Vec::new());
        }
    };
    let wanted = fed.wanted;
    let image = scan(
        &fed.content,
        &inside.font,
        wanted.area,
        (wanted.dpi, wanted.mode),
    );
    let (kind, mut file) = if job.ends_with("png") {
        ("image/png", image.png())
    } else {
        ("image/jpeg", image.jpeg())
    };
    for fault in &fed.kinds {
        if let Kind::Truncate(missing) = fault {
            file.truncate(file.len().saturating_sub(*missing));
        }
    }
    let kinds = fed
        .kinds
        .into_iter()
        .filter(|kind| !matches!(kind, Kind::Truncate(_)));
    (Response::new(200).body(kind, file), kinds.collect())
}

/// Sends an answer. Returns whether the connection goes on.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the plan's check lets no other kind through to here"
)]
fn send(line: &Line, mut response: Response, kinds: &[Kind]) -> io::Result<bool> {
    for kind in kinds {
        match kind {
            Kind::Truncate(missing) => {
                let length = response.body.len().saturating_sub(*missing);
                response.body.truncate(length);
            }
            Kind::CutAfter(length) => {
                line.write(&response.head())?;
                line.write(response.body.get(..*length).unwrap_or(&response.body))?;
                return Ok(false);
            }
            _ => {}
        }
    }
    line.write(&response.head())?;
    line.write(&response.body)?;
    Ok(true)
}

fn job_number(job: &str) -> u64 {
    let digits = job.split('-').next().unwrap_or_default();
    digits.parse().unwrap_or(0)
}

/// The text of the first element of this local name, whatever its prefix.
fn element<'a>(xml: &'a str, wanted: &str) -> Option<&'a str> {
    xml.split('<').find_map(|piece| {
        let (tag, text) = piece.split_once('>')?;
        let tag = tag.split_whitespace().next()?;
        let local = tag.rsplit(':').next()?;
        (local == wanted).then(|| text.trim())
    })
}

fn wanted(settings: &str) -> Option<Wanted> {
    let number = |name: &str| element(settings, name).and_then(|text| text.parse::<u32>().ok());
    let dpi = number("XResolution").unwrap_or(300);
    let dpi = u16::try_from(dpi)
        .ok()
        .filter(|dpi| RESOLUTIONS.contains(dpi))?;
    let mode = match element(settings, "ColorMode").unwrap_or("RGB24") {
        "BlackAndWhite1" => ColourMode::Lineart,
        "Grayscale8" => ColourMode::Grey,
        "RGB24" => ColourMode::Colour,
        _ => return None,
    };
    let duplex = element(settings, "Duplex") == Some("true");
    let source = match (element(settings, "InputSource"), duplex) {
        (Some("Feeder"), true) => Source::FeederDuplex,
        (Some("Feeder"), false) => Source::Feeder,
        _ => Source::Glass,
    };
    let left = number("XOffset").unwrap_or(0).min(WIDTH - 1);
    let top = number("YOffset").unwrap_or(0).min(HEIGHT - 1);
    let area = Area {
        left,
        top,
        width: number("Width").unwrap_or(WIDTH).clamp(1, WIDTH - left),
        height: number("Height").unwrap_or(HEIGHT).clamp(1, HEIGHT - top),
    };
    Some(Wanted {
        source,
        area,
        dpi,
        mode,
    })
}

const NAMESPACES: &str = concat!(
    "xmlns:pwg=\"http://www.pwg.org/schemas/2010/12/sm\" ",
    "xmlns:scan=\"http://schemas.hp.com/imaging/escl/2011/05/03\""
);

fn status(engine: &Engine, cover_state: &str) -> String {
    let state = if engine.is_scanning() {
        "Processing"
    } else {
        "Idle"
    };
    let adf = if engine.jammed {
        "ScannerAdfJam"
    } else if engine.cover_open {
        cover_state
    } else if engine.sheets.is_empty() {
        "ScannerAdfEmpty"
    } else {
        "ScannerAdfLoaded"
    };
    let mut jobs = String::new();
    if let Some((number, pages)) = engine.progress() {
        jobs = format!(
            "<scan:Jobs><scan:JobInfo><pwg:JobUri>/eSCL/ScanJobs/{number}</pwg:JobUri>\
             <pwg:JobUuid>{number}</pwg:JobUuid><pwg:ImagesCompleted>{pages}</pwg:ImagesCompleted>\
             <pwg:JobState>Processing</pwg:JobState></scan:JobInfo></scan:Jobs>"
        );
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><scan:ScannerStatus {NAMESPACES}>\
         <pwg:Version>2.63</pwg:Version><pwg:State>{state}</pwg:State>\
         <scan:AdfState>{adf}</scan:AdfState>{jobs}</scan:ScannerStatus>"
    )
}

fn capabilities(inside: &Inside) -> String {
    let name = &inside.name;
    let png = if inside.png {
        "<pwg:DocumentFormat>image/png</pwg:DocumentFormat>\
         <scan:DocumentFormatExt>image/png</scan:DocumentFormatExt>"
    } else {
        ""
    };
    let mut resolutions = String::new();
    for dpi in RESOLUTIONS {
        // Writing to a string cannot fail.
        let _written = write!(
            resolutions,
            "<scan:DiscreteResolution><scan:XResolution>{dpi}</scan:XResolution>\
             <scan:YResolution>{dpi}</scan:YResolution></scan:DiscreteResolution>"
        );
    }
    let caps = format!(
        "<scan:MinWidth>16</scan:MinWidth><scan:MaxWidth>{WIDTH}</scan:MaxWidth>\
         <scan:MinHeight>16</scan:MinHeight><scan:MaxHeight>{HEIGHT}</scan:MaxHeight>\
         <scan:MaxScanRegions>1</scan:MaxScanRegions><scan:SettingProfiles><scan:SettingProfile>\
         <scan:ColorModes><scan:ColorMode>BlackAndWhite1</scan:ColorMode>\
         <scan:ColorMode>Grayscale8</scan:ColorMode><scan:ColorMode>RGB24</scan:ColorMode>\
         </scan:ColorModes><scan:DocumentFormats><pwg:DocumentFormat>image/jpeg</pwg:DocumentFormat>\
         <scan:DocumentFormatExt>image/jpeg</scan:DocumentFormatExt>{png}</scan:DocumentFormats>\
         <scan:SupportedResolutions><scan:DiscreteResolutions>{resolutions}\
         </scan:DiscreteResolutions></scan:SupportedResolutions></scan:SettingProfile>\
         </scan:SettingProfiles>"
    );
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><scan:ScannerCapabilities {NAMESPACES}>\
         <pwg:Version>2.63</pwg:Version><pwg:MakeAndModel>{name}</pwg:MakeAndModel>\
         <pwg:SerialNumber>SIMDOC1</pwg:SerialNumber>\
         <scan:UUID>5c04d0c0-0000-4000-8000-000000000001</scan:UUID>\
         <scan:Platen><scan:PlatenInputCaps>{caps}</scan:PlatenInputCaps></scan:Platen>\
         <scan:Adf><scan:AdfSimplexInputCaps>{caps}</scan:AdfSimplexInputCaps>\
         <scan:AdfDuplexInputCaps>{caps}</scan:AdfDuplexInputCaps>\
         <scan:FeederCapacity>50</scan:FeederCapacity><scan:AdfOptions>\
         <scan:AdfOption>DetectPaperLoaded</scan:AdfOption><scan:AdfOption>Duplex</scan:AdfOption>\
         </scan:AdfOptions></scan:Adf></scan:ScannerCapabilities>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_whatever_the_prefixes() {
        let settings = "<?xml version=\"1.0\"?><s:ScanSettings xmlns:s=\"x\"><p:ScanRegions><p:ScanRegion>\
            <p:Height>1000</p:Height><p:Width>99999</p:Width><p:XOffset>10</p:XOffset></p:ScanRegion>\
            </p:ScanRegions><p:InputSource>Feeder</p:InputSource><s:Duplex>true</s:Duplex>\
            <s:XResolution>150</s:XResolution><s:ColorMode>Grayscale8</s:ColorMode></s:ScanSettings>";
        let wanted = wanted(settings).unwrap();
        assert_eq!((wanted.source, wanted.dpi), (Source::FeederDuplex, 150));
        assert_eq!((wanted.area.width, wanted.area.height), (WIDTH - 10, 1000));
        assert!(super::wanted("<a:XResolution>151</a:XResolution>").is_none());
        assert!(super::wanted("<a:ColorMode>CMYK</a:ColorMode>").is_none());
    }
}
