//! Each defence of the door against each route; the routes come from the OpenAPI document, so that a new
//! one cannot escape.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use serde_json::{Value, json};

use agent_api::document::MAX_DOCUMENT;

use crate::door::{EVENTS, HAND_IN, HELLO, WITHOUT_TOKEN};
use crate::limits::MAX_BODY;
use crate::testing::{ORIGIN, POOR_ORIGIN, STRANGER, TestAgent, token};

/// Longer than any answer takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(20);

/// One way to break a good request.
type Break = (&'static str, fn(&mut Request<Body>));

/// Sends each route the good request, broken in each way, and expects the same refusal everywhere.
/// Every case has an agent of its own, so that no rate limit answers in the place of the defence.
async fn refuses(
    breaks: &[Break],
    applies: fn(&Method, &str) -> bool,
    expected: (StatusCode, &str),
) {
    for (name, break_it) in breaks {
        let agent = TestAgent::start().await;
        for (method, path, _operation) in agent.operations() {
            if !applies(&method, &path) {
                continue;
            }
            let mut request = agent.good_request(&method, &path, "");
            break_it(&mut request);
            let answer = agent.ask(request).await;
            let got = (answer.status, answer.code());
            assert_eq!(got, expected, "{name}: {method} {path}");
            assert!(
                answer.body["requestId"].is_string(),
                "{name}: {method} {path}"
            );
        }
        agent.stop().await;
    }
}

fn everywhere(_method: &Method, _path: &str) -> bool {
    true
}

fn with_effect(method: &Method, _path: &str) -> bool {
    *method != Method::GET
}

fn needs_token(_method: &Method, path: &str) -> bool {
    !WITHOUT_TOKEN.contains(&path)
}

fn set(request: &mut Request<Body>, name: &'static str, value: &str) {
    request
        .headers_mut()
        .insert(name, HeaderValue::from_str(value).unwrap());
}

fn add(request: &mut Request<Body>, name: &'static str, value: &str) {
    request
        .headers_mut()
        .append(name, HeaderValue::from_str(value).unwrap());
}

#[tokio::test]
async fn the_good_request_passes_the_door_everywhere() {
    let agent = TestAgent::start().await;
    for (method, path, _operation) in agent.operations() {
        let answer = agent.ask(agent.good_request(&method, &path, "")).await;
        let by_the_door = answer.code().starts_with("DOR-")
            && !matches!(answer.code(), "DOR-SCHEMA" | "DOR-NOT-FOUND");
        assert!(!by_the_door, "{method} {path}: {}", answer.code());
    }
    agent.stop().await;
}

#[tokio::test]
async fn the_routes_are_exactly_these() {
    let agent = TestAgent::start().await;
    let mut routes: Vec<String> = agent
        .operations()
        .iter()
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    routes.sort();
    let expected = [
        "DELETE /v1/jobs/x",
        "DELETE /v1/leases/x",
        "DELETE /v1/pin-screens/x",
        "GET /v1/devices",
        "GET /v1/events",
        "GET /v1/hello",
        "GET /v1/jobs/x",
        "GET /v1/leases/x",
        "GET /v1/pin-screens",
        "POST /v1/documents",
        "POST /v1/documents/x/take",
        "POST /v1/jobs",
        "POST /v1/jobs/x/answers",
        "POST /v1/jobs/x/result",
        "POST /v1/leases",
        "POST /v1/leases/x/renewal",
        "POST /v1/nonces",
        "POST /v1/pin-screens",
        "POST /v1/proofs",
    ];
    assert_eq!(routes, expected);
    agent.stop().await;
}

#[tokio::test]
async fn d2_another_host_is_misdirected() {
    let breaks: [Break; 7] = [
        ("rebound name", |r| set(r, "host", "evil.test")),
        ("another port", |r| set(r, "host", "127.0.0.1:1")),
        ("no port", |r| set(r, "host", "127.0.0.1")),
        ("suffix", |r| set(r, "host", "127.0.0.1.evil.test")),
        ("absent", |r| drop(r.headers_mut().remove("host"))),
        ("twice", |r| add(r, "host", "evil.test")),
        ("in the target", |r| {
            *r.uri_mut() = format!("http://evil.test{}", r.uri().path())
                .parse()
                .unwrap();
        }),
    ];
    refuses(
        &breaks,
        everywhere,
        (StatusCode::MISDIRECTED_REQUEST, "DOR-HOST"),
    )
    .await;
}

#[tokio::test]
async fn d3_another_origin_is_refused() {
    let breaks: [Break; 9] = [
        ("null", |r| set(r, "origin", "null")),
        ("absent", |r| drop(r.headers_mut().remove("origin"))),
        ("suffix", |r| set(r, "origin", STRANGER)),
        ("prefix", |r| set(r, "origin", "https://evila.test")),
        ("case", |r| set(r, "origin", "https://A.test")),
        ("scheme", |r| set(r, "origin", "http://a.test")),
        ("port", |r| set(r, "origin", "https://a.test:8443")),
        ("twice", |r| add(r, "origin", ORIGIN)),
        ("two in one", |r| {
            set(r, "origin", "https://a.test https://evil.test")
        }),
    ];
    refuses(&breaks, everywhere, (StatusCode::FORBIDDEN, "DOR-ORIGIN")).await;
}

#[tokio::test]
async fn d6_what_is_not_a_script_of_a_page_is_refused() {
    let breaks: [Break; 7] = [
        ("navigation", |r| set(r, "sec-fetch-mode", "navigate")),
        ("no-cors", |r| set(r, "sec-fetch-mode", "no-cors")),
        ("same-origin", |r| set(r, "sec-fetch-mode", "same-origin")),
        ("mode twice", |r| add(r, "sec-fetch-mode", "cors")),
        ("script", |r| set(r, "sec-fetch-dest", "script")),
        ("image", |r| set(r, "sec-fetch-dest", "image")),
        ("frame", |r| set(r, "sec-fetch-dest", "iframe")),
    ];
    refuses(&breaks, everywhere, (StatusCode::FORBIDDEN, "DOR-CONTEXT")).await;
    let stream_only: [Break; 1] = [("websocket", |r| set(r, "sec-fetch-mode", "websocket"))];
    let but_the_stream = |_method: &Method, path: &str| path != EVENTS;
    refuses(
        &stream_only,
        but_the_stream,
        (StatusCode::FORBIDDEN, "DOR-CONTEXT"),
    )
    .await;
}

#[tokio::test]
async fn d5_an_effect_needs_a_request_that_a_form_cannot_make() {
    let breaks: [Break; 6] = [
        ("own header absent", |r| {
            drop(r.headers_mut().remove("x-madoguchi"))
        }),
        ("own header wrong", |r| set(r, "x-madoguchi", "true")),
        ("own header twice", |r| add(r, "x-madoguchi", "1")),
        ("plain text", |r| set(r, "content-type", "text/plain")),
        ("form", |r| {
            set(r, "content-type", "application/x-www-form-urlencoded")
        }),
        ("json and more", |r| {
            set(r, "content-type", "application/json, text/plain")
        }),
    ];
    refuses(&breaks, with_effect, (StatusCode::FORBIDDEN, "DOR-CONTEXT")).await;
    let untyped: [Break; 1] = [("no type", |r| drop(r.headers_mut().remove("content-type")))];
    refuses(
        &untyped,
        |m, _p| *m == Method::POST,
        (StatusCode::FORBIDDEN, "DOR-CONTEXT"),
    )
    .await;
}

#[tokio::test]
async fn d8_a_token_must_hold_for_this_agent_and_this_origin() {
    fn bearer(request: &mut Request<Body>, token: &str) {
        set(request, "authorization", &format!("Bearer {token}"));
    }
    let breaks: [Break; 7] = [
        ("absent", |r| drop(r.headers_mut().remove("authorization"))),
        ("twice", |r| add(r, "authorization", "Bearer x")),
        ("basic", |r| set(r, "authorization", "Basic eDp5")),
        ("garbage", |r| bearer(r, "....")),
        ("other agent", |r| {
            bearer(r, &token(|c| c["aud"] = json!("agent2")))
        }),
        ("other origin", |r| {
            bearer(r, &token(|c| c["origin"] = json!(POOR_ORIGIN)))
        }),
        ("long-lived", |r| bearer(r, &token(|c| c["iat"] = json!(0)))),
    ];
    for one in breaks {
        // Ten failures in a row are the limit of an origin, and there are more routes than that.
        for chunk in 0..2 {
            let agent = TestAgent::start().await;
            let routes = agent.operations();
            let routes = routes
                .iter()
                .filter(|(method, path, _)| needs_token(method, path));
            for (method, path, _) in routes.skip(chunk * 9).take(9) {
                let mut request = agent.good_request(method, path, "");
                (one.1)(&mut request);
                let answer = agent.ask(request).await;
                let got = (answer.status, answer.code());
                assert_eq!(
                    got,
                    (StatusCode::UNAUTHORIZED, "DOR-TOKEN"),
                    "{}: {method} {path}",
                    one.0
                );
            }
            agent.stop().await;
        }
    }
}

#[tokio::test]
async fn d8_nothing_is_named_in_a_query() {
    let breaks: [Break; 1] = [("token in the address", |r| {
        *r.uri_mut() = format!("{}?token=x", r.uri().path()).parse().unwrap();
    })];
    refuses(&breaks, everywhere, (StatusCode::BAD_REQUEST, "DOR-SCHEMA")).await;
}

#[tokio::test]
async fn d12_what_announces_too_much_is_refused_unread() {
    let breaks: [Break; 1] = [("long", |r| {
        let longest = if r.uri().path() == HAND_IN {
            MAX_DOCUMENT
        } else {
            MAX_BODY
        };
        set(r, "content-length", &(longest + 1).to_string());
    })];
    refuses(
        &breaks,
        everywhere,
        (StatusCode::PAYLOAD_TOO_LARGE, "DOR-TOO-LARGE"),
    )
    .await;
}

/// A body of which nothing ever comes.
struct Silent;

impl axum::body::HttpBody for Silent {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
        Poll::Pending
    }
}

