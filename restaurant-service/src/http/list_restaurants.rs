//! `GET /restaurants`: all restaurants, page by page.

use axum::extract::State;
use contracts::RestaurantId;
use garde::Validate;
use messaging::Store;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::{Json, Query},
};
use utoipa::{IntoParams, ToSchema};

use super::view::RestaurantView;
use crate::store;

/// Which page to list.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// The `next` of the page before.
    #[garde(skip)]
    cursor: Option<RestaurantId>,
    /// How many at most.
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "default_limit")]
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: u64,
}

const fn default_limit() -> u64 {
    20
}

/// A page of restaurants, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Restaurants {
    restaurants: Vec<RestaurantView>,
    /// The `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<RestaurantId>,
}

/// All restaurants.
#[utoipa::path(
    get,
    path = "/restaurants",
    tag = "restaurants",
    params(Page),
    responses((status = OK, body = Restaurants), (status = "4XX", body = Problem))
)]
pub(super) async fn list_restaurants(
    State(store): State<Store>,
    Query(Page { cursor, limit }): Query<Page>,
) -> Result<Json<Restaurants>, Problem> {
    let found = store::restaurants::list(store.db(), cursor, limit).await?;
    let full = found.len() as u64 == limit;
    let next = found
        .last()
        .map(|restaurant| restaurant.restaurant_id)
        .filter(|_| full);
    let restaurants = found.into_iter().map(RestaurantView::from).collect();
    Ok(Json(Restaurants { restaurants, next }))
}
