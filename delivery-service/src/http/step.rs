//! What picking up and handing over have in common: a step of the delivery, which is news.

use actions::{Action, Error, Patience};
use contracts::{DeliveryState, Kind, OrderId};
use messaging::{Outgoing, Stamp};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{domain::Delivery, store};

/// A step that a courier takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    from: DeliveryState,
    to: DeliveryState,
    news: Kind,
}

/// The courier has it.
pub const PICK_UP: Step = Step {
    from: DeliveryState::Ready,
    to: DeliveryState::Pickedup,
    news: Kind::DeliveryPickedup,
};

/// The customer has it.
pub const COMPLETE: Step = Step {
    from: DeliveryState::Pickedup,
    to: DeliveryState::Complete,
    news: Kind::DeliveryComplete,
};

impl Action for Step {
    type Aggregate = Delivery;

    const BY: &'static str = "the delivery";

    fn order(delivery: &Delivery) -> OrderId {
        delivery.order_id
    }

    async fn lock(
        db: &DatabaseTransaction,
        orders: &[OrderId],
        patience: Patience,
    ) -> Result<Vec<Delivery>, DbErr> {
        store::lock(db, orders, patience).await
    }

    async fn lock_due(&self, db: &DatabaseTransaction, limit: u64) -> Result<Vec<Delivery>, DbErr> {
        store::lock_some(db, self.from, limit).await
    }

    /// An event from outside: it answers nothing, and goes on with the order's trace.
    fn apply(&self, delivery: &mut Delivery, stamp: &mut Stamp) -> Result<Option<Outgoing>, Error> {
        if !delivery.reach(self.to, stamp.now)? {
            return Ok(None);
        }
        let message = protocol::write(stamp, self.news, delivery.version, &delivery.tell())?;
        Ok(Some(message.traced(delivery.trace)))
    }

    async fn save(db: &DatabaseTransaction, changed: Vec<Delivery>) -> Result<(), DbErr> {
        store::update(db, &changed).await
    }
}
