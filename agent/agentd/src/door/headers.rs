//! What every answer of the API carries, and the answer to a preflight.
//!
//! Invariants: never `*`, never credentials; an answer can be read by the one enrolled origin that asked;
//! no answer is stored, sniffed or framed.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::origin::Origin;

const CORP: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const ASKS_PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
const GRANTS_PRIVATE: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Answers the preflight of an enrolled origin.
pub(crate) fn answer_preflight(asked: &HeaderMap) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    let fixed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "authorization, content-type, idempotency-key, x-madoguchi",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Browsers before Local Network Access ask this way (defence D7).
    if asked.get(ASKS_PRIVATE).is_some_and(|value| value == "true") {
        headers.insert(GRANTS_PRIVATE, HeaderValue::from_static("true"));
    }
    response
}

/// Puts on every answer what it must carry. `reader` is the enrolled origin that may read it.
///
/// `knowable`: a refusal of hello may be *noticed*, not read, by any page, so that the SDK can tell
/// "this page is refused" from "no agent is here"; everything else may not even be noticed.
pub(crate) fn dress(response: &mut Response, reader: Option<&Origin>, knowable: bool) {
    let headers = response.headers_mut();
    let policy = if knowable {
        "cross-origin"
    } else {
        "same-origin"
    };
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::VARY,
            "Origin, Access-Control-Request-Private-Network",
        ),
        (CORP, policy),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Some(reader) = reader.and_then(|origin| HeaderValue::from_str(origin.as_str()).ok()) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, reader);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("Retry-After"),
        );
    }
}
