//! `GET /delivery/ready`: what waits for a courier.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{DeliveryId, DeliveryState, OrderId, RestaurantId};
use garde::Validate;
use messaging::Store;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
};
use utoipa::{IntoParams, ToSchema};

use crate::{domain::Delivery, store};

/// Which page to list.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// The `next` of the page before.
    #[garde(skip)]
    cursor: Option<OrderId>,
    /// How many at most.
    #[garde(range(min = 1, max = 500))]
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: u64,
}

const fn default_limit() -> u64 {
    100
}

/// A page of deliveries, by order id: the oldest orders first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Deliveries {
    deliveries: Vec<DeliveryView>,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<OrderId>,
}

/// The way of one order to its customer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryView {
    order_id: OrderId,
    delivery_id: DeliveryId,
    /// Where to pick it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    restaurant_id: Option<RestaurantId>,
    state: DeliveryState,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Delivery> for DeliveryView {
    fn from(delivery: Delivery) -> Self {
        Self {
            order_id: delivery.order_id,
            delivery_id: delivery.delivery_id,
            restaurant_id: delivery.restaurant_id,
            state: delivery.state,
            version: delivery.version,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
        }
    }
}

/// What waits for a courier.
#[utoipa::path(
    get,
    path = "/delivery/ready",
    tag = "delivery",
    params(Page),
    responses((status = OK, body = Deliveries), (status = "4XX", body = Problem))
)]
pub(super) async fn list_ready(
    State(store): State<Store>,
    Query(Page { cursor, limit }): Query<Page>,
) -> Result<Json<Deliveries>, Problem> {
    let deliveries = store::list_ready(store.db(), cursor, limit).await?;
    let full = deliveries.len() as u64 == limit;
    let last = deliveries.last().map(|delivery| delivery.order_id);
    let deliveries = deliveries.into_iter().map(DeliveryView::from).collect();
    Ok(Json(Deliveries {
        deliveries,
        next: last.filter(|_| full),
    }))
}
