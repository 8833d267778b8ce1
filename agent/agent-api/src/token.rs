//! Counter tokens and nonces.
//!
//! A counter token is a compact JWS (RFC 7515) with `alg: EdDSA` (Ed25519, RFC 8037), signed by the
//! backend of the counter application, sent as `Authorization: Bearer`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The claims of a counter token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenClaims {
    /// The issuer, as named in the agent's configuration.
    pub iss: String,
    /// The audience: the agent's id.
    pub aud: String,
    /// The staff id.
    pub sub: String,
    /// The origin of the page that uses the token, such as `https://madoguchi.city.example.jp`.
    pub origin: String,
    /// The counter at which the staff member sits, such as `3`.
    pub counter: String,
    /// What the token permits; the names of [`Scope`].
    pub scopes: Vec<Scope>,
    /// Seconds since 1970 at which it was issued.
    pub iat: u64,
    /// Seconds since 1970 at which it expires; at most 15 minutes after `iat`.
    pub exp: u64,
    /// For a privileged call: the nonce that this agent gave out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
}

/// What an origin's grant and a token can permit. Both must.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// See card readers and their state.
    #[serde(rename = "cardReader.see")]
    SeeCardReaders,
    /// Read what a card says of itself without any secret.
    #[serde(rename = "cardReader.identify")]
    IdentifyCard,
    /// Read the four attributes.
    #[serde(rename = "cardReader.readFourAttributes")]
    ReadFourAttributes,
    /// Read the individual number. Privileged: needs a nonce.
    #[serde(rename = "cardReader.readIndividualNumber")]
    ReadIndividualNumber,
    /// Hand in a PIN by API instead of the citizen's screen. Privileged: needs a nonce.
    #[serde(rename = "cardReader.pinByApi")]
    PinByApi,
    /// Hand in verification number B by API.
    #[serde(rename = "cardReader.verificationNumberB")]
    VerificationNumberB,
    /// Allow the last PIN try to be spent. Privileged: needs a nonce.
    #[serde(rename = "cardReader.lastTry")]
    LastTry,
    /// Pair and unpair the citizen's PIN screen.
    #[serde(rename = "pinScreen.pair")]
    PairPinScreen,
}

/// A nonce for one privileged call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Nonce {
    /// To be put into the `nonce` claim of a token.
    pub nonce: String,
    /// Milliseconds until it expires unused.
    pub expires_in_ms: u64,
}