#[tokio::test(start_paused = true)]
async fn d12_a_body_that_does_not_come_in_time_is_given_up() {
    let request = Request::new(Body::new(Silent));
    let within = tokio::time::timeout(Duration::from_secs(6), super::body_of(request)).await;
    let refusal = within.unwrap().unwrap_err();
    assert_eq!(refusal.status(), StatusCode::REQUEST_TIMEOUT);
}

/// Announces a body and sends one byte of it; returns once the agent waits for the rest, or has refused.
fn dawdle(host: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /v1/proofs HTTP/1.1\r\nHost: {host}\r\nOrigin: {ORIGIN}\r\nX-Madoguchi: 1\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    (stream, String::from_utf8_lossy(&status).into_owned())
}

/// Sixteen such bodies once kept the real page out for as long as they liked.
#[tokio::test]
async fn d12_bodies_without_a_token_hold_no_place_of_the_page_with_one() {
    let agent = TestAgent::start().await;
    let host = agent.host.clone();
    let attack = move || {
        let held: Vec<_> = (0..16).map(|_n| dawdle(&host)).collect();
        assert!(held.iter().all(|(_, status)| status == "HTTP/1.1 100"));
        assert_eq!(dawdle(&host).1, "HTTP/1.1 429");

        let mut page = TcpStream::connect(&host).unwrap();
        page.set_read_timeout(Some(PATIENCE)).unwrap();
        let bearer = token(|_claims| {});
        let request = format!(
            "GET /v1/devices HTTP/1.1\r\nHost: {host}\r\nOrigin: {ORIGIN}\r\n\
             Authorization: Bearer {bearer}\r\nConnection: close\r\n\r\n"
        );
        page.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        page.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        drop(held);
    };
    tokio::task::spawn_blocking(attack).await.unwrap();
    agent.stop().await;
}

