//! The template as it stands in its file, before it is checked.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    encoding::{Encoding, Repertoire},
    transform::Transform,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplate {
    pub(super) format: u32,
    pub(super) name: String,
    pub(super) encoding: Encoding,
    #[serde(default)]
    pub(super) repertoire: Repertoire,
    #[serde(default)]
    pub(super) line_ending: LineEnding,
    #[serde(default = "yes")]
    pub(super) header: bool,
    #[serde(default)]
    pub(super) delimiter: Delimiter,
    #[serde(default)]
    pub(super) quoting: Quoting,
    #[serde(default)]
    pub(super) unmappable: Policy,
    #[serde(default)]
    pub(super) substitutions: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) newlines: Newlines,
    #[serde(default)]
    pub(super) formulas: Formulas,
    pub(super) file_name: String,
    #[serde(default)]
    pub(super) permission: Permission,
    pub(super) columns: Vec<RawColumn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawColumn {
    pub(super) header: String,
    pub(super) field: Option<String>,
    pub(super) constant: Option<String>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default)]
    pub(super) transforms: Vec<Transform>,
    pub(super) max_characters: Option<usize>,
    pub(super) max_bytes: Option<usize>,
}

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LineEnding {
    #[default]
    Crlf,
    Lf,
}

/// What stands between values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Delimiter {
    #[default]
    Comma,
    Tab,
    Semicolon,
}

/// When a value is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Quoting {
    /// Where its content needs it (RFC 4180, section 2).
    #[default]
    Needed,
    Always,
    /// A value that would need it is refused.
    Never,
}

/// What happens to a character that the receiver cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Policy {
    /// The file is not written.
    #[default]
    Refuse,
    /// 〓 stands in its place, and it is reported.
    Geta,
    /// The template's substitution stands in its place, and it is reported; without one the file is not
    /// written.
    Table,
}

/// What happens to a line break in a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Newlines {
    #[default]
    Refuse,
    /// One space in its place.
    Space,
    /// Kept as LF, inside quotes.
    Keep,
}

/// What happens to a value that a spreadsheet would take for a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Formulas {
    /// Nothing: the receiver is a program, and `-1` is a number.
    #[default]
    AsIs,
    Refuse,
    /// An apostrophe is put before it.
    Apostrophe,
}

/// Who may read the file, beside its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub(crate) enum Permission {
    #[default]
    #[serde(rename = "0600")]
    Owner,
    #[serde(rename = "0640")]
    Group,
}

const fn yes() -> bool {
    true
}
