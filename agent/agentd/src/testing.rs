//! A whole agent inside the test process: real door, router, core and audit log; no driver host, so that
//! no test depends on a reader.

use std::fmt::Write as _;
use std::sync::Arc;

use agent_core::Core;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use device_api::{Clock, SystemClock};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::calibrations::Calibrations;
use crate::chance::SystemChance;
use crate::config::{CARDS, Config, Host, HostCommand};
use crate::door::{Door, Entrance};
use crate::event_loop::{EventLoop, Parts};
use crate::identity::Identity;
use crate::input::{Desk, Input};
use crate::ledger::AuditLedger;
use crate::pin_page::PinPage;
use crate::recorder::{Recorder, Writing};
use crate::routes::{self, Office};
use crate::sealing::Seal;
use crate::server::{ApiService, Connections};
use crate::state_dir::StateDir;
use crate::translate;

/// The enrolled origin.
pub(crate) const ORIGIN: &str = "https://a.test";
/// Another enrolled origin, which is granted nothing.
pub(crate) const POOR_ORIGIN: &str = "https://b.test";
/// A counter that is enrolled nowhere.
pub(crate) const STRANGER: &str = "https://a.test.evil.test";

/// An agent in this process.
pub(crate) struct TestAgent {
    pub(crate) service: ApiService,
    pub(crate) page: PinPage,
    pub(crate) document: Value,
    pub(crate) host: String,
    pub(crate) pin_host: String,
    pub(crate) desk: Desk,
    connections: Connections,
    event_loop: JoinHandle<()>,
    _state: TempDir,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The code of a refusal.
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

fn config() -> Config {
    let key = URL_SAFE_NO_PAD.encode(issuer_key().public_key().as_ref());
    let mut text = format!("[[issuer]]\nname = \"city\"\npublic_key = \"{key}\"\n");
    let operations: Vec<&str> = agent_api::token::Scope::ALL
        .iter()
        .map(|scope| scope.as_str())
        .collect();
    for (origin, operations) in [(ORIGIN, json!(operations)), (POOR_ORIGIN, json!([]))] {
        write!(
            text,
            "[[grant]]\norigin = \"{origin}\"\noperations = {operations}\n"
        )
        .unwrap();
    }
    Config::parse(&text, std::path::Path::new("test.toml")).unwrap()
}

fn issuer_key() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap()
}

/// A token of the configured issuer that holds now, for everything, changed by `change`.
pub(crate) fn token(change: impl FnOnce(&mut Value)) -> String {
    let now = SystemClock::new().unix_millis() / 1000;
    let scopes: Vec<&str> = agent_api::token::Scope::ALL
        .iter()
        .map(|scope| scope.as_str())
        .collect();
    let mut claims = json!({
        "iss": "city", "aud": "agent", "sub": "staff-7", "origin": ORIGIN, "counter": "3",
        "scopes": scopes, "iat": now - 10, "exp": now + 300,
    });
    change(&mut claims);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "EdDSA"})), part(&claims));
    let signature = URL_SAFE_NO_PAD.encode(issuer_key().sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

impl TestAgent {
    /// Starts an agent whose API and PIN page listen on free ports.
    pub(crate) async fn start() -> Self {
        let state = tempfile::tempdir().unwrap();
        let dir = Arc::new(StateDir::open(state.path()).unwrap());
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let config = config();
        let identity =
            Identity::open("agent".to_owned(), &dir, &ring::rand::SystemRandom::new()).unwrap();
        let ledger = AuditLedger::open(dir.path(), identity.key(), clock.unix_millis()).unwrap();
        let (desk, inputs) = Desk::open();
        let writing = Writing {
            ledger: Box::new(ledger),
            dir,
            clock: Arc::clone(&clock),
        };
        let core = agent_core::Config {
            hosts: 1,
            card_host: Some(agent_core::ids::HostId(0)),
            grants: translate::grants(&config.grants),
            first_fence: 1,
            pairings: Vec::new(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let pin_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, pin_address) = (
            listener.local_addr().unwrap(),
            pin_listener.local_addr().unwrap(),
        );
        let mut event_loop = EventLoop::new(Parts {
            core: Core::new(core, Box::new(SystemChance::new())),
            clock: Arc::clone(&clock),
            hosts: vec![Host {
                name: CARDS.to_owned(),
                command: HostCommand {
                    program: "/nonexistent/driver-host".into(),
                    args: Vec::new(),
                    vendor: None,
                },
                settings: None,
            }],
            calibrations: Calibrations::default(),
            seal: Seal {
                agent: "agent".to_owned(),
                key: identity.key(),
                municipality: None,
            },
            recorder: Recorder::start(writing, desk.clone()).unwrap(),
            desk: desk.clone(),
            pin_address: format!("http://{pin_address}/"),
            reporting: None,
        });
        event_loop.begin();
        let door = Arc::new(Door::new(&config, address, Arc::clone(&clock)));
        let (router, document) = routes::router();
        let office = Office {
            desk: desk.clone(),
            door: Arc::clone(&door),
            identity,
            pin_address: format!("http://{pin_address}/"),
        };
        let service = ApiService::new(door, router.with_state(Arc::new(office)), "test");
        let page = PinPage::new(desk.clone(), pin_address, clock);
        let connections = Connections::default();
        connections.serve(listener, service.clone());
        let served = page.clone();
        connections.serve_with(pin_listener, move |seat| {
            let (page, seat) = (served.clone(), Arc::new(seat));
            move |request| {
                let (page, seat) = (page.clone(), Arc::clone(&seat));
                async move { page.answer(request, Some(seat)).await }
            }
        });
        Self {
            service,
            page,
            document: serde_json::to_value(document).unwrap(),
            host: address.to_string(),
            pin_host: pin_address.to_string(),
            desk,
            connections,
            event_loop: tokio::spawn(event_loop.run(inputs)),
            _state: state,
        }
    }

    /// Ends it as a signal would.
    pub(crate) async fn stop(self) {
        self.desk.tell(Input::Terminate).await;
        self.event_loop.await.unwrap();
        self.connections.end().await;
    }

    /// Every operation of the document, its parameters filled in.
    pub(crate) fn operations(&self) -> Vec<(Method, String, Value)> {
        let mut operations = Vec::new();
        for (path, item) in self.document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let method = method.to_uppercase().parse().unwrap();
                operations.push((method, path.replace("{id}", "x"), operation.clone()));
            }
        }
        operations
    }

    /// A request of the enrolled page that passes the door.
    pub(crate) fn good_request(&self, method: &Method, path: &str, body: &str) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("origin", ORIGIN)
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty")
            .header("authorization", format!("Bearer {}", token(|_claims| {})));
        if *method != Method::GET {
            request = request
                .header("x-madoguchi", "1")
                .header("idempotency-key", "k");
        }
        if *method == Method::POST {
            let media_type = if path == crate::door::HAND_IN {
                "application/pdf"
            } else {
                "application/json"
            };
            request = request.header("content-type", media_type);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    }

    /// Hands a request to the service, as a connection of its own.
    pub(crate) async fn ask(&self, request: Request<Body>) -> Answer {
        // A door of its own share: these tests are about one check at a time, not about rates.
        let limits = crate::limits::Limits::new(50);
        let response = self
            .service
            .answer(request, &Entrance::Loopback(limits.connection(None)))
            .await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }
}
