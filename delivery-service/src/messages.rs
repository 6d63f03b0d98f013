//! What the kitchen tells: an order is cooked, and waits for a courier.

use contracts::{CookReply, DeliveryId, Kind};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{domain::Delivery, store};

/// What is handled on `order-reply`; everything else there is for order-service and the view.
const HANDLED: [Kind; 1] = [Kind::KitchenReady];

/// Handles `order-reply`.
#[derive(Debug, Clone, Copy)]
pub struct Dispatch;

impl Handler for Dispatch {
    /// The deliveries that a batch begins. None is loaded: whether an order has one already is for
    /// the key of the table to say.
    type World = Vec<Delivery>;
    type Effects = ();

    fn interest(&self, topic: &str, kind: &str) -> Interest {
        protocol::interest(topic, kind, &HANDLED)
    }

    async fn load(&self, _: &DatabaseTransaction, _: &[Message]) -> Result<Vec<Delivery>, DbErr> {
        Ok(Vec::new())
    }

    /// Nobody is told: that the order is ready is what was just heard.
    fn decide(
        &self,
        begun: &mut Vec<Delivery>,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        let CookReply {
            order_id,
            restaurant_id,
            ..
        } = protocol::read(message)?;
        let id = DeliveryId::new(stamp.new_id());
        begun.push(Delivery::begin(
            order_id,
            id,
            restaurant_id,
            message.trace,
            stamp.now,
        ));
        Ok(Vec::new())
    }

    async fn save(&self, db: &DatabaseTransaction, begun: Vec<Delivery>) -> Result<(), DbErr> {
        store::begin(db, &begun).await
    }

    fn committed(&self, (): ()) {}
}
