//! Exclusive use of a device.

use std::sync::Arc;
use std::time::Duration;

use agent_api::error::ErrorBody;
use agent_api::lease::{Lease, LeaseRequest, RenewalRequest};
use agent_core::effect::Answer;
use agent_core::event::Call;
use agent_core::ids::{LeaseId, SessionId};
use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};
use device_api::DeviceId;

use super::{Nothing, Office, Strict, caller, done, unexpected};
use crate::door::Visitor;
use crate::parcel::Parcel;
use crate::refusal::Refusal;
use crate::translate;

/// Takes a lease, or a place in the device's queue.
#[utoipa::path(
    post,
    path = "/v1/leases",
    tag = "leases",
    security(("counterToken" = [])),
    request_body = LeaseRequest,
    responses(
        (status = 200, description = "The lease, granted or waiting.", body = Lease),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn take(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Strict(request): Strict<LeaseRequest>,
) -> Result<Json<Lease>, Refusal> {
    let call = Call::TakeLease {
        device: DeviceId::new(request.device),
        ttl: ttl(request.ttl_ms),
        session: request.session.map(SessionId::new),
    };
    lease(office.desk.ask(caller(visitor)?, call).await?)
}

/// Looks at a lease.
#[utoipa::path(
    get,
    path = "/v1/leases/{id}",
    tag = "leases",
    params(("id" = String, Path, description = "The lease.")),
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The lease.", body = Lease),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn look(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Json<Lease>, Refusal> {
    lease(
        office
            .desk
            .ask(caller(visitor)?, Call::Lease(LeaseId::new(id)))
            .await?,
    )
}

/// Gives a lease back, or the place in the queue. Jobs under it are cancelled.
#[utoipa::path(
    delete,
    path = "/v1/leases/{id}",
    tag = "leases",
    params(("id" = String, Path, description = "The lease.")),
    security(("counterToken" = [])),
    responses(
        (status = 204, description = "It has ended."),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn release(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
    _nothing: Nothing,
) -> Result<Response, Refusal> {
    let Answer::Released = office
        .desk
        .ask(caller(visitor)?, Call::ReleaseLease(LeaseId::new(id)))
        .await?
    else {
        return Err(unexpected());
    };
    Ok(done())
}

/// Gives a lease more time: while others wait, not beyond ten minutes after it was granted.
#[utoipa::path(
    post,
    path = "/v1/leases/{id}/renewal",
    tag = "leases",
    params(("id" = String, Path, description = "The lease.")),
    security(("counterToken" = [])),
    request_body = RenewalRequest,
    responses(
        (status = 200, description = "The lease.", body = Lease),
        (status = 409, description = "Others wait for the device.", body = ErrorBody),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn renew(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
    Strict(request): Strict<RenewalRequest>,
) -> Result<Json<Lease>, Refusal> {
    let call = Call::RenewLease {
        lease: LeaseId::new(id),
        ttl: ttl(request.ttl_ms),
    };
    lease(office.desk.ask(caller(visitor)?, call).await?)
}

fn ttl(millis: u32) -> Duration {
    Duration::from_millis(u64::from(millis))
}

fn lease(answer: Answer<Parcel>) -> Result<Json<Lease>, Refusal> {
    let Answer::Lease(view) = answer else {
        return Err(unexpected());
    };
    Ok(Json(translate::api::lease(view)))
}
