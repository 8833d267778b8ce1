//! InkML, the primary form: readable in fifty years, every number as the device gave it.
//!
//! W3C Recommendation "Ink Markup Language (InkML)", 20 September 2011.
//! The subset is fixed: one source, one trace format, whole values separated by spaces, points
//! separated by commas, pen-up traces kept (§3.2.1 `type`); `tests/inkml-subset.rng` is its schema.
//! The channels X Y T F OTx OTy are those of §3.1.2; `inRange` and `lostBefore` are ours, which
//! §3.1.2 permits. X and Y are in device units with the resolution as a channel property (§3.1.4),
//! T in milliseconds after the timestamp that it refers to, tilt in degrees.

mod input;
mod reader;

use std::fmt::Write as _;

use quick_xml::escape::escape;
use zeroize::Zeroizing;

pub use reader::{InkmlError, LONGEST_INKML, read};

use crate::ink::{Axis, CapturedBy, ClockSource, Digitizer, Ink, Sample, Turn};

/// The media type of an InkML document.
pub const MEDIA_TYPE: &str = "application/inkml+xml";

/// The namespace of InkML (§1.2).
pub(crate) const NAMESPACE: &str = "http://www.w3.org/2003/InkML";

/// Writes ink as InkML: the same ink always gives the same bytes.
#[must_use]
pub fn write(ink: &Ink) -> Zeroizing<Vec<u8>> {
    // Reserved for the worst case at once, so that no copy of the strokes is left in freed memory.
    let mut out = String::with_capacity(4_096 + ink.samples().len().saturating_mul(96));
    let digitizer = ink.digitizer();
    line(&mut out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    line(&mut out, &format!("<ink xmlns=\"{NAMESPACE}\">"));
    for (kind, text) in annotations(ink) {
        let text = escape(text);
        line(
            &mut out,
            &format!(" <annotation type=\"{kind}\">{text}</annotation>"),
        );
    }
    line(&mut out, " <definitions>");
    source(&mut out, digitizer);
    line(
        &mut out,
        &format!(
            "  <timestamp xml:id=\"start\" time=\"{}\"/>",
            ink.started_unix_ms()
        ),
    );
    line(
        &mut out,
        "  <context xml:id=\"context\" inkSourceRef=\"#pen\"/>",
    );
    line(&mut out, " </definitions>");
    for run in ink.runs() {
        trace(&mut out, digitizer, run);
    }
    line(&mut out, "</ink>");
    Zeroizing::new(out.into_bytes())
}

/// What the elements of InkML have no place for, as annotations (§5.1): type and text.
fn annotations(ink: &Ink) -> Vec<(&'static str, &str)> {
    let mut all = vec![
        ("clock", clock_name(ink.digitizer().clock)),
        ("firmware", ink.digitizer().firmware.as_str()),
    ];
    match ink.captured_by() {
        CapturedBy::Device => all.push(("capturedBy", "device")),
        CapturedBy::Page { origin } => {
            all.push(("capturedBy", "page"));
            all.push(("origin", origin));
        }
    }
    // What stood as built is not told, so that the form stays what it was before tablets could be turned.
    all.extend(turn_name(ink.turn()).map(|name| ("turn", name)));
    all
}

/// How the turn of a digitizer is called.
const fn turn_name(turn: Turn) -> Option<&'static str> {
    match turn {
        Turn::None => None,
        Turn::Quarter => Some("quarter"),
        Turn::Half => Some("half"),
        Turn::ThreeQuarters => Some("threeQuarters"),
    }
}

/// How a clock is called.
pub(crate) fn clock_name(clock: ClockSource) -> &'static str {
    match clock {
        ClockSource::Device => "device",
        ClockSource::Host => "host",
        ClockSource::Page => "page",
    }
}

fn source(out: &mut String, digitizer: &Digitizer) {
    line(
        out,
        &format!(
            "  <inkSource xml:id=\"pen\" manufacturer=\"{}\" model=\"{}\" serialNo=\"{}\">",
            escape(digitizer.manufacturer.as_str()),
            escape(digitizer.model.as_str()),
            escape(digitizer.serial.as_str()),
        ),
    );
    line(out, "   <traceFormat xml:id=\"format\">");
    for channel in channels(digitizer) {
        line(out, &format!("    <channel {channel}/>"));
    }
    line(out, "   </traceFormat>");
    if let Some(rate) = digitizer.nominal_rate_mhz {
        let rate = thousandths(u64::from(rate));
        line(
            out,
            &format!("   <sampleRate uniform=\"false\" value=\"{rate}\"/>"),
        );
    }
    if let Some(rate) = digitizer.measured_rate_mhz {
        let rate = thousandths(u64::from(rate));
        line(
            out,
            &format!(
                "   <sourceProperty name=\"measuredSampleRate\" value=\"{rate}\" units=\"Hz\"/>"
            ),
        );
    }
    resolutions(out, digitizer);
    line(out, "  </inkSource>");
}