#[tokio::test]
async fn d12_requests_without_a_token_leave_the_rate_of_the_page_with_one() {
    let agent = TestAgent::start().await;
    let mut last = StatusCode::OK;
    for _forged in 0..1000 {
        last = agent
            .ask(agent.good_request(&Method::GET, HELLO, ""))
            .await
            .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let page = agent.good_request(&Method::GET, "/v1/devices", "");
    assert_eq!(agent.ask(page).await.status, StatusCode::OK);
    agent.stop().await;
}

#[tokio::test]
async fn other_methods_have_no_meaning() {
    let breaks: [Break; 5] = [
        ("PUT", |r| *r.method_mut() = Method::PUT),
        ("PATCH", |r| *r.method_mut() = Method::PATCH),
        ("HEAD", |r| *r.method_mut() = Method::HEAD),
        ("TRACE", |r| *r.method_mut() = Method::TRACE),
        ("own", |r| {
            *r.method_mut() = Method::from_bytes(b"SPOOF").unwrap()
        }),
    ];
    refuses(
        &breaks,
        everywhere,
        (StatusCode::METHOD_NOT_ALLOWED, "DOR-SCHEMA"),
    )
    .await;
}

#[tokio::test]
async fn d13_a_body_is_read_strictly() {
    let deep = format!("{}{}", "[".repeat(17), "]".repeat(17));
    let long = format!("\"{}\"", "a".repeat(MAX_BODY));
    let agent = TestAgent::start().await;
    for (method, path, _operation) in agent.operations() {
        // Documents are no JSON: `documents_are_what_they_say_they_are` is about them.
        if method != Method::POST || path == HAND_IN {
            continue;
        }
        for body in [
            "{",
            "[]",
            "null",
            "\"x\"",
            "{\"unknown\":1}",
            "\u{0}",
            deep.as_str(),
        ] {
            let answer = agent.ask(agent.good_request(&method, &path, body)).await;
            assert_eq!(answer.code(), "DOR-SCHEMA", "{path}: {body}");
        }
        let answer = agent.ask(agent.good_request(&method, &path, &long)).await;
        assert_eq!(answer.code(), "DOR-TOO-LARGE", "{path}");
    }
    agent.stop().await;
}

#[tokio::test]
async fn documents_are_what_they_say_they_are() {
    let agent = TestAgent::start().await;
    let hand_in = |media_type: &str, body: &str| {
        let mut request = agent.good_request(&Method::POST, HAND_IN, body);
        set(&mut request, "content-type", media_type);
        request
    };
    for (media_type, body) in [
        ("application/pdf", ""),
        ("application/pdf", "PK"),
        ("image/png", "%PDF-1.4"),
    ] {
        let answer = agent.ask(hand_in(media_type, body)).await;
        assert_eq!(answer.code(), "DOR-SCHEMA", "{media_type} {body:?}");
    }
    for media_type in [
        "application/json",
        "text/plain",
        "text/html",
        "application/pdf; a=b",
    ] {
        let answer = agent.ask(hand_in(media_type, "%PDF-1.4")).await;
        assert_eq!(answer.code(), "DOR-CONTEXT", "{media_type}");
    }
    let kept = agent.ask(hand_in("application/pdf", "%PDF-1.4")).await;
    assert_eq!(kept.status, StatusCode::CREATED);
    let id = kept.body["id"].as_str().unwrap();
    // What a page handed in is for a job, and never comes out again.
    let take = agent.good_request(&Method::POST, &format!("/v1/documents/{id}/take"), "");
    assert_eq!(agent.ask(take).await.code(), "DOR-NOT-FOUND");
    agent.stop().await;
}

#[tokio::test]
async fn d4_an_answer_is_for_the_one_origin_that_asked() {
    let agent = TestAgent::start().await;
    for (method, path, _operation) in agent.operations() {
        let answer = agent.ask(agent.good_request(&method, &path, "")).await;
        assert_eq!(
            answer.headers["access-control-allow-origin"], ORIGIN,
            "{method} {path}"
        );
        assert!(
            !answer
                .headers
                .contains_key("access-control-allow-credentials")
        );
        assert!(answer.headers["vary"].to_str().unwrap().contains("Origin"));
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(
            answer.headers["cross-origin-resource-policy"],
            "same-origin"
        );
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("frame-ancestors 'none'"));

        let mut foreign = agent.good_request(&method, &path, "");
        set(&mut foreign, "origin", STRANGER);
        let answer = agent.ask(foreign).await;
        assert!(
            !answer.headers.contains_key("access-control-allow-origin"),
            "{method} {path}"
        );
        let noticed = answer.headers["cross-origin-resource-policy"] == "cross-origin";
        assert_eq!(noticed, path == HELLO, "{method} {path}");
    }
    agent.stop().await;
}

