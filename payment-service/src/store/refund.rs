//! A row of the table `refunds`.

use contracts::OrderId;
use sea_orm::{ActiveValue::Set, ConnectionTrait, entity::prelude::*};

#[derive(Debug, Clone, DeriveEntityModel)]
#[sea_orm(table_name = "refunds")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    order_id: Uuid,
    command_id: Uuid,
    ordered_by: String,
    ordered_why: String,
    ordered_at: DateTimeUtc,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub(super) enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Who had an order refunded, and why.
#[derive(Debug, Clone)]
pub struct Refund {
    /// The order.
    pub order_id: OrderId,
    /// The command that the payment was given.
    pub command_id: Uuid,
    /// Who it was.
    pub by: String,
    /// Why.
    pub why: String,
    /// When.
    pub at: DateTimeUtc,
}

/// Stores who had an order refunded, in the transaction that opens the refund.
///
/// # Errors
/// The database's.
pub async fn insert(db: &impl ConnectionTrait, refund: Refund) -> Result<(), DbErr> {
    let row = ActiveModel {
        order_id: Set(refund.order_id.uuid()),
        command_id: Set(refund.command_id),
        ordered_by: Set(refund.by),
        ordered_why: Set(refund.why),
        ordered_at: Set(refund.at),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}
