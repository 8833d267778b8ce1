//! From a request to options of SANE, and from options to what a scanner can do.

use super::session::Session;
use crate::ScanError;
use crate::quirks::{DUPLEX_OPTIONS, mode_names, source_names};
use crate::scanner::{
    Capabilities, ColourMode, PageSize, Resolutions, ScanRequest, Source, SourceCapabilities,
};
use crate::wire::sane::option::{Constraint, Descriptor, Kind, Unit, Value};
use crate::wire::sane::words::to_latin1;

/// How much smaller than the page the glass may be: 2 millimetres, because A4 glass often has 296.9.
const TOLERANCE: i64 = 2 << 16;

/// What a scanner with these options can do.
pub(super) fn capabilities(device: &str, options: &[Descriptor]) -> Capabilities {
    let colours = [ColourMode::Bilevel, ColourMode::Gray, ColourMode::Colour]
        .into_iter()
        .filter(|colour| mode(options, *colour).is_some())
        .collect::<Vec<_>>();
    let resolutions = find(options, "resolution").map_or_else(
        || Resolutions::Listed(Vec::new()),
        |(_, option)| resolutions(option),
    );
    let sources = [Source::Flatbed, Source::Feeder, Source::FeederDuplex];
    Capabilities {
        model: device.to_owned(),
        sources: sources
            .into_iter()
            .filter(|source| plan_source(options, *source).is_some())
            .map(|source| SourceCapabilities {
                source,
                colours: colours.clone(),
                resolutions: resolutions.clone(),
                largest: largest(options),
            })
            .collect(),
    }
}

/// Sets everything for this request, in the order in which options depend on each other.
pub(super) fn apply(
    session: &mut Session,
    request: &ScanRequest,
    further: &[(String, String)],
) -> Result<(), ScanError> {
    let plan = plan_source(session.options(), request.source)
        .ok_or(ScanError::Settings { what: "source" })?;
    for (name, text) in plan {
        set_text(session, &name, &text, "source")?;
    }
    if find(session.options(), "mode").is_some() {
        let mode = mode(session.options(), request.colour)
            .ok_or(ScanError::Settings { what: "colour" })?;
        set_text(session, "mode", &mode, "colour")?;
    }
    set_depth(session)?;
    for (name, text) in further {
        set_text(session, name, text, "option")?;
    }
    let wanted = i64::from(request.resolution) << 16;
    for name in ["resolution", "y-resolution"] {
        // Two options only where the directions differ; then both.
        if name == "resolution" || settable(session.options(), name).is_some() {
            let set = set_number(session, name, wanted, "resolution")?;
            if set != wanted {
                return Err(ScanError::Settings { what: "resolution" });
            }
        }
    }
    set_area(session, request.page, request.resolution)
}

/// The options that bring a scanner to this source; none where it has only the glass.
fn plan_source(options: &[Descriptor], source: Source) -> Option<Vec<(String, String)>> {
    let Some((_, option)) = find(options, "source") else {
        return (source == Source::Flatbed).then(Vec::new);
    };
    let named = |source| choice(option, source_names(source));
    if let Some(text) = named(source) {
        return Some(vec![("source".to_owned(), text)]);
    }
    // The feeder and a switch beside it.
    if source != Source::FeederDuplex {
        return None;
    }
    let feeder = named(Source::Feeder)?;
    let (name, value) = DUPLEX_OPTIONS
        .iter()
        .find(|(name, _)| find(options, name).is_some())?;
    Some(vec![
        ("source".to_owned(), feeder),
        ((*name).to_owned(), (*value).to_owned()),
    ])
}

/// What this scanner calls the colour mode; gray stands in for black and white, which is made here then.
fn mode(options: &[Descriptor], colour: ColourMode) -> Option<String> {
    let (_, option) = find(options, "mode")?;
    choice(option, mode_names(colour)).or_else(|| match colour {
        ColourMode::Bilevel => choice(option, mode_names(ColourMode::Gray)),
        ColourMode::Gray | ColourMode::Colour => None,
    })
}

/// Eight bits a sample, where there is a choice; nothing more is ever kept.
fn set_depth(session: &mut Session) -> Result<(), ScanError> {
    let offers = settable(session.options(), "depth").is_some_and(
        |(_, option)| matches!(&option.constraint, Constraint::Words(words) if words.contains(&8)),
    );
    if offers {
        set_number(session, "depth", 8 << 16, "depth")?;
    }
    Ok(())
}

/// The page from the top left corner.
fn set_area(session: &mut Session, page: PageSize, dpi: u32) -> Result<(), ScanError> {
    for (from, to, length) in [("tl-x", "br-x", page.width), ("tl-y", "br-y", page.height)] {
        let Some((_, option)) = settable(session.options(), to) else {
            continue;
        };
        let tenths = i64::from(length);
        let wanted = match option.unit {
            Unit::Pixel => tenths * i64::from(dpi) * 65_536 / 254,
            Unit::Millimetre | Unit::Dpi | Unit::Other => tenths * 65_536 / 10,
        };
        let (least, most) = limits(option).unwrap_or((0, i64::MAX));
        let tolerance = match option.unit {
            Unit::Pixel => TOLERANCE * i64::from(dpi) * 10 / 254,
            Unit::Millimetre | Unit::Dpi | Unit::Other => TOLERANCE,
        };
        if wanted > most.saturating_add(tolerance) || wanted < least {
            return Err(ScanError::Settings { what: "page size" });
        }
        if let Some((_, option)) = settable(session.options(), from) {
            let start = limits(option).map_or(0, |(least, _)| least);
            set_number(session, from, start, "page size")?;
        }
        set_number(session, to, wanted.min(most), "page size")?;
    }
    Ok(())
}