#[tokio::test]
async fn d7_only_an_enrolled_origin_gets_an_answer_to_its_preflight() {
    let agent = TestAgent::start().await;
    for (method, path, _operation) in agent.operations() {
        for (origin, status) in [
            (ORIGIN, StatusCode::NO_CONTENT),
            (STRANGER, StatusCode::FORBIDDEN),
        ] {
            let preflight = Request::builder()
                .method(Method::OPTIONS)
                .uri(&path)
                .header("host", &agent.host)
                .header("origin", origin)
                .header("access-control-request-method", method.as_str())
                .header("access-control-request-private-network", "true")
                .body(Body::empty())
                .unwrap();
            let answer = agent.ask(preflight).await;
            let enrolled = origin == ORIGIN;
            assert_eq!(answer.status, status, "{origin} {path}");
            for name in [
                "access-control-allow-origin",
                "access-control-allow-private-network",
            ] {
                assert_eq!(
                    answer.headers.contains_key(name),
                    enrolled,
                    "{origin} {path} {name}"
                );
            }
        }
    }
    agent.stop().await;
}

#[tokio::test]
async fn d11_what_the_origin_was_not_granted_is_refused_whatever_the_token_says() {
    let agent = TestAgent::start().await;
    let lease = json!({ "device": "pcsc:x", "ttlMs": 10_000 }).to_string();
    let pair = json!({ "code": "123456" }).to_string();
    for (path, body) in [("/v1/leases", &lease), ("/v1/pin-screens", &pair)] {
        let mut request = agent.good_request(&Method::POST, path, body);
        set(&mut request, "origin", POOR_ORIGIN);
        let poor = token(|claims| claims["origin"] = json!(POOR_ORIGIN));
        set(&mut request, "authorization", &format!("Bearer {poor}"));
        let answer = agent.ask(request).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::FORBIDDEN, "DOR-GRANT"),
            "{path}"
        );

        let mut request = agent.good_request(&Method::POST, path, body);
        let scopeless = token(|claims| claims["scopes"] = json!([]));
        set(
            &mut request,
            "authorization",
            &format!("Bearer {scopeless}"),
        );
        let answer = agent.ask(request).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::FORBIDDEN, "DOR-GRANT"),
            "{path}"
        );
    }
    agent.stop().await;
}

