//! Code scanners.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::Connection;
use crate::SecretText;

/// The settings of the host of code scanners.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields, default)]
pub struct CodeScanners {
    /// The scanners.
    pub scanners: Vec<CodeScanner>,
    /// Whose pre-applications are accepted.
    pub pre_applications: Option<PreApplications>,
}

/// One code scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct CodeScanner {
    /// Its name, unique among the scanners of this machine.
    pub name: String,
    /// Where it is: `serial`, `tcp`, `usb` (HID POS), `keyboard` or `simulated`.
    pub connection: Connection,
    /// What it sends before each code, and before its AIM identifier: `nothing` or `stx`.
    /// Not over USB, where reports need none.
    /// Default: `nothing`.
    #[serde(default)]
    pub start: Start,
    /// What it sends after each code.
    /// Default: `cr` on a line or keyboard, `nothing` over USB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suffix: Option<Suffix>,
    /// Whether it sends an AIM symbology identifier before each code.
    /// Default: true.
    #[serde(default = "yes")]
    pub aim: bool,
    /// The longest content of a code, in bytes, 1 to 65536; a longer one is refused.
    /// Default: 8192, which is more than any single code holds.
    #[serde(default = "usual_longest")]
    pub longest: u32,
    /// How long it may pause inside a code, in milliseconds, 10 to 10000.
    /// With the suffix `nothing` a pause of that length ends a code, otherwise it spoils it.
    /// Default: 500.
    #[serde(default = "usual_silence")]
    pub silence_ms: u32,
    /// The layout that a keyboard scanner types on.
    /// Default: `us`.
    #[serde(default)]
    pub keymap: Keymap,
    /// A code that is seen again within so many milliseconds is the same sight of the same code.
    /// Default: 500.
    #[serde(default = "usual_window")]
    pub duplicate_window_ms: u32,
}

const fn yes() -> bool {
    true
}

const fn usual_longest() -> u32 {
    8192
}

const fn usual_silence() -> u32 {
    500
}

const fn usual_window() -> u32 {
    500
}

/// What a scanner sends before each code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Nothing.
    #[default]
    Nothing,
    /// STX.
    Stx,
}

/// What a scanner sends after each code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Suffix {
    /// Nothing: a pause ends a code.
    Nothing,
    /// CR.
    Cr,
    /// CR LF.
    CrLf,
    /// TAB.
    Tab,
    /// ETX.
    Etx,
    /// ETX and a check byte.
    EtxLrc,
}

/// A keyboard's layout.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Keymap {
    /// American.
    #[default]
    Us,
    /// Japanese.
    Jis,
}

/// Whose pre-applications (事前申請) are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct PreApplications {
    /// The city's own number (全国地方公共団体コード), six digits: as text such as `"011002"`, or as a number
    /// without leading zeros.
    #[serde(deserialize_with = "city")]
    pub municipality: u32,
    /// The keys of the city's web form.
    pub forms: Vec<FormKey>,
    /// The keys of the counters, for content that is encrypted.
    /// Default: none.
    #[serde(default)]
    pub counters: Vec<CounterKey>,
}

/// A number of six digits, whose first may be zero.
fn city<'de, D: Deserializer<'de>>(source: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(
        untagged,
        expecting = "not the six digits of a city, such as \"131016\""
    )]
    enum Written {
        Number(u32),
        Text(String),
    }

    let number = match Written::deserialize(source)? {
        Written::Number(number) => Some(number),
        Written::Text(text) => Some(text)
            .filter(|text| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse().ok()),
    };
    number
        .filter(|number| (1..=999_999).contains(number))
        .ok_or_else(|| D::Error::custom("not the six digits of a city, such as \"131016\""))
}

/// A public key that signs pre-applications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct FormKey {
    /// Its number.
    pub id: u32,
    /// Ed25519, 32 bytes as 64 hexadecimal digits.
    pub public_key: String,
}

/// A private key to which pre-applications are encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct CounterKey {
    /// Its number.
    pub id: u32,
    /// X25519, 32 bytes as 64 hexadecimal digits. Let nobody but the agent read a configuration that holds one.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub private_key: SecretText,
}

#[cfg(test)]
mod tests {
    use super::PreApplications;

    #[test]
    fn the_number_of_a_city_may_begin_with_zero() {
        let city = |municipality: &str| {
            let text = format!(r#"{{"municipality":{municipality},"forms":[]}}"#);
            let read = serde_json::from_str::<PreApplications>(&text);
            read.map(|settings| settings.municipality)
        };
        for written in [r#""011002""#, "11002"] {
            assert_eq!(city(written).unwrap(), 11_002);
        }
        for wrong in [r#""11002""#, r#""+11002""#, "0", "1000000", r#""札幌""#] {
            let error = city(wrong).unwrap_err().to_string();
            assert!(
                error.contains("six digits") || error.contains("variant"),
                "{error}"
            );
        }
    }
}