fn set_number(
    session: &mut Session,
    name: &str,
    in_65536ths: i64,
    what: &'static str,
) -> Result<i64, ScanError> {
    let (number, option) = settable(session.options(), name).ok_or(ScanError::Settings { what })?;
    let words = |number: i64| i32::try_from(number).map(|word| vec![word]);
    let value = match option.kind {
        Kind::Fixed => words(in_65536ths).map(Value::Fixed),
        Kind::Int => words(in_65536ths >> 16).map(Value::Int),
        Kind::Bool => words(in_65536ths >> 16).map(Value::Bool),
        Kind::Text | Kind::Button | Kind::Group => return Err(ScanError::Settings { what }),
    };
    let value = value.map_err(|_too_large| ScanError::Settings { what })?;
    let set = session
        .set(number, &value)
        .map_err(|error| name_it(error, what))?;
    // Some backends round without saying so; what counts is what the option is now.
    let readable = session
        .options()
        .get(number)
        .is_some_and(Descriptor::readable);
    let now = match readable {
        true => session.value(number, &value)?,
        false => set.value,
    };
    now.in_65536ths().ok_or(ScanError::Settings { what })
}

/// Sets an option from a text, whatever its kind: a number, `yes` or `no`, or the text itself.
fn set_text(
    session: &mut Session,
    name: &str,
    text: &str,
    what: &'static str,
) -> Result<(), ScanError> {
    const SCALE: f64 = 65_536.0;
    let refused = ScanError::Settings { what };
    let Some((number, option)) = settable(session.options(), name) else {
        return Err(refused);
    };
    let value = match option.kind {
        Kind::Text => {
            let mut bytes = to_latin1(text);
            let size = usize::try_from(option.size).unwrap_or(0);
            if bytes.len() >= size || size > crate::wire::sane::option::VALUE_BYTES {
                return Err(refused);
            }
            bytes.resize(size, 0);
            Value::Text(bytes)
        }
        Kind::Bool => match text {
            "yes" | "true" | "1" => Value::Bool(vec![1]),
            "no" | "false" | "0" => Value::Bool(vec![0]),
            _ => return Err(refused),
        },
        Kind::Int => Value::Int(vec![text.parse().map_err(|_syntax| refused)?]),
        Kind::Fixed => {
            let number: f64 = text
                .parse()
                .map_err(|_syntax| ScanError::Settings { what })?;
            Value::Fixed(vec![fixed(number * SCALE)])
        }
        Kind::Button => Value::Button,
        Kind::Group => return Err(refused),
    };
    session
        .set(number, &value)
        .map(|_now| ())
        .map_err(|error| name_it(error, what))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a conversion from float saturates, and the server refuses what is out of range"
)]
const fn fixed(number: f64) -> i32 {
    number as i32
}

fn name_it(error: ScanError, what: &'static str) -> ScanError {
    if matches!(error, ScanError::Settings { .. }) {
        return ScanError::Settings { what };
    }
    error
}

fn find<'a>(options: &'a [Descriptor], name: &str) -> Option<(usize, &'a Descriptor)> {
    let mut options = options.iter().enumerate();
    options.find(|(_, option)| option.name == name && option.kind != Kind::Group)
}

fn settable<'a>(options: &'a [Descriptor], name: &str) -> Option<(usize, &'a Descriptor)> {
    find(options, name).filter(|(_, option)| option.settable())
}

/// The choice of the option that has one of these names.
fn choice(option: &Descriptor, names: &[&str]) -> Option<String> {
    let Constraint::Texts(texts) = &option.constraint else {
        return None;
    };
    names
        .iter()
        .find_map(|name| texts.iter().find(|text| text.eq_ignore_ascii_case(name)))
        .cloned()
}

/// Smallest and largest value in units of 1/65536.
fn limits(option: &Descriptor) -> Option<(i64, i64)> {
    let scaled = |word: i32| match option.kind {
        Kind::Fixed => i64::from(word),
        Kind::Bool | Kind::Int | Kind::Text | Kind::Button | Kind::Group => i64::from(word) << 16,
    };
    match &option.constraint {
        Constraint::Range { min, max, .. } => Some((scaled(*min), scaled(*max))),
        Constraint::Words(words) => {
            Some((scaled(*words.iter().min()?), scaled(*words.iter().max()?)))
        }
        Constraint::Free | Constraint::Texts(_) => None,
    }
}

fn resolutions(option: &Descriptor) -> Resolutions {
    let whole = |word: i32| {
        let word = match option.kind {
            Kind::Fixed => word >> 16,
            Kind::Bool | Kind::Int | Kind::Text | Kind::Button | Kind::Group => word,
        };
        u32::try_from(word).unwrap_or(0)
    };
    match &option.constraint {
        Constraint::Range { min, max, step } => Resolutions::Range {
            min: whole(*min).max(1),
            max: whole(*max),
            step: whole(*step).max(1),
        },
        Constraint::Words(words) => Resolutions::Listed(words.iter().copied().map(whole).collect()),
        Constraint::Free | Constraint::Texts(_) => Resolutions::Listed(Vec::new()),
    }
}

/// The largest page, where the area is given in millimetres.
fn largest(options: &[Descriptor]) -> Option<PageSize> {
    let side = |name: &str| {
        let (_, option) = find(options, name).filter(|(_, one)| one.unit == Unit::Millimetre)?;
        u32::try_from((limits(option)?.1 * 10) >> 16).ok()
    };
    Some(PageSize {
        width: side("br-x")?,
        height: side("br-y")?,
    })
}
