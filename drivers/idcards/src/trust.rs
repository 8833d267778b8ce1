//! Trust anchors: the keys that may vouch for what a card says.
//!
//! Which of them count is configuration. Nothing is trusted unless it was named: neither the keys of test
//! cards nor those of a simulator become trusted by lying next to the production keys.
//! Each anchor serves one application: a key for the printed surface cannot vouch for the text.

use serde::Deserialize;
use thiserror::Error;

use crate::certificate::{KeyId, PublicKey};

/// The published J-LIS keys, production and test, with their provenance.
const JLIS_KEYS: &str = include_str!("../data/jlis-card-ca-keys.json");

/// The keys that are trusted. Empty unless keys are named.
#[derive(Debug, Clone, Default)]
pub struct TrustAnchors(Vec<TrustAnchor>);

/// One trusted key.
#[derive(Debug, Clone)]
pub struct TrustAnchor {
    name: String,
    generation: Generation,
    used_for: AnchorUse,
    key_id: KeyId,
    key: PublicKey,
}

/// What kind of cards a key signs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Generation {
    /// Cards in citizens' hands.
    Production,
    /// The issuer's test cards.
    Test,
    /// Cards that a simulator plays.
    Simulated,
}

impl Generation {
    /// The name used in key files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Test => "test",
            Self::Simulated => "simulated",
        }
    }
}

/// The application for which a key may vouch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AnchorUse {
    /// The certificates of the common card data.
    #[serde(rename = "common card data chain")]
    CommonCardData,
    /// 券面事項確認AP.
    #[serde(rename = "card-surface AP")]
    SurfaceAp,
    /// 券面入力補助AP.
    #[serde(rename = "card-surface input (text) AP")]
    TextAp,
}

/// Why keys cannot be used as trust anchors.
#[derive(Debug, Error)]
pub enum TrustError {
    /// No keys of this name ship with the product.
    #[error("no trust anchors named {name:?} ship with this program")]
    UnknownName {
        /// The name asked for.
        name: String,
    },
    /// The text is no key file.
    #[error("key file has not the right form")]
    Malformed(#[source] serde_json::Error),
    /// A key of the file is no RSA key of 2048 bits, or its id is not sixteen bytes.
    #[error("key of {ca:?} is no RSA-2048 key with a 16-byte id, in hexadecimal")]
    Key {
        /// The authority as the file names it.
        ca: String,
    },
}

impl TrustAnchors {
    /// Keys that ship with the product: `jlis-production` or `jlis-test`.
    ///
    /// # Errors
    /// [`TrustError::UnknownName`] for any other name.
    pub fn builtin(name: &str) -> Result<Self, TrustError> {
        let generation = match name {
            "jlis-production" => Generation::Production,
            "jlis-test" => Generation::Test,
            _ => {
                return Err(TrustError::UnknownName {
                    name: name.to_owned(),
                });
            }
        };
        let mut anchors = Self::parse(JLIS_KEYS, "jlis-")?;
        anchors.0.retain(|anchor| anchor.generation == generation);
        Ok(anchors)
    }

    /// All keys of a key file. Their names begin with their generation, never with `jlis-`.
    ///
    /// # Errors
    /// [`TrustError::Malformed`] or [`TrustError::Key`].
    pub fn load(json: &str) -> Result<Self, TrustError> {
        Self::parse(json, "")
    }

    /// Trusts the keys of `other` too.
    pub fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// All anchors.
    pub fn iter(&self) -> impl Iterator<Item = &TrustAnchor> {
        self.0.iter()
    }

    /// The anchors that may vouch for this application under this key id.
    pub(crate) fn matching(
        &self,
        used_for: AnchorUse,
        key_id: &KeyId,
    ) -> impl Iterator<Item = &TrustAnchor> {
        self.0
            .iter()
            .filter(move |anchor| anchor.used_for == used_for && anchor.key_id == *key_id)
    }

