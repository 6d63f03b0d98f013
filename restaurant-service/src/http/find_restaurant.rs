//! `GET /restaurants/{id}`: a restaurant.

use axum::extract::State;
use contracts::RestaurantId;
use messaging::Store;
use service::{
    Problem,
    extract::{Json, Path},
};

use super::view::{RestaurantView, existing};

/// A restaurant.
#[utoipa::path(
    get,
    path = "/restaurants/{restaurantId}",
    tag = "restaurants",
    params(("restaurantId" = RestaurantId, Path)),
    responses((status = OK, body = RestaurantView), (status = "4XX", body = Problem))
)]
pub(super) async fn find_restaurant(
    State(store): State<Store>,
    Path(id): Path<RestaurantId>,
) -> Result<Json<RestaurantView>, Problem> {
    Ok(Json(existing(&store, id).await?.into()))
}
