//! The counter application's backend as issuer of counter tokens.
//!
//! A counter token is a compact JWS (RFC 7515) with `alg: EdDSA` (RFC 8037, Ed25519): who sits at which
//! counter, from which origin, for which agent, and what the token permits for how long.
//! The key pair is made at first start and kept in the state folder.
//!
//! Written from the RFCs and the local API's documentation, without the agent's own types, so that a
//! misunderstanding between the two sides shows.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The issuer's name in tokens.
pub(crate) const ISSUER: &str = "counter-sim";
/// How long a token lasts; the agent takes at most fifteen minutes.
const LIFETIME_SECONDS: u64 = 600;
/// What a token permits when nobody asks for anything else: everything that is not privileged.
const ORDINARY_SCOPES: [&str; 20] = [
    "cardReader.see",
    "cardReader.identify",
    "cardReader.readFourAttributes",
    "cardReader.verificationNumberB",
    "pinScreen.pair",
    "codeScanner.see",
    "codeScanner.scan",
    "signatureTablet.see",
    "signatureTablet.capture",
    "signatureTablet.calibrate",
    "ticketPrinter.see",
    "ticketPrinter.print",
    "ticketPrinter.settle",
    "pagePrinter.see",
    "pagePrinter.print",
    "documentScanner.see",
    "documentScanner.scan",
    "keyboard.see",
    "handover.see",
    "handover.write",
];

/// Signs counter tokens.
pub struct Issuer {
    key: Ed25519KeyPair,
}

/// Why the issuer cannot start or sign.
#[derive(Debug, Error)]
pub enum IssuerError {
    /// A file of the key pair cannot be used.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds no key pair.
    #[error("{0} holds no Ed25519 key pair")]
    NoKey(PathBuf),
    /// The operating system gave no random bytes.
    #[error("cannot make a key pair")]
    NoRandomness,
    /// The claims cannot be written.
    #[error("cannot write the token's claims")]
    Claims(#[source] serde_json::Error),
}

/// What the page asks of a token.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenWish {
    /// The agent's nonce, for a privileged call.
    #[serde(default)]
    pub nonce: Option<String>,
    /// What the token shall permit; everything that is not privileged when absent.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
}

/// For whom a token is.
#[derive(Debug)]
pub(crate) struct Bearer<'a> {
    pub(crate) agent_id: &'a str,
    pub(crate) staff: &'a str,
    pub(crate) origin: &'a str,
    pub(crate) counter: &'a str,
}

#[derive(Serialize)]
struct Header {
    alg: &'static str,
    typ: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    origin: &'a str,
    counter: &'a str,
    scopes: Vec<&'a str>,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
}

impl Issuer {
    /// The issuer whose key pair lies in `folder`, where one is made at first start, together with
    /// the public key as text in `issuer.pub`.
    ///
    /// # Errors
    ///
    /// When the key pair can be neither read nor made.
    pub fn open(folder: &Path) -> Result<Self, IssuerError> {
        let path = folder.join("issuer.pk8");
        let pkcs8 = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path)?,
            Err(source) => return Err(IssuerError::File { path, source }),
        };
        let key = Ed25519KeyPair::from_pkcs8(&pkcs8)
            .ok()
            .ok_or(IssuerError::NoKey(path))?;
        let issuer = Self { key };
        let path = folder.join("issuer.pub");
        fs::write(&path, issuer.public_key())
            .map_err(|source| IssuerError::File { path, source })?;
        Ok(issuer)
    }

    /// The public key, 32 bytes as base64url.
    #[must_use]
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.key.public_key())
    }

    pub(crate) fn token(
        &self,
        bearer: &Bearer<'_>,
        wish: &TokenWish,
        now: u64,
    ) -> Result<String, IssuerError> {
        let scopes = match &wish.scopes {
            Some(scopes) => scopes.iter().map(String::as_str).collect(),
            None => ORDINARY_SCOPES.to_vec(),
        };
        let header = encoded(&Header {
            alg: "EdDSA",
            typ: "JWT",
        })?;
        let claims = encoded(&Claims {
            iss: ISSUER,
            aud: bearer.agent_id,
            sub: bearer.staff,
            origin: bearer.origin,
            counter: bearer.counter,
            scopes,
            iat: now,
            exp: now + LIFETIME_SECONDS,
            nonce: wish.nonce.as_deref(),
        })?;
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        Ok(format!("{signed}.{signature}"))
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({})", self.public_key())
    }
}

fn encoded(part: &impl Serialize) -> Result<String, IssuerError> {
    serde_json::to_vec(part)
        .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
        .map_err(IssuerError::Claims)
}

fn make(path: &Path) -> Result<Vec<u8>, IssuerError> {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .ok()
        .ok_or(IssuerError::NoRandomness)?;
    File::create_new(path)
        .and_then(|mut file| {
            file.write_all(pkcs8.as_ref())
                .and_then(|()| file.sync_data())
        })
        .map_err(|source| IssuerError::File {
            path: path.to_owned(),
            source,
        })?;
    Ok(pkcs8.as_ref().to_vec())
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, UnparsedPublicKey};

    use super::*;

    const BEARER: Bearer<'_> = Bearer {
        agent_id: "agent-7",
        staff: "staff-001",
        origin: "http://127.0.0.1:8080",
        counter: "3",
    };

    fn claims(token: &str) -> serde_json::Value {
        let part = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn a_token_is_a_compact_jws_that_the_public_key_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Issuer::open(folder.path()).unwrap();
        let token = issuer.token(&BEARER, &TokenWish::default(), 1_000).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let key = fs::read_to_string(folder.path().join("issuer.pub")).unwrap();
        let key = URL_SAFE_NO_PAD.decode(key).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        UnparsedPublicKey::new(&ED25519, key)
            .verify(signed.as_bytes(), &signature)
            .unwrap();

        let header = URL_SAFE_NO_PAD
            .decode(token.split('.').next().unwrap())
            .unwrap();
        assert_eq!(header, br#"{"alg":"EdDSA","typ":"JWT"}"#);
        let claims = claims(&token);
        assert_eq!(
            (&claims["iss"], &claims["aud"]),
            (&"counter-sim".into(), &"agent-7".into())
        );
        assert_eq!(
            (&claims["iat"], &claims["exp"]),
            (&1_000.into(), &1_600.into())
        );
        assert!(claims.get("nonce").is_none());
    }

    #[test]
    fn privileged_scopes_and_a_nonce_are_only_there_when_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let issuer = Issuer::open(folder.path()).unwrap();
        let ordinary = claims(&issuer.token(&BEARER, &TokenWish::default(), 0).unwrap());
        assert!(
            !ordinary["scopes"]
                .to_string()
                .contains("readIndividualNumber")
        );

        let wish = TokenWish {
            nonce: Some("n1".to_owned()),
            scopes: Some(vec!["cardReader.readIndividualNumber".to_owned()]),
        };
        let privileged = claims(&issuer.token(&BEARER, &wish, 0).unwrap());
        assert_eq!(
            privileged["scopes"],
            serde_json::json!(["cardReader.readIndividualNumber"])
        );
        assert_eq!(privileged["nonce"], "n1");
    }

    #[test]
    fn the_key_pair_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let first = Issuer::open(folder.path()).unwrap().public_key();
        assert_eq!(Issuer::open(folder.path()).unwrap().public_key(), first);
    }
}
