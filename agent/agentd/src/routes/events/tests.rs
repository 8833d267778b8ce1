//! The event stream over a real loopback connection, spoken to by another implementation.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::handshake::HandshakeError;
use tungstenite::{Message, WebSocket};

use crate::testing::{ORIGIN, POOR_ORIGIN, STRANGER, TestAgent, token};

type Client = WebSocket<TcpStream>;

/// Longer than any answer takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Opens the stream as a page of `origin`, or tells the status of the refusal.
fn connect(host: &str, path: &str, origin: &str) -> Result<Client, u16> {
    let mut request = format!("ws://{host}{path}").into_client_request().unwrap();
    request
        .headers_mut()
        .insert("origin", origin.parse().unwrap());
    let stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    match tungstenite::client(request, stream) {
        Ok((client, _response)) => Ok(client),
        Err(HandshakeError::Failure(tungstenite::Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(error) => panic!("{error}"),
    }
}

fn say(client: &mut Client, message: &Value) {
    client.send(Message::text(message.to_string())).unwrap();
}

/// The next message, or `None` where the connection has ended.
fn hear(client: &mut Client) -> Option<Value> {
    match client.read() {
        Ok(Message::Text(text)) => Some(serde_json::from_str(&text).unwrap()),
        Ok(Message::Close(_)) | Err(_) => None,
        Ok(other) => panic!("{other:?}"),
    }
}

fn hello(client: &mut Client, after: Option<Value>) -> Value {
    let mut message = json!({ "type": "hello", "token": token(|_claims| {}) });
    if let Some(after) = after {
        message["after"] = after;
    }
    say(client, &message);
    let welcome = hear(client).unwrap();
    assert_eq!(welcome["type"], "welcome", "{welcome}");
    welcome
}

/// Runs a blocking client against an agent of its own.
async fn with_agent(client: impl FnOnce(String, String) + Send + 'static) {
    let agent = TestAgent::start().await;
    let (host, pin_host) = (agent.host.clone(), agent.pin_host.clone());
    tokio::task::spawn_blocking(move || client(host, pin_host))
        .await
        .unwrap();
    agent.stop().await;
}

#[tokio::test]
async fn a_client_with_a_token_is_welcomed_and_told_where_the_stream_stands() {
    with_agent(|host, _| {
        let mut client = connect(&host, "/v1/events", ORIGIN).unwrap();
        let welcome = hello(&mut client, None);
        assert!(welcome["session"].is_string() && welcome["position"]["run"].is_string());
    })
    .await;
}

#[tokio::test]
async fn a_client_of_another_run_is_told_that_it_missed_events() {
    with_agent(|host, _| {
        let mut client = connect(&host, "/v1/events", ORIGIN).unwrap();
        let welcome = hello(
            &mut client,
            Some(json!({ "run": "an-earlier-run", "seq": 7 })),
        );
        assert_eq!(welcome["missed"], true);
    })
    .await;
}

#[tokio::test]
async fn the_door_stands_before_the_upgrade_too() {
    with_agent(|host, pin_host| {
        assert_eq!(connect(&host, "/v1/events", STRANGER).unwrap_err(), 403);
        assert_eq!(connect(&host, "/v1/events", "null").unwrap_err(), 403);
        assert_eq!(connect(&pin_host, "/pin/events", ORIGIN).unwrap_err(), 403);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_said_before_a_token_holds() {
    with_agent(|host, _| {
        let first_words = [
            (json!({ "type": "hello", "token": "a.b.c" }), "DOR-TOKEN"),
            (
                json!({ "type": "hello", "token": token(|c| c["aud"] = json!("other")) }),
                "DOR-TOKEN",
            ),
            (
                json!({ "type": "token", "token": token(|_c| {}) }),
                "DOR-SCHEMA",
            ),
            (json!({ "type": "hello" }), "DOR-SCHEMA"),
            (
                json!({ "type": "hello", "token": "x", "more": 1 }),
                "DOR-SCHEMA",
            ),
            (json!([]), "DOR-SCHEMA"),
        ];
        for (word, code) in first_words {
            let mut client = connect(&host, "/v1/events", ORIGIN).unwrap();
            say(&mut client, &word);
            let refused = hear(&mut client).unwrap();
            assert_eq!(refused["error"]["code"], code, "{word}");
            assert_eq!(hear(&mut client), None, "{word}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_frame_that_is_too_large_or_no_text_ends_its_connection_only() {
    with_agent(|host, _| {
        let mut bystander = connect(&host, "/v1/events", ORIGIN).unwrap();
        hello(&mut bystander, None);
        for message in [
            Message::text("x".repeat(65 * 1024)),
            Message::binary(vec![0; 8]),
        ] {
            let mut client = connect(&host, "/v1/events", ORIGIN).unwrap();
            hello(&mut client, None);
            // The agent may close while the frame is still on its way.
            let _sent = client.send(message);
            while hear(&mut client).is_some_and(|heard| heard["type"] == "event") {}
        }
        say(
            &mut bystander,
            &json!({ "type": "token", "token": token(|_c| {}) }),
        );
        bystander.send(Message::Ping("still here".into())).unwrap();
        let mut answer = bystander.read().unwrap();
        while answer.is_text() {
            answer = bystander.read().unwrap();
        }
        assert_eq!(answer, Message::Pong("still here".into()));
    })
    .await;
}

#[tokio::test]
async fn an_ending_agent_tells_its_clients() {
    let agent = TestAgent::start().await;
    let host = agent.host.clone();
    let (welcomed, heard) = tokio::sync::oneshot::channel();
    let client = tokio::task::spawn_blocking(move || {
        let mut client = connect(&host, "/v1/events", ORIGIN).unwrap();
        hello(&mut client, None);
        welcomed.send(()).unwrap();
        let mut codes = Vec::new();
        while let Some(message) = hear(&mut client) {
            codes.extend(message["error"]["code"].as_str().map(str::to_owned));
        }
        codes
    });
    heard.await.unwrap();
    agent.stop().await;
    assert_eq!(client.await.unwrap(), ["AGT-STOPPING"]);
}

#[tokio::test]
async fn a_new_pin_screen_is_given_a_code_to_show() {
    with_agent(|_, pin_host| {
        let own = format!("http://{pin_host}");
        let mut screen = connect(&pin_host, "/pin/events", &own).unwrap();
        say(&mut screen, &json!({ "type": "register" }));
        let pairing = hear(&mut screen).unwrap();
        assert_eq!(pairing["type"], "pairing");
        let code = pairing["code"].as_str().unwrap();
        assert!(code.len() == 6 && code.bytes().all(|digit| digit.is_ascii_digit()));
    })
    .await;
}

#[tokio::test]
async fn a_pin_screen_that_does_not_register_first_is_closed() {
    with_agent(|_, pin_host| {
        let own = format!("http://{pin_host}");
        for word in [
            json!({ "type": "secret", "job": "j", "ask": 1, "value": "1234" }),
            json!(7),
        ] {
            let mut screen = connect(&pin_host, "/pin/events", &own).unwrap();
            say(&mut screen, &word);
            assert_eq!(hear(&mut screen), None, "{word}");
        }
    })
    .await;
}

#[tokio::test]
async fn streams_count_as_connections_of_their_origin() {
    with_agent(|host, _| {
        let mut open: Vec<Client> = (0..16)
            .map(|_n| connect(&host, "/v1/events", ORIGIN).unwrap())
            .collect();
        // Without a token they use up the share of those who have none.
        assert_eq!(connect(&host, "/v1/events", ORIGIN).unwrap_err(), 429);
        open.iter_mut().for_each(|client| drop(hello(client, None)));
        let mut one_more = connect(&host, "/v1/events", ORIGIN).unwrap();
        say(
            &mut one_more,
            &json!({ "type": "hello", "token": token(|_c| {}) }),
        );
        let refused = hear(&mut one_more).unwrap();
        assert_eq!(refused["error"]["code"], "DOR-TOO-MANY");
        let mut last = open.pop().unwrap();
        say(&mut last, &json!([]));
        while hear(&mut last).is_some() {}
        assert!(connect(&host, "/v1/events", POOR_ORIGIN).is_ok());
    })
    .await;
}

/// Whether a client that floods is closed, rather than heard for as long as it likes.
fn is_cut_off(client: &mut Client, flood: &Message) -> bool {
    // The agent closes while most of them are on their way.
    let _cut_off = (0..2000).try_for_each(|_n| client.send(flood.clone()));
    loop {
        match client.read() {
            Ok(_until_then) => {}
            Err(tungstenite::Error::Io(error)) => {
                let waited = [ErrorKind::WouldBlock, ErrorKind::TimedOut];
                return !waited.contains(&error.kind());
            }
            Err(_closed) => return true,
        }
    }
}

#[tokio::test]
async fn an_open_stream_pays_for_every_message() {
    with_agent(|host, _| {
        let renewal = json!({ "type": "token", "token": token(|_c| {}) });
        for flood in [
            Message::text(renewal.to_string()),
            Message::Ping("x".into()),
        ] {
            let mut client = connect(&host, "/v1/events", ORIGIN).unwrap();
            hello(&mut client, None);
            assert!(is_cut_off(&mut client, &flood));
        }
    })
    .await;
}

#[tokio::test]
async fn a_pin_screen_that_floods_is_closed() {
    with_agent(|_, pin_host| {
        let own = format!("http://{pin_host}");
        let mut screen = connect(&pin_host, "/pin/events", &own).unwrap();
        say(&mut screen, &json!({ "type": "register" }));
        assert_eq!(hear(&mut screen).unwrap()["type"], "pairing");
        let typed = json!({ "type": "secret", "job": "j", "ask": 1, "value": "1234" });
        assert!(is_cut_off(&mut screen, &Message::text(typed.to_string())));
    })
    .await;
}
