//! What anybody who reaches the agent's port sends: whole connections, HTTP and WebSocket frames.
//!
//! The parsers are hyper's and tungstenite's; what they hand to the agent is what the agent must survive.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use agentd::config::Config;
use agentd::wire::{Answered, Peer, WireAgent};
use device_api::{Clock, Moment};

/// One page, an issuer whose private key nobody has, and one native user.
const CONFIGURATION: &str = r#"
[[grant]]
origin = "https://counter.example"
operations = ["cardReader.see"]

[[grant]]
origin = "unix:7"
operations = ["cardReader.see"]

[[issuer]]
name = "backend"
public_key = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
"#;

const USER: Peer = Peer::Native(7);

/// A handshake as the native client sends it.
const NATIVE_HANDSHAKE: &[u8] = b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\
    Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// The same as a page's.
const PAGE_HANDSHAKE: &[u8] = b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:21710\r\n\
    Origin: https://counter.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
/// The native client's first message, as one frame; its mask is zero.
const HELLO_FRAME: &[u8] = b"\x81\x9b\0\0\0\0{\"type\":\"hello\",\"token\":\"\"}";

static AGENT: LazyLock<WireAgent> = LazyLock::new(|| {
    let config = Config::parse(CONFIGURATION, Path::new("agent.toml"));
    let state = tempfile::tempdir().expect("a folder can be made");
    let config = config.expect("the configuration above is one");
    WireAgent::open(config, state.path(), Arc::new(Still)).expect("the agent needs nothing else")
});

/// A clock that stands still, so that one input always gives one answer.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment::default()
    }

    fn unix_millis(&self) -> u64 {
        1_700_000_000_000
    }
}

/// A whole connection; the first byte chooses where it comes in.
///
/// Promise: what is answered is HTTP; at the port, where nobody has a token that holds, no call reaches the
/// core and no stream is opened.
pub fn http(input: &[u8]) {
    let Some((entrance, sent)) = input.split_first() else {
        return;
    };
    let peer = if entrance % 2 == 0 {
        Peer::Loopback
    } else {
        USER
    };
    let answered = AGENT.answer(peer, sent);
    // A client of HTTP/1.0 is answered in its own version.
    let is_http = answered.bytes.is_empty() || answered.bytes.starts_with(b"HTTP/1.");
    assert!(is_http, "something else was answered");
    nobody_came_in(peer, &answered);
}

/// WebSocket frames; the first byte chooses whose.
///
/// Promise: the handshake holds whatever follows it; a stream is opened by the hello of a known user, once,
/// and never by a page without a token.
pub fn ws_frame(input: &[u8]) {
    let Some((entrance, frames)) = input.split_first() else {
        return;
    };
    let (peer, before) = if entrance % 2 == 0 {
        (Peer::Loopback, PAGE_HANDSHAKE.to_vec())
    } else {
        (USER, [NATIVE_HANDSHAKE, HELLO_FRAME].concat())
    };
    let answered = AGENT.answer(peer, &[before.as_slice(), frames].concat());
    assert!(
        answered.bytes.starts_with(b"HTTP/1.1 101 "),
        "the handshake is a good one"
    );
    nobody_came_in(peer, &answered);
    assert_eq!(answered.streams, usize::from(peer == USER));
    assert_eq!(answered.calls, 0, "a stream makes no calls");
}

fn nobody_came_in(peer: Peer, answered: &Answered) {
    if peer == Peer::Loopback {
        assert_eq!(
            (answered.calls, answered.streams),
            (0, 0),
            "somebody came in"
        );
    }
}
