//! What order-service asks of the kitchen: cook this; stop, if it is not too late.

use std::collections::{HashMap, hash_map::Entry};

use actions::Patience;
use contracts::{CookId, Kind, KitchenOrder, OrderId};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    domain::{Beginning, Cook},
    store::{self, Row},
};

/// What is handled on `order-kitchen`.
const HANDLED: [Kind; 2] = [Kind::OrderApproved, Kind::OrderCancelRequested];

/// Handles `order-kitchen`.
#[derive(Debug, Clone, Copy)]
pub struct Cooking;

/// The works that the messages of a batch are about, by order.
pub type Kitchen = HashMap<OrderId, Row>;

impl Handler for Cooking {
    type World = Kitchen;
    type Effects = ();

    fn interest(&self, topic: &str, kind: &str) -> Interest {
        protocol::interest(topic, kind, &HANDLED)
    }

    async fn load(&self, db: &DatabaseTransaction, messages: &[Message]) -> Result<Kitchen, DbErr> {
        let cooks = store::lock(
            db,
            messages.iter().map(|message| message.key),
            Patience::Wait,
        )
        .await?;
        Ok(cooks
            .into_iter()
            .map(|cook| (cook.order_id, Row::Known(cook)))
            .collect())
    }

    fn decide(
        &self,
        kitchen: &mut Kitchen,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        let (kind, cook) = match protocol::kind(message)? {
            Kind::OrderApproved => approved(kitchen, message, stamp)?,
            Kind::OrderCancelRequested => cancel_requested(kitchen, message, stamp)?,
            other => return Err(Fault::new(format!("the kitchen does not handle {other}"))),
        };
        let reply = protocol::write(stamp, kind, cook.version, &cook.tell(kind))?;
        Ok(vec![reply.answering(message)])
    }

    async fn save(&self, db: &DatabaseTransaction, kitchen: Kitchen) -> Result<(), DbErr> {
        store::save(db, kitchen.into_values().collect()).await
    }

    fn committed(&self, (): ()) {}
}

/// Cook this.
fn approved<'k>(
    kitchen: &'k mut Kitchen,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<(Kind, &'k Cook), Fault> {
    let order: contracts::Cook = protocol::read(message)?;
    let cook = match kitchen.entry(order.order_id) {
        Entry::Vacant(place) => {
            let cook = Cook::begin(order, beginning(message, stamp));
            place.insert(Row::New(cook)).cook()
        }
        Entry::Occupied(known) => {
            let cook = known.into_mut().cook_mut();
            cook.asked_to_cook(stamp.now);
            cook
        }
    };
    Ok((cook.answer_to_approval(), cook))
}

/// Stop, if it is not too late.
fn cancel_requested<'k>(
    kitchen: &'k mut Kitchen,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<(Kind, &'k Cook), Fault> {
    let KitchenOrder { order_id, .. } = protocol::read(message)?;
    let cook = match kitchen.entry(order_id) {
        Entry::Vacant(place) => {
            let cook = Cook::tombstone(order_id, beginning(message, stamp));
            place.insert(Row::New(cook)).cook()
        }
        Entry::Occupied(known) => {
            let cook = known.into_mut().cook_mut();
            cook.asked_to_cancel(stamp.now);
            cook
        }
    };
    Ok((cook.answer_to_cancellation(), cook))
}

fn beginning(message: &Message, stamp: &mut Stamp) -> Beginning {
    Beginning {
        cook_id: CookId::new(stamp.new_id()),
        trace: message.trace,
        now: stamp.now,
    }
}
