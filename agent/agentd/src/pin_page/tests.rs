//! Who is given the PIN page, and who is given its stream.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::{Message, WebSocket};

use crate::testing::{ORIGIN, TestAgent};

const FILES: [&str; 4] = ["/", "/pin.css", "/pin.js", "/sign.js"];

fn request(agent: &TestAgent, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().uri(path).header("host", &agent.pin_host);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_person_gets_the_page_and_the_page_its_parts() {
    let agent = TestAgent::start().await;
    for path in FILES {
        for site in ["none", "same-origin"] {
            let answer = agent
                .page
                .answer(request(&agent, path, &[("sec-fetch-site", site)]), None)
                .await;
            assert_eq!(answer.status(), StatusCode::OK, "{site} {path}");
            let policy = answer.headers()["content-security-policy"]
                .to_str()
                .unwrap();
            assert!(
                policy.starts_with("default-src 'none'")
                    && policy.contains("frame-ancestors 'none'")
            );
            assert_eq!(
                answer.headers()["cross-origin-opener-policy"],
                "same-origin"
            );
            assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
            assert_eq!(answer.headers()["x-frame-options"], "DENY");
        }
    }
    agent.stop().await;
}

#[tokio::test]
async fn a_page_that_another_site_opens_is_refused() {
    let agent = TestAgent::start().await;
    for path in FILES {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[],
        ] {
            let answer = agent
                .page
                .answer(request(&agent, path, headers), None)
                .await;
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{headers:?} {path}");
        }
    }
    agent.stop().await;
}

#[tokio::test]
async fn the_page_has_one_name_and_one_method() {
    let agent = TestAgent::start().await;
    for path in FILES {
        let mut wrong = request(&agent, path, &[("sec-fetch-site", "none")]);
        wrong
            .headers_mut()
            .insert("host", "localhost:1".parse().unwrap());
        assert_eq!(
            agent.page.answer(wrong, None).await.status(),
            StatusCode::MISDIRECTED_REQUEST,
            "{path}"
        );
        let mut wrong = request(&agent, path, &[("sec-fetch-site", "none")]);
        *wrong.method_mut() = Method::POST;
        assert_eq!(
            agent.page.answer(wrong, None).await.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "{path}"
        );
    }
    let unknown = request(&agent, "/v1/hello", &[("sec-fetch-site", "none")]);
    assert_eq!(
        agent.page.answer(unknown, None).await.status(),
        StatusCode::NOT_FOUND
    );
    agent.stop().await;
}

#[tokio::test]
async fn the_stream_is_for_the_page_alone() {
    let agent = TestAgent::start().await;
    let own = format!("http://{}", agent.pin_host);
    let look_alike = format!("{own}.evil.test");
    let foreign: [&[(&str, &str)]; 5] = [
        &[],
        &[("origin", "null")],
        &[("origin", ORIGIN)],
        &[("origin", &look_alike)],
        &[("origin", &own), ("sec-fetch-site", "cross-site")],
    ];
    for headers in foreign {
        let answer = agent
            .page
            .answer(request(&agent, "/pin/events", headers), None)
            .await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{headers:?}");
    }
    agent.stop().await;
}

/// A page anywhere on the web can send such requests as often as it likes, with nobody's leave.
#[tokio::test]
async fn sites_that_are_refused_do_not_lock_the_citizen_out() {
    let agent = TestAgent::start().await;
    for _attempt in 0..1000 {
        let foreign = request(&agent, "/", &[("sec-fetch-site", "cross-site")]);
        let answer = agent.page.answer(foreign, None).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    }
    let own = request(&agent, "/", &[("sec-fetch-site", "none")]);
    assert_eq!(agent.page.answer(own, None).await.status(), StatusCode::OK);
    agent.stop().await;
}

#[tokio::test]
async fn the_page_itself_may_not_ask_without_end() {
    let agent = TestAgent::start().await;
    let mut refused = false;
    for _attempt in 0..10_000 {
        let own = request(&agent, "/", &[("sec-fetch-site", "none")]);
        refused |= agent.page.answer(own, None).await.status() == StatusCode::TOO_MANY_REQUESTS;
    }
    assert!(refused);
    agent.stop().await;
}

