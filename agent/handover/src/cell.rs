//! One value on its way to the file: looked up, changed, checked.

use std::{collections::BTreeMap, fmt};

use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    document::Replacement,
    encoding::{GETA, Unmappable},
    template::{Column, Formulas, Newlines, Policy, Source, Template},
};

/// The values of one reception, by the names of their fields.
///
/// They are of a citizen: `Debug` shows the names only, and the values are erased when dropped.
#[derive(Default, Clone)]
pub struct Row(BTreeMap<String, Zeroizing<String>>);

impl Row {
    fn value(&self, field: &str) -> Option<&str> {
        self.0.get(field).map(|value| value.as_str())
    }

    /// Fields that no column of the template takes.
    pub(crate) fn unknown_to(&self, template: &Template) -> Option<&str> {
        let known = |name: &str| template.fields().any(|(field, _)| field == name);
        self.0.keys().map(String::as_str).find(|name| !known(name))
    }
}

impl FromIterator<(String, String)> for Row {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(
            fields
                .into_iter()
                .map(|(name, value)| (name, Zeroizing::new(value)))
                .collect(),
        )
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What is wrong with a value. It never holds the value.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum ValueFault {
    /// A required field is missing or empty.
    #[error("required, and missing or empty")]
    Missing,
    /// The template has no column for this field: data would be lost on the way.
    #[error("the template has no column for it")]
    Unknown,
    /// Not a date of the form `YYYY-MM-DD`, or one that the form asked for cannot express.
    #[error("not a date that can be written")]
    NotADate,
    /// A character without half-width form.
    #[error("character {position} has no half-width form")]
    NotHalfWidth {
        /// Its position, counted from 1.
        position: usize,
    },
    /// Something other than digits and what people put between them.
    #[error("character {position} is not a digit")]
    NotADigit {
        /// Its position, counted from 1.
        position: usize,
    },
    /// A control character, or a line break where none is allowed.
    #[error("character {position} is a control character")]
    Control {
        /// Its position, counted from 1.
        position: usize,
    },
    /// More characters than the column takes.
    #[error("{found} characters, and the column takes {allowed}")]
    TooManyCharacters {
        /// How many it has.
        found: usize,
        /// How many it may have.
        allowed: usize,
    },
    /// More bytes, in the receiver's encoding, than the column takes.
    #[error("{found} bytes, and the column takes {allowed}")]
    TooManyBytes {
        /// How many it has.
        found: usize,
        /// How many it may have.
        allowed: usize,
    },
    /// A spreadsheet would take it for a formula.
    #[error("begins like a formula")]
    Formula,
    /// It would need quotes, and the receiver knows none.
    #[error("needs quotes, and the template forbids them")]
    NeedsQuotes,
}

/// What was found while a cell was made.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) replaced: Vec<Replacement>,
    pub(crate) unmappable: Vec<Unmappable>,
}

/// One cell's place, for reports.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) template: &'a Template,
    pub(crate) column: &'a Column,
    pub(crate) row: usize,
}

impl Place<'_> {
    pub(crate) fn field(&self) -> &str {
        match &self.column.source {
            Source::Field(field) => field,
            Source::Constant(_) => &self.column.header,
        }
    }

    /// The text of the cell. Characters that cannot be written are added to `findings`.
    pub(crate) fn text(
        &self,
        row: &Row,
        findings: &mut Findings,
    ) -> Result<Zeroizing<String>, ValueFault> {
        let value = match &self.column.source {
            Source::Field(field) => row.value(field).unwrap_or_default(),
            Source::Constant(text) => text,
        };
        if self.column.required && value.is_empty() {
            return Err(ValueFault::Missing);
        }
        let mut text = Zeroizing::new(self.without_newlines(value)?);
        for transform in &self.column.transforms {
            text = Zeroizing::new(transform.apply(&text)?);
        }
        let text = self.guarded(text)?;
        let text = Zeroizing::new(self.mapped(&text, findings));
        self.check_length(&text)?;
        Ok(text)
    }

    /// CR LF, CR and LF are each one line break.
    fn without_newlines(&self, value: &str) -> Result<String, ValueFault> {
        let mut out = String::with_capacity(value.len());
        let mut rest = value.chars().enumerate().peekable();
        while let Some((index, one)) = rest.next() {
            if !is_control(one) {
                out.push(one);
                continue;
            }
            if one == '\r' && rest.peek().is_some_and(|(_, next)| *next == '\n') {
                rest.next();
            }
            match (one, self.template.newlines) {
                ('\r' | '\n', Newlines::Space) => out.push(' '),
                ('\r' | '\n', Newlines::Keep) => out.push('\n'),
                _ => {
                    return Err(ValueFault::Control {
                        position: index + 1,
                    });
                }
            }
        }
        Ok(out)
    }

    /// Spreadsheets evaluate what begins with one of four signs, and in Japanese settings their full-width
    /// forms too (OWASP, "CSV Injection").
    fn guarded(&self, text: Zeroizing<String>) -> Result<Zeroizing<String>, ValueFault> {
        let formula = text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
        match self.template.formulas {
            Formulas::Refuse if formula => Err(ValueFault::Formula),
            Formulas::Apostrophe if formula => Ok(Zeroizing::new(format!("'{}", *text))),
            Formulas::AsIs | Formulas::Refuse | Formulas::Apostrophe => Ok(text),
        }
    }

    fn mapped(&self, text: &str, findings: &mut Findings) -> String {
        let mut out = String::with_capacity(text.len());
        for (index, one) in text.chars().enumerate() {
            // A line break that came so far was allowed, and every encoding has it.
            if one == '\n' || self.template.takes(one) {
                out.push(one);
                continue;
            }
            let found = Unmappable {
                row: self.row,
                field: self.field().to_owned(),
                position: index + 1,
                character: one,
            };
            let by = match self.template.policy {
                Policy::Refuse => None,
                Policy::Geta => Some(GETA),
                Policy::Table => self.template.substitutions.get(&one).map(String::as_str),
            };
            if let Some(by) = by {
                out.push_str(by);
                findings.replaced.push(Replacement {
                    found,
                    by: by.to_owned(),
                });
            } else {
                findings.unmappable.push(found);
            }
        }
        out
    }

    fn check_length(&self, text: &str) -> Result<(), ValueFault> {
        let characters = text.chars().count();
        if let Some(allowed) = self
            .column
            .max_characters
            .filter(|allowed| characters > *allowed)
        {
            return Err(ValueFault::TooManyCharacters {
                found: characters,
                allowed,
            });
        }
        let bytes = self.template.encoding.length(text);
        match self.column.max_bytes.filter(|allowed| bytes > *allowed) {
            Some(allowed) => Err(ValueFault::TooManyBytes {
                found: bytes,
                allowed,
            }),
            None => Ok(()),
        }
    }
}

/// Control characters, and the two of Unicode that break lines: no form has a use for them.
pub(crate) fn is_control(one: char) -> bool {
    one.is_control() || matches!(one, '\u{2028}' | '\u{2029}' | '\u{FEFF}')
}
