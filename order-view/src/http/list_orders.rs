//! `GET /orders`: orders of a customer, of a restaurant, in a state.

use axum::extract::State;
use contracts::{CustomerId, OrderId, OrderState, RestaurantId};
use garde::Validate;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
};
use utoipa::{IntoParams, ToSchema};

use super::{View, order::Order};
use crate::store;

/// Which orders to list. All that is given must fit.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those of this customer.
    #[garde(skip)]
    customer_id: Option<CustomerId>,
    /// Only those from this restaurant.
    #[garde(skip)]
    restaurant_id: Option<RestaurantId>,
    /// Only those in this state.
    #[garde(skip)]
    state: Option<OrderState>,
    /// The `next` of the page before.
    #[garde(skip)]
    cursor: Option<OrderId>,
    /// How many at most.
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: u64,
}

pub(super) const fn default_limit() -> u64 {
    20
}

/// A page of orders, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Orders {
    orders: Vec<Order>,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<OrderId>,
}

/// Orders, the newest first.
#[utoipa::path(
    get,
    path = "/orders",
    tag = "orders",
    params(Filter),
    responses((status = OK, body = Orders), (status = "4XX", body = Problem))
)]
pub(super) async fn list_orders(
    State(view): State<View>,
    Query(filter): Query<Filter>,
) -> Result<Json<Orders>, Problem> {
    let found = store::Filter {
        customer: filter.customer_id,
        restaurant: filter.restaurant_id,
        state: filter.state,
        before: filter.cursor,
        limit: filter.limit,
        ..store::Filter::default()
    };
    let found = store::list(&view.db, found).await?;
    let full = found.len() as u64 == filter.limit;
    let next = found.last().map(|view| view.order_id).filter(|_| full);
    let orders = found.into_iter().filter_map(Order::of).collect();
    Ok(Json(Orders { orders, next }))
}
