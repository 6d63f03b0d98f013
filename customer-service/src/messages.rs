//! What order-service asks: may this customer order?

use std::collections::HashMap;

use contracts::{Kind, OrderId, VerifyCustomer};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    domain::{VERSION, Verification},
    store::{self, Known},
};

/// What is handled on `order-customer`; ORDER_CHANGED there is for the view.
const HANDLED: [Kind; 1] = [Kind::OrderCreated];

/// Handles `order-customer`.
#[derive(Debug, Clone, Copy)]
pub struct Verifying;

/// What a batch needs to know, and what it has decided.
#[derive(Debug, Default)]
pub struct World {
    known: HashMap<OrderId, Known>,
    decided: Vec<Verification>,
}

impl World {
    /// What is known, before anything is decided.
    #[must_use]
    pub fn of(known: HashMap<OrderId, Known>) -> Self {
        Self {
            known,
            decided: Vec::new(),
        }
    }

    /// The verdicts that were given, and are to be stored.
    #[must_use]
    pub fn decided(&self) -> &[Verification] {
        &self.decided
    }
}

impl Handler for Verifying {
    type World = World;
    type Effects = ();

    fn interest(&self, topic: &str, kind: &str) -> Interest {
        protocol::interest(topic, kind, &HANDLED)
    }

    async fn load(&self, db: &DatabaseTransaction, messages: &[Message]) -> Result<World, DbErr> {
        // One that cannot be read has nothing to load: it fails when it is decided about.
        let asked = messages
            .iter()
            .filter_map(|message| protocol::read(message).ok());
        let asked = asked.map(|order: VerifyCustomer| (order.order_id, order.customer_id));
        Ok(World::of(store::know(db, asked).await?))
    }

    fn decide(
        &self,
        world: &mut World,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        let VerifyCustomer {
            order_id,
            customer_id,
            ..
        } = protocol::read(message)?;
        let known = world.known.entry(order_id).or_default();
        let verdict = match &known.verdict {
            Some(verdict) => verdict,
            None => {
                let customer = known.customer;
                let verdict = Verification::decide(order_id, customer_id, customer, stamp.now);
                world.decided.push(verdict.clone());
                known.verdict.insert(verdict)
            }
        };
        let reply = protocol::write(stamp, verdict.kind(), VERSION, &verdict.tell())?;
        Ok(vec![reply.answering(message)])
    }

    async fn save(&self, db: &DatabaseTransaction, world: World) -> Result<(), DbErr> {
        store::decided(db, world.decided()).await
    }

    fn committed(&self, (): ()) {}
}
