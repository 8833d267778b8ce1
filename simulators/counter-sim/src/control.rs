//! The control surface: what the bench page and tests do to cards and slots.
//!
//! | request | effect |
//! |---|---|
//! | `GET /cards` | all cards, with the PINs and verification numbers B to type |
//! | `GET /cards/{id}/tries`, `DELETE` | tries left; back to the card's first day |
//! | `GET /slots` | all slots |
//! | `POST /slots/{n}/insert` `{holder}` | puts a card down |
//! | `POST /slots/{n}/lift` | lifts it |
//! | `GET`, `POST`, `DELETE /slots/{n}/faults` | faults not over yet; a new plan; none |
//! | `GET /slots/{n}/counters`, `/exchanges` | what the card received |
//! | `POST /counters/reset` | forgets it |
//! | `POST /service/kill` | has the card service's owner kill it |
//! | `PUT /delay` `{ms}` | time per command |
//! | `GET /agent`, `PUT` `{address, id}` | the agent that the counter application uses |
//! | `GET /bench`, `/bench/devices` | the bench of cards, and that of the other devices |
//!
//! The devices that are no card readers have routes of their own: [`crate::devices`].

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::middleware;
use axum::response::Redirect;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use sim_cards::Tries;
use sim_kit::{Counters, Exchange, Fault, FaultPlan, SlotState};
use sim_peripherals::Peripherals;

use crate::bench;
use crate::counter::{CardView, Counter, CounterError};
use crate::devices;
use crate::local_only::{Port, local_only};
use crate::refusal::Refusal;
use crate::settings::Agent;

type Shared = State<Arc<Counter>>;

/// The routes, for a listener on `port`.
pub(crate) fn routes(counter: Arc<Counter>, devices: Arc<Peripherals>, port: Port) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::temporary("/bench") }))
        .route("/bench", get(bench::cards))
        .route("/bench/devices", get(bench::devices))
        .route("/cards", get(cards))
        .route("/cards/{id}/tries", get(tries).delete(start_over))
        .route("/slots", get(slots))
        .route("/slots/{n}/insert", post(insert))
        .route("/slots/{n}/lift", post(lift))
        .route(
            "/slots/{n}/faults",
            get(faults).post(plan_faults).delete(clear_faults),
        )
        .route("/slots/{n}/counters", get(counters))
        .route("/slots/{n}/exchanges", get(exchanges))
        .route("/counters/reset", post(reset_counters))
        .route("/service/kill", post(kill_service))
        .route("/delay", put(set_delay))
        .route("/agent", get(agent).put(set_agent))
        .with_state(counter)
        .merge(devices::routes(devices))
        .layer(middleware::from_fn_with_state(port, local_only))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Insertion {
    holder: String,
}

#[derive(Serialize)]
struct Lifted {
    holder: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    ms: u64,
}

async fn cards(State(counter): Shared) -> Json<Vec<CardView>> {
    Json(counter.cards())
}

async fn tries(State(counter): Shared, Path(id): Path<String>) -> Result<Json<Tries>, Refusal> {
    apart(counter, move |counter| counter.tries(&id))
        .await
        .map(Json)
}

async fn start_over(
    State(counter): Shared,
    Path(id): Path<String>,
) -> Result<Json<Tries>, Refusal> {
    apart(counter, move |counter| counter.start_over(&id))
        .await
        .map(Json)
}

async fn slots(State(counter): Shared) -> Json<Vec<SlotState>> {
    Json(counter.slots())
}

async fn insert(
    State(counter): Shared,
    Path(slot): Path<usize>,
    Json(insertion): Json<Insertion>,
) -> Result<Json<SlotState>, Refusal> {
    apart(counter, move |counter| {
        counter.insert(slot, &insertion.holder)
    })
    .await
    .map(Json)
}

async fn lift(State(counter): Shared, Path(slot): Path<usize>) -> Result<Json<Lifted>, Refusal> {
    let holder = apart(counter, move |counter| counter.lift(slot)).await?;
    Ok(Json(Lifted { holder }))
}

async fn faults(
    State(counter): Shared,
    Path(slot): Path<usize>,
) -> Result<Json<Vec<Fault>>, Refusal> {
    Ok(Json(counter.slot(slot)?.faults()))
}

async fn plan_faults(
    State(counter): Shared,
    Path(slot): Path<usize>,
    Json(plan): Json<FaultPlan>,
) -> Result<StatusCode, Refusal> {
    counter.plan_faults(slot, plan)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clear_faults(
    State(counter): Shared,
    Path(slot): Path<usize>,
) -> Result<StatusCode, Refusal> {
    counter.plan_faults(slot, FaultPlan::default())?;
    Ok(StatusCode::NO_CONTENT)
}

async fn counters(
    State(counter): Shared,
    Path(slot): Path<usize>,
) -> Result<Json<Counters>, Refusal> {
    Ok(Json(counter.slot(slot)?.counters()))
}

async fn exchanges(
    State(counter): Shared,
    Path(slot): Path<usize>,
) -> Result<Json<Vec<Exchange>>, Refusal> {
    Ok(Json(counter.slot(slot)?.exchanges()))
}

async fn reset_counters(State(counter): Shared) -> StatusCode {
    counter.reset_counters();
    StatusCode::NO_CONTENT
}

async fn kill_service(State(counter): Shared) -> Result<StatusCode, Refusal> {
    apart(counter, Counter::kill_service).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_delay(State(counter): Shared, Json(delay): Json<Delay>) -> StatusCode {
    counter.set_delay(Duration::from_millis(delay.ms));
    StatusCode::NO_CONTENT
}

async fn agent(State(counter): Shared) -> Json<Agent> {
    Json(counter.agent())
}

async fn set_agent(State(counter): Shared, Json(agent): Json<Agent>) -> StatusCode {
    counter.set_agent(agent);
    StatusCode::NO_CONTENT
}

/// Does what may block on a thread that may.
async fn apart<T: Send + 'static>(
    counter: Arc<Counter>,
    work: impl FnOnce(&Counter) -> Result<T, CounterError> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(move || work(&counter)).await {
        Ok(result) => result.map_err(Refusal::from),
        Err(error) => {
            tracing::error!(%error, "a request's thread ended");
            Err(Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the request could not be finished",
            ))
        }
    }
}
