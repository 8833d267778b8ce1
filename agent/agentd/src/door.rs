//! The door: every check that a request must pass before anything is routed, in one place.
//!
//! The order, each step with the defence that it is (`docs/security.md`):
//!
//! | step | refused with | why |
//! |---|---|---|
//! | 1 `Host` | 421 `DOR-HOST` | another name for this machine means DNS rebinding |
//! | 2 method, target | 405, 400 `DOR-SCHEMA` | nothing else has a meaning here |
//! | 3 Fetch-Metadata | 403 `DOR-CONTEXT` | navigations, images, scripts and frames are no callers |
//! | 4 `Origin` | 403 `DOR-ORIGIN` | equal to an enrolled origin, or nothing |
//! | 5 preflight | answered | an enrolled origin asks before it sends |
//! | 6 rates, connections | 429 `DOR-TOO-MANY` | one origin cannot starve another |
//! | 7 own header, media type | 403 `DOR-CONTEXT` | forces that preflight on everything with an effect |
//! | 8 announced length | 413 `DOR-TOO-LARGE` | before a byte is read |
//! | 9 token | 401 `DOR-TOKEN` | who asks, for whom |
//!
//! A token is looked at before step 6 and missed at step 9: any program can send an enrolled `Origin`, so
//! what comes without a token that holds has a share of its own, and cannot starve the page.
//! A refusal of steps 1 to 4, and a preflight, are not counted: 429 would cost as much as the answer, and
//! would tell one stranger that another was here.
//!
//! Scope, grant and nonce follow in `agent-core`, which knows what is asked.
//! A route needs a token unless it stands in [`WITHOUT_TOKEN`], so a new route is closed until somebody
//! opens it.
//! Invariant: HTTP requests and WebSocket upgrades take the same way; native clients too, with the
//! kernel's word for who they are in the place of steps 3 and 4.

mod headers;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use agent_api::REQUEST_HEADER;
use agent_api::document::MAX_DOCUMENT;
use agent_core::access::{Caller, Owner, Presented, Proof};
use agent_core::ids;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use device_api::{Clock, FaultCode, Moment};
use tokio::sync::OwnedSemaphorePermit;

use crate::config::Config;
use crate::limits::{ConnectionPlace, Limits, MAX_BODY, Standing};
use crate::origin::Origin;
use crate::refusal::Refusal;
use crate::token::TokenJudge;
use crate::translate;

pub(crate) use headers::{answer_preflight, dress};

/// The one route that strangers may know of.
pub const HELLO: &str = "/v1/hello";
/// The event stream, whose token comes in its first message.
pub const EVENTS: &str = "/v1/events";
/// The routes that need no token in a header.
pub const WITHOUT_TOKEN: [&str; 3] = [HELLO, "/v1/proofs", EVENTS];

/// Where documents are handed in: the one call that takes something else than JSON.
pub const HAND_IN: &str = "/v1/documents";
/// What can be handed in. Neither type can be sent by a form, so a browser asks first.
pub const DOCUMENT_TYPES: [&str; 2] = ["application/pdf", "image/png"];

/// What a native client puts into its `Host` header.
const NATIVE_HOST: &[u8] = b"localhost";
/// The counter of a native client that brings no token.
const NATIVE_COUNTER: &str = "local";

const FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// How a connection came in.
#[derive(Debug, Clone)]
pub enum Entrance {
    /// Over loopback: anybody, a page of any site among them.
    Loopback(Arc<ConnectionPlace>),
    /// Over the native door; the kernel vouches for the user.
    Native {
        /// The user.
        uid: u32,
        /// Its seat among all connections.
        seat: Arc<OwnedSemaphorePermit>,
    },
}

/// Somebody who passed the door.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// Names this request in the log.
    pub request_id: String,
    /// The origin, or the user of a native client.
    pub origin: Origin,
    /// Who it is, where the route asked for a token.
    pub caller: Option<Caller>,
    /// How it came in; whoever keeps the visitor keeps its connection counted.
    pub entrance: Entrance,
}

/// What the door decided.
#[derive(Debug)]
pub enum Admission {
    /// An enrolled origin asks whether it may send.
    Preflight,
    /// Come in.
    Visitor(Box<Visitor>),
}

/// The door.
#[derive(Debug)]
pub struct Door {
    hosts: BTreeSet<String>,
    grants: agent_core::access::Grants,
    origins: BTreeSet<Origin>,
    judge: TokenJudge,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

impl Door {
    /// A door for the address at which the agent really listens.
    #[must_use]
    pub fn new(config: &Config, address: SocketAddr, clock: Arc<dyn Clock>) -> Self {
        Self {
            hosts: hosts_of(address.port()),
            grants: translate::grants(&config.grants),
            origins: config.grants.keys().cloned().collect(),
            judge: TokenJudge::new(config),
            limits: Limits::new(config.requests_per_second),
            clock,
        }
    }

