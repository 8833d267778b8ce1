//! Finds traces of a value in any bytes, in every form in which software writes things down.
//!
//! | form | for |
//! |---|---|
//! | UTF-8; UTF-16, both byte orders | every value |
//! | reversed | values of six bytes and more |
//! | hexadecimal, either case, together, spaced, `%XX`, `\xXX` | every value |
//! | decimal bytes, `[50, 56]` and `[50,56]` | every value: the `Debug` of a byte vector |
//! | Base64 and Base64url at each of three offsets | values of six bytes and more; a PIN at offset 0 |
//! | `\u` with four digits and `\u{..}` | values that are not ASCII |
//! | eight digits in a row, plain and hexadecimal, from any offset | long numbers |
//! | six digits in a row, standing alone | long numbers |
//!
//! Four digits are found in any log by chance, so a plain PIN counts where no letter or digit touches it
//! and no name of a measured quantity stands before it ([`MEASURED`]); its other forms count everywhere.

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::person::Canary;

/// Bytes by which needles are looked up; no needle is shorter.
const KEY: usize = 4;

/// Digits in a row that are found by chance nowhere.
const LONG_FRAGMENT: usize = 8;

/// Digits in a row that count where they stand alone.
const SHORT_FRAGMENT: usize = 6;

/// What our own logs, recordings and files write before a number that is measured or assigned, or before
/// a status word, which of a garbled answer is any four characters.
const MEASURED: [&str; 13] = [
    "micros=",
    "\"micros\":",
    "elapsed_ms=",
    "pid=",
    "\"pid\":",
    "\"pid\": ",
    "process ",
    "status=\"",
    "\"sw\":\"",
    "refused with ",
    "dropped=",
    "column=",
    "\"seq\":",
];

/// Around a trace, how much is shown of its surroundings.
const SURROUNDINGS: usize = 48;

/// One form of one value.
struct Needle {
    what: &'static str,
    form: &'static str,
    bytes: Vec<u8>,
    alone: bool,
}

/// Looks for all forms of some values at once.
pub(crate) struct Search {
    needles: Vec<Needle>,
    by_key: HashMap<[u8; KEY], Vec<usize>>,
}

/// A value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trace {
    /// What was found.
    pub(crate) what: &'static str,
    /// In which form.
    pub(crate) form: &'static str,
    /// Where.
    pub(crate) place: String,
    /// What stands around it; the citizen is nobody.
    pub(crate) around: String,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} ({}) in {}: …{}…",
            self.what, self.form, self.place, self.around
        )
    }
}

impl Search {
    /// A search for `canaries`.
    pub(crate) fn new(canaries: &[Canary]) -> Self {
        let mut needles = Vec::new();
        for canary in canaries {
            needles.extend(forms(canary));
        }
        let mut by_key = HashMap::<_, Vec<usize>>::new();
        for (index, needle) in needles.iter().enumerate() {
            if let Some(key) = needle.bytes.first_chunk::<KEY>() {
                by_key.entry(*key).or_default().push(index);
            }
        }
        Self { needles, by_key }
    }

    /// How many forms of values are looked for.
    pub(crate) fn forms(&self) -> usize {
        self.needles.len()
    }

    /// The forms, each as it would stand in a file, for a proof that each is found.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (&'static str, &'static str, &[u8])> {
        let needles = self.needles.iter();
        needles.map(|needle| (needle.what, needle.form, needle.bytes.as_slice()))
    }

    /// Every trace in `bytes`, which are of `place`.
    pub(crate) fn search(&self, place: &str, bytes: &[u8]) -> Vec<Trace> {
        let mut traces = Vec::new();
        for (start, key) in bytes.windows(KEY).enumerate() {
            let candidates = <&[u8; KEY]>::try_from(key)
                .ok()
                .and_then(|key| self.by_key.get(key));
            for needle in candidates.into_iter().flatten() {
                let Some(needle) = self.needles.get(*needle) else {
                    continue;
                };
                let (before, rest) = bytes.split_at(start);
                let Some(after) = rest.strip_prefix(needle.bytes.as_slice()) else {
                    continue;
                };
                if needle.alone && !stands_alone(before, after) {
                    continue;
                }
                traces.push(Trace {
                    what: needle.what,
                    form: needle.form,
                    place: place.to_owned(),
                    around: around(bytes, start, needle.bytes.len()),
                });
            }
        }
        traces
    }
}

