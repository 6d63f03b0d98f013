//! The tables `payment_methods`, `payments` and `refunds`.

mod claim;
mod load;
mod method;
mod payment;
mod refund;
mod row;
mod save;

use contracts::OrderId;
use messaging::retention::Finished;
use sea_orm::{DatabaseConnection, DbErr, EntityTrait};

use crate::domain::Payment;

pub use claim::{Claim, Pause, adopt, claim_lapsed, postpone};
pub use load::{Loaded, load};
pub use method::insert as insert_method;
pub use refund::{Refund, insert as insert_refund};
pub use row::Row;
pub use save::save;

/// A payment has ended when the money has gone one way or the other, and nothing is asked of the gateway. What was captured can be
/// refunded for as long as its row is there.
pub const FINISHED: Finished = Finished {
    table: "payments",
    key: "order_id",
    ended: "state IN ('CAPTURED', 'REFUNDED', 'DECLINED', 'VOIDED') AND call IS NULL",
    along: &[("refunds", "order_id")],
};

/// The payment of an order, if there is one.
///
/// # Errors
/// The database's.
pub async fn find(db: &DatabaseConnection, order: OrderId) -> Result<Option<Payment>, DbErr> {
    let row = payment::Entity::find_by_id(order.uuid()).one(db).await?;
    row.map(Payment::try_from).transpose()
}
