//! The tables `payment_methods`, `payments` and `refunds`.

mod claim;
mod load;
mod method;
mod payment;
mod refund;
mod row;
mod save;

use contracts::OrderId;
use sea_orm::{DatabaseConnection, DbErr, EntityTrait};

use crate::domain::Payment;

pub use claim::{Claim, Pause, adopt, claim_lapsed, postpone};
pub use load::{Loaded, load};
pub use method::insert as insert_method;
pub use refund::{Refund, insert as insert_refund};
pub use row::Row;
pub use save::save;

/// The payment of an order, if there is one.
///
/// # Errors
/// The database's.
pub async fn find(db: &DatabaseConnection, order: OrderId) -> Result<Option<Payment>, DbErr> {
    let row = payment::Entity::find_by_id(order.uuid()).one(db).await?;
    row.map(Payment::try_from).transpose()
}
