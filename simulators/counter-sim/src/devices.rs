//! The control surface of the devices that are no card readers: what a person does to them.
//!
//! | request | effect |
//! |---|---|
//! | `GET /devices` | how all of them stand |
//! | `POST /devices/{name}/act` `{action}` | what a person does, such as `takePaperOut` |
//! | `GET /devices/{name}/counters` | what the device has counted |
//! | `POST`, `DELETE /devices/{name}/faults` | a new plan; none |
//! | `GET /devices/printer/papers`, `/papers/{n}` | the papers; one as a PNG |
//! | `POST /devices/codeScanner/scan` `{text or base64, symbology}` | holds a code in front of the scanner |
//! | `POST /devices/tablet/pen` `{x, y, pressure}` or `null` | moves the pen, or takes it away |
//! | `POST /devices/tablet/play` `{trace or seed}` | writes a whole signature |
//! | `GET /devices/tablet/screen` | what is on its own screen, as a PNG |
//! | `POST /devices/documentScanner/sheets` `[sheet]` | puts paper into the feeder |
//! | `POST /devices/documentScanner/glass` `page` or `null` | lays a page on the glass |
//!
//! Names are `printer`, `codeScanner`, `tablet`, `documentScanner`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sim_peripherals::{
    FaultPlan, PageContent, PaperView, PenPoint, Peripherals, PeripheralsView, SheetContent,
    Symbology, Trace,
};

use crate::refusal::Refusal;

type Shared = State<Arc<Peripherals>>;
type Outcome = Result<StatusCode, Refusal>;

/// The routes.
pub(crate) fn routes(devices: Arc<Peripherals>) -> Router {
    Router::new()
        .route("/devices", get(all))
        .route("/devices/{name}/act", post(act))
        .route("/devices/{name}/counters", get(counters))
        .route("/devices/{name}/faults", post(plan).delete(calm))
        .route("/devices/printer/papers", get(papers))
        .route("/devices/printer/papers/{number}", get(paper))
        .route("/devices/codeScanner/scan", post(scan))
        .route("/devices/tablet/pen", post(pen))
        .route("/devices/tablet/play", post(play))
        .route("/devices/tablet/screen", get(screen))
        .route("/devices/documentScanner/sheets", post(sheets))
        .route("/devices/documentScanner/glass", post(glass))
        .with_state(devices)
}

