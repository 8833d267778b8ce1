//! The strict reader of our subset of InkML: nothing unknown, nothing twice, no entities, no DTD.

use thiserror::Error;

use super::input::{Attributes, Input, fraction, whole};
use super::{NAMESPACE, clock_name, turn_name};
use crate::ink::{
    Axis, CapturedBy, ClockSource, Digitizer, Ink, InkError, MOST_SAMPLES, Sample, Turn,
};

/// The longest document that is read, in bytes; 200,000 samples take less.
pub const LONGEST_INKML: usize = 20 << 20;

/// Why bytes are no InkML of the subset.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum InkmlError {
    /// Longer than [`LONGEST_INKML`].
    #[error("{0} bytes are more than {LONGEST_INKML}")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("the document is not UTF-8")]
    NotUtf8,
    /// Not well-formed.
    #[error("the document is not well-formed XML near byte {0}")]
    Malformed(u64),
    /// Something else stands where this was expected.
    #[error("no {expected} near byte {at}")]
    Expected {
        /// What was expected.
        expected: &'static str,
        /// About where, in bytes.
        at: u64,
    },
    /// An attribute is missing, unknown or has a value that is not permitted.
    #[error("attribute {attribute} of {element} is missing or not permitted")]
    Attribute {
        /// The element.
        element: &'static str,
        /// The attribute; a question mark for one that is not known.
        attribute: String,
    },
    /// An annotation has a text that is not permitted.
    #[error("the annotation {0} is not permitted")]
    Annotation(&'static str),
    /// A point has too few, too many or unreadable values.
    #[error("point {0} is not readable")]
    Point(usize),
    /// It is readable, and cannot have been captured.
    #[error("the ink is not possible")]
    Ink(#[from] InkError),
}

/// Reads what [`super::write`] writes, and what differs from it only in white space.
///
/// # Errors
/// Where anything is unknown, missing, repeated or out of order.
pub fn read(bytes: &[u8]) -> Result<Ink, InkmlError> {
    if bytes.len() > LONGEST_INKML {
        return Err(InkmlError::TooLong(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|_not_utf8| InkmlError::NotUtf8)?;
    let mut input = Input::new(text);
    input.declaration()?;
    input.open("ink", &["xmlns"])?.must("xmlns", NAMESPACE)?;
    let clock = clock(&annotation(&mut input, "clock")?)?;
    let firmware = annotation(&mut input, "firmware")?;
    let captured_by = captured_by(&mut input)?;
    let turn = turn(&mut input)?;
    input.open("definitions", &[])?;
    let digitizer = source(&mut input, clock, firmware)?;
    let stamp = input.empty("timestamp", &["time", "xml:id"])?;
    stamp.must("xml:id", "start")?;
    let started = stamp.number("time")?;
    let context = input.empty("context", &["inkSourceRef", "xml:id"])?;
    context.must("xml:id", "context")?;
    context.must("inkSourceRef", "#pen")?;
    input.close("definitions")?;
    let samples = traces(&mut input, &digitizer)?;
    input.close("ink")?;
    input.end()?;
    Ok(Ink::new(digitizer, captured_by, started, samples)?.turned(turn))
}

fn annotation(input: &mut Input<'_>, kind: &str) -> Result<String, InkmlError> {
    input.open("annotation", &["type"])?.must("type", kind)?;
    Ok(input.text("annotation")?.to_string())
}

fn clock(name: &str) -> Result<ClockSource, InkmlError> {
    [ClockSource::Device, ClockSource::Host, ClockSource::Page]
        .into_iter()
        .find(|clock| clock_name(*clock) == name)
        .ok_or(InkmlError::Annotation("clock"))
}

fn captured_by(input: &mut Input<'_>) -> Result<CapturedBy, InkmlError> {
    match annotation(input, "capturedBy")?.as_str() {
        "device" => Ok(CapturedBy::Device),
        "page" => Ok(CapturedBy::Page {
            origin: annotation(input, "origin")?,
        }),
        _ => Err(InkmlError::Annotation("capturedBy")),
    }
}

fn turn(input: &mut Input<'_>) -> Result<Turn, InkmlError> {
    if !input.is_next("annotation")? {
        return Ok(Turn::None);
    }
    let name = annotation(input, "turn")?;
    [Turn::Quarter, Turn::Half, Turn::ThreeQuarters]
        .into_iter()
        .find(|turn| turn_name(*turn) == Some(name.as_str()))
        .ok_or(InkmlError::Annotation("turn"))
}

fn source(
    input: &mut Input<'_>,
    clock: ClockSource,
    firmware: String,
) -> Result<Digitizer, InkmlError> {
    let names = ["manufacturer", "model", "serialNo", "xml:id"];
    let source = input.open("inkSource", &names)?;
    source.must("xml:id", "pen")?;
    let format = Format::read(input)?;
    let mut nominal_rate_mhz = None;
    if input.is_next("sampleRate")? {
        let rate = input.empty("sampleRate", &["uniform", "value"])?;
        rate.must("uniform", "false")?;
        nominal_rate_mhz = Some(rate.thousandths("value")?);
    }
    let mut measured_rate_mhz = None;
    if input.is_next("sourceProperty")? {
        let rate = input.empty("sourceProperty", &["name", "units", "value"])?;
        rate.must("name", "measuredSampleRate")?;
        rate.must("units", "Hz")?;
        measured_rate_mhz = Some(rate.thousandths("value")?);
    }
    let (x_unit, y_unit) = resolutions(input)?;
    input.close("inkSource")?;
    Ok(Digitizer {
        manufacturer: source.text("manufacturer")?.to_owned(),
        model: source.text("model")?.to_owned(),
        serial: source.text("serialNo")?.to_owned(),
        firmware,
        x: Axis {
            units_per_metre: x_unit,
            ..format.x
        },
        y: Axis {
            units_per_metre: y_unit,
            ..format.y
        },
        pressure_max: format.pressure_max,
        tilt: format.tilt,
        nominal_rate_mhz,
        measured_rate_mhz,
        clock,
    })
}

/// The channels, in our fixed order.
struct Format {
    x: Axis,
    y: Axis,
    pressure_max: Option<u16>,
    tilt: bool,
}

impl Format {
    fn read(input: &mut Input<'_>) -> Result<Self, InkmlError> {
        input
            .open("traceFormat", &["xml:id"])?
            .must("xml:id", "format")?;
        let x = axis(input, "X")?;
        let y = axis(input, "Y")?;
        let time = channel(input, "T", "decimal")?;
        time.must("units", "ms")?;
        time.must("respectTo", "#start")?;
        let mut next = any_channel(input)?;
        let mut pressure_max = None;
        if next.optional("name") == Some("F") {
            expect(&next, "F", "integer")?;
            next.must("min", "0")?;
            next.must("units", "dev")?;
            pressure_max = Some(next.number("max")?);
            next = any_channel(input)?;
        }
        let tilt = next.optional("name") == Some("OTx");
        if tilt {
            tilt_channel(&next, "OTx")?;
            tilt_channel(&any_channel(input)?, "OTy")?;
            next = any_channel(input)?;
        }
        expect(&next, "inRange", "boolean")?;
        channel(input, "lostBefore", "integer")?.must("min", "0")?;
        input.close("traceFormat")?;
        Ok(Self {
            x,
            y,
            pressure_max,
            tilt,
        })
    }
}

fn any_channel(input: &mut Input<'_>) -> Result<Attributes, InkmlError> {
    let names = ["name", "type", "min", "max", "units", "respectTo"];
    input.empty("channel", &names)
}

fn expect(channel: &Attributes, name: &str, kind: &str) -> Result<(), InkmlError> {
    channel.must("name", name)?;
    channel.must("type", kind)
}

fn channel(input: &mut Input<'_>, name: &str, kind: &str) -> Result<Attributes, InkmlError> {
    let channel = any_channel(input)?;
    expect(&channel, name, kind)?;
    Ok(channel)
}

fn tilt_channel(channel: &Attributes, name: &str) -> Result<(), InkmlError> {
    expect(channel, name, "decimal")?;
    channel.must("min", "-90")?;
    channel.must("max", "90")?;
    channel.must("units", "deg")
}

fn axis(input: &mut Input<'_>, name: &str) -> Result<Axis, InkmlError> {
    let channel = channel(input, name, "integer")?;
    channel.must("units", "dev")?;
    Ok(Axis {
        min: channel.number("min")?,
        max: channel.number("max")?,
        units_per_metre: None,
    })
}

fn resolutions(input: &mut Input<'_>) -> Result<(Option<u32>, Option<u32>), InkmlError> {
    let mut units = (None, None);
    if !input.is_next("channelProperties")? {
        return Ok(units);
    }
    input.open("channelProperties", &[])?;
    while input.is_next("channelProperty")? {
        let property = input.empty("channelProperty", &["channel", "name", "units", "value"])?;
        property.must("name", "resolution")?;
        property.must("units", "1/mm")?;
        let unit = match property.text("channel")? {
            "X" => &mut units.0,
            "Y" => &mut units.1,
            _ => return Err(property.wrong("channel")),
        };
        if unit.replace(property.thousandths("value")?).is_some() {
            return Err(property.wrong("channel"));
        }
    }
    input.close("channelProperties")?;
    Ok(units)
}

fn traces(input: &mut Input<'_>, digitizer: &Digitizer) -> Result<Vec<Sample>, InkmlError> {
    let mut samples = Vec::new();
    while input.is_next("trace")? {
        let trace = input.open("trace", &["contextRef", "type"])?;
        trace.must("contextRef", "#context")?;
        let tip = match trace.text("type")? {
            "penDown" => true,
            "penUp" => false,
            _ => return Err(trace.wrong("type")),
        };
        let text = input.text("trace")?;
        for point in text.split(',') {
            if samples.len() >= MOST_SAMPLES {
                return Err(InkError::TooMany(samples.len().saturating_add(1)).into());
            }
            let sample = sample(point, digitizer, tip).ok_or(InkmlError::Point(samples.len()))?;
            samples.push(sample);
        }
    }
    Ok(samples)
}

fn sample(point: &str, digitizer: &Digitizer, tip: bool) -> Option<Sample> {
    let mut values = point.split_ascii_whitespace();
    let mut sample = Sample {
        tip,
        x: whole(values.next()?)?,
        y: whole(values.next()?)?,
        t_us: fraction(values.next()?, 3)?,
        ..Sample::default()
    };
    if digitizer.pressure_max.is_some() {
        sample.pressure = whole(values.next()?)?;
    }
    if digitizer.tilt {
        sample.tilt_x = tilt(values.next()?)?;
        sample.tilt_y = tilt(values.next()?)?;
    }
    sample.in_range = match values.next()? {
        "T" => true,
        "F" => false,
        _ => return None,
    };
    sample.lost_before = whole(values.next()?)?;
    values.next().is_none().then_some(sample)
}

fn tilt(text: &str) -> Option<i16> {
    let (digits, sign) = match text.strip_prefix('-') {
        Some(digits) => (digits, -1),
        None => (text, 1),
    };
    let hundredths = i16::try_from(fraction(digits, 2)?).ok()?;
    if hundredths == 0 && sign < 0 {
        return None;
    }
    hundredths.checked_mul(sign)
}
