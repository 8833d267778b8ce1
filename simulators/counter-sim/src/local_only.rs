//! Admits only requests that come from this machine on purpose.
//!
//! A name that resolves to loopback (DNS rebinding) is stopped by the Host header; a page of another
//! origin that posts here is stopped by the Origin header, which every browser sends with it.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::refusal::Refusal;

/// The port on which the surface listens.
pub(crate) type Port = u16;

/// Lets a request through, or refuses it.
pub(crate) async fn local_only(State(port): State<Port>, request: Request, next: Next) -> Response {
    match check(request.headers(), port) {
        Ok(()) => next.run(request).await,
        Err(reason) => Refusal::new(StatusCode::FORBIDDEN, reason).into_response(),
    }
}

/// The origin under which the page was opened, such as `http://localhost:8080`.
pub(crate) fn own_origin(headers: &HeaderMap) -> String {
    format!("http://{}", host(headers).unwrap_or_default())
}

fn check(headers: &HeaderMap, port: Port) -> Result<(), &'static str> {
    let host = host(headers).ok_or("the Host header is missing")?;
    let names = ["127.0.0.1", "localhost", "[::1]"];
    if !names.iter().any(|name| host == format!("{name}:{port}")) {
        return Err("the Host header does not name this machine");
    }
    match headers.get(header::ORIGIN) {
        Some(origin) if origin.as_bytes() != format!("http://{host}").as_bytes() => {
            Err("the request comes from a page of another origin")
        }
        _ => Ok(()),
    }
}

fn host(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        check(&headers, 8080).is_ok()
    }

    #[test]
    fn only_loopback_names_with_the_own_port_are_admitted() {
        assert!(admitted("127.0.0.1:8080", None));
        assert!(admitted("localhost:8080", None));
        assert!(admitted("[::1]:8080", None));
        for host in [
            "127.0.0.1",
            "127.0.0.1:8081",
            "rebind.example:8080",
            "",
            "127.0.0.1.x:8080",
        ] {
            assert!(!admitted(host, None), "{host}");
        }
        assert_eq!(
            check(&HeaderMap::new(), 8080),
            Err("the Host header is missing")
        );
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        assert!(admitted("localhost:8080", Some("http://localhost:8080")));
        for origin in [
            "http://localhost:8081",
            "https://localhost:8080",
            "null",
            "http://evil.example",
        ] {
            assert!(!admitted("localhost:8080", Some(origin)), "{origin}");
        }
    }
}
