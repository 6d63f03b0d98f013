use std::collections::BTreeMap;

use actions::{Action, Error};
use contracts::{OrderId, Topic};
use kitchen_service::{
    NAME,
    domain::Cook,
    http::Ready,
    messages::{Cooking, Kitchen},
    store::Row,
};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};

use super::Service;

#[derive(Debug, Default)]
pub(crate) struct Kitchens {
    pub(crate) cooks: BTreeMap<OrderId, Cook>,
}

impl Kitchens {
    /// Somebody says that the order is cooked. `None`: it has not come here yet.
    pub(crate) fn ready(
        &mut self,
        order: OrderId,
        stamp: &mut Stamp,
    ) -> Option<Result<Option<Outgoing>, Error>> {
        Some(Ready.apply(self.cooks.get_mut(&order)?, stamp))
    }
}

impl Service for Kitchens {
    fn name(&self) -> &'static str {
        NAME
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::OrderKitchen]
    }

    fn interest(&self, message: &Message) -> Interest {
        Cooking.interest(&message.topic, &message.kind)
    }

    fn decide(&mut self, message: &Message, stamp: &mut Stamp) -> Result<Vec<Outgoing>, Fault> {
        let known = self.cooks.get(&OrderId::new(message.key)).cloned();
        let known = known.map(|cook| (cook.order_id, Row::Known(cook)));
        let mut kitchen: Kitchen = known.into_iter().collect();
        let said = Cooking.decide(&mut kitchen, message, stamp)?;
        for row in kitchen.into_values() {
            let cook = row.cook().clone();
            self.cooks.insert(cook.order_id, cook);
        }
        Ok(said)
    }
}