async fn text_of(agent: &TestAgent, path: &str) -> String {
    let own = request(agent, path, &[("sec-fetch-site", "none")]);
    let body = agent.page.answer(own, None).await.into_body();
    let bytes = body.collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Documents are drawn on a canvas, so that no source of images is opened for whatever else is in the page.
#[tokio::test]
async fn a_document_needs_no_source_that_the_policy_does_not_name() {
    let agent = TestAgent::start().await;
    let answer = agent
        .page
        .answer(request(&agent, "/", &[("sec-fetch-site", "none")]), None)
        .await;
    let policy = answer.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    for word in ["img-src", "blob:", "data:", "unsafe"] {
        assert!(!policy.contains(word), "{word}");
    }
    let page = text_of(&agent, "/").await;
    assert!(!page.contains("<img") && !page.contains("style="));
    for script in ["/pin.js", "/sign.js"] {
        let script = text_of(&agent, script).await;
        for source in [
            "createObjectURL",
            "new Image",
            "innerHTML",
            "fetch(",
            "eval(",
        ] {
            assert!(!script.contains(source), "{source}");
        }
    }
    agent.stop().await;
}

/// An electronic signature in the sense of the law has a key; a signature by hand has none.
#[tokio::test]
async fn a_signature_by_hand_is_called_so() {
    let agent = TestAgent::start().await;
    for path in FILES {
        let text = text_of(&agent, path).await;
        assert!(!text.contains("電子署名"), "{path}");
        assert!(
            !text.to_lowercase().contains("electronic signature"),
            "{path}"
        );
    }
    assert!(text_of(&agent, "/pin.js").await.contains("手書きの署名"));
    agent.stop().await;
}

type Stream = WebSocket<std::net::TcpStream>;

/// The page's stream, registered.
fn stream(host: &str) -> Stream {
    let address = format!("ws://{host}/pin/events");
    let mut asked = address.into_client_request().unwrap();
    let own = format!("http://{host}").parse().unwrap();
    asked.headers_mut().insert("origin", own);
    let socket = std::net::TcpStream::connect(host).unwrap();
    let (mut stream, _answer) = tungstenite::client(asked, socket).unwrap();
    say(&mut stream, &json!({"type": "register"})).unwrap();
    stream
}

fn say(stream: &mut Stream, message: &Value) -> tungstenite::Result<()> {
    stream.send(Message::Text(message.to_string().into()))
}

fn ink(samples: usize) -> Value {
    let sample = json!([123_456_789, 191_999, 107_999, 65_535, -9_000, 9_000, 3]);
    let samples = vec![sample; samples];
    json!({"type": "act", "job": "none", "act": {"kind": "ink", "samples": samples}})
}

/// Reads until the agent closes; what it said of the reason.
fn closed(stream: &mut Stream) -> String {
    loop {
        match stream.read() {
            Ok(Message::Close(frame)) => {
                return frame
                    .map(|frame| frame.reason.to_string())
                    .unwrap_or_default();
            }
            Ok(_said) => {}
            Err(error) => return error.to_string(),
        }
    }
}

/// What a page says in four seconds of writing may come at once, after a browser that was busy.
#[tokio::test]
async fn a_page_that_feels_a_pen_is_heard_and_a_flood_is_not() {
    let agent = TestAgent::start().await;
    let host = agent.pin_host.clone();
    let reasons = tokio::task::spawn_blocking(move || {
        let mut patient = stream(&host);
        for _message in 0..100 {
            say(&mut patient, &ink(10)).unwrap();
        }
        // The largest message that the page sends; what ends the stream is the nonsense after it.
        say(&mut patient, &ink(500)).unwrap();
        let nonsense = json!({"type": "act", "job": "none", "act": {"kind": "sign"}});
        say(&mut patient, &nonsense).unwrap();
        let mut flood = stream(&host);
        // The agent may close while the flood is still coming.
        let _refused = (0..2_000).try_for_each(|_message| say(&mut flood, &ink(1)));
        (closed(&mut patient), closed(&mut flood))
    })
    .await
    .unwrap();
    assert_eq!(reasons.0, "not a message");
    assert_ne!(reasons.1, "not a message");
    agent.stop().await;
}