    /// What everybody uses.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The time, as the door sees it.
    #[must_use]
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The enrolled origin that a request names, to which an answer may be shown.
    #[must_use]
    pub fn enrolled(&self, headers: &HeaderMap) -> Option<&Origin> {
        let named = single(headers, &header::ORIGIN).ok()??;
        self.origins
            .iter()
            .find(|origin| !origin.is_native() && origin.equals(named))
    }

    /// Lets a request in, or says why not. See the module's table for the order.
    ///
    /// # Errors
    /// The refusal of the first check that fails.
    pub fn admit(
        &self,
        parts: &Parts,
        entrance: &Entrance,
        request_id: &str,
    ) -> Result<Admission, Refusal> {
        self.check_host(parts, entrance)?;
        check_target(parts)?;
        check_fetch_metadata(parts, entrance)?;
        let origin = self.check_origin(&parts.headers, entrance)?;
        if parts.method == Method::OPTIONS {
            return Ok(Admission::Preflight);
        }
        let judged = self.check_token(parts, &origin, entrance);
        let standing = match &judged {
            Ok(Some(_caller)) => Standing::Proven,
            Ok(None) | Err(_) => Standing::Claimed,
        };
        self.check_limits(&origin, standing, entrance)?;
        check_intent(parts)?;
        check_length(parts)?;
        let caller = judged?;
        let visitor = Visitor {
            request_id: request_id.to_owned(),
            origin,
            caller,
            entrance: entrance.clone(),
        };
        Ok(Admission::Visitor(Box::new(visitor)))
    }

    /// Judges a token that came in a message of a visitor's WebSocket, under the same limits; the first that
    /// holds moves the connection to the proven share.
    ///
    /// # Errors
    /// As for a token in a header, and for a connection.
    pub fn admit_stream(&self, token: &str, visitor: &Visitor) -> Result<Caller, Refusal> {
        let caller = self.admit_token(token, &visitor.origin)?;
        if let Entrance::Loopback(place) = &visitor.entrance {
            place.claim(&visitor.origin, Standing::Proven, self.clock.now())?;
        }
        Ok(caller)
    }

    fn admit_token(&self, token: &str, origin: &Origin) -> Result<Caller, Refusal> {
        let now = self.clock.now();
        let presented = Presented {
            origin: ids::Origin::new(origin.as_str()),
            unix_seconds: self.clock.unix_millis() / 1000,
            now,
        };
        let judged = self.judge.judge(token, &presented);
        if judged.is_err() {
            self.limits.token_failed(origin, now)?;
        }
        judged
    }

    fn check_host(&self, parts: &Parts, entrance: &Entrance) -> Result<(), Refusal> {
        let wrong = |why| Err(Refusal::new(FaultCode::DoorHost).because(why));
        // The absolute form names a host of its own beside the header.
        if parts.uri.authority().is_some() {
            return wrong("request target with a host of its own");
        }
        let Ok(Some(host)) = single(&parts.headers, &header::HOST) else {
            return wrong("no Host header, or more than one");
        };
        let known = match entrance {
            Entrance::Loopback(_) => {
                std::str::from_utf8(host).is_ok_and(|host| self.hosts.contains(host))
            }
            Entrance::Native { .. } => host == NATIVE_HOST,
        };
        if known {
            Ok(())
        } else {
            wrong("Host names something else")
        }
    }

    fn check_origin(&self, headers: &HeaderMap, entrance: &Entrance) -> Result<Origin, Refusal> {
        let wrong = |why| Err(Refusal::new(FaultCode::DoorOrigin).because(why));
        match entrance {
            Entrance::Native { uid, .. } => {
                if headers.contains_key(header::ORIGIN) {
                    return wrong("a web origin at the native door");
                }
                Ok(Origin::native(*uid))
            }
            Entrance::Loopback(_) => match self.enrolled(headers) {
                Some(origin) => Ok(origin.clone()),
                None => wrong("no Origin header, more than one, or one that is not enrolled"),
            },
        }
    }

    fn check_limits(
        &self,
        origin: &Origin,
        standing: Standing,
        entrance: &Entrance,
    ) -> Result<(), Refusal> {
        let now = self.clock.now();
        if let Entrance::Loopback(place) = entrance {
            place.claim(origin, standing, now)?;
        }
        self.limits.request(origin, standing, now)
    }

    fn check_token(
        &self,
        parts: &Parts,
        origin: &Origin,
        entrance: &Entrance,
    ) -> Result<Option<Caller>, Refusal> {
        let missing = Refusal::new(FaultCode::DoorToken);
        let Ok(value) = single(&parts.headers, &header::AUTHORIZATION) else {
            return Err(missing.because("more than one Authorization header"));
        };
        if WITHOUT_TOKEN.contains(&parts.uri.path()) {
            return Ok(self.peer(entrance));
        }
        let Some(value) = value else {
            return self
                .peer(entrance)
                .map(Some)
                .ok_or_else(|| missing.because("no token"));
        };
        let token = std::str::from_utf8(value)
            .ok()
            .and_then(|text| text.strip_prefix("Bearer "));
        let token = token.ok_or_else(|| missing.because("Authorization is not a bearer token"))?;
        self.admit_token(token, origin).map(Some)
    }

