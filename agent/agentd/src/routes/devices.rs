//! Which devices there are.

use std::sync::Arc;

use agent_api::device::DeviceList;
use agent_api::error::ErrorBody;
use agent_core::effect::Answer;
use agent_core::event::Call;
use axum::extract::State;
use axum::{Extension, Json};

use super::{Office, caller, unexpected};
use crate::door::Visitor;
use crate::refusal::Refusal;
use crate::translate;

/// Lists the devices that the caller may see, those that cannot be used included, with the reason.
#[utoipa::path(
    get,
    path = "/v1/devices",
    tag = "devices",
    security(("counterToken" = [])),
    responses(
        (status = 200, description = "The devices.", body = DeviceList),
        (status = "4XX", description = "Refused.", body = ErrorBody),
    )
)]
pub(super) async fn devices(
    State(office): State<Arc<Office>>,
    visitor: Extension<Visitor>,
) -> Result<Json<DeviceList>, Refusal> {
    let Answer::Devices(view) = office.desk.ask(caller(visitor)?, Call::Devices).await? else {
        return Err(unexpected());
    };
    Ok(Json(translate::device::list(view)))
}
