//! The one way in which a request is refused.
//!
//! A refusal is decided anywhere (door, core, handler) and turned into words in one place, so that no
//! path can leak an internal message: the caller gets the sentences of `docs/errors.md` and a request id,
//! the log gets the rest.
//! Neither ever holds content of the request.

use agent_api::error::{Bilingual, ErrorBody};
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use device_api::FaultCode;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The stable code.
    pub code: FaultCode,
    /// For faults of a PIN: how many tries the card has left.
    pub tries_left: Option<u8>,
    /// For the caller: which part is wrong. Never repeats it.
    pub detail: Option<&'static str>,
    /// For the log: which check refused, and why.
    pub internal: Option<&'static str>,
    /// Where HTTP has a more exact status than the code's own.
    pub status: Option<StatusCode>,
}

impl Refusal {
    /// A refusal whose code says it all.
    #[must_use]
    pub const fn new(code: FaultCode) -> Self {
        Self {
            code,
            tries_left: None,
            detail: None,
            internal: None,
            status: None,
        }
    }

    /// Adds which part of the request is wrong, for the caller.
    #[must_use]
    pub const fn about(mut self, detail: &'static str) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Adds which check refused, for the log.
    #[must_use]
    pub const fn because(mut self, internal: &'static str) -> Self {
        self.internal = Some(internal);
        self
    }

    /// Answers with a more exact status.
    #[must_use]
    pub const fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status.unwrap_or_else(|| status_of(self.code))
    }

    /// What the caller is told.
    #[must_use]
    pub fn body(&self, request_id: &str) -> ErrorBody {
        error_body(self.code, self.tries_left, self.detail, request_id)
    }
}

impl From<agent_core::event::Refusal> for Refusal {
    fn from(refusal: agent_core::event::Refusal) -> Self {
        Self {
            tries_left: refusal.tries_left,
            detail: refusal.detail,
            ..Self::new(refusal.code)
        }
    }
}

impl IntoResponse for Refusal {
    /// An empty answer that carries the refusal to the place where all refusals get their words.
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.status();
        response.extensions_mut().insert(self);
        response
    }
}

/// The body of a refusal or a failed job.
#[must_use]
pub fn error_body(
    code: FaultCode,
    tries_left: Option<u8>,
    detail: Option<&str>,
    request_id: &str,
) -> ErrorBody {
    let text = code.text();
    ErrorBody {
        code: code.as_str().to_owned(),
        layer: code.layer().as_str().to_owned(),
        message: Bilingual {
            ja: text.ja.to_owned(),
            en: text.en.to_owned(),
        },
        next: Bilingual {
            ja: text.next_ja.to_owned(),
            en: text.next_en.to_owned(),
        },
        retry: code.retry().as_str().to_owned(),
        request_id: request_id.to_owned(),
        tries_left,
        detail: detail.map(str::to_owned),
    }
}