/// To see any class of devices.
const SIGHT: [&str; 8] = [
    "cardReader.see",
    "codeScanner.see",
    "signatureTablet.see",
    "ticketPrinter.see",
    "pagePrinter.see",
    "documentScanner.see",
    "keyboard.see",
    "handover.see",
];

/// The scopes of which an operation needs one; none where it shows or ends only what is the caller's own,
/// or is open. An operation that does not stand here fails the test.
fn scopes_of(operation: &str) -> &'static [&'static str] {
    match operation {
        "GET /v1/devices" | "POST /v1/leases" => &SIGHT,
        "POST /v1/documents" => &[
            "signatureTablet.capture",
            "ticketPrinter.print",
            "pagePrinter.print",
        ],
        "POST /v1/pin-screens" | "DELETE /v1/pin-screens/x" => &["pinScreen.pair"],
        "POST /v1/jobs" => &["cardReader.identify"],
        "GET /v1/pin-screens" => &["pinScreen.pair", "cardReader.see", "signatureTablet.see"],
        "DELETE /v1/jobs/x"
        | "DELETE /v1/leases/x"
        | "GET /v1/jobs/x"
        | "GET /v1/leases/x"
        | "POST /v1/documents/x/take"
        | "POST /v1/jobs/x/answers"
        | "POST /v1/jobs/x/result"
        | "POST /v1/leases/x/renewal"
        | "POST /v1/nonces"
        | "GET /v1/events"
        | "GET /v1/hello"
        | "POST /v1/proofs" => &[],
        unlisted => panic!("which scope does {unlisted} need?"),
    }
}