    /// A native client is known by its user; its grant stands for a token's scopes.
    fn peer(&self, entrance: &Entrance) -> Option<Caller> {
        let Entrance::Native { uid, .. } = entrance else {
            return None;
        };
        let origin = ids::Origin::new(Origin::native(*uid).as_str());
        Some(Caller {
            scopes: self.grants.get(&origin).cloned().unwrap_or_default(),
            owner: Owner {
                staff: origin.as_str().to_owned(),
                counter: NATIVE_COUNTER.to_owned(),
                origin,
            },
            proof: Proof::Peer,
            until: None,
        })
    }
}

/// The names by which a browser on this machine calls a loopback port.
fn hosts_of(port: u16) -> BTreeSet<String> {
    ["127.0.0.1", "localhost", "[::1]"]
        .map(|name| format!("{name}:{port}"))
        .into()
}

/// The value of a header that stands at most once; twice is an error, because two readers of the same
/// request could take different ones.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a [u8]>, ()> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        Err(())
    } else {
        Ok(first.map(|value| value.as_bytes()))
    }
}

fn check_target(parts: &Parts) -> Result<(), Refusal> {
    let wrong = Refusal::new(FaultCode::DoorSchema);
    let known = [Method::GET, Method::POST, Method::DELETE, Method::OPTIONS];
    if !known.contains(&parts.method) {
        return Err(wrong
            .with_status(StatusCode::METHOD_NOT_ALLOWED)
            .because("method"));
    }
    // Nothing is ever named in a query, so that no secret can end up in a log of addresses.
    if parts.uri.query().is_some() {
        return Err(wrong.about("the address has a query"));
    }
    Ok(())
}

/// What is absent was sent by no current browser, so Fetch-Metadata can only refuse, never admit.
fn check_fetch_metadata(parts: &Parts, entrance: &Entrance) -> Result<(), Refusal> {
    let wrong = |why| Err(Refusal::new(FaultCode::DoorContext).because(why));
    let mode = single(&parts.headers, &FETCH_MODE);
    let dest = single(&parts.headers, &FETCH_DEST);
    let (Ok(mode), Ok(dest)) = (mode, dest) else {
        return wrong("Fetch-Metadata stands twice");
    };
    if matches!(entrance, Entrance::Native { .. }) && (mode.is_some() || dest.is_some()) {
        return wrong("a browser at the native door");
    }
    let stream = parts.uri.path() == EVENTS;
    match mode {
        None | Some(b"cors") => {}
        Some(b"websocket") if stream => {}
        Some(_) => return wrong("Sec-Fetch-Mode"),
    }
    match dest {
        None | Some(b"empty") => Ok(()),
        Some(b"websocket") if stream => Ok(()),
        Some(_) => wrong("Sec-Fetch-Dest"),
    }
}

/// A form, an image or a plain link cannot send this header or media type without asking first.
fn check_intent(parts: &Parts) -> Result<(), Refusal> {
    if parts.method == Method::GET {
        return Ok(());
    }
    let wrong = |why| Err(Refusal::new(FaultCode::DoorContext).because(why));
    let own = single(&parts.headers, &HeaderName::from_static(REQUEST_HEADER));
    if own != Ok(Some(b"1".as_slice())) {
        return wrong("own header missing");
    }
    let handed_in = parts.uri.path() == HAND_IN;
    let fits = match single(&parts.headers, &header::CONTENT_TYPE) {
        Ok(Some(value)) if handed_in => {
            DOCUMENT_TYPES.iter().any(|known| known.as_bytes() == value)
        }
        Ok(Some(value)) => is_json(value),
        // A DELETE has no body and so no type.
        Ok(None) => parts.method == Method::DELETE,
        Err(()) => false,
    };
    if fits {
        Ok(())
    } else {
        wrong("media type is not the one of this call")
    }
}

fn is_json(value: &[u8]) -> bool {
    let value = value.to_ascii_lowercase();
    matches!(
        value.as_slice(),
        b"application/json"
            | b"application/json; charset=utf-8"
            | b"application/json;charset=utf-8"
    )
}

fn check_length(parts: &Parts) -> Result<(), Refusal> {
    let longest = if parts.uri.path() == HAND_IN {
        MAX_DOCUMENT
    } else {
        MAX_BODY
    };
    let Ok(announced) = single(&parts.headers, &header::CONTENT_LENGTH) else {
        return Err(Refusal::new(FaultCode::DoorSchema).because("two lengths"));
    };
    let announced =
        announced.and_then(|value| std::str::from_utf8(value).ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > longest) {
        return Err(Refusal::new(FaultCode::DoorTooLarge));
    }
    Ok(())
}
