//! `POST /delivery/pickedup`: a courier has the order, or all that are ready.

use actions::{Actions, Changed, Target};
use axum::extract::State;
use service::{
    Problem,
    extract::{Json, OptionalJson},
};

use super::step::{PICK_UP, Step};

/// A courier has the order; without a body, every one that is READY.
///
/// Repeating it changes nothing and succeeds.
#[utoipa::path(
    post,
    path = "/delivery/pickedup",
    tag = "delivery",
    request_body = Option<Target>,
    responses(
        (status = OK, body = Changed),
        (status = NOT_FOUND, body = Problem, description = "the order is not cooked yet, or unknown"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn pick_up(
    State(actions): State<Actions<Step>>,
    target: OptionalJson<Target>,
) -> Result<Json<Changed>, Problem> {
    Changed::by(PICK_UP, &actions, target).await
}
