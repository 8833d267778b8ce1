//! The routes of the API, and the document that describes them.
//!
//! Router and document are built from the same list, so that a route cannot exist in only one of them.
//! There is no route, and none may be added, that takes raw card commands, a file path or an address to
//! fetch (defences D14, D15).
//! A handler translates and asks the core; it decides nothing.

mod devices;
mod documents;
mod events;
mod hello;
mod jobs;
mod leases;
mod pin_screens;

use std::sync::Arc;

use agent_api::error::ErrorBody;
use agent_core::access::Caller;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Router};
use device_api::FaultCode;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use crate::door::{Door, Visitor};
use crate::identity::Identity;
use crate::input::Desk;
use crate::limits::{BODY_TIMEOUT, MAX_BODY};
use crate::refusal::Refusal;
use crate::socket;

/// What handlers work with.
#[derive(Debug)]
pub struct Office {
    /// The way to the core.
    pub desk: Desk,
    /// The door, for tokens that come in messages.
    pub door: Arc<Door>,
    /// Who the agent is.
    pub identity: Identity,
    /// Where the PIN page is served.
    pub pin_address: String,
}

/// The router and its document.
pub fn router() -> (Router<Arc<Office>>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(hello::hello))
        .routes(routes!(hello::prove))
        .routes(routes!(hello::nonce))
        .routes(routes!(devices::devices))
        .routes(routes!(documents::hand_in))
        .routes(routes!(documents::take))
        .routes(routes!(leases::take))
        .routes(routes!(leases::look, leases::release))
        .routes(routes!(leases::renew))
        .routes(routes!(jobs::start))
        .routes(routes!(jobs::look, jobs::cancel))
        .routes(routes!(jobs::answer))
        .routes(routes!(jobs::take_result))
        .routes(routes!(pin_screens::list, pin_screens::pair))
        .routes(routes!(pin_screens::unpair))
        .routes(routes!(events::events))
        .split_for_parts()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Madoguchi agent, local API",
        description = "The API between a counter application and the agent on the same machine. \
                       Messages of `GET /v1/events` are described by the AsyncAPI document."
    ),
    components(schemas(ErrorBody)),
    modifiers(&CounterToken)
)]
struct Description;

struct CounterToken;

impl utoipa::Modify for CounterToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "A counter token, signed by the application's backend.",
            ))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("counterToken", SecurityScheme::Http(scheme));
    }
}

/// The whole body, where it comes in time; a peer that sends it slowly holds nothing for long.
async fn body_of(request: Request) -> Result<Bytes, Refusal> {
    let late = Refusal::new(FaultCode::DoorSchema)
        .with_status(StatusCode::REQUEST_TIMEOUT)
        .about("the body did not come in time");
    let read = timeout(BODY_TIMEOUT, to_bytes(request.into_body(), MAX_BODY)).await;
    read.map_err(|_elapsed| late)?
        .map_err(|_error| Refusal::new(FaultCode::DoorTooLarge))
}

/// A body of JSON, read strictly and erased.
#[derive(Debug)]
struct Strict<T>(T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Strict<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let bytes = body_of(request).await?;
        socket::read(bytes).map(Self)
    }
}

/// No body, or an empty object.
#[derive(Debug)]
struct Nothing;

impl<S: Send + Sync> FromRequest<S> for Nothing {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let bytes = body_of(request).await?;
        if bytes.is_empty() || bytes.as_ref() == b"{}" {
            return Ok(Self);
        }
        Err(Refusal::new(FaultCode::DoorSchema).about("this call takes no body"))
    }
}

/// Who calls. The door lets nobody to such a route without a token, so the refusal here is never seen; it
/// stands in the place of a panic.
fn caller(Extension(visitor): Extension<Visitor>) -> Result<Caller, Refusal> {
    visitor
        .caller
        .ok_or(Refusal::new(FaultCode::DoorToken).because("route without a caller"))
}

/// The core answered something that does not belong to the question: a defect of ours.
fn unexpected() -> Refusal {
    Refusal::new(FaultCode::AgentInternal).because("the core's answer does not fit the question")
}

/// Lends its bytes to the connection and erases them when the last loan ends.
struct Erased(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Erased {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// An answer without content.
fn done() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

#[cfg(test)]
mod tests;
