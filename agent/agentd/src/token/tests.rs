//! Every way in which a token can be wrong, each as one change to a token that holds.

use std::path::Path;

use agent_core::access::Presented;
use agent_core::ids;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use device_api::{FaultCode, Moment};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::TokenJudge;
use crate::config::Config;

const NOW: u64 = 1_800_000_000;

fn key(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn judge() -> TokenJudge {
    let public_key = URL_SAFE_NO_PAD.encode(key(1).public_key().as_ref());
    let text = format!(
        "[[grant]]\norigin = \"https://a.test\"\noperations = []\n\
         [[issuer]]\nname = \"city\"\npublic_key = \"{public_key}\""
    );
    TokenJudge::new(&Config::parse(&text, Path::new("agent.toml")).unwrap())
}

fn claims() -> Value {
    json!({
        "iss": "city", "aud": "agent", "sub": "staff-7", "origin": "https://a.test", "counter": "3",
        "scopes": ["cardReader.see"], "iat": NOW - 10, "exp": NOW + 60,
    })
}

fn token(header: &Value, claims: &Value, seed: u8) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key(seed).sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn verdict(token: &str) -> Result<(), FaultCode> {
    let presented = Presented {
        origin: ids::Origin::new("https://a.test"),
        unix_seconds: NOW,
        now: Moment::default(),
    };
    judge()
        .judge(token, &presented)
        .map(|_caller| ())
        .map_err(|refusal| refusal.code)
}

fn with(key: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[key] = value;
    claims
}

#[test]
fn a_token_of_the_configured_issuer_holds() {
    assert_eq!(
        verdict(&token(&json!({"alg": "EdDSA", "typ": "JWT"}), &claims(), 1)),
        Ok(())
    );
}

#[test]
fn a_header_that_wants_to_choose_the_check_is_refused() {
    for header in [
        json!({"alg": "none"}),
        json!({"alg": "HS256"}),
        json!({"alg": "EdDSA", "crit": ["b64"], "b64": false}),
        json!({"alg": "EdDSA", "jwk": {"kty": "OKP"}}),
        json!({"alg": "EdDSA", "typ": "at+jwt"}),
        json!([]),
    ] {
        assert_eq!(
            verdict(&token(&header, &claims(), 1)),
            Err(FaultCode::DoorToken),
            "{header}"
        );
    }
}

#[test]
fn a_claim_that_does_not_fit_is_refused() {
    for wrong in [
        with("iss", json!("village")),
        with("aud", json!("agent2")),
        with("origin", json!("https://a.test.evil.test")),
        with("sub", json!("")),
        with("sub", json!("a\u{202e}b\n")),
        with("counter", json!("x".repeat(65))),
        with("scopes", json!(["cardReader.everything"])),
        with("exp", json!(NOW + 16 * 60)),
        with("exp", json!(0)),
        with("iat", json!(NOW + 61)),
        with("iat", json!(-1)),
        with("admin", json!(true)),
    ] {
        let token = token(&json!({"alg": "EdDSA"}), &wrong, 1);
        assert_eq!(verdict(&token), Err(FaultCode::DoorToken), "{wrong}");
    }
}

#[test]
fn an_expired_token_says_so() {
    let mut old = with("exp", json!(NOW - 120));
    old["iat"] = json!(NOW - 180);
    let token = token(&json!({"alg": "EdDSA"}), &old, 1);
    assert_eq!(verdict(&token), Err(FaultCode::DoorTokenExpired));
}

#[test]
fn a_foreign_key_or_a_changed_byte_is_refused() {
    let good = token(&json!({"alg": "EdDSA"}), &claims(), 1);
    assert_eq!(
        verdict(&token(&json!({"alg": "EdDSA"}), &claims(), 2)),
        Err(FaultCode::DoorToken)
    );
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).unwrap();
        assert_eq!(verdict(&changed), Err(FaultCode::DoorToken), "byte {at}");
        assert!(verdict(good.get(..at).unwrap()).is_err(), "cut at {at}");
    }
}
