//! What a receiving system wants, as a file that is checked whole before anything is written.
//!
//! Unknown keys are errors, and so is a format number that is not ours: a template that is half understood
//! would hand over data that look right.
//! The keys are described in `docs/handover.md`.

mod raw;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

pub(crate) use self::raw::{
    Delimiter, Formulas, LineEnding, Newlines, Permission, Policy, Quoting,
};
use self::raw::{RawColumn, RawTemplate};
use crate::{
    cell::is_control,
    date::CivilDate,
    encoding::{Encoding, Repertoire},
    transform::Transform,
};

const FORMAT: u32 = 1;
/// A template is written by hand.
const MAX_LENGTH: usize = 256 * 1024;
const MAX_COLUMNS: usize = 1024;

/// Why a template cannot be used.
#[derive(Debug, Error)]
pub enum TemplateError {
    /// It is longer than any template.
    #[error("template is longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// It is not TOML, a key is unknown or missing, or a value is none of those allowed.
    #[error("template does not follow its form")]
    Form(#[from] Box<toml::de::Error>),
    /// It was written for another version.
    #[error("template has format {found}, and format {FORMAT} is known")]
    Format {
        /// Its format.
        found: u32,
    },
    /// The name is empty, too long, or has other characters than a-z, 0-9 and hyphen.
    #[error("template's name must be 1 to 40 of a-z, 0-9 and hyphen")]
    Name,
    /// The file name's pattern would not give a safe and single name.
    #[error(
        "file name must have {{sequence}} once, an extension, and only letters, digits, '.', '-', '_' and known marks"
    )]
    FileName,
    /// No column, or more than any form has.
    #[error("template must have 1 to {MAX_COLUMNS} columns")]
    Columns,
    /// A column that names neither or both of field and constant.
    #[error("column {header} must have either a field or a constant")]
    Source {
        /// The column's header.
        header: String,
    },
    /// Two columns of one header.
    #[error("two columns have the header {header}")]
    Twice {
        /// The header.
        header: String,
    },
    /// A header, constant or substitution that could not be written itself.
    #[error("{what} cannot be written in the receiver's encoding")]
    Unwritable {
        /// What.
        what: String,
    },
    /// Substitutions without the policy that uses them, or the policy without any.
    #[error("substitutions and the policy \"table\" belong together")]
    Substitutions,
    /// The counter's name cannot be part of a file name.
    #[error("counter must be 1 to 16 of letters, digits and hyphen")]
    Counter,
}

/// A checked template.
#[derive(Debug, Clone)]
pub struct Template {
    pub(crate) name: String,
    pub(crate) encoding: Encoding,
    pub(crate) repertoire: Repertoire,
    pub(crate) line_ending: LineEnding,
    pub(crate) header: bool,
    pub(crate) delimiter: Delimiter,
    pub(crate) quoting: Quoting,
    pub(crate) policy: Policy,
    pub(crate) substitutions: BTreeMap<char, String>,
    pub(crate) newlines: Newlines,
    pub(crate) formulas: Formulas,
    pub(crate) permission: Permission,
    pub(crate) columns: Vec<Column>,
    file_name: String,
}

/// One checked column.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) header: String,
    pub(crate) source: Source,
    pub(crate) required: bool,
    pub(crate) transforms: Vec<Transform>,
    pub(crate) max_characters: Option<usize>,
    pub(crate) max_bytes: Option<usize>,
}

/// Where a column's value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Field(String),
    Constant(String),
}

