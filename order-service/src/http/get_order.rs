//! `GET /orders/{id}`: the order as its owner knows it.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{
    CustomerId, Money, OrderId, OrderItem, OrderState, Rejection, RestaurantId, TicketId,
};
use messaging::Store;
use serde::Serialize;
use service::{
    Problem,
    extract::{Json, Path},
};
use utoipa::ToSchema;

use super::no_order;
use crate::{domain::Order, store};

/// An order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderView {
    order_id: OrderId,
    state: OrderState,
    version: i64,
    customer_id: CustomerId,
    restaurant_id: RestaurantId,
    items: Vec<OrderItem>,
    /// Once the restaurant has made one.
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket_id: Option<TicketId>,
    /// Once the restaurant has priced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
    /// Who refused it and why, where somebody did.
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<Rejection>,
    created_at: DateTime<Utc>,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self {
            order_id: order.id,
            state: order.state,
            version: order.version,
            customer_id: order.customer_id,
            restaurant_id: order.restaurant_id,
            items: order.items.to_vec(),
            ticket_id: order.ticket_id,
            total: order.total,
            rejection: order.rejection,
            created_at: order.created_at,
        }
    }
}

/// The order as it is now.
#[utoipa::path(
    get,
    path = "/orders/{id}",
    tag = "orders",
    params(("id" = OrderId, Path)),
    responses((status = OK, body = OrderView), (status = "4XX", body = Problem))
)]
pub(super) async fn get_order(
    State(store): State<Store>,
    Path(id): Path<OrderId>,
) -> Result<Json<OrderView>, Problem> {
    let order = store::find(store.db(), id).await?;
    let order = order.ok_or_else(|| no_order(id))?;
    Ok(Json(order.into()))
}
