//! What a page, a native client or an administrator hands to the agent.
//!
//! HTTP and WebSocket framing stand in [`super::connection`]; the bytes of a body or a text frame, a token and
//! the configuration are read by the agent itself, and that is what is fuzzed here.

use std::{fmt::Debug, path::Path, sync::LazyLock};

use agent_api::event::ClientMessage;
use agent_api::hello::ProofRequest;
use agent_api::job::{JobAnswer, JobRequest};
use agent_api::lease::{LeaseRequest, RenewalRequest};
use agent_api::pin_screen::ScreenMessage;
use agent_api::screen::PairRequest;
use agent_core::{access::Presented, ids};
use agentd::{config::Config, socket, token::TokenJudge};
use device_api::Moment;
use serde::{Serialize, de::DeserializeOwned};

/// An agent that trusts one issuer, whose private key nobody has.
const CONFIGURATION: &str = r#"
[[grant]]
origin = "https://counter.example"
operations = []

[[issuer]]
name = "backend"
public_key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
"#;

static JUDGE: LazyLock<Option<TokenJudge>> = LazyLock::new(|| {
    let config = Config::parse(CONFIGURATION, Path::new("agent.toml")).ok()?;
    Some(TokenJudge::new(&config))
});

/// A body or a text frame; the first byte chooses the type that is expected.
///
/// Promise: bytes are a message or a refusal; a message that was read is written back as one that reads as
/// the same.
pub fn api_message(input: &[u8]) {
    let Some((expected, body)) = input.split_first() else {
        return;
    };
    match expected % 8 {
        0 => round_trip::<JobRequest>(body),
        1 => round_trip::<JobAnswer>(body),
        2 => round_trip::<LeaseRequest>(body),
        3 => round_trip::<RenewalRequest>(body),
        4 => round_trip::<PairRequest>(body),
        5 => round_trip::<ProofRequest>(body),
        6 => round_trip::<ClientMessage>(body),
        _ => round_trip::<ScreenMessage>(body),
    }
}

fn round_trip<M: Serialize + DeserializeOwned + PartialEq + Debug>(body: &[u8]) {
    let Ok(message) = socket::read::<M>(body.to_vec().into()) else {
        return;
    };
    let written = serde_json::to_vec(&message).expect("what was read from JSON is expressible");
    let again = socket::read::<M>(written.into());
    assert_eq!(
        again.ok(),
        Some(message),
        "a message changed by being written"
    );
}

/// A configuration file.
///
/// Promise: a text is a configuration or an error; no configuration listens where another machine can reach.
pub fn config(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(config) = Config::parse(text, Path::new("agent.toml")) {
        for address in [config.listen, config.pin_listen] {
            assert!(address.ip().is_loopback(), "listens on {address}");
        }
    }
}

/// A counter token.
///
/// Promise: nobody is let in, because nobody holds the issuer's key.
pub fn token(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let presented = Presented {
        origin: ids::Origin::new("https://counter.example"),
        unix_seconds: 1_700_000_000,
        now: Moment::default(),
    };
    let judge = JUDGE.as_ref().expect("the configuration above is one");
    assert!(
        judge.judge(text, &presented).is_err(),
        "a token that nobody signed"
    );
}