/// Whether digits between these are a group of their own, and no measured quantity.
fn stands_alone(before: &[u8], after: &[u8]) -> bool {
    let touches = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    // A fraction of a second stands behind a point.
    let is_fraction = before.last() == Some(&b'.');
    let is_measured = MEASURED
        .iter()
        .any(|name| before.ends_with(name.as_bytes()));
    !touches(before.last()) && !touches(after.first()) && !is_fraction && !is_measured
}

fn around(bytes: &[u8], start: usize, length: usize) -> String {
    let from = start.saturating_sub(SURROUNDINGS);
    let to = (start + length + SURROUNDINGS).min(bytes.len());
    let part = bytes.get(from..to).unwrap_or_default();
    String::from_utf8_lossy(part).replace(char::is_control, " ")
}

/// Every form of a value.
fn forms(canary: &Canary) -> Vec<Needle> {
    let value = canary.value.as_str();
    let is_short = value.len() < SHORT_FRAGMENT;
    let mut needles = Vec::new();
    let mut add = |form, bytes: Vec<u8>, alone| {
        needles.push(Needle {
            what: canary.what,
            form,
            bytes,
            alone,
        });
    };
    add("plain", value.as_bytes().to_vec(), is_short);
    if !is_short {
        let reversed: String = value.chars().rev().collect();
        add("reversed", reversed.into_bytes(), false);
    }
    let utf16 = || value.encode_utf16();
    add(
        "UTF-16LE",
        utf16().flat_map(u16::to_le_bytes).collect(),
        false,
    );
    add(
        "UTF-16BE",
        utf16().flat_map(u16::to_be_bytes).collect(),
        false,
    );
    for (form, bytes) in byte_lists(value.as_bytes()) {
        add(form, bytes, false);
    }
    for (form, bytes) in base64_forms(value.as_bytes()) {
        add(form, bytes, false);
    }
    if !value.is_ascii() {
        let join = |escape: &dyn Fn(u16) -> String| utf16().map(escape).collect::<String>();
        add(
            "\\u",
            join(&|unit| format!("\\u{unit:04x}")).into_bytes(),
            false,
        );
        add(
            "\\U",
            join(&|unit| format!("\\u{unit:04X}")).into_bytes(),
            false,
        );
        let escaped = value.escape_unicode().to_string();
        add("\\u{}", escaped.into_bytes(), false);
    }
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        for fragment in value.as_bytes().windows(LONG_FRAGMENT) {
            add("eight digits", fragment.to_vec(), false);
            add(
                "eight digits, hexadecimal",
                spelt(fragment, "", &hex),
                false,
            );
        }
        for fragment in value.as_bytes().windows(SHORT_FRAGMENT) {
            add("six digits", fragment.to_vec(), true);
        }
    }
    needles
}

fn hex(byte: u8) -> String {
    format!("{byte:02x}")
}

fn upper_hex(byte: u8) -> String {
    format!("{byte:02X}")
}

fn spelt(bytes: &[u8], between: &str, spell: &dyn Fn(u8) -> String) -> Vec<u8> {
    let spelt: Vec<String> = bytes.iter().map(|byte| spell(*byte)).collect();
    spelt.join(between).into_bytes()
}

