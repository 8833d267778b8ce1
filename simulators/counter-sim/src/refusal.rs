//! How the simulator's HTTP surfaces say no: a status and one sentence.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::counter::CounterError;

/// A refusal.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: String,
}

#[derive(Serialize)]
struct Body {
    error: String,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self {
            status,
            error: error.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, Json(Body { error: self.error })).into_response()
    }
}

impl From<CounterError> for Refusal {
    fn from(error: CounterError) -> Self {
        let status = match &error {
            CounterError::NoSlot(_) | CounterError::NoCard(_) => StatusCode::NOT_FOUND,
            CounterError::Elsewhere(_)
            | CounterError::Occupied(_)
            | CounterError::Nothing(_)
            | CounterError::NoServiceOwner => StatusCode::CONFLICT,
            CounterError::Plan(_) => StatusCode::UNPROCESSABLE_ENTITY,
            CounterError::Image(_)
            | CounterError::ServiceOwner(_)
            | CounterError::Holders(_)
            | CounterError::Clock
            | CounterError::File { .. }
            | CounterError::Thread(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, error.to_string())
    }
}
