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
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
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

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 8] = [
        Self::SeeCardReaders,
        Self::IdentifyCard,
        Self::ReadFourAttributes,
        Self::ReadIndividualNumber,
        Self::PinByApi,
        Self::VerificationNumberB,
        Self::LastTry,
        Self::PairPinScreen,
    ];

    /// The name in tokens and in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SeeCardReaders => "cardReader.see",
            Self::IdentifyCard => "cardReader.identify",
            Self::ReadFourAttributes => "cardReader.readFourAttributes",
            Self::ReadIndividualNumber => "cardReader.readIndividualNumber",
            Self::PinByApi => "cardReader.pinByApi",
            Self::VerificationNumberB => "cardReader.verificationNumberB",
            Self::LastTry => "cardReader.lastTry",
            Self::PairPinScreen => "pinScreen.pair",
        }
    }

    /// What it permits, in one sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::SeeCardReaders => "See card readers and their state.",
            Self::IdentifyCard => "Read what a card says of itself without any secret.",
            Self::ReadFourAttributes => "Read the four attributes.",
            Self::ReadIndividualNumber => "Read the individual number.",
            Self::PinByApi => "Hand in a PIN by API instead of the citizen's screen.",
            Self::VerificationNumberB => "Hand in verification number B by API.",
            Self::LastTry => "Allow the last PIN try to be spent.",
            Self::PairPinScreen => "Pair and unpair the citizen's PIN screen.",
        }
    }

    /// Whether each use needs a token with an unused nonce of the agent.
    #[must_use]
    pub const fn is_privileged(self) -> bool {
        match self {
            Self::ReadIndividualNumber | Self::PinByApi | Self::LastTry => true,
            Self::SeeCardReaders
            | Self::IdentifyCard
            | Self::ReadFourAttributes
            | Self::VerificationNumberB
            | Self::PairPinScreen => false,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn the_name_of_a_scope_is_its_name_on_the_wire() {
        for scope in Scope::ALL {
            let wire = serde_json::to_string(&scope).unwrap();
            assert_eq!(wire, format!("\"{}\"", scope.as_str()));
        }
    }
}
