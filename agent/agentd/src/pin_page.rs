//! The citizen's page, which takes PINs and signatures by hand (手書きの署名), on its own port and so in its own web origin.
//!
//! A public page can open a window on a loopback address and frame or script what it opened; so the page
//! is given only to a navigation that a person made (typed address, bookmark, kiosk start), never to one
//! that another site made, and its stream only to the page itself.
//!
//! | path | answered to |
//! |---|---|
//! | `GET /`, `/pin.css`, `/pin.js`, `/sign.js` | `Sec-Fetch-Site: none` or `same-origin`, our own `Host` |
//! | `GET /pin/events` | `Origin` equal to our own address |
//!
//! Invariant: what is typed goes from the page to the core and nowhere else; no other route exists here.

use std::net::SocketAddr;
use std::sync::Arc;

use agent_api::pin_screen::{ScreenInstruction, ScreenMessage};
use agent_core::ids::ScreenLink;
use axum::body::Body;
use axum::extract::FromRequestParts as _;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use device_api::{Clock, FaultCode};
use tokio::sync::{OwnedSemaphorePermit as Seat, mpsc};
use tokio::time::timeout;

use crate::input::{Desk, Input};
use crate::limits::{FIRST_MESSAGE_TIMEOUT, MAX_UNREAD, Rate};
use crate::pace::Pace;
use crate::refusal::{self, Refusal};
use crate::socket::{self, Heard};
use crate::translate;

const PAGE: &str = include_str!("../assets/pin/index.html");
const STYLE: &str = include_str!("../assets/pin/pin.css");
const SCRIPT: &str = include_str!("../assets/pin/pin.js");
const SIGNING: &str = include_str!("../assets/pin/sign.js");

/// Nothing but our own scripts and style, no frames, no forms, and no handle for who opened the window.
/// Not even images: documents come over the stream and are drawn on a canvas, for which no source is fetched.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The path of the stream.
const STREAM: &str = "/pin/events";

/// Serves the PIN page.
#[derive(Debug, Clone)]
pub struct PinPage {
    desk: Desk,
    given: Arc<Rate>,
    clock: Arc<dyn Clock>,
    host: Arc<str>,
    origin: Arc<str>,
    refusals: Arc<Pace>,
}

/// What the one page of this origin may ask for in a second.
const REQUESTS_PER_SECOND: u32 = 50;
/// What one screen may say in a second. A page that feels a pen says 25 times in a second what it felt; four
/// times as much may come at once, which is what waited while the browser was busy.
const MESSAGES_PER_SECOND: u32 = 40;

impl PinPage {
    /// The page at the address at which the agent really listens.
    #[must_use]
    pub fn new(desk: Desk, address: SocketAddr, clock: Arc<dyn Clock>) -> Self {
        Self {
            desk,
            given: Arc::new(Rate::new(REQUESTS_PER_SECOND, clock.now())),
            clock,
            host: address.to_string().into(),
            origin: format!("http://{address}").into(),
            refusals: Arc::new(Pace::default()),
        }
    }

    /// Answers one request; its stream, if it becomes one, keeps the connection's `seat`.
    pub async fn answer(&self, request: Request<Body>, seat: Option<Arc<Seat>>) -> Response {
        // Only what is the page's own is counted: a site that is refused costs it nothing.
        let admitted = self
            .check(&request)
            .and_then(|()| self.given.spend(self.clock.now()));
        let response = match admitted {
            Ok(()) => self.route(request, seat).await,
            Err(refusal) => {
                if let Some(dropped) = self.refusals.admit(self.clock.now()) {
                    refusal::note(&refusal, "pin", dropped);
                }
                refusal.into_response()
            }
        };
        let mut response = refusal::put_into_words(response, "pin");
        dress(&mut response);
        response
    }

