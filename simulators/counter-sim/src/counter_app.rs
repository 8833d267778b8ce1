//! The counter application, on an origin of its own: the built page, its configuration, its tokens.
//!
//! | request | answer |
//! |---|---|
//! | `GET /config.json` | `{agent, counter}`: where the agent answers, which counter this is |
//! | `POST /token` `{nonce?, scopes?}` | `{token}`: a counter token for the page's own origin |
//! | `GET` anything else | the file of that name from the page's folder |

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;

use crate::clock;
use crate::counter::Counter;
use crate::issuer::{Bearer, Issuer, TokenWish};
use crate::local_only::{Port, local_only, own_origin};
use crate::refusal::Refusal;

/// What the counter application knows.
#[derive(Debug)]
pub(crate) struct CounterApp {
    pub(crate) counter: Arc<Counter>,
    pub(crate) issuer: Issuer,
    pub(crate) counter_name: String,
    pub(crate) staff: String,
    pub(crate) page: Option<PathBuf>,
}

type Shared = State<Arc<CounterApp>>;

/// The routes, for a listener on `port`.
pub(crate) fn routes(app: CounterApp, port: Port) -> Router {
    Router::new()
        .route("/config.json", get(config))
        .route("/token", post(token))
        .fallback(get(file))
        .with_state(Arc::new(app))
        .layer(middleware::from_fn_with_state(port, local_only))
}

#[derive(Serialize)]
struct Config {
    agent: String,
    counter: String,
}

#[derive(Serialize)]
struct Token {
    token: String,
}

async fn config(State(app): Shared) -> impl IntoResponse {
    let config = Config {
        agent: app.counter.agent().address,
        counter: app.counter_name.clone(),
    };
    ([(header::CACHE_CONTROL, "no-store")], Json(config))
}

async fn token(
    State(app): Shared,
    headers: HeaderMap,
    Json(wish): Json<TokenWish>,
) -> Result<impl IntoResponse, Refusal> {
    let bearer = Bearer {
        agent_id: &app.counter.agent().id,
        staff: &app.staff,
        origin: &own_origin(&headers),
        counter: &app.counter_name,
    };
    let token = app
        .issuer
        .token(&bearer, &wish, clock::unix_seconds())
        .map_err(|error| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Token { token })))
}

async fn file(State(app): Shared, uri: Uri) -> Result<Response, Refusal> {
    let nothing = || Refusal::new(StatusCode::NOT_FOUND, "there is no such file");
    let page = app
        .page
        .clone()
        .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "no counter page was named at start"))?;
    let name = match uri.path() {
        "/" => PathBuf::from("index.html"),
        path => inner_path(path).ok_or_else(nothing)?,
    };
    let kind = media_type(&name);
    let read = tokio::task::spawn_blocking(move || std::fs::read(page.join(name))).await;
    let bytes = read.ok().and_then(Result::ok).ok_or_else(nothing)?;
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
    ];
    Ok((headers, bytes).into_response())
}

/// A path that cannot leave the page's folder.
fn inner_path(path: &str) -> Option<PathBuf> {
    let relative = Path::new(path.strip_prefix('/')?);
    let stays = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (stays && !path.contains(['\\', '%', ':'])).then(|| relative.to_owned())
}

fn media_type(name: &Path) -> &'static str {
    match name.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_pages_folder() {
        assert_eq!(
            inner_path("/assets/app.js"),
            Some(PathBuf::from("assets/app.js"))
        );
        for path in [
            "/../secret",
            "//etc/passwd",
            "/a/../../b",
            "/%2e%2e/b",
            "/c:x",
            "/a\\b",
            "x",
        ] {
            assert_eq!(inner_path(path), None, "{path}");
        }
    }
}
