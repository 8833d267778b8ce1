//! What the door costs: an authenticated request to the agent beside one to a server that only answers.
//!
//! The floor is `hyper` on a runtime of one thread, as in the agent, in a process of its own, with an
//! answer of the same size; the client is the same for both, over connections that stay open.
#![expect(clippy::print_stdout, reason = "a helper answers on standard output")]

use std::convert::Infallible;
use std::io::{BufRead as _, Read as _, stdin};
use std::net::SocketAddr;
use std::time::Duration;

use agent_api::device::DeviceState;
use anyhow::{Context as _, ensure};
use device_api::{Clock as _, SystemClock};
use harness::{ALL_SCOPES, Counter, Door};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use scenarios::clerk::Clerk;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use ureq::http::Method;

use crate::helper::Helper;
use crate::plan::Plan;
use crate::report::Section;
use crate::statistics::{Times, ms};

/// The command line's word for the floor.
pub(crate) const ROLE: &str = "--as-floor";

/// A reader without a card.
const SLOT: usize = 0;
const PATH: &str = "/v1/devices";
/// Before measuring, so that connections are open and caches filled.
const WARM_UP: usize = 200;
/// Promised for the 99th percentile.
const MOST_OVERHEAD_MS: f64 = 1.0;

/// Measures requests to both, in turn.
pub(crate) fn measure(plan: &Plan, counter: &Counter) -> anyhow::Result<Section> {
    // The answer names the reader's state, which must not change while its size is held against the floor's.
    Clerk::at(counter, SLOT)?.wait_for_reader(DeviceState::Empty)?;
    let token = counter.token(&ALL_SCOPES)?;
    let agent = Door::new(counter.agent.addresses().api, counter.origin()).with_token(&token);
    let (_, body) = agent.send(Method::GET, PATH, None::<&()>, &[])?;
    let mut helper = Helper::start(ROLE, None)?;
    let address: SocketAddr = helper.ask(&body.len().to_string())?.parse()?;
    let floor = Door::new(address, counter.origin()).with_token(&token);
    let clock = SystemClock::new();
    let request = |door: &Door| -> anyhow::Result<Duration> {
        let began = clock.now();
        let (_, text) = door.send(Method::GET, PATH, None::<&()>, &[])?;
        let ended = clock.now();
        ensure!(text.len() == body.len(), "an answer of another size");
        Ok(ended.since(began))
    };
    for _ in 0..WARM_UP.min(plan.requests) {
        request(&agent)?;
        request(&floor)?;
    }
    let mut pairs = Vec::with_capacity(plan.requests);
    for _ in 0..plan.requests {
        pairs.push((request(&agent)?, request(&floor)?));
    }
    section(&pairs, body.len())
}

fn section(pairs: &[(Duration, Duration)], length: usize) -> anyhow::Result<Section> {
    let of_agent = Times::of(pairs.iter().map(|pair| pair.0))?;
    let of_floor = Times::of(pairs.iter().map(|pair| pair.1))?;
    let mut section = Section::new("What the door costs", &["ms", "p50", "p99", "most"]);
    section.note(format!(
        "`GET {PATH}` with a token, {} pairs in turn over open connections, {length} bytes each; the floor is a bare `hyper` server of one thread.",
        pairs.len()
    ));
    for (name, times) in [("agent", &of_agent), ("floor", &of_floor)] {
        let figures = [times.median(), times.percentile(99), times.most()].map(ms);
        section.row([&[name.to_owned()], &figures[..]].concat());
    }
    let between =
        |above: Duration, below: Duration| (above.as_secs_f64() - below.as_secs_f64()) * 1e3;
    let p50 = between(of_agent.median(), of_floor.median());
    let p99 = between(of_agent.percentile(99), of_floor.percentile(99));
    section.row([
        "**difference**".to_owned(),
        format!("**{p50:.2}**"),
        format!("**{p99:.2}**"),
        String::new(),
    ]);
    section.goal(
        "p99 over the bare HTTP floor",
        (p99, MOST_OVERHEAD_MS),
        "ms",
    );
    Ok(section)
}

/// The helper's side: serves until its input ends.
///
/// # Errors
/// When it cannot listen.
pub(crate) fn serve() -> anyhow::Result<()> {
    let mut first = String::new();
    stdin().lock().read_line(&mut first)?;
    let length: usize = first.trim().parse().context("not a length")?;
    let body = Bytes::from(vec![b' '; length]);
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            let mut rest = Vec::new();
            let _end_or_error = stdin().read_to_end(&mut rest);
            let _nobody_waits = end.send(());
        })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?);
        tokio::select! {
            served = accept(&listener, &body) => served,
            _end = ended => Ok(()),
        }
    })
}

async fn accept(listener: &TcpListener, body: &Bytes) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let body = body.clone();
        let answer = service_fn(move |_request: Request<Incoming>| {
            let body = body.clone();
            async move {
                let mut response = Response::new(Full::new(body));
                response.headers_mut().insert(
                    hyper::header::CONTENT_TYPE,
                    hyper::header::HeaderValue::from_static("application/json"),
                );
                Ok::<_, Infallible>(response)
            }
        });
        tokio::spawn(async move {
            let _ended = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}