    fn check(&self, request: &Request<Body>) -> Result<(), Refusal> {
        let headers = request.headers();
        if request.uri().authority().is_some() || only(headers, &header::HOST) != Some(&self.host) {
            return Err(Refusal::new(FaultCode::DoorHost).because("Host is not the PIN page's"));
        }
        if request.method() != Method::GET {
            let refusal = Refusal::new(FaultCode::DoorSchema).because("method");
            return Err(refusal.with_status(StatusCode::METHOD_NOT_ALLOWED));
        }
        let site = HeaderName::from_static("sec-fetch-site");
        if request.uri().path() == STREAM {
            if only(headers, &header::ORIGIN) != Some(&self.origin) {
                return Err(Refusal::new(FaultCode::DoorOrigin).because("stream of another page"));
            }
            // Not every browser sends Fetch-Metadata with a WebSocket.
            let foreign =
                headers.contains_key(&site) && only(headers, &site) != Some("same-origin");
            return if foreign {
                Err(foreign_context())
            } else {
                Ok(())
            };
        }
        match only(headers, &site) {
            Some("none" | "same-origin") => Ok(()),
            Some(_) | None => Err(foreign_context()),
        }
    }

    async fn route(&self, request: Request<Body>, seat: Option<Arc<Seat>>) -> Response {
        match request.uri().path() {
            "/" => asset(PAGE, "text/html; charset=utf-8"),
            "/pin.css" => asset(STYLE, "text/css; charset=utf-8"),
            "/pin.js" => asset(SCRIPT, "text/javascript; charset=utf-8"),
            "/sign.js" => asset(SIGNING, "text/javascript; charset=utf-8"),
            STREAM => self.open_stream(request, seat).await,
            _ => Refusal::new(FaultCode::DoorNotFound).into_response(),
        }
    }

    async fn open_stream(&self, request: Request<Body>, seat: Option<Arc<Seat>>) -> Response {
        let (mut parts, _body) = request.into_parts();
        match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => {
                let page = self.clone();
                socket::bounded(upgrade).on_upgrade(move |socket| async move {
                    page.serve(socket).await;
                    drop(seat);
                })
            }
            Err(rejection) => rejection.into_response(),
        }
    }

    async fn serve(self, mut socket: WebSocket) {
        let first = timeout(FIRST_MESSAGE_TIMEOUT, socket::hear(&mut socket)).await;
        let said = match first {
            Ok(Heard::Message(message @ ScreenMessage::Register { .. })) => {
                translate::api::screen_says(message)
            }
            Ok(Heard::Gone) => return,
            Ok(Heard::Message(_) | Heard::Nonsense(_) | Heard::Sign) | Err(_) => {
                return socket::close(socket, "register first").await;
            }
        };
        let link = ScreenLink(self.desk.next_link());
        let (out, told) = mpsc::channel(MAX_UNREAD);
        if self
            .desk
            .tell(Input::ScreenOpened { link, said, out })
            .await
        {
            self.converse(link, socket, told).await;
            self.desk.tell(Input::ScreenClosed { link }).await;
        }
    }

    async fn converse(
        &self,
        link: ScreenLink,
        mut socket: WebSocket,
        mut told: mpsc::Receiver<ScreenInstruction>,
    ) {
        let said = Rate::new(MESSAGES_PER_SECOND, self.clock.now());
        loop {
            tokio::select! {
                instruction = told.recv() => match instruction {
                    Some(instruction) if socket::say(&mut socket, &instruction).await => {}
                    Some(_unread) => return,
                    None => return socket::close(socket, "ended by the agent").await,
                },
                heard = socket::hear(&mut socket) => match heard {
                    Heard::Gone => return,
                    _flood if said.spend(self.clock.now()).is_err() => {
                        return socket::close(socket, "too many messages").await;
                    }
                    Heard::Message(message) => {
                        let said = translate::api::screen_says(message);
                        self.desk.tell(Input::ScreenSaid { link, said }).await;
                    }
                    Heard::Nonsense(_) => return socket::close(socket, "not a message").await,
                    Heard::Sign => {}
                },
            }
        }
    }
}

fn foreign_context() -> Refusal {
    Refusal::new(FaultCode::DoorContext).because("the PIN page was called by another site")
}

/// The value of a header that stands exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

fn asset(content: &'static str, media_type: &'static str) -> Response {
    let mut response = Response::new(Body::from(content));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn dress(response: &mut Response) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), clipboard-read=(), clipboard-write=()",
        ),
    ];
    for (name, value) in fixed {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests;
