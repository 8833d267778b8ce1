//! Counter tokens: shape and signature, before `agent-core` judges the claims.
//!
//! A token is a compact JWS (RFC 7515) with Ed25519 (RFC 8037). Order of the checks:
//! size, shape, header, signature by a configured issuer, then the claims; nothing that an unknown
//! party wrote is interpreted before its signature holds.
//! Invariant: `alg` is never taken from the token; every header member that we do not know, `crit` and
//! `jwk` among them, refuses the token.

use std::collections::BTreeSet;

use agent_api::token::TokenClaims;
use agent_core::access::{Caller, Claims, Presented, TokenRules, check_claims};
use agent_core::ids;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use device_api::FaultCode;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::Deserialize;

use crate::config::{Config, Issuer};
use crate::refusal::Refusal;
use crate::translate;

/// Longest token; a real one has about 600 bytes.
const MAX_TOKEN: usize = 4096;
/// Longest key id in a header.
const MAX_KID: usize = 64;

/// Checks tokens.
#[derive(Debug)]
pub struct TokenJudge {
    rules: TokenRules,
    issuers: Vec<Issuer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    #[serde(default)]
    kid: Option<String>,
}

impl TokenJudge {
    /// A judge for the tokens of this agent.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let origins = |issuer: &Issuer| -> BTreeSet<ids::Origin> {
            issuer
                .origins
                .iter()
                .map(|origin| ids::Origin::new(origin.as_str()))
                .collect()
        };
        let speakers = config
            .issuers
            .iter()
            .map(|issuer| (issuer.name.clone(), origins(issuer)));
        Self {
            rules: TokenRules {
                agent: config.agent_id.clone(),
                issuers: speakers.collect(),
            },
            issuers: config.issuers.clone(),
        }
    }

    /// Judges a token, and tells whom it names.
    ///
    /// # Errors
    /// `DOR-TOKEN`, or `DOR-TOKEN-EXPIRED` where only its time has passed.
    pub fn judge(&self, token: &str, presented: &Presented) -> Result<Caller, Refusal> {
        if token.len() > MAX_TOKEN {
            return Err(refused("token too long"));
        }
        let (signed, signature) = token
            .rsplit_once('.')
            .ok_or_else(|| refused("token has no signature"))?;
        let (header, payload) = signed
            .split_once('.')
            .ok_or_else(|| refused("token has no payload"))?;
        check_header(header)?;
        let signature = decode(signature)?;
        let issuer = self.signer(signed.as_bytes(), &signature)?;
        let claims: TokenClaims = serde_json::from_slice(&decode(payload)?)
            .map_err(|_error| refused("claims do not match the schema"))?;
        if claims.iss != issuer.name {
            return Err(refused("signed by another issuer than it names"));
        }
        check_claims(&claims_of(claims), presented, &self.rules)
            .map_err(|code| Refusal::new(code).because("claims do not hold"))
    }

    fn signer(&self, signed: &[u8], signature: &[u8]) -> Result<&Issuer, Refusal> {
        let holds = |issuer: &&Issuer| {
            UnparsedPublicKey::new(&ED25519, issuer.public_key)
                .verify(signed, signature)
                .is_ok()
        };
        self.issuers
            .iter()
            .find(holds)
            .ok_or_else(|| refused("no configured issuer signed it"))
    }
}

fn claims_of(claims: TokenClaims) -> Claims {
    Claims {
        issuer: claims.iss,
        audience: claims.aud,
        staff: claims.sub,
        origin: ids::Origin::new(claims.origin),
        counter: claims.counter,
        scopes: claims.scopes.into_iter().map(translate::scope).collect(),
        issued_at: claims.iat,
        expires_at: claims.exp,
        nonce: claims.nonce,
    }
}

fn refused(why: &'static str) -> Refusal {
    Refusal::new(FaultCode::DoorToken).because(why)
}

fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_error| refused("token is not base64url"))
}

fn check_header(part: &str) -> Result<(), Refusal> {
    let header: Header = serde_json::from_slice(&decode(part)?)
        .map_err(|_error| refused("token header not accepted"))?;
    if header.alg != "EdDSA" {
        return Err(refused("token is not signed with EdDSA"));
    }
    if header.typ.is_some_and(|typ| typ != "JWT")
        || header.kid.is_some_and(|kid| kid.len() > MAX_KID)
    {
        return Err(refused("token type or key id not accepted"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
