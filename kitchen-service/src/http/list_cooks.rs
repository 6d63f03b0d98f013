//! `GET /kitchen/cooks`: what is being cooked, or was.

use axum::extract::State;
use chrono::{DateTime, Utc};
use contracts::{CookId, CookState, OrderId, OrderItem, RestaurantId};
use garde::Validate;
use messaging::Store;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
};
use utoipa::{IntoParams, ToSchema};

use crate::{domain::Cook, store};

/// Which works to list.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Only those in this state.
    #[garde(skip)]
    state: Option<CookState>,
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

/// A page of works, by order id: the oldest orders first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Cooks {
    cooks: Vec<CookView>,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<OrderId>,
}

/// A kitchen's work on one order.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CookView {
    order_id: OrderId,
    cook_id: CookId,
    /// Absent when the order was cancelled before it came here.
    #[serde(skip_serializing_if = "Option::is_none")]
    restaurant_id: Option<RestaurantId>,
    items: Vec<OrderItem>,
    state: CookState,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Cook> for CookView {
    fn from(cook: Cook) -> Self {
        Self {
            order_id: cook.order_id,
            cook_id: cook.cook_id,
            restaurant_id: cook.restaurant_id,
            items: cook.items,
            state: cook.state,
            version: cook.version,
            created_at: cook.created_at,
            updated_at: cook.updated_at,
        }
    }
}

/// What is being cooked, or was.
#[utoipa::path(
    get,
    path = "/kitchen/cooks",
    tag = "kitchen",
    params(Filter),
    responses((status = OK, body = Cooks), (status = "4XX", body = Problem))
)]
pub(super) async fn list_cooks(
    State(store): State<Store>,
    Query(filter): Query<Filter>,
) -> Result<Json<Cooks>, Problem> {
    let Filter {
        state,
        cursor,
        limit,
    } = filter;
    let cooks = store::list(store.db(), state, cursor, limit).await?;
    let full = cooks.len() as u64 == limit;
    let next = cooks.last().map(|cook| cook.order_id).filter(|_| full);
    let cooks = cooks.into_iter().map(CookView::from).collect();
    Ok(Json(Cooks { cooks, next }))
}
