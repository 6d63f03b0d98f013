//! `POST /delivery/complete`: the customer has the order, or all customers have theirs.

use actions::{Actions, Changed, Target};
use axum::extract::State;
use service::{
    Problem,
    extract::{Json, OptionalJson},
};

use super::step::{COMPLETE, Step};

/// The customer has the order; without a body, every one that is PICKEDUP was handed over.
///
/// Repeating it changes nothing and succeeds.
#[utoipa::path(
    post,
    path = "/delivery/complete",
    tag = "delivery",
    request_body = Option<Target>,
    responses(
        (status = OK, body = Changed),
        (status = NOT_FOUND, body = Problem, description = "the order is not cooked yet, or unknown"),
        (status = CONFLICT, body = Problem, description = "the order was not picked up"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn complete(
    State(actions): State<Actions<Step>>,
    target: OptionalJson<Target>,
) -> Result<Json<Changed>, Problem> {
    Changed::by(COMPLETE, &actions, target).await
}
