//! A row of the table `deliveries`.

use sea_orm::entity::prelude::*;

use crate::domain::Delivery;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    order_id: Uuid,
    delivery_id: Uuid,
    restaurant_id: Option<Uuid>,
    state: String,
    version: i64,
    traceparent: Option<String>,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Delivery {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let state = row.state.parse();
        Ok(Self {
            order_id: row.order_id.into(),
            delivery_id: row.delivery_id.into(),
            restaurant_id: row.restaurant_id.map(Into::into),
            state: state.map_err(|error| DbErr::Type(format!("deliveries.state: {error}")))?,
            version: row.version,
            trace: row.traceparent.and_then(|trace| trace.parse().ok()),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
