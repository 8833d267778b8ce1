//! Handing data to systems that cannot be changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Values by name.
pub type Named<T> = BTreeMap<String, T>;

/// A file that was written for another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HandedOver {
    /// Its name, without the folder.
    pub file: String,
    /// Its number.
    pub sequence: u64,
    /// Characters that the template had replaced.
    pub notices: Vec<CharacterNotice>,
    /// Whether the other system has said that it took the file; absent where the template waits for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<bool>,
}

/// A character that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CharacterNotice {
    /// The value in which it stands, by its name.
    pub field: String,
    /// Its position, counted in Unicode scalar values from 0.
    pub position: u32,
    /// Its code point, such as `U+20BB7`.
    pub code_point: String,
}
