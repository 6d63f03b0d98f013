//! What a restaurant cooks, and for how much.

use std::collections::HashMap;

use contracts::{MenuItemId, Money};

/// A dish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MenuItem {
    /// Its id, which orders name.
    pub menu_item_id: MenuItemId,
    /// What it is called.
    pub name: String,
    /// What one costs.
    pub price: Money,
    /// Whether it can be had at present.
    pub available: bool,
}

/// The dishes of one restaurant, or those of them that matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Menu(HashMap<MenuItemId, MenuItem>);

impl Menu {
    /// The dish of this id.
    #[must_use]
    pub fn item(&self, id: MenuItemId) -> Option<&MenuItem> {
        self.0.get(&id)
    }

    /// Adds a dish.
    pub fn add(&mut self, item: MenuItem) {
        self.0.insert(item.menu_item_id, item);
    }
}

impl FromIterator<MenuItem> for Menu {
    fn from_iter<I: IntoIterator<Item = MenuItem>>(items: I) -> Self {
        Self(
            items
                .into_iter()
                .map(|item| (item.menu_item_id, item))
                .collect(),
        )
    }
}
