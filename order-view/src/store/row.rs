//! A row of the table `order_views`.

use sea_orm::entity::prelude::*;
use serde::de::DeserializeOwned;

use crate::domain::{Latest, OrderView};

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_views")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    order_id: Uuid,
    facts: Json,
    order_version: i64,
    order: Option<Json>,
    ticket_version: i64,
    ticket: Option<Json>,
    payment_version: i64,
    payment: Option<Json>,
    kitchen_version: i64,
    kitchen: Option<Json>,
    delivery_version: i64,
    delivery: Option<Json>,
    as_of: DateTimeUtc,
    customer_id: Option<Uuid>,
    restaurant_id: Option<Uuid>,
    ticket_id: Option<Uuid>,
    order_state: Option<String>,
    ticket_state: Option<String>,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for OrderView {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        Ok(Self {
            order_id: row.order_id.into(),
            facts: read("facts", row.facts)?,
            order: latest("order", row.order_version, row.order)?,
            ticket: latest("ticket", row.ticket_version, row.ticket)?,
            payment: latest("payment", row.payment_version, row.payment)?,
            kitchen: latest("kitchen", row.kitchen_version, row.kitchen)?,
            delivery: latest("delivery", row.delivery_version, row.delivery)?,
            as_of: row.as_of,
        })
    }
}

fn latest<T: DeserializeOwned>(
    column: &str,
    version: i64,
    told: Option<Json>,
) -> Result<Latest<T>, DbErr> {
    let told = told.map(|told| read(column, told)).transpose()?;
    Ok(told.map_or_else(Latest::default, |told| Latest::new(version, told)))
}

fn read<T: DeserializeOwned>(column: &str, value: Json) -> Result<T, DbErr> {
    serde_json::from_value(value)
        .map_err(|error| DbErr::Json(format!("order_views.{column}: {error}")))
}