/// Gives a refusal its words. Everything that answers passes here.
/// `shown_id` is what the caller is told of the request id.
pub(crate) fn put_into_words(response: Response, shown_id: &str) -> Response {
    let Some(refusal) = of_response(&response) else {
        return response;
    };
    let body = serde_json::to_vec(&refusal.body(shown_id)).unwrap_or_default();
    let mut worded = Response::new(Body::from(body));
    *worded.status_mut() = refusal.status();
    worded.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    if let Some(allow) = response.headers().get(header::ALLOW) {
        worded.headers_mut().insert(header::ALLOW, allow.clone());
    }
    if refusal.code == FaultCode::DoorTooMany {
        worded
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    worded
}

/// The refusal that an answer carries, if it is one.
pub(crate) fn of_response(response: &Response) -> Option<Refusal> {
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    let told = || response.extensions().get::<Refusal>().cloned();
    refused.then(|| told().unwrap_or_else(|| of_router(status)))
}

/// Writes a refusal to the log.
pub(crate) fn note(refusal: &Refusal, request_id: &str, dropped: u32) {
    tracing::info!(
        request = request_id,
        fault = refusal.code.as_str(),
        why = refusal.internal.or(refusal.detail),
        dropped,
        "refused"
    );
}

/// What the router and its extractors refuse by themselves.
fn of_router(status: StatusCode) -> Refusal {
    let code = match status.as_u16() {
        404 => FaultCode::DoorNotFound,
        413 => FaultCode::DoorTooLarge,
        400..500 => FaultCode::DoorSchema,
        _ => FaultCode::AgentInternal,
    };
    Refusal::new(code).with_status(status)
}

fn status_of(code: FaultCode) -> StatusCode {
    match code {
        FaultCode::DoorHost => StatusCode::MISDIRECTED_REQUEST,
        FaultCode::DoorToken | FaultCode::DoorTokenExpired => StatusCode::UNAUTHORIZED,
        FaultCode::DoorOrigin
        | FaultCode::DoorContext
        | FaultCode::DoorNonce
        | FaultCode::DoorGrant => StatusCode::FORBIDDEN,
        FaultCode::DoorSchema | FaultCode::PinFormat => StatusCode::BAD_REQUEST,
        FaultCode::DoorTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        FaultCode::DoorTooMany => StatusCode::TOO_MANY_REQUESTS,
        FaultCode::DoorNotFound => StatusCode::NOT_FOUND,
        FaultCode::DoorGone => StatusCode::GONE,
        FaultCode::AgentInternal => StatusCode::INTERNAL_SERVER_ERROR,
        FaultCode::ServiceAbsent
        | FaultCode::ServiceLost
        | FaultCode::AuditUnavailable
        | FaultCode::HostDied
        | FaultCode::HostUnusable
        | FaultCode::HostNotAllowed
        | FaultCode::AgentLocked
        | FaultCode::AgentStopping => StatusCode::SERVICE_UNAVAILABLE,
        // What a device, a person or a paper stands in the way of fits another state than the present one.
        FaultCode::ReaderGone
        | FaultCode::ReaderBusy
        | FaultCode::ReaderDenied
        | FaultCode::ReaderHung
        | FaultCode::ReaderFailed
        | FaultCode::CardTimeout
        | FaultCode::CardRemoved
        | FaultCode::CardMute
        | FaultCode::CardInterrupted
        | FaultCode::CardUnknown
        | FaultCode::CardGarbled
        | FaultCode::CardRefused
        | FaultCode::PinWrong
        | FaultCode::PinBlocked
        | FaultCode::PinLastTry
        | FaultCode::PinUnknown
        | FaultCode::PinDeclined
        | FaultCode::PinTimeout
        | FaultCode::PinNoScreen
        | FaultCode::PinNoPad
        | FaultCode::DeviceGone
        | FaultCode::DeviceBusy
        | FaultCode::DeviceDenied
        | FaultCode::DeviceHung
        | FaultCode::DeviceFailed
        | FaultCode::DeviceUnsupported
        | FaultCode::ScannerTimeout
        | FaultCode::ScannerGarbled
        | FaultCode::ScannerTooLong
        | FaultCode::ScannerIncomplete
        | FaultCode::ScannerUntrusted
        | FaultCode::ScannerExpired
        | FaultCode::ScannerReplayed
        | FaultCode::SignatureDeclined
        | FaultCode::SignatureTimeout
        | FaultCode::SignatureEmpty
        | FaultCode::SignatureDocument
        | FaultCode::SignatureNoScreen
        | FaultCode::SignatureCalibration
        | FaultCode::PrinterPaperOut
        | FaultCode::PrinterPaperLow
        | FaultCode::PrinterCoverOpen
        | FaultCode::PrinterCutter
        | FaultCode::PrinterHot
        | FaultCode::PrinterOffline
        | FaultCode::PrinterWorn
        | FaultCode::PrinterUnknown
        | FaultCode::PrinterContent
        | FaultCode::PrinterDuplicate
        | FaultCode::PrinterRejected
        | FaultCode::DocumentNoPaper
        | FaultCode::DocumentJam
        | FaultCode::DocumentCoverOpen
        | FaultCode::DocumentGarbled
        | FaultCode::DocumentTooLarge
        | FaultCode::DocumentSettings
        | FaultCode::HandoverExists
        | FaultCode::HandoverUnmappable
        | FaultCode::HandoverTemplate
        | FaultCode::HandoverFolder
        | FaultCode::HandoverValue
        | FaultCode::KeystrokeFocus
        | FaultCode::KeystrokeAborted
        | FaultCode::KeystrokeUntypable
        | FaultCode::KeystrokeUnavailable
        | FaultCode::JobCancelled
        | FaultCode::JobDeadline
        | FaultCode::JobAbandoned
        | FaultCode::LeaseLost
        | FaultCode::DoorConflict => StatusCode::CONFLICT,
    }
}
