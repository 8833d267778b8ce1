//! Who is given the PIN page, and who is given its stream.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use crate::testing::{ORIGIN, TestAgent};

const FILES: [&str; 3] = ["/", "/pin.css", "/pin.js"];

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
