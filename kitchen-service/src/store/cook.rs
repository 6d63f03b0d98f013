//! A row of the table `cooks`.

use sea_orm::entity::prelude::*;

use crate::domain::Cook;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cooks")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    order_id: Uuid,
    cook_id: Uuid,
    restaurant_id: Option<Uuid>,
    items: Json,
    state: String,
    version: i64,
    traceparent: Option<String>,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl TryFrom<Model> for Cook {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        let state = row.state.parse();
        Ok(Self {
            order_id: row.order_id.into(),
            cook_id: row.cook_id.into(),
            restaurant_id: row.restaurant_id.map(Into::into),
            items: serde_json::from_value(row.items)
                .map_err(|error| DbErr::Json(format!("cooks.items: {error}")))?,
            state: state.map_err(|error| DbErr::Type(format!("cooks.state: {error}")))?,
            version: row.version,
            trace: row.traceparent.and_then(|trace| trace.parse().ok()),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
