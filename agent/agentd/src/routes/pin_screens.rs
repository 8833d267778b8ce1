//! The citizen's PIN screens of the caller's counter.

use std::sync::Arc;

use agent_api::error::ErrorBody;
use agent_api::screen::{PairRequest, PinScreenList};
use agent_core::access::Caller;
use agent_core::effect::Answer;
use agent_core::event::Call;
use agent_core::ids::ScreenId;
use axum::extract::{Path, State};
use axum::{Extension, Json};

use super::{Nothing, Office, Strict, caller, unexpected};
use crate::door::Visitor;
use crate::parcel::Parcel;
use crate::refusal::Refusal;
use crate::translate;

/// Lists the PIN screens that are paired with the caller's counter.
#[utoipa::path(
    get,
    path = "/v1/pin-screens",
    tag = "pin screens",
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The screens.", body = PinScreenList),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn list(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
) -> Result<Json<PinScreenList>, Refusal> {
    ask(&office, caller(visitor)?, Call::PinScreens).await
}

/// Pairs the screen that shows a code with the caller's counter.
#[utoipa::path(
    post,
    path = "/v1/pin-screens",
    tag = "pin screens",
    security(("counterToken" = [])),
    request_body = PairRequest,
    responses(
        (status = 200, description = "The screens of the counter, the new one included.", body = PinScreenList),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn pair(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Strict(request): Strict<PairRequest>,
) -> Result<Json<PinScreenList>, Refusal> {
    ask(
        &office,
        caller(visitor)?,
        Call::PairScreen { code: request.code },
    )
    .await
}

/// Ends a pairing of the caller's counter.
#[utoipa::path(
    delete,
    path = "/v1/pin-screens/{id}",
    tag = "pin screens",
    params(("id" = String, Path, description = "The screen.")),
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The screens that are left.", body = PinScreenList),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn unpair(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
    Path(id): Path<String>,
    _nothing: Nothing,
) -> Result<Json<PinScreenList>, Refusal> {
    ask(
        &office,
        caller(visitor)?,
        Call::UnpairScreen(ScreenId::new(id)),
    )
    .await
}

async fn ask(
    office: &Office,
    caller: Caller,
    call: Call<Parcel>,
) -> Result<Json<PinScreenList>, Refusal> {
    let Answer::PinScreens(views) = office.desk.ask(caller, call).await? else {
        return Err(unexpected());
    };
    Ok(Json(translate::api::pin_screens(
        views,
        &office.pin_address,
    )))
}