#[tokio::test]
async fn d11_each_operation_is_refused_without_its_scope() {
    let agent = TestAgent::start().await;
    for (method, path, _operation) in agent.operations() {
        let needed = scopes_of(&format!("{method} {path}"));
        if needed.is_empty() {
            continue;
        }
        let all_others = token(|claims| {
            let scopes = claims["scopes"].as_array_mut().unwrap();
            scopes.retain(|scope| !needed.contains(&scope.as_str().unwrap()));
        });
        let body = match path.as_str() {
            "/v1/leases" => json!({ "device": "pcsc:x", "ttlMs": 10_000 }).to_string(),
            "/v1/pin-screens" if method == Method::POST => json!({ "code": "123456" }).to_string(),
            "/v1/jobs" => json!({
                "lease": "x", "fence": 1, "purpose": "test", "deadlineMs": 5000,
                "task": { "kind": "identifyCard" }
            })
            .to_string(),
            HAND_IN => "%PDF-1.4".to_owned(),
            _no_body => String::new(),
        };
        let mut request = agent.good_request(&method, &path, &body);
        set(
            &mut request,
            "authorization",
            &format!("Bearer {all_others}"),
        );
        assert_eq!(
            agent.ask(request).await.code(),
            "DOR-GRANT",
            "{method} {path}"
        );
    }
    agent.stop().await;
}

#[tokio::test]
async fn d19_hello_says_the_same_to_everybody_always() {
    let agent = TestAgent::start().await;
    let mut bodies = Vec::new();
    for origin in [ORIGIN, POOR_ORIGIN, ORIGIN] {
        let mut request = agent.good_request(&Method::GET, HELLO, "");
        set(&mut request, "origin", origin);
        bodies.push(agent.ask(request).await.body);
    }
    assert_eq!(
        bodies,
        vec![json!({ "protocol": "madoguchi-agent", "versions": [1] }); 3]
    );
    let mut refusals = Vec::new();
    for origin in [STRANGER, "null", "https://other.test"]
        .iter()
        .cycle()
        .take(300)
    {
        let mut request = agent.good_request(&Method::GET, HELLO, "");
        set(&mut request, "origin", origin);
        let answer = agent.ask(request).await;
        refusals.push((answer.status, answer.headers, answer.body));
    }
    assert!(refusals[0].2.get("versions").is_none());
    assert!(
        refusals.iter().all(|body| *body == refusals[0]),
        "{:?}",
        refusals[0]
    );
    agent.stop().await;
}

