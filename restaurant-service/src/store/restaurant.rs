//! A row of the table `restaurants`.

use contracts::Money;
use sea_orm::{ActiveValue::Set, entity::prelude::*};

use crate::domain::Restaurant;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "restaurants")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(super) restaurant_id: Uuid,
    name: String,
    pub(super) currency: String,
    minimum_order: Option<i64>,
    opening_hours: Option<Json>,
    created_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Restaurant {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let currency = row
            .currency
            .parse()
            .map_err(|error| DbErr::Type(format!("restaurants.currency: {error}")))?;
        let minimum_order = row
            .minimum_order
            .map(|amount| Money::new(amount, currency))
            .transpose();
        let opening_hours = row.opening_hours.map(serde_json::from_value).transpose();
        Ok(Self {
            restaurant_id: row.restaurant_id.into(),
            name: row.name,
            currency,
            minimum_order: minimum_order
                .map_err(|error| DbErr::Type(format!("restaurants.minimum_order: {error}")))?,
            opening_hours: opening_hours
                .map_err(|error| DbErr::Json(format!("restaurants.opening_hours: {error}")))?,
            created_at: row.created_at,
        })
    }
}

impl TryFrom<&Restaurant> for ActiveModel {
    type Error = DbErr;

    fn try_from(restaurant: &Restaurant) -> Result<Self, DbErr> {
        let hours = restaurant
            .opening_hours
            .as_ref()
            .map(serde_json::to_value)
            .transpose();
        Ok(Self {
            restaurant_id: Set(restaurant.restaurant_id.uuid()),
            name: Set(restaurant.name.clone()),
            currency: Set(restaurant.currency.to_string()),
            minimum_order: Set(restaurant.minimum_order.map(Money::amount)),
            opening_hours: Set(hours.map_err(|error| DbErr::Json(error.to_string()))?),
            created_at: Set(restaurant.created_at),
        })
    }
}
