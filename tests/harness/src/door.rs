//! The agent's door as a counter application knows it: one typed, blocking call per route.
//!
//! The calls send what a browser would send for a page of the given origin, no more, so that what passes
//! here passes for a page.
//! Nothing is sent twice: a transport failure is reported as it came.

use std::net::SocketAddr;
use std::time::Duration;

use agent_api::REQUEST_HEADER;
use agent_api::device::DeviceList;
use agent_api::document::KeptDocument;
use agent_api::error::ErrorBody;
use agent_api::hello::{Hello, Proof, ProofRequest};
use agent_api::job::{Job, JobAnswer, JobRequest, JobResult};
use agent_api::lease::{Lease, LeaseRequest, RenewalRequest};
use agent_api::screen::{PairRequest, PinScreenList};
use agent_api::token::Nonce;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use ureq::Agent;
use ureq::http::{Method, Request};

/// Longer than any answer of the agent takes.
const LONGEST_ANSWER: Duration = Duration::from_secs(30);

/// A counter application's connection to the agent.
#[derive(Debug, Clone)]
pub struct Door {
    address: SocketAddr,
    origin: String,
    token: Option<String>,
    agent: Agent,
}

/// A call that did not succeed.
#[derive(Debug, Error)]
pub enum DoorError {
    /// The agent refused it, and said why.
    #[error("refused with {status} {}: {}", .error.code, .error.message.en)]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The reason.
        error: Box<ErrorBody>,
    },
    /// No answer came.
    #[error("no answer from the agent")]
    NoAnswer(#[source] Box<ureq::Error>),
    /// The answer is none of this API.
    #[error("an answer with status {status} that is none of this API: {text}")]
    Unexpected {
        /// The HTTP status.
        status: u16,
        /// What came.
        text: String,
    },
}

impl DoorError {
    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { error, .. } => Some(&error.code),
            Self::NoAnswer(_) | Self::Unexpected { .. } => None,
        }
    }
}

