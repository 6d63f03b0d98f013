use std::collections::{BTreeMap, HashMap};

use contracts::{OrderId, RestaurantId, Topic};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};
use restaurant_service::{
    NAME,
    domain::{Menu, Restaurant, Ticket},
    messages::{Ticketing, World},
};

use super::Service;

#[derive(Debug, Default)]
pub(crate) struct Restaurants {
    pub(crate) restaurants: HashMap<RestaurantId, (Restaurant, Menu)>,
    pub(crate) tickets: BTreeMap<OrderId, Ticket>,
}

impl Service for Restaurants {
    fn name(&self) -> &'static str {
        NAME
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::OrderTicket]
    }

    fn interest(&self, message: &Message) -> Interest {
        Ticketing.interest(&message.topic, &message.kind)
    }

    fn decide(&mut self, message: &Message, stamp: &mut Stamp) -> Result<Vec<Outgoing>, Fault> {
        let known = self.tickets.get(&OrderId::new(message.key)).cloned();
        let mut world = World::of(known, self.restaurants.clone());
        let said = Ticketing.decide(&mut world, message, stamp)?;
        for row in world.into_tickets() {
            let ticket = row.ticket().clone();
            self.tickets.insert(ticket.order_id, ticket);
        }
        Ok(said)
    }
}