/// One of the devices of this counter, or a refusal that says that it has none.
macro_rules! device {
    ($devices:expr, $name:ident) => {
        $devices
            .$name
            .as_ref()
            .ok_or_else(|| Refusal::new(StatusCode::NOT_FOUND, "this counter has no such device"))
    };
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Action {
    action: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Code {
    text: Option<String>,
    base64: Option<String>,
    #[serde(default)]
    symbology: Symbology,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Writing {
    trace: Option<Trace>,
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    pace: sim_peripherals::Pace,
}

async fn all(State(devices): Shared) -> Json<PeripheralsView> {
    Json(devices.view())
}

async fn act(
    State(devices): Shared,
    Path(name): Path<String>,
    Json(Action { action }): Json<Action>,
) -> Outcome {
    apart(move || {
        match name.as_str() {
            "printer" => device!(devices, printer)?.act(read(action)?),
            "codeScanner" => device!(devices, code_scanner)?.act(read(action)?),
            "tablet" => device!(devices, tablet)?.act(read(action)?),
            "documentScanner" => device!(devices, document_scanner)?.act(read(action)?),
            _unknown => return Err(unknown()),
        }
        .map_err(|error| Refusal::new(StatusCode::CONFLICT, error.to_string()))?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

async fn counters(State(devices): Shared, Path(name): Path<String>) -> Result<Response, Refusal> {
    Ok(match name.as_str() {
        "printer" => Json(device!(devices, printer)?.counters()).into_response(),
        "codeScanner" => Json(device!(devices, code_scanner)?.counters()).into_response(),
        "tablet" => Json(device!(devices, tablet)?.counters()).into_response(),
        "documentScanner" => Json(device!(devices, document_scanner)?.counters()).into_response(),
        _unknown => return Err(unknown()),
    })
}

async fn plan(
    State(devices): Shared,
    Path(name): Path<String>,
    Json(plan): Json<FaultPlan>,
) -> Outcome {
    disturb(&devices, &name, plan)
}

async fn calm(State(devices): Shared, Path(name): Path<String>) -> Outcome {
    disturb(&devices, &name, FaultPlan::default())
}

fn disturb(devices: &Peripherals, name: &str, plan: FaultPlan) -> Outcome {
    match name {
        "printer" => device!(devices, printer)?.plan_faults(plan),
        "codeScanner" => device!(devices, code_scanner)?.plan_faults(plan),
        "tablet" => device!(devices, tablet)?.plan_faults(plan),
        "documentScanner" => device!(devices, document_scanner)?.plan_faults(plan),
        _unknown => return Err(unknown()),
    }
    .map_err(|error| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn papers(State(devices): Shared) -> Result<Json<Vec<PaperView>>, Refusal> {
    Ok(Json(device!(devices, printer)?.papers()))
}

async fn paper(State(devices): Shared, Path(number): Path<u64>) -> Result<Response, Refusal> {
    let png = device!(devices, printer)?.paper_png(number);
    png.map(picture).ok_or_else(unknown)
}

async fn scan(State(devices): Shared, Json(code): Json<Code>) -> Result<Json<Value>, Refusal> {
    let bytes = match (code.text, code.base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(text)) => STANDARD
            .decode(text)
            .map_err(|_error| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, "not base64"))?,
        (Some(_), Some(_)) | (None, None) => {
            return Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "one of text and base64",
            ));
        }
    };
    let scanned = apart(move || {
        device!(devices, code_scanner)?
            .scan(&bytes, &code.symbology)
            .map_err(|error| Refusal::new(StatusCode::CONFLICT, error.to_string()))
    });
    Ok(Json(json!(scanned.await?)))
}

async fn pen(State(devices): Shared, Json(point): Json<Option<PenPoint>>) -> Outcome {
    apart(move || {
        device!(devices, tablet)?
            .pen(point)
            .map_err(|error| Refusal::new(StatusCode::CONFLICT, error.to_string()))?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

async fn play(State(devices): Shared, Json(writing): Json<Writing>) -> Outcome {
    let seed = writing.seed;
    let trace = writing
        .trace
        .unwrap_or_else(|| Trace::signature(seed, 4, 40));
    apart(move || {
        device!(devices, tablet)?
            .play(&trace, writing.pace)
            .map_err(|error| Refusal::new(StatusCode::CONFLICT, error.to_string()))?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

async fn screen(State(devices): Shared) -> Result<Response, Refusal> {
    let png = device!(devices, tablet)?.screen_png();
    png.map(picture).ok_or_else(unknown)
}

async fn sheets(State(devices): Shared, Json(sheets): Json<Vec<SheetContent>>) -> Outcome {
    device!(devices, document_scanner)?.insert(sheets);
    Ok(StatusCode::NO_CONTENT)
}

async fn glass(State(devices): Shared, Json(page): Json<Option<PageContent>>) -> Outcome {
    device!(devices, document_scanner)?.lay_on_glass(page);
    Ok(StatusCode::NO_CONTENT)
}

fn picture(png: Vec<u8>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "image/png"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, png).into_response()
}

fn unknown() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "there is no such thing")
}

fn read<T: DeserializeOwned>(action: Value) -> Result<T, Refusal> {
    serde_json::from_value(action)
        .map_err(|error| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()))
}

/// Does what may block on a thread that may.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => {
            tracing::error!(%error, "a request's thread ended");
            Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the request could not be finished",
            ))
        }
    }
}
