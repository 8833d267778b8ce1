//! Who answers, and the proof of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What anyone may know: that an agent is here and which versions it speaks. Nothing else, ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hello {
    /// Always `madoguchi-agent`.
    pub protocol: String,
    /// The API versions that this agent speaks.
    pub versions: Vec<u32>,
}

/// A challenge that the agent signs, so that the page's backend knows it speaks to the enrolled agent
/// and not to another program on the same port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofRequest {
    /// 32 random bytes, base64url without padding.
    pub challenge: String,
}

/// The agent's proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Proof {
    /// The agent's id, which is also the audience of tokens.
    pub agent: String,
    /// Its Ed25519 public key, base64url without padding.
    pub public_key: String,
    /// Ed25519 over `madoguchi-agent-proof-v1`, a zero byte, the requesting origin, a zero byte, and the
    /// challenge's bytes; base64url without padding.
    pub signature: String,
}
