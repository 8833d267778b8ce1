//! Documents: handed in for a job, taken out once.

use std::sync::Arc;

use agent_api::document::{KeptDocument, MAX_DOCUMENT};
use agent_api::error::ErrorBody;
use agent_core::Sealed;
use agent_core::effect::Answer;
use agent_core::event::Call;
use agent_core::ids::DocumentId;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use device_api::FaultCode;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Erased, Nothing, Office, caller, unexpected};
use crate::door::{DOCUMENT_TYPES, Visitor};
use crate::keeping;
use crate::limits::DOCUMENT_TIMEOUT;
use crate::parcel::{Content, Parcel};
use crate::refusal::Refusal;
use crate::socket;

/// Hands in a document, which is kept in memory until a job uses it up or its time is over.
/// The first bytes must be those of its type.
#[utoipa::path(
    post,
    path = "/v1/documents",
    tag = "documents",
    security(("counterToken" = [])),
    request_body(
        content((Vec<u8> = "application/pdf"), (Vec<u8> = "image/png")),
        description = "The document, at most 32 MiB."
    ),
    responses(
        (status = 201, description = "The document.", body = KeptDocument),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn hand_in(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    HandedIn(content): HandedIn,
) -> Result<Response, Refusal> {
    let facts = keeping::facts("document", &content);
    let call = Call::KeepDocument {
        facts,
        content: Sealed::new(Parcel::Content(content)),
    };
    let Answer::Document { id, facts, .. } = office.desk.ask(caller(visitor)?, call).await? else {
        return Err(unexpected());
    };
    Ok((StatusCode::CREATED, Json(keeping::told(&id, &facts))).into_response())
}

/// Takes a document that a job made: once, by the member of staff who started the job, with a token that
/// permits starting it.
#[utoipa::path(
    post,
    path = "/v1/documents/{id}/take",
    tag = "documents",
    params(("id" = String, Path, description = "The document.")),
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The document.", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn take(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
    _nothing: Nothing,
) -> Result<Response, Refusal> {
    let call = Call::TakeDocument(DocumentId::new(id));
    let Answer::Content { facts, content } = office.desk.ask(caller(visitor)?, call).await? else {
        return Err(unexpected());
    };
    let Parcel::Content(content) = content.open() else {
        return Err(unexpected());
    };
    let mut response = Response::new(Body::from(Bytes::from_owner(Erased(content.bytes))));
    let media_type = HeaderValue::from_str(&facts.media_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    Ok(response)
}

/// A document in the body of a request, erased when it is dropped.
#[derive(Debug)]
pub(super) struct HandedIn(Content);

impl<S: Send + Sync> FromRequest<S> for HandedIn {
    type Rejection = Refusal;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        let media_type = media_type(request.headers())?;
        let late = Refusal::new(FaultCode::DoorSchema)
            .with_status(StatusCode::REQUEST_TIMEOUT)
            .about("the document did not come in time");
        let read = timeout(
            DOCUMENT_TIMEOUT,
            to_bytes(request.into_body(), MAX_DOCUMENT),
        )
        .await;
        let bytes = read
            .map_err(|_elapsed| late)?
            .map_err(|_error| Refusal::new(FaultCode::DoorTooLarge))?;
        if !begins_as(media_type, &bytes) {
            return Err(Refusal::new(FaultCode::DoorSchema).about("the body is not of its type"));
        }
        let kept = Zeroizing::new(bytes.to_vec());
        socket::erase(bytes);
        Ok(Self(Content {
            media_type: media_type.to_owned(),
            bytes: kept,
        }))
    }
}

/// The door has checked it; anything else is refused here too.
fn media_type(headers: &HeaderMap) -> Result<&'static str, Refusal> {
    let given = headers.get(header::CONTENT_TYPE);
    let known = DOCUMENT_TYPES
        .into_iter()
        .find(|known| given.is_some_and(|given| given.as_bytes() == known.as_bytes()));
    known.ok_or(Refusal::new(FaultCode::DoorSchema).about("content-type"))
}

/// PDF: ISO 32000-1, 7.5.2. PNG: W3C PNG, 5.2.
fn begins_as(media_type: &str, bytes: &[u8]) -> bool {
    match media_type {
        "application/pdf" => bytes.starts_with(b"%PDF-"),
        _png => bytes.starts_with(b"\x89PNG\r\n\x1a\n"),
    }
}
