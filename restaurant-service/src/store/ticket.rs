//! A row of the table `tickets`.

use sea_orm::entity::prelude::*;
use serde::de::DeserializeOwned;

use crate::domain::Ticket;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tickets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    order_id: Uuid,
    ticket_id: Uuid,
    restaurant_id: Uuid,
    state: String,
    version: i64,
    items: Json,
    total: Option<Json>,
    reason: Option<Json>,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Ticket {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let state = row.state.parse();
        Ok(Self {
            order_id: row.order_id.into(),
            ticket_id: row.ticket_id.into(),
            restaurant_id: row.restaurant_id.into(),
            state: state.map_err(|error| DbErr::Type(format!("tickets.state: {error}")))?,
            version: row.version,
            items: read("items", row.items)?,
            total: row.total.map(|total| read("total", total)).transpose()?,
            reason: row
                .reason
                .map(|reason| read("reason", reason))
                .transpose()?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

fn read<T: DeserializeOwned>(column: &str, value: Json) -> Result<T, DbErr> {
    serde_json::from_value(value).map_err(|error| DbErr::Json(format!("tickets.{column}: {error}")))
}
