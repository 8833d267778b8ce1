//! The bench: two HTML files, from which a person moves cards and devices, sets faults and watches counters.

use axum::http::header;
use axum::response::{Html, IntoResponse};

const CARDS: &str = include_str!("../bench/bench.html");
const DEVICES: &str = include_str!("../bench/devices.html");

/// The pages may run their own script and style, show pictures of their own origin and talk to it, and to
/// nobody else.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
                      form-action 'none'";

/// The bench of cards.
pub(crate) async fn cards() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(CARDS))
}

/// The bench of all other devices.
pub(crate) async fn devices() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(DEVICES))
}