    fn parse(json: &str, prefix: &str) -> Result<Self, TrustError> {
        let file: KeyFile = serde_json::from_str(json).map_err(TrustError::Malformed)?;
        file.keys
            .into_iter()
            .map(|entry| entry.check(prefix))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl TrustAnchor {
    /// Its name: where it comes from, its generation and its authority, such as `jlis-production/5000033`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What kind of cards it signs for.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The application for which it may vouch.
    #[must_use]
    pub const fn used_for(&self) -> AnchorUse {
        self.used_for
    }

    pub(crate) const fn key(&self) -> &PublicKey {
        &self.key
    }
}

/// A key file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    #[serde(default, rename = "what")]
    _what: String,
    /// Where the keys were taken from, for the people who decide to trust them.
    #[serde(rename = "provenance")]
    _provenance: String,
    #[serde(default, rename = "confidence")]
    _confidence: String,
    keys: Vec<KeyEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    ca: String,
    generation: Generation,
    #[serde(rename = "use")]
    used_for: AnchorUse,
    key_id: String,
    exponent: String,
    modulus: String,
}

impl KeyEntry {
    fn check(self, prefix: &str) -> Result<TrustAnchor, TrustError> {
        let key_id = hex::decode(&self.key_id)
            .ok()
            .and_then(|id| KeyId::try_from(id).ok());
        let exponent = hex::decode(&self.exponent)
            .ok()
            .filter(|e| matches!(e.len(), 1..=4));
        let modulus = hex::decode(&self.modulus).ok().filter(|n| is_2048_bits(n));
        let (Some(key_id), Some(exponent), Some(modulus)) = (key_id, exponent, modulus) else {
            return Err(TrustError::Key { ca: self.ca });
        };
        Ok(TrustAnchor {
            name: format!("{prefix}{}/{}", self.generation.as_str(), self.ca),
            generation: self.generation,
            used_for: self.used_for,
            key_id,
            key: PublicKey::new(modulus, exponent),
        })
    }
}

fn is_2048_bits(modulus: &[u8]) -> bool {
    modulus.len() == 256 && modulus.first().is_some_and(|top| top & 0x80 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = r#"{"ca": "9", "generation": "simulated", "use": "card-surface AP",
        "key_id": "39303030303233080530303100000000", "exponent": "010001", "modulus": "MODULUS"}"#;

    fn file(modulus: &str) -> String {
        let entry = ENTRY.replace("MODULUS", modulus);
        format!(r#"{{"provenance": "a test", "keys": [{entry}]}}"#)
    }

    fn names(anchors: &TrustAnchors) -> Vec<&str> {
        anchors.iter().map(TrustAnchor::name).collect()
    }

    #[test]
    fn each_builtin_name_holds_its_generation_only() {
        let production = TrustAnchors::builtin("jlis-production").unwrap();
        let expected = ["5000020", "5000023", "5000033"].map(|ca| format!("jlis-production/{ca}"));
        assert_eq!(names(&production), expected);
        let test = TrustAnchors::builtin("jlis-test").unwrap();
        assert!(
            test.iter()
                .all(|anchor| anchor.generation() == Generation::Test)
        );
        assert_eq!(names(&test).len(), 3);
        assert!(TrustAnchors::builtin("jlis").is_err());
        assert!(names(&TrustAnchors::default()).is_empty());
    }

    #[test]
    fn a_loaded_key_cannot_take_the_name_of_a_builtin_one() {
        let json = file(&"ff".repeat(256)).replace("simulated", "production");
        assert_eq!(names(&TrustAnchors::load(&json).unwrap()), ["production/9"]);
    }

    #[test]
    fn a_key_that_is_none_is_refused_by_name() {
        for modulus in [
            String::new(),
            "ff".repeat(255),
            "7f".repeat(256),
            "zz".repeat(256),
        ] {
            let error = TrustAnchors::load(&file(&modulus)).unwrap_err();
            assert!(matches!(error, TrustError::Key { ca } if ca == "9"));
        }
    }

    #[test]
    fn a_file_of_another_shape_is_refused() {
        let good = file(&"ff".repeat(256));
        for (from, to) in [
            ("provenance", "origin"),
            ("\"use\"", "\"purpose\""),
            ("card-surface AP", "anything"),
            ("simulated", "mine"),
            ("exponent", "exponents"),
        ] {
            let error = TrustAnchors::load(&good.replace(from, to)).unwrap_err();
            assert!(matches!(error, TrustError::Malformed(_)), "{from}");
        }
    }
}
