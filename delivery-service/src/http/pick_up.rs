//! `POST /delivery/pickedup`: a courier has the order, or all that are ready.

use actions::{Changed, Target};
use axum::extract::State;
use messaging::Store;
use service::{
    Problem,
    extract::{Json, OptionalJson},
};

use super::step::PICK_UP;

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
    State(store): State<Store>,
    target: OptionalJson<Target>,
) -> Result<Json<Changed>, Problem> {
    Changed::by(PICK_UP, &store, target).await
}
