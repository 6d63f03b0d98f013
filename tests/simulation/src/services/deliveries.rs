use std::collections::BTreeMap;

use actions::{Action, Error};
use contracts::{OrderId, Topic};
use delivery_service::{NAME, domain::Delivery, http::Step, messages::Dispatch};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};

use super::Service;

#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    pub(crate) deliveries: BTreeMap<OrderId, Delivery>,
}

impl Deliveries {
    /// A courier takes a step. `None`: the order has not come here yet.
    pub(crate) fn step(
        &mut self,
        step: Step,
        order: OrderId,
        stamp: &mut Stamp,
    ) -> Option<Result<Option<Outgoing>, Error>> {
        Some(step.apply(self.deliveries.get_mut(&order)?, stamp))
    }
}

impl Service for Deliveries {
    fn name(&self) -> &'static str {
        NAME
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::OrderReply]
    }

    fn interest(&self, message: &Message) -> Interest {
        Dispatch.interest(&message.topic, &message.kind)
    }

    fn decide(&mut self, message: &Message, stamp: &mut Stamp) -> Result<Vec<Outgoing>, Fault> {
        let mut begun = Vec::new();
        let said = Dispatch.decide(&mut begun, message, stamp)?;
        for delivery in begun {
            // As the table's key does: the first one stays.
            self.deliveries.entry(delivery.order_id).or_insert(delivery);
        }
        Ok(said)
    }
}
