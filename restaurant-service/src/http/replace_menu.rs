//! `PUT /restaurants/{id}/menu`: a new menu in the place of the old one.

use std::collections::HashSet;

use axum::extract::State;
use contracts::{Currency, MenuItemId, Money, RestaurantId};
use futures_util::FutureExt;
use garde::Validate;
use messaging::{Store, UnitOfWork};
use serde::Deserialize;
use service::{
    Problem,
    extract::{Json, Path},
};
use utoipa::ToSchema;

use super::{menu::MenuView, text::legible, view::unknown};
use crate::{domain::MenuItem, store::restaurants};

/// The whole menu, in its order. A dish that is not in it is gone.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMenu {
    #[garde(length(max = 300), dive)]
    #[schema(max_items = 300)]
    items: Vec<NewItem>,
}

/// A dish.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewItem {
    /// Kept when given, so that the dish stays the same dish; a new one otherwise.
    #[garde(skip)]
    menu_item_id: Option<MenuItemId>,
    /// What it is called.
    #[garde(length(chars, min = 1, max = 200), custom(legible))]
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What one costs, in the restaurant's currency.
    #[garde(skip)]
    price: Money,
    /// Whether it can be had at present.
    #[garde(skip)]
    #[serde(default = "yes")]
    #[schema(default = true)]
    available: bool,
}

const fn yes() -> bool {
    true
}

impl NewMenu {
    fn into_items(self, currency: Currency) -> Result<Vec<MenuItem>, Problem> {
        let mut seen = HashSet::new();
        let mut items = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.into_iter().enumerate() {
            let id = item
                .menu_item_id
                .unwrap_or_else(|| MenuItemId::new(ambient::new_id()));
            if !seen.insert(id) {
                return Err(Problem::invalid(
                    format!("items[{index}].menuItemId"),
                    "is listed twice",
                ));
            }
            if item.price.currency() != currency {
                let detail = format!("must be in {currency}, the restaurant's currency");
                return Err(Problem::invalid(
                    format!("items[{index}].price.currency"),
                    detail,
                ));
            }
            let NewItem {
                name,
                price,
                available,
                ..
            } = item;
            items.push(MenuItem {
                menu_item_id: id,
                name,
                price,
                available,
            });
        }
        Ok(items)
    }
}

/// Replaces the menu. Orders that come from now on are priced by it.
#[utoipa::path(
    put,
    path = "/restaurants/{restaurantId}/menu",
    tag = "restaurants",
    params(("restaurantId" = RestaurantId, Path)),
    request_body = NewMenu,
    responses((status = OK, body = MenuView), (status = "4XX", body = Problem))
)]
pub(super) async fn replace_menu(
    State(store): State<Store>,
    Path(id): Path<RestaurantId>,
    Json(menu): Json<NewMenu>,
) -> Result<Json<MenuView>, Problem> {
    let replaced = store.transact(move |work| replace(work, id, menu).boxed());
    Ok(Json(MenuView::new(id, replaced.await?)))
}

async fn replace(
    work: &mut UnitOfWork,
    id: RestaurantId,
    menu: NewMenu,
) -> Result<Vec<MenuItem>, Problem> {
    let restaurant = restaurants::lock(work.db(), id)
        .await?
        .ok_or_else(|| unknown(id))?;
    let items = menu.into_items(restaurant.currency)?;
    let foreign = restaurants::replace_menu(work.db(), id, &items).await?;
    if let Some(index) = items
        .iter()
        .position(|item| foreign.contains(&item.menu_item_id))
    {
        return Err(Problem::invalid(
            format!("items[{index}].menuItemId"),
            "is a dish of another restaurant",
        ));
    }
    Ok(items)
}