impl Door {
    /// The door at `address`, for a page of `origin`, without a token.
    #[must_use]
    pub fn new(address: SocketAddr, origin: &str) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(LONGEST_ANSWER))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .build();
        Self {
            address,
            origin: origin.to_owned(),
            token: None,
            agent: config.into(),
        }
    }

    /// The same connection with another token.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        Self {
            token: Some(token.to_owned()),
            ..self.clone()
        }
    }

    /// The same connection for a page of another origin.
    #[must_use]
    pub fn from_origin(&self, origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            ..self.clone()
        }
    }

    /// Where the agent listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The origin for which it calls.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Asks whether an agent is here.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn hello(&self) -> Result<Hello, DoorError> {
        self.get("/v1/hello")
    }

    /// Has the agent prove itself.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn prove(&self, request: &ProofRequest) -> Result<Proof, DoorError> {
        self.post("/v1/proofs", request)
    }

    /// Fetches a nonce for one privileged call.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn nonce(&self) -> Result<Nonce, DoorError> {
        self.call(Method::POST, "/v1/nonces", None::<&()>, &[])
    }

    /// Lists the devices.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn devices(&self) -> Result<DeviceList, DoorError> {
        self.get("/v1/devices")
    }

    /// Asks for a lease.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn lease(&self, request: &LeaseRequest) -> Result<Lease, DoorError> {
        self.post("/v1/leases", request)
    }

    /// Looks at a lease.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn look_at_lease(&self, lease: &str) -> Result<Lease, DoorError> {
        self.get(&format!("/v1/leases/{lease}"))
    }

    /// Renews a lease.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn renew(&self, lease: &str, request: &RenewalRequest) -> Result<Lease, DoorError> {
        self.post(&format!("/v1/leases/{lease}/renewal"), request)
    }

    /// Gives a lease back.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn release(&self, lease: &str) -> Result<(), DoorError> {
        self.send(
            Method::DELETE,
            &format!("/v1/leases/{lease}"),
            None::<&()>,
            &[],
        )
        .map(drop)
    }

    /// Starts a job under an idempotency key.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn start_job(&self, key: &str, request: &JobRequest) -> Result<Job, DoorError> {
        self.call(
            Method::POST,
            "/v1/jobs",
            Some(request),
            &[("idempotency-key", key)],
        )
    }

    /// Looks at a job.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn job(&self, job: &str) -> Result<Job, DoorError> {
        self.get(&format!("/v1/jobs/{job}"))
    }

    /// Cancels a job.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn cancel(&self, job: &str) -> Result<Job, DoorError> {
        self.call(Method::DELETE, &format!("/v1/jobs/{job}"), None::<&()>, &[])
    }

    /// Answers a job's question.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn answer(&self, job: &str, answer: &JobAnswer) -> Result<Job, DoorError> {
        self.post(&format!("/v1/jobs/{job}/answers"), answer)
    }

    /// Takes a job's result, once.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn take_result(&self, job: &str) -> Result<JobResult, DoorError> {
        self.call(
            Method::POST,
            &format!("/v1/jobs/{job}/result"),
            None::<&()>,
            &[],
        )
    }

    /// Lists the PIN screens of the counter.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn pin_screens(&self) -> Result<PinScreenList, DoorError> {
        self.get("/v1/pin-screens")
    }

    /// Pairs the PIN screen that shows this code with the counter.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn pair_screen(&self, request: &PairRequest) -> Result<PinScreenList, DoorError> {
        self.post("/v1/pin-screens", request)
    }

    /// Ends a PIN screen's pairing.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn unpair_screen(&self, screen: &str) -> Result<PinScreenList, DoorError> {
        self.call(
            Method::DELETE,
            &format!("/v1/pin-screens/{screen}"),
            None::<&()>,
            &[],
        )
    }

    /// Hands a document in.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn hand_in(&self, media_type: &str, bytes: &[u8]) -> Result<KeptDocument, DoorError> {
        let (status, answer) = self.exchange(Method::POST, "/v1/documents", (media_type, bytes))?;
        serde_json::from_slice(&answer).map_err(|_error| DoorError::Unexpected {
            status,
            text: String::from_utf8_lossy(&answer).into_owned(),
        })
    }

    /// Takes a document that a job made.
    ///
    /// # Errors
    /// See [`DoorError`].
    pub fn take_document(&self, document: &str) -> Result<Vec<u8>, DoorError> {
        let path = format!("/v1/documents/{document}/take");
        let taken = self.exchange(Method::POST, &path, ("application/json", b""));
        taken.map(|(_status, bytes)| bytes)
    }

    /// Sends bytes and receives bytes, as a page would.
    fn exchange(
        &self,
        method: Method,
        path: &str,
        (media_type, body): (&str, &[u8]),
    ) -> Result<(u16, Vec<u8>), DoorError> {
        let mut request = Request::builder()
            .method(&method)
            .uri(format!("http://{}{path}", self.address))
            .header("origin", &self.origin)
            .header(REQUEST_HEADER, "1")
            .header("content-type", media_type);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let sent = request.body(body.to_vec()).map_err(ureq::Error::from);
        let mut answer = sent
            .and_then(|request| self.agent.run(request))
            .map_err(|error| DoorError::NoAnswer(Box::new(error)))?;
        let status = answer.status().as_u16();
        let longest = answer.body_mut().with_config().limit(64 * 1024 * 1024);
        let bytes = longest
            .read_to_vec()
            .map_err(|error| DoorError::NoAnswer(Box::new(error)))?;
        if answer.status().is_success() {
            return Ok((status, bytes));
        }
        match serde_json::from_slice::<ErrorBody>(&bytes) {
            Ok(error) => Err(DoorError::Refused {
                status,
                error: Box::new(error),
            }),
            Err(_) => Err(DoorError::Unexpected {
                status,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            }),
        }
    }

    fn get<A: DeserializeOwned>(&self, path: &str) -> Result<A, DoorError> {
        self.call(Method::GET, path, None::<&()>, &[])
    }

    fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, DoorError> {
        self.call(Method::POST, path, Some(body), &[])
    }

    fn call<A: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        headers: &[(&str, &str)],
    ) -> Result<A, DoorError> {
        let (status, text) = self.send(method, path, body, headers)?;
        serde_json::from_str(&text).map_err(|_error| DoorError::Unexpected { status, text })
    }

    /// Sends any request as a page would: the raw form of all the calls above.
    ///
    /// # Errors
    /// See [`DoorError`]; every status other than 2xx is an error.
    pub fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        headers: &[(&str, &str)],
    ) -> Result<(u16, String), DoorError> {
        let mut request = Request::builder()
            .method(&method)
            .uri(format!("http://{}{path}", self.address))
            .header("origin", &self.origin);
        if method != Method::GET {
            request = request.header(REQUEST_HEADER, "1");
        }
        if method == Method::POST {
            request = request.header("content-type", "application/json");
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(serde_json::to_vec).transpose();
        let body = body.map_err(|error| DoorError::NoAnswer(Box::new(error.into())))?;
        let sent = match body.or_else(|| (method == Method::POST).then(Vec::new)) {
            Some(body) => request
                .body(body)
                .map_err(ureq::Error::from)
                .and_then(|r| self.agent.run(r)),
            None => request
                .body(())
                .map_err(ureq::Error::from)
                .and_then(|r| self.agent.run(r)),
        };
        let mut answer = sent.map_err(|error| DoorError::NoAnswer(Box::new(error)))?;
        let status = answer.status().as_u16();
        let text = answer.body_mut().read_to_string();
        let text = text.map_err(|error| DoorError::NoAnswer(Box::new(error)))?;
        if answer.status().is_success() {
            return Ok((status, text));
        }
        match serde_json::from_str::<ErrorBody>(&text) {
            Ok(error) => Err(DoorError::Refused {
                status,
                error: Box::new(error),
            }),
            Err(_) => Err(DoorError::Unexpected { status, text }),
        }
    }
}
