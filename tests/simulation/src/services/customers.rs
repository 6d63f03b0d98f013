use std::collections::{BTreeMap, HashMap};

use contracts::{CustomerId, OrderId, Topic};
use customer_service::{
    NAME,
    domain::{CustomerState, Verification},
    messages::{Verifying, World},
    store::Known,
};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};

use super::Service;

#[derive(Debug, Default)]
pub(crate) struct Customers {
    pub(crate) customers: BTreeMap<CustomerId, CustomerState>,
    pub(crate) verdicts: BTreeMap<OrderId, Verification>,
}

impl Service for Customers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::OrderCustomer]
    }

    fn interest(&self, message: &Message) -> Interest {
        Verifying.interest(&message.topic, &message.kind)
    }

    fn decide(&mut self, message: &Message, stamp: &mut Stamp) -> Result<Vec<Outgoing>, Fault> {
        let order = OrderId::new(message.key);
        let asked: contracts::VerifyCustomer = message.decode()?;
        let known = Known {
            customer: self.customers.get(&asked.customer_id).copied(),
            verdict: self.verdicts.get(&order).cloned(),
        };
        let mut world = World::of(HashMap::from([(order, known)]));
        let said = Verifying.decide(&mut world, message, stamp)?;
        for verdict in world.decided() {
            self.verdicts.insert(verdict.order_id, verdict.clone());
        }
        Ok(said)
    }
}
