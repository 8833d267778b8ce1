//! Who answers, the proof of it, and nonces.

use std::sync::Arc;

use agent_api::API_VERSION;
use agent_api::error::ErrorBody;
use agent_api::hello::{Hello, Proof, ProofRequest};
use agent_api::token::Nonce;
use agent_core::effect::Answer;
use agent_core::event::Call;
use axum::extract::State;
use axum::{Extension, Json};

use super::{Nothing, Office, Strict, caller, unexpected};
use crate::door::Visitor;
use crate::refusal::Refusal;
use crate::translate::api::millis;

/// Says that an agent is here and which versions it speaks; needs no token and always says the same.
#[utoipa::path(
    get,
    path = "/v1/hello",
    tag = "agent",
    responses(
        (status = 200, description = "The agent is here.", body = Hello),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn hello() -> Json<Hello> {
    Json(Hello {
        protocol: "madoguchi-agent".to_owned(),
        versions: vec![API_VERSION],
    })
}

/// Signs a challenge, so that the caller's backend knows which agent it speaks to; needs no token.
#[utoipa::path(
    post,
    path = "/v1/proofs",
    tag = "agent",
    request_body = ProofRequest,
    responses(
        (status = 200, description = "The proof.", body = Proof),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn prove(
    State(office): State<Arc<Office>>,
    Extension(visitor): Extension<Visitor>,
    Strict(request): Strict<ProofRequest>,
) -> Result<Json<Proof>, Refusal> {
    office.identity.prove(&request, &visitor.origin).map(Json)
}

/// Gives a nonce for one privileged call.
#[utoipa::path(
    post,
    path = "/v1/nonces",
    tag = "agent",
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The nonce.", body = Nonce),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn nonce(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    _nothing: Nothing,
) -> Result<Json<Nonce>, Refusal> {
    let answer = office.desk.ask(caller(visitor)?, Call::NewNonce).await?;
    let Answer::Nonce { nonce, expires_in } = answer else {
        return Err(unexpected());
    };
    Ok(Json(Nonce {
        nonce,
        expires_in_ms: millis(expires_in),
    }))
}
