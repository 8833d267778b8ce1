//! Jobs: started, followed, answered, cancelled; their result taken once.

use std::sync::Arc;

use agent_api::error::ErrorBody;
use agent_api::job::{Job, JobAnswer, JobRequest, JobResult};
use agent_core::effect::Answer;
use agent_core::event::Call;
use agent_core::ids::JobId;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use device_api::FaultCode;
use zeroize::Zeroizing;

use super::{Erased, Nothing, Office, Strict, caller, unexpected};
use crate::door::Visitor;
use crate::parcel::Parcel;
use crate::refusal::Refusal;
use crate::translate;

/// The header that names an attempt.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest key; a UUID has 36 characters.
const MAX_KEY: usize = 64;

/// Starts a job. The same `Idempotency-Key` again returns the same job and starts nothing.
#[utoipa::path(
    post,
    path = "/v1/jobs",
    tag = "jobs",
    params((
        "Idempotency-Key" = String, Header,
        description = "Names the attempt: 1 to 64 visible ASCII characters."
    )),
    security(("counterToken" = [])),
    request_body = JobRequest,
    responses(
        (status = 201, description = "A new job.", body = Job),
        (status = 200, description = "The job that this key named before.", body = Job),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn start(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    headers: HeaderMap,
    Strict(request): Strict<JobRequest>,
) -> Result<Response, Refusal> {
    if let Some(part) = translate::work::wrong_part(&request.task) {
        return Err(Refusal::new(FaultCode::DoorSchema).about(part));
    }
    let call = translate::api::start_job(key(&headers)?, request);
    let Answer::Started { job, new } = office.desk.ask(caller(visitor)?, call).await? else {
        return Err(unexpected());
    };
    let status = if new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, Json(translate::api::job(*job))).into_response())
}

/// Looks at a job.
#[utoipa::path(
    get,
    path = "/v1/jobs/{id}",
    tag = "jobs",
    params(("id" = String, Path, description = "The job.")),
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The job.", body = Job),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn look(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
) -> Result<Json<Job>, Refusal> {
    job(office
        .desk
        .ask(caller(visitor)?, Call::Job(JobId::new(id)))
        .await?)
}

/// Cancels a job. It still ends by an event.
#[utoipa::path(
    delete,
    path = "/v1/jobs/{id}",
    tag = "jobs",
    params(("id" = String, Path, description = "The job.")),
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The job as it stands now.", body = Job),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn cancel(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
    _nothing: Nothing,
) -> Result<Json<Job>, Refusal> {
    job(office
        .desk
        .ask(caller(visitor)?, Call::CancelJob(JobId::new(id)))
        .await?)
}

/// Answers a job's question.
#[utoipa::path(
    post,
    path = "/v1/jobs/{id}/answers",
    tag = "jobs",
    params(("id" = String, Path, description = "The job.")),
    security(("counterToken" = [])),
    request_body = JobAnswer,
    responses(
        (status = 200, description = "The job as it stands now.", body = Job),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn answer(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
    Strict(given): Strict<JobAnswer>,
) -> Result<Json<Job>, Refusal> {
    let (ask, answer) = translate::api::answer(given);
    let call = Call::AnswerJob {
        job: JobId::new(id),
        ask,
        answer,
    };
    job(office.desk.ask(caller(visitor)?, call).await?)
}

/// Takes the result of a job that succeeded: once, by the member of staff who started it, with a token
/// that permits starting it, and while the event session lives to which its lease was bound.
#[utoipa::path(
    post,
    path = "/v1/jobs/{id}/result",
    tag = "jobs",
    params(("id" = String, Path, description = "The job.")),
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The result.", body = JobResult),
        (status = 410, description = "It was taken before, or its time or session is over.", body = ErrorBody),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn take_result(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
    _nothing: Nothing,
) -> Result<Response, Refusal> {
    let Answer::Result(sealed) = office
        .desk
        .ask(caller(visitor)?, Call::TakeResult(JobId::new(id)))
        .await?
    else {
        return Err(unexpected());
    };
    let Parcel::Result(result) = sealed.open() else {
        return Err(unexpected());
    };
    Ok(hand_over(&result))
}

fn job(answer: Answer<Parcel>) -> Result<Json<Job>, Refusal> {
    let Answer::Job(view) = answer else {
        return Err(unexpected());
    };
    Ok(Json(translate::api::job(*view)))
}

/// The body is erased once it has been written to the connection.
fn hand_over(result: &JobResult) -> Response {
    // Room for any ordinary result, so that no unerased copy is left behind by growing.
    let mut json = Zeroizing::new(Vec::with_capacity(16 * 1024));
    if serde_json::to_writer(&mut *json, result).is_err() {
        return Refusal::new(FaultCode::AgentInternal).into_response();
    }
    let mut response = Response::new(Body::from(Bytes::from_owner(Erased(json))));
    let json_type = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, json_type);
    response
}

fn key(headers: &HeaderMap) -> Result<String, Refusal> {
    let wrong = Refusal::new(FaultCode::DoorSchema)
        .about("header Idempotency-Key: once, 1 to 64 visible ASCII characters");
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return Err(wrong);
    };
    let key = key.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > MAX_KEY || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong);
    }
    Ok(key.to_owned())
}
