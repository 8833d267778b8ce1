//! The description of a legacy form: its window and the steps through it, as a file that is checked whole.
//!
//! Unknown keys are errors. The keys are described in `docs/devices/keystrokes.md`.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::plan::{Key, Pattern, Plan, Repertoire, Step, Timing, Title};

const FORMAT: u32 = 1;
const MAX_LENGTH: usize = 64 * 1024;
const MAX_STEPS: usize = 1000;
/// A banner that stands shorter is not read.
const MIN_ANNOUNCEMENT: u64 = 1000;
/// A person must be able to see and stop what happens; nobody waits longer than this for one key.
const MAX_SPAN: u64 = 60_000;

/// Why a description cannot be used, or not with these values.
#[derive(Debug, Error)]
pub enum FormError {
    /// It is longer than any description.
    #[error("form is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// It is not TOML, a key is unknown or missing, or a value is none of those allowed.
    #[error("form does not follow its description")]
    Form(#[from] Box<toml::de::Error>),
    /// It was written for another version.
    #[error("form has format {found}, and format {FORMAT} is known")]
    Format {
        /// Its format.
        found: u32,
    },
    /// The name is empty, too long, or has other characters than a-z, 0-9 and hyphen.
    #[error("form's name must be 1 to 40 of a-z, 0-9 and hyphen")]
    Name,
    /// A window with no title, with both kinds, or with an empty one, which every window would match.
    #[error("a window must have either a title or a title_prefix, and not an empty one")]
    Window,
    /// No step, or too many.
    #[error("form must have 1 to {MAX_STEPS} steps")]
    Steps,
    /// A step that says nothing or two things.
    #[error("step {step} must have exactly one of field, constant, key and window")]
    Step {
        /// The step, counted from 1.
        step: usize,
    },
    /// A time outside of what is sensible.
    #[error(
        "announcement_ms must be {MIN_ANNOUNCEMENT} to {MAX_SPAN}, other times 0 to {MAX_SPAN}"
    )]
    Time,
    /// A value that the form needs was not given.
    #[error("value {field} is missing")]
    Missing {
        /// Its name.
        field: String,
    },
    /// A value that no step types: it would be lost.
    #[error("value {field} is not part of the form")]
    Unknown {
        /// Its name.
        field: String,
    },
}

/// A checked description.
#[derive(Debug, Clone)]
pub struct Form {
    name: String,
    window: Pattern,
    steps: Vec<FormStep>,
    may_submit: bool,
    despite_input_method: bool,
    repertoire: Repertoire,
    timing: Timing,
}

#[derive(Debug, Clone)]
enum FormStep {
    Field(String),
    Constant(String),
    Key(Key),
    Window { pattern: Pattern, within: Duration },
}