/// The attributes of each channel, in the order of the values of a point.
fn channels(digitizer: &Digitizer) -> Vec<String> {
    let axis = |name: &str, axis: Axis| {
        format!(
            "name=\"{name}\" type=\"integer\" min=\"{}\" max=\"{}\" units=\"dev\"",
            axis.min, axis.max
        )
    };
    let mut all = vec![
        axis("X", digitizer.x),
        axis("Y", digitizer.y),
        "name=\"T\" type=\"decimal\" units=\"ms\" respectTo=\"#start\"".to_owned(),
    ];
    if let Some(most) = digitizer.pressure_max {
        all.push(format!(
            "name=\"F\" type=\"integer\" min=\"0\" max=\"{most}\" units=\"dev\""
        ));
    }
    if digitizer.tilt {
        for name in ["OTx", "OTy"] {
            all.push(format!(
                "name=\"{name}\" type=\"decimal\" min=\"-90\" max=\"90\" units=\"deg\""
            ));
        }
    }
    all.push("name=\"inRange\" type=\"boolean\"".to_owned());
    all.push("name=\"lostBefore\" type=\"integer\" min=\"0\"".to_owned());
    all
}

fn resolutions(out: &mut String, digitizer: &Digitizer) {
    let known: Vec<(&str, u32)> = [("X", digitizer.x), ("Y", digitizer.y)]
        .into_iter()
        .filter_map(|(name, axis)| Some((name, axis.units_per_metre?)))
        .collect();
    if known.is_empty() {
        return;
    }
    line(out, "   <channelProperties>");
    for (name, unit) in known {
        // Units in a metre are thousandths of units in a millimetre.
        let value = thousandths(u64::from(unit));
        line(
            out,
            &format!(
                "    <channelProperty channel=\"{name}\" name=\"resolution\" value=\"{value}\" units=\"1/mm\"/>"
            ),
        );
    }
    line(out, "   </channelProperties>");
}

fn trace(out: &mut String, digitizer: &Digitizer, run: &[Sample]) {
    let touches = run.first().is_some_and(|sample| sample.tip);
    let kind = if touches { "penDown" } else { "penUp" };
    out.push_str(" <trace contextRef=\"#context\" type=\"");
    out.push_str(kind);
    out.push_str("\">");
    for (number, sample) in run.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        point(out, digitizer, sample);
    }
    line(out, "</trace>");
}

fn point(out: &mut String, digitizer: &Digitizer, sample: &Sample) {
    // Writing to a string cannot fail.
    let _written = write!(out, "{} {} ", sample.x, sample.y);
    push_decimal(out, sample.t_us, 3);
    if digitizer.pressure_max.is_some() {
        let _written = write!(out, " {}", sample.pressure);
    }
    if digitizer.tilt {
        for tilt in [sample.tilt_x, sample.tilt_y] {
            out.push(' ');
            if tilt < 0 {
                out.push('-');
            }
            push_decimal(out, u64::from(tilt.unsigned_abs()), 2);
        }
    }
    out.push_str(if sample.in_range { " T" } else { " F" });
    let _written = write!(out, " {}", sample.lost_before);
}

/// A number of thousandths as a decimal fraction.
fn thousandths(value: u64) -> String {
    let mut text = String::new();
    push_decimal(&mut text, value, 3);
    text
}

/// `value` / 10^`places` in digits, without zeros at the end.
fn push_decimal(out: &mut String, value: u64, places: usize) {
    let scale = 10_u64.pow(u32::try_from(places).unwrap_or(0));
    let _written = write!(out, "{}", value / scale);
    let rest = value % scale;
    if rest > 0 {
        let digits = format!("{rest:0places$}");
        out.push('.');
        out.push_str(digits.trim_end_matches('0'));
    }
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

#[cfg(test)]
mod tests;
