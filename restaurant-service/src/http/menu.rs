//! A menu as clients see it.

use contracts::{MenuItemId, Money, RestaurantId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::MenuItem;

/// A restaurant's menu.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MenuView {
    restaurant_id: RestaurantId,
    items: Vec<ItemView>,
}

/// A dish.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemView {
    menu_item_id: MenuItemId,
    name: String,
    price: Money,
    available: bool,
}

impl MenuView {
    pub(super) fn new(restaurant_id: RestaurantId, items: Vec<MenuItem>) -> Self {
        let items = items.into_iter().map(|item| ItemView {
            menu_item_id: item.menu_item_id,
            name: item.name,
            price: item.price,
            available: item.available,
        });
        Self {
            restaurant_id,
            items: items.collect(),
        }
    }
}