impl Form {
    /// Reads and checks a description.
    ///
    /// # Errors
    /// See [`FormError`].
    pub fn parse(text: &str) -> Result<Self, FormError> {
        if text.len() > MAX_LENGTH {
            return Err(FormError::TooLong);
        }
        let raw: RawForm = toml::from_str(text).map_err(Box::new)?;
        if raw.format != FORMAT {
            return Err(FormError::Format { found: raw.format });
        }
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=40).contains(&raw.name.len()) || !raw.name.bytes().all(allowed) {
            return Err(FormError::Name);
        }
        if raw.steps.is_empty() || raw.steps.len() > MAX_STEPS {
            return Err(FormError::Steps);
        }
        let steps = raw
            .steps
            .into_iter()
            .enumerate()
            .map(|(index, step)| checked(index + 1, step));
        Ok(Self {
            timing: timing(raw.announcement_ms, raw.between_keys_ms, raw.settling_ms)?,
            name: raw.name,
            window: pattern(raw.window)?,
            steps: steps.collect::<Result<_, _>>()?,
            may_submit: raw.may_submit,
            despite_input_method: raw.despite_input_method,
            repertoire: raw.repertoire,
        })
    }

    /// The form's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The values that are needed.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            FormStep::Field(field) => Some(field.as_str()),
            FormStep::Constant(_) | FormStep::Key(_) | FormStep::Window { .. } => None,
        })
    }

    /// The plan for these values. An empty value types nothing.
    ///
    /// # Errors
    /// A value is missing, or has no place in the form.
    pub fn plan(&self, values: &BTreeMap<String, Zeroizing<String>>) -> Result<Plan, FormError> {
        if let Some(field) = values
            .keys()
            .find(|name| !self.fields().any(|field| field == *name))
        {
            return Err(FormError::Unknown {
                field: field.clone(),
            });
        }
        let steps = self.steps.iter().map(|step| match step {
            FormStep::Field(field) => match values.get(field) {
                Some(value) => Ok(Step::Text(value.clone())),
                None => Err(FormError::Missing {
                    field: field.clone(),
                }),
            },
            FormStep::Constant(text) => Ok(Step::Text(Zeroizing::new(text.clone()))),
            FormStep::Key(key) => Ok(Step::Key(*key)),
            FormStep::Window { pattern, within } => Ok(Step::Window {
                pattern: pattern.clone(),
                within: *within,
            }),
        });
        Ok(Plan {
            window: self.window.clone(),
            steps: steps.collect::<Result<_, _>>()?,
            may_submit: self.may_submit,
            despite_input_method: self.despite_input_method,
            repertoire: self.repertoire,
            timing: self.timing,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawForm {
    format: u32,
    name: String,
    window: RawWindow,
    #[serde(default)]
    may_submit: bool,
    #[serde(default)]
    despite_input_method: bool,
    #[serde(default)]
    repertoire: Repertoire,
    announcement_ms: Option<u64>,
    between_keys_ms: Option<u64>,
    settling_ms: Option<u64>,
    steps: Vec<RawStep>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawWindow {
    title: Option<String>,
    title_prefix: Option<String>,
    class: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawStep {
    field: Option<String>,
    constant: Option<String>,
    key: Option<Key>,
    window: Option<RawWindow>,
    within_ms: Option<u64>,
}

fn pattern(raw: RawWindow) -> Result<Pattern, FormError> {
    let title = match (raw.title, raw.title_prefix) {
        (Some(title), None) if !title.is_empty() => Title::Exact(title),
        (None, Some(start)) if !start.is_empty() => Title::Prefix(start),
        _ => return Err(FormError::Window),
    };
    Ok(Pattern {
        title,
        class: raw.class,
    })
}

fn checked(number: usize, raw: RawStep) -> Result<FormStep, FormError> {
    let step = match (raw.field, raw.constant, raw.key, raw.window) {
        (Some(field), None, None, None) => FormStep::Field(field),
        (None, Some(constant), None, None) => FormStep::Constant(constant),
        (None, None, Some(key), None) => FormStep::Key(key),
        (None, None, None, Some(window)) => {
            let within = span(raw.within_ms.ok_or(FormError::Time)?, 0)?;
            return Ok(FormStep::Window {
                pattern: pattern(window)?,
                within,
            });
        }
        _ => return Err(FormError::Step { step: number }),
    };
    if raw.within_ms.is_some() {
        Err(FormError::Step { step: number })
    } else {
        Ok(step)
    }
}

fn timing(
    announcement: Option<u64>,
    keys: Option<u64>,
    settling: Option<u64>,
) -> Result<Timing, FormError> {
    let usual = Timing::default();
    let or = |given: Option<u64>, usual: Duration, least| {
        given.map_or(Ok(usual), |given| span(given, least))
    };
    Ok(Timing {
        announcement: or(announcement, usual.announcement, MIN_ANNOUNCEMENT)?,
        between_keys: or(keys, usual.between_keys, 0)?,
        settling: or(settling, usual.settling, 0)?,
    })
}

fn span(millis: u64, least: u64) -> Result<Duration, FormError> {
    let sensible = (least..=MAX_SPAN).contains(&millis);
    sensible
        .then(|| Duration::from_millis(millis))
        .ok_or(FormError::Time)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Form, FormError};

    const GOOD: &str = r#"
format = 1
name = "reception"
announcement_ms = 1500
[window]
title_prefix = "受付入力"
class = "Legacy"
[[steps]]
field = "name"
[[steps]]
key = "tab"
[[steps]]
constant = "01"
[[steps]]
window = { title = "確認" }
within_ms = 3000
"#;

    fn values(names: &[&str]) -> BTreeMap<String, zeroize::Zeroizing<String>> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), "髙橋".to_owned().into()))
            .collect()
    }

    fn fails(from: &str, to: &str) -> FormError {
        assert!(GOOD.contains(from));
        Form::parse(&GOOD.replace(from, to)).unwrap_err()
    }

    #[test]
    fn a_form_and_its_values_make_a_plan() {
        let form = Form::parse(GOOD).unwrap();
        let plan = form.plan(&values(&["name"])).unwrap();
        assert_eq!((plan.steps.len(), plan.may_submit), (4, false));
        assert!(!format!("{plan:?}").contains("髙橋"));
        assert!(matches!(
            form.plan(&values(&[])),
            Err(FormError::Missing { .. })
        ));
        assert!(matches!(
            form.plan(&values(&["name", "x"])),
            Err(FormError::Unknown { .. })
        ));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert!(matches!(
            fails("format = 1", "format = 2"),
            FormError::Format { found: 2 }
        ));
        assert!(matches!(
            fails("key = \"tab\"", "key = \"escape\""),
            FormError::Form(_)
        ));
        assert!(matches!(
            fails("key = \"tab\"", "key = \"tab\"\nx = 1"),
            FormError::Form(_)
        ));
        assert!(matches!(
            fails("key = \"tab\"", "key = \"tab\"\nfield = \"a\""),
            FormError::Step { step: 2 }
        ));
        assert!(matches!(
            fails("key = \"tab\"", "key = \"tab\"\nwithin_ms = 1"),
            FormError::Step { step: 2 }
        ));
        assert!(matches!(
            fails("title_prefix = \"受付入力\"", "title_prefix = \"\""),
            FormError::Window
        ));
        assert!(matches!(
            fails("title = \"確認\"", "class = \"x\""),
            FormError::Window
        ));
        assert!(matches!(
            fails("announcement_ms = 1500", "announcement_ms = 10"),
            FormError::Time
        ));
        assert!(matches!(fails("within_ms = 3000", ""), FormError::Time));
        assert!(matches!(
            fails("\"reception\"", "\"受付\""),
            FormError::Name
        ));
    }
}