#[tokio::test]
async fn d14_no_call_takes_a_card_command_a_path_or_an_address() {
    let agent = TestAgent::start().await;
    let schemas = agent.document["components"]["schemas"].as_object().unwrap();
    let mut names = Vec::new();
    for schema in schemas.values() {
        property_names(schema, &mut names);
    }
    names.sort();
    names.dedup();
    // A new name is looked at by a person before it stands here: none may carry a card command, a path of
    // the machine, or an address to fetch. The one `address` is a citizen's, and the PIN page's own; `file` is the
    // name of a file that was written, without its folder; `form` and `template` name what the configuration has.
    #[rustfmt::skip]
    let looked_at = [
        "address", "agent", "ahead", "align", "anchor", "area", "ask", "attempts", "attributes",
        "authenticity", "birthDate", "blank", "blankDropped", "bold", "calibrates",
        "calibration", "cameOut", "capabilities", "card", "cardService", "challenge", "class", "code", "codePoint", "colour", "confidence",
        "connected", "content", "copies", "counters", "credential", "deadlineMs", "delivered",
        "detail", "device", "devices", "document", "documentSha256", "documents", "dots",
        "dropBlank", "duplex", "en", "error", "everyPage", "expired", "expiresInMs", "expiresOn",
        "exports", "fence", "field", "fields", "file", "firmware", "form", "format", "health",
        "height", "id", "individualNumber", "inkSha256", "ja", "kind", "lastTryAllowed", "layer",
        "lease", "length", "make", "maxPages", "mediaType", "message", "model", "module",
        "municipalityCode", "name", "next", "nonce", "notMade", "notices", "order", "orderedAt", "page",
        "pages", "papers", "pen", "pictureSha256", "pinPad", "place", "position", "printed",
        "protocol", "publicKey", "purpose", "question", "reason", "reissue", "requestId",
        "resolution", "resolutions", "resultWaiting", "retry", "role", "samples", "screens",
        "sealedBy", "sequence", "serial", "session", "sex", "sha256", "shown", "shownMs",
        "signature", "signedAt", "size", "source", "sources", "state", "step", "steps",
        "straighten", "summary", "surface", "taken", "task", "template", "templates", "text",
        "ticket", "tickets", "triesLeft", "ttlMs", "turned", "undelivered", "usable", "value",
        "values", "vendor", "verdict", "versions", "visit", "warnings", "width", "word",
        "worstError", "x", "y",
    ];
    assert_eq!(names, looked_at);
    agent.stop().await;
}

fn property_names(schema: &Value, names: &mut Vec<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().cloned());
    }
    let inner: Vec<&Value> = match schema {
        Value::Object(members) => members.values().collect(),
        Value::Array(items) => items.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    inner
        .into_iter()
        .for_each(|inner| property_names(inner, names));
}

#[tokio::test]
async fn every_operation_but_the_open_ones_is_documented_as_needing_a_token() {
    let agent = TestAgent::start().await;
    for (method, path, operation) in agent.operations() {
        let documented = operation.get("security").is_some();
        assert_eq!(documented, needs_token(&method, &path), "{method} {path}");
    }
    agent.stop().await;
}

#[tokio::test]
async fn failed_authentication_becomes_slow_for_its_origin_only() {
    let agent = TestAgent::start().await;
    let mut codes = Vec::new();
    for _guess in 0..12 {
        let mut request = agent.good_request(&Method::GET, "/v1/devices", "");
        set(&mut request, "authorization", "Bearer a.b.c");
        codes.push(agent.ask(request).await.code().to_owned());
    }
    assert_eq!(codes[9], "DOR-TOKEN");
    assert_eq!(codes[11], "DOR-TOO-MANY");
    let mut other = agent.good_request(&Method::GET, "/v1/devices", "");
    set(&mut other, "origin", POOR_ORIGIN);
    let poor = token(|claims| claims["origin"] = json!(POOR_ORIGIN));
    set(&mut other, "authorization", &format!("Bearer {poor}"));
    assert_ne!(agent.ask(other).await.code(), "DOR-TOO-MANY");
    agent.stop().await;
}
