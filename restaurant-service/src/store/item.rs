//! A row of the table `menu_items`.

use contracts::{Currency, Money};
use sea_orm::entity::prelude::*;

use crate::domain::MenuItem;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "menu_items")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(super) menu_item_id: Uuid,
    pub(super) restaurant_id: Uuid,
    place: i32,
    name: String,
    price: i64,
    available: bool,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// The dish, priced in its restaurant's currency.
    pub(super) fn priced_in(self, currency: Currency) -> Result<MenuItem, DbErr> {
        let price = Money::new(self.price, currency);
        Ok(MenuItem {
            menu_item_id: self.menu_item_id.into(),
            name: self.name,
            price: price.map_err(|error| DbErr::Type(format!("menu_items.price: {error}")))?,
            available: self.available,
        })
    }
}
