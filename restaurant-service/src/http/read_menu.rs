//! `GET /restaurants/{id}/menu`: what can be ordered.

use axum::extract::State;
use contracts::RestaurantId;
use messaging::Store;
use service::{
    Problem,
    extract::{Json, Path},
};

use super::{menu::MenuView, view::existing};
use crate::store;

/// The menu of a restaurant, in its order.
#[utoipa::path(
    get,
    path = "/restaurants/{restaurantId}/menu",
    tag = "restaurants",
    params(("restaurantId" = RestaurantId, Path)),
    responses((status = OK, body = MenuView), (status = "4XX", body = Problem))
)]
pub(super) async fn read_menu(
    State(store): State<Store>,
    Path(id): Path<RestaurantId>,
) -> Result<Json<MenuView>, Problem> {
    let restaurant = existing(&store, id).await?;
    let items = store::restaurants::menu(store.db(), &restaurant).await?;
    Ok(Json(MenuView::new(id, items)))
}
