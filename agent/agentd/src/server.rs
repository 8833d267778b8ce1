//! Connections: accepted, served by HTTP/1.1, limited, ended in order.
//!
//! Every request of every listener takes the same few steps: a request id, the door, the router, words for
//! a refusal, the headers that every answer carries.
//! Invariants: a peer that sends its head slowly, or nothing, is closed after [`HEAD_TIMEOUT`]; heads are
//! bounded; garbage ends its own connection only; at most [`MAX_CONNECTIONS`] are open.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt as _;

use crate::door::{self, Admission, Door, Entrance, HELLO};
use crate::limits::{HEAD_TIMEOUT, MAX_CONNECTIONS};
use crate::pace::Pace;
use crate::platform::{self, NativeListener};
use crate::refusal;

/// Longest head of a request: browsers send 1 to 2 KiB, a token included.
const MAX_HEAD: usize = 16 * 1024;
/// Most headers of a request; browsers send about 20.
const MAX_HEADERS: usize = 64;
/// The request id in what strangers are told, so that hello says the same to everybody, always.
const NO_ID: &str = "-";

/// Answers requests behind the door.
#[derive(Debug, Clone)]
pub struct ApiService {
    door: Arc<Door>,
    router: Router,
    run: Arc<str>,
    requests: Arc<AtomicU64>,
    refusals: Arc<Pace>,
}

impl ApiService {
    /// A service; `run` tells this run's request ids from those of other runs in the log.
    #[must_use]
    pub fn new(door: Arc<Door>, router: Router, run: &str) -> Self {
        Self {
            door,
            router,
            run: run.into(),
            requests: Arc::new(AtomicU64::new(1)),
            refusals: Arc::new(Pace::default()),
        }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request<Body>, entrance: &Entrance) -> Response {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let id = format!("{}-{number}", self.run);
        let (mut parts, body) = request.into_parts();
        let reader = match entrance {
            Entrance::Loopback(_) => self.door.enrolled(&parts.headers).cloned(),
            Entrance::Native { .. } => None,
        };
        let is_hello = parts.uri.path() == HELLO;
        let response = match self.door.admit(&parts, entrance, &id) {
            Ok(Admission::Preflight) => door::answer_preflight(&parts.headers),
            Ok(Admission::Visitor(visitor)) => {
                parts.extensions.insert(*visitor);
                match self
                    .router
                    .clone()
                    .oneshot(Request::from_parts(parts, body))
                    .await
                {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            Err(refusal) => refusal.into_response(),
        };
        let shown_id = if is_hello && reader.is_none() {
            NO_ID
        } else {
            id.as_str()
        };
        let knowable = is_hello && response.status() == StatusCode::FORBIDDEN;
        if let Some(refusal) = refusal::of_response(&response)
            && let Some(dropped) = self.refusals.admit(self.door.now())
        {
            refusal::note(&refusal, &id, dropped);
        }
        let mut response = refusal::put_into_words(response, shown_id);
        door::dress(&mut response, reader.as_ref(), knowable);
        response
    }
}

/// Ends the connections of a daemon, and knows when the last has ended.
#[derive(Debug)]
pub struct Connections {
    stop: watch::Sender<bool>,
    places: Arc<Semaphore>,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            stop: watch::Sender::new(false),
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        }
    }
}

impl Connections {
    /// Serves a loopback listener until the daemon ends.
    pub fn serve(&self, listener: TcpListener, service: ApiService) {
        let door = Arc::clone(&service.door);
        let answer = move |seat| {
            let service = service.clone();
            let entrance = Entrance::Loopback(door.limits().connection(Some(seat)));
            move |request: Request<Body>| {
                let (service, entrance) = (service.clone(), entrance.clone());
                async move { service.answer(request, &entrance).await }
            }
        };
        self.serve_with(listener, answer);
    }

    /// Serves a loopback listener; `connection` makes the answerer of each connection, which keeps the
    /// connection's seat for as long as anything of it is open.
    pub fn serve_with<M, A, F>(&self, listener: TcpListener, connection: M)
    where
        M: Fn(OwnedSemaphorePermit) -> A + Send + 'static,
        A: Fn(Request<Body>) -> F + Send + Clone + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let (places, stop) = (Arc::clone(&self.places), self.stop.subscribe());
        tokio::spawn(async move {
            let mut stopped = stop.clone();
            loop {
                let Ok(seat) = Arc::clone(&places).acquire_owned().await else {
                    return;
                };
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = told_to_stop(&mut stopped) => return,
                };
                match accepted {
                    Ok((stream, _peer)) => {
                        // An answer is one write; waiting for more to send would only add to it.
                        if let Err(error) = stream.set_nodelay(true) {
                            tracing::debug!(%error, "a connection is slower than it could be");
                        }
                        tokio::spawn(converse(stream, connection(seat), stop.clone()));
                    }
                    Err(error) => pause_after(&error).await,
                }
            }
        });
    }

    /// Serves the native door; users that are not `allowed` are closed before a byte is read.
    pub fn serve_native(&self, listener: NativeListener, service: ApiService, allowed: Vec<u32>) {
        let (places, stop) = (Arc::clone(&self.places), self.stop.subscribe());
        tokio::spawn(async move {
            let mut stopped = stop.clone();
            loop {
                let Ok(seat) = Arc::clone(&places).acquire_owned().await else {
                    return;
                };
                let accepted = tokio::select! {
                    accepted = platform::accept_native(&listener) => accepted,
                    () = told_to_stop(&mut stopped) => return,
                };
                match accepted {
                    Ok((stream, uid)) if allowed.contains(&uid) => {
                        let service = service.clone();
                        let entrance = Entrance::Native {
                            uid,
                            seat: Arc::new(seat),
                        };
                        let answer = move |request: Request<Body>| {
                            let (service, entrance) = (service.clone(), entrance.clone());
                            async move { service.answer(request, &entrance).await }
                        };
                        tokio::spawn(converse(stream, answer, stop.clone()));
                    }
                    Ok((_stream, uid)) => {
                        tracing::warn!(uid, "a user that is not allowed was refused");
                    }
                    Err(error) => pause_after(&error).await,
                }
            }
        });
    }

    /// Accepts nothing more and lets running answers finish.
    pub async fn end(&self) {
        self.stop.send_replace(true);
        let all = u32::try_from(MAX_CONNECTIONS).unwrap_or(u32::MAX);
        // Whoever does not finish in time is cut off when the runtime ends.
        let finished = self.places.acquire_many(all);
        let _in_time = tokio::time::timeout(std::time::Duration::from_millis(300), finished).await;
    }
}

/// Ends when the daemon does; a daemon that is gone has told it too.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    let _value_or_gone = stop.wait_for(|stop| *stop).await.is_ok();
}

/// Out of descriptors or memory: accepting at once again would spin.
async fn pause_after(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
}

/// Serves one connection until either side ends it.
pub(crate) async fn converse<S, A, F>(stream: S, answer: A, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: Fn(Request<Body>) -> F + Clone,
    F: Future<Output = Response> + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = answer(request.map(Body::new));
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = told_to_stop(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}
