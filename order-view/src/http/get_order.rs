//! `GET /orders/{id}?atLeast=`: one order, at least at this version.

use std::time::Duration;

use axum::extract::State;
use contracts::OrderId;
use garde::Validate;
use serde::Deserialize;
use service::{
    Problem,
    extract::{Json, Path, Query},
};
use utoipa::IntoParams;

use super::{View, order::Order};
use crate::{domain::OrderView, store};

/// When to ask again for a version that did not come in time.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How fresh the answer must be.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Freshness {
    /// The version of the order that the answer must show at least, as a write returned it.
    #[garde(inner(range(min = 1)))]
    at_least: Option<i64>,
}

/// One order.
///
/// With `atLeast` it waits, within a bound, until that version has arrived here.
#[utoipa::path(
    get,
    path = "/orders/{orderId}",
    tag = "orders",
    params(("orderId" = OrderId, Path), Freshness),
    responses(
        (status = OK, body = Order),
        (status = NOT_FOUND, body = Problem, description = "nothing has been told of this order"),
        (status = SERVICE_UNAVAILABLE, body = Problem, description = "the version did not arrive in time: ask again"),
        (status = "4XX", body = Problem)
    )
)]
pub(super) async fn get_order(
    State(view): State<View>,
    Path(order): Path<OrderId>,
    Query(Freshness { at_least }): Query<Freshness>,
) -> Result<Json<Order>, Problem> {
    let wanted = at_least.unwrap_or(0);
    let found = wait(&view, order, wanted).await?;
    let version = found.as_ref().map_or(0, |found| found.order.version());
    if version < wanted {
        let detail =
            format!("order {order} is at version {version} here, not yet at {wanted}: ask again");
        return Err(Problem::unavailable(detail, RETRY_AFTER));
    }
    let found = found.and_then(Order::of);
    found
        .map(Json)
        .ok_or_else(|| Problem::not_found(format!("nothing has been told of order {order}")))
}

/// Looks until the order has the version, or time is up.
async fn wait(view: &View, order: OrderId, version: i64) -> Result<Option<OrderView>, Problem> {
    let found = store::find(&view.db, order).await?;
    if version == 0 || reaches(found.as_ref(), version) {
        return Ok(found);
    }
    let mut place = view.waiters.wait_for(order);
    let found = store::find(&view.db, order).await?;
    if reaches(found.as_ref(), version) {
        return Ok(found);
    }
    // Only the waiting is cut short, never the reading.
    let _ = tokio::time::timeout(view.patience, place.reaches(version)).await;
    Ok(store::find(&view.db, order).await?)
}

fn reaches(found: Option<&OrderView>, version: i64) -> bool {
    found.is_some_and(|found| found.order.version() >= version)
}