/// Bytes spelt out one by one.
fn byte_lists(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let upper = bytes.iter().any(|byte| hex(*byte) != upper_hex(*byte));
    let mut lists = vec![
        ("hexadecimal", spelt(bytes, "", &hex)),
        ("hexadecimal, spaced", spelt(bytes, " ", &hex)),
        ("percent", spelt(bytes, "", &|byte| format!("%{byte:02x}"))),
        ("\\x", spelt(bytes, "", &|byte| format!("\\x{byte:02x}"))),
        (
            "decimal bytes",
            spelt(bytes, ", ", &|byte| byte.to_string()),
        ),
        (
            "decimal bytes, close",
            spelt(bytes, ",", &|byte| byte.to_string()),
        ),
    ];
    // The same bytes in capitals; digits have none.
    if upper {
        lists.push(("HEXADECIMAL", spelt(bytes, "", &upper_hex)));
        lists.push(("HEXADECIMAL, spaced", spelt(bytes, " ", &upper_hex)));
        lists.push(("PERCENT", spelt(bytes, "", &|byte| format!("%{byte:02X}"))));
        lists.push(("\\X", spelt(bytes, "", &|byte| format!("\\x{byte:02X}"))));
    }
    lists
}

/// What of a value's Base64 is the same whatever stands before and behind it.
fn base64_forms(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut forms = Vec::new();
    for offset in 0..3_usize {
        if offset > 0 && bytes.len() < SHORT_FRAGMENT {
            // Three characters would remain, which stand in every hash.
            continue;
        }
        let shifted = [&vec![0; offset], bytes].concat();
        let first = (offset * 8).div_ceil(6);
        let last = shifted.len() * 8 / 6;
        for (form, engine) in [("Base64", STANDARD_NO_PAD), ("Base64url", URL_SAFE_NO_PAD)] {
            let text = engine.encode(&shifted).into_bytes();
            let stable = text.get(first..last).unwrap_or_default().to_vec();
            if !forms.iter().any(|(_, known)| *known == stable) {
                forms.push((form, stable));
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::{Canary, Search};

    fn search(value: &str) -> Search {
        let value = value.to_owned();
        Search::new(&[Canary { what: "it", value }])
    }

    fn finds(value: &str, text: &[u8]) -> bool {
        !search(value).search("a file", text).is_empty()
    }

    #[test]
    fn each_form_is_found_as_others_write_it() {
        // The right column was made by other programs than the code above.
        for (value, text) in [
            ("4821", "pin=4821 "),
            ("4821", "\"4821\""),
            ("4821", "002000910434383231"),
            ("4821", "34 38 32 31"),
            ("4821", "Secret([52, 56, 50, 49])"),
            ("4821", "[52,56,50,49]"),
            ("4821", "NDgyMQ=="),
            ("4821", "%34%38%32%31"),
            ("4821", "4\x008\x002\x001\x00"),
            ("鶴鷹", "name: \"鶴鷹\\u{3000}花\""),
            ("鶴鷹", "\\u9db4\\u9df9"),
            ("鶴鷹", "\\u{9db4}\\u{9df9}"),
            ("鶴鷹", "E9B6B4E9B7B9"),
            ("鶴鷹", "\\xe9\\xb6\\xb4\\xe9\\xb7\\xb9"),
            ("鶴鷹", "%E9%B6%B4%E9%B7%B9"),
            ("鶴鷹", "6ba06be5"),
            ("123456789012", "x23456789x"),
            ("123456789012", "id 345678, and"),
            ("123456789012", "3233343536373839"),
            ("123456789012", "210987654321"),
            ("123456789012", "YTEyMzQ1Njc4OTAxMg=="),
        ] {
            assert!(finds(value, text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn four_digits_within_others_are_no_pin() {
        for text in ["14821", "4821a", "micros=4821 ", "12:00:01.4821", "a4821"] {
            assert!(!finds("4821", text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn each_sample_is_found_among_other_bytes() {
        let search = search("鶴鷹鴨");
        for (_, form, sample) in search.samples() {
            let text = [b"log: ".as_slice(), sample, b"\n"].concat();
            let traces = search.search("a file", &text);
            assert!(traces.iter().any(|trace| trace.form == form), "{form}");
        }
    }
}