impl Template {
    /// Reads and checks a template.
    ///
    /// # Errors
    /// See [`TemplateError`].
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > MAX_LENGTH {
            return Err(TemplateError::TooLong);
        }
        let raw: RawTemplate = toml::from_str(text).map_err(Box::new)?;
        if raw.format != FORMAT {
            return Err(TemplateError::Format { found: raw.format });
        }
        check_name(&raw.name)?;
        check_file_name(&raw.file_name)?;
        if (raw.unmappable == Policy::Table) == raw.substitutions.is_empty() {
            return Err(TemplateError::Substitutions);
        }
        let template = Self {
            substitutions: substitutions(&raw.substitutions)?,
            columns: columns(raw.columns)?,
            name: raw.name,
            encoding: raw.encoding,
            repertoire: raw.repertoire,
            line_ending: raw.line_ending,
            header: raw.header,
            delimiter: raw.delimiter,
            quoting: raw.quoting,
            policy: raw.unmappable,
            newlines: raw.newlines,
            formulas: raw.formulas,
            permission: raw.permission,
            file_name: raw.file_name,
        };
        template.check_own_texts()?;
        Ok(template)
    }

    /// The template's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The fields that a row must or may have, in the order of the columns.
    pub fn fields(&self) -> impl Iterator<Item = (&str, bool)> {
        self.columns
            .iter()
            .filter_map(|column| match &column.source {
                Source::Field(field) => Some((field.as_str(), column.required)),
                Source::Constant(_) => None,
            })
    }

    pub(crate) fn takes(&self, one: char) -> bool {
        self.encoding.takes(self.repertoire, one)
    }

    pub(crate) fn file_name(&self, counter: &str, today: CivilDate, number: u64) -> String {
        self.file_name
            .replace("{date}", &today.compact())
            .replace("{counter}", counter)
            .replace("{sequence}", &format!("{number:06}"))
    }

    /// What the template itself writes must be writable as it stands: nobody could act on a report of it.
    fn check_own_texts(&self) -> Result<(), TemplateError> {
        let headers = self.columns.iter().map(|column| ("header", &column.header));
        let constants = self
            .columns
            .iter()
            .filter_map(|column| match &column.source {
                Source::Constant(text) => Some(("constant", text)),
                Source::Field(_) => None,
            });
        let replacements = self
            .substitutions
            .values()
            .map(|text| ("substitution", text));
        for (kind, text) in headers.chain(constants).chain(replacements) {
            if !text.chars().all(|one| self.takes(one) && !is_control(one)) {
                return Err(TemplateError::Unwritable {
                    what: format!("{kind} {text:?}"),
                });
            }
        }
        Ok(())
    }
}

/// Whether a counter's name can be part of file names.
pub(crate) fn check_counter(counter: &str) -> Result<(), TemplateError> {
    let fits = (1..=16).contains(&counter.len())
        && counter
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    fits.then_some(()).ok_or(TemplateError::Counter)
}

fn check_name(name: &str) -> Result<(), TemplateError> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let fits = (1..=40).contains(&name.len()) && name.bytes().all(allowed);
    fits.then_some(()).ok_or(TemplateError::Name)
}

/// A name without its number could be given out twice; one that begins with a dot would be hidden, and our
/// half-written files are; `.ack` and `.err` mean something else.
fn check_file_name(pattern: &str) -> Result<(), TemplateError> {
    let plain = pattern
        .replace("{date}", "")
        .replace("{counter}", "")
        .replace("{sequence}", "");
    let letters = plain
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    let extension = pattern.rsplit_once('.').is_some_and(|(stem, extension)| {
        !stem.is_empty()
            && !extension.is_empty()
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !["ack", "err", "part"].contains(&extension.to_ascii_lowercase().as_str())
    });
    let fits = letters
        && extension
        && pattern.len() <= 100
        && !pattern.starts_with('.')
        && pattern.matches("{sequence}").count() == 1
        && pattern.matches("{date}").count() <= 1
        && pattern.matches("{counter}").count() <= 1;
    fits.then_some(()).ok_or(TemplateError::FileName)
}

fn substitutions(raw: &BTreeMap<String, String>) -> Result<BTreeMap<char, String>, TemplateError> {
    let mut table = BTreeMap::new();
    for (from, to) in raw {
        let mut characters = from.chars();
        let (Some(one), None) = (characters.next(), characters.next()) else {
            return Err(TemplateError::Unwritable {
                what: format!("substitution of {from:?}, which is not one character,"),
            });
        };
        table.insert(one, to.clone());
    }
    Ok(table)
}

fn columns(raw: Vec<RawColumn>) -> Result<Vec<Column>, TemplateError> {
    if raw.is_empty() || raw.len() > MAX_COLUMNS {
        return Err(TemplateError::Columns);
    }
    let mut seen = BTreeSet::new();
    raw.into_iter()
        .map(|column| {
            if !seen.insert(column.header.clone()) {
                return Err(TemplateError::Twice {
                    header: column.header,
                });
            }
            checked(column)
        })
        .collect()
}

fn checked(column: RawColumn) -> Result<Column, TemplateError> {
    let source = match (column.field, column.constant) {
        (Some(field), None) if !field.is_empty() => Source::Field(field),
        (None, Some(constant)) => Source::Constant(constant),
        _ => {
            return Err(TemplateError::Source {
                header: column.header,
            });
        }
    };
    Ok(Column {
        header: column.header,
        source,
        required: column.required,
        transforms: column.transforms,
        max_characters: column.max_characters,
        max_bytes: column.max_bytes,
    })
}

#[cfg(test)]
mod tests;
