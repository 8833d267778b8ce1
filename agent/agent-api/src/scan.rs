//! Scanned codes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::desk::Named;
use crate::secret::SecretText;

/// A code that was scanned. Several codes that belong together (structured append) are one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scan {
    /// What the scanner sent, without framing and symbology identifier, as base64.
    pub bytes: SecretText,
    /// The AIM symbology identifier (ISO/IEC 15424), such as `]Q1`, where the scanner sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub symbology: Option<String>,
    /// The bytes as text, where they are text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<SecretText>,
    /// How it was decided which text they are.
    pub rule: TextRule,
    /// Whether that rule leaves no doubt.
    pub certain: bool,
    /// The element strings of a GS1 code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gs1: Vec<Gs1Element>,
    /// Of how many codes it was joined.
    pub parts: u32,
    /// A pre-application (事前申請) that was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_application: Option<PreApplication>,
    /// Why the code cannot be used, as a stable code such as `SCN-UNTRUSTED`; bytes and text are empty then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// How it was decided which text the bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum TextRule {
    /// The code itself names its character set (ECI).
    Eci,
    /// All bytes are ASCII.
    Ascii,
    /// Valid UTF-8 with characters of more than one byte.
    Utf8,
    /// Plausible Shift_JIS (CP932).
    ShiftJis,
    /// No text.
    Binary,
}

/// One element string of a GS1 code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Gs1Element {
    /// The application identifier, such as `01`.
    pub ai: String,
    /// Its value.
    pub value: SecretText,
}

/// A pre-application (事前申請) whose signature was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PreApplication {
    /// Its own name, the same whenever the same application is scanned.
    pub id: String,
    /// The procedure that is applied for.
    pub procedure: String,
    /// The name of the key that signed it.
    pub key: String,
    /// When it was made, in seconds since 1970-01-01T00:00:00Z.
    pub issued_at: u64,
    /// The fields of the form.
    pub fields: Named<SecretText>,
}
