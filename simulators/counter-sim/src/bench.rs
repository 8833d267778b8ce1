//! The bench page: one HTML file, from which a person moves cards, sets faults and watches counters.

use axum::http::header;
use axum::response::{Html, IntoResponse};

const PAGE: &str = include_str!("../bench/bench.html");

/// The page may run its own script and style and talk to its own origin, and to nobody else.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

pub(crate) async fn page() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(PAGE))
}
