use std::collections::BTreeMap;

use anyhow::Context;
use contracts::{OrderId, Topic};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};
use order_service::{
    NAME,
    domain::{NewOrder, Order},
    messages,
};
use saga::{Input, Instance, Policy, Verdict};
use saga_postgres::{Orchestrator, World};

use super::Service;

/// Orders with their sagas.
pub(crate) struct Orders {
    orchestrator: messages::Orders,
    /// Those who take orders, by the version of the definition that these begin with: after an upgrade orders are under way
    /// that somebody took who knew no other.
    takers: BTreeMap<u32, messages::Orders>,
    /// Each order is a world of its own.
    worlds: BTreeMap<OrderId, World<Order>>,
}

impl Orders {
    pub(crate) fn new(patience: Policy) -> anyhow::Result<Self> {
        let takers = messages::definitions(patience)?.apart().map(|definitions| {
            let version = definitions.current().version();
            (version, Orchestrator::new(definitions, contracts::is_known))
        });
        Ok(Self {
            orchestrator: messages::orchestrator(patience)?,
            takers: takers.collect(),
            worlds: BTreeMap::new(),
        })
    }

    /// Takes an order, on this version of the definition; gives its first command.
    pub(crate) fn place(
        &mut self,
        new: NewOrder,
        version: u32,
        stamp: &mut Stamp,
    ) -> anyhow::Result<(OrderId, Vec<Outgoing>)> {
        let taker = self.takers.get(&version);
        let taker = taker.with_context(|| format!("order-service knows no version {version}"))?;
        let order = Order::take(OrderId::new(stamp.new_id()), new, stamp.now);
        let id = order.id;
        let (world, said) = taker.begin(order, None, stamp)?.in_memory();
        self.worlds.insert(id, world);
        Ok((id, said))
    }

    /// Gives an input that is no message.
    pub(crate) fn give(
        &mut self,
        order: OrderId,
        input: Input<'_>,
        stamp: &mut Stamp,
    ) -> Result<Option<(Verdict, Vec<Outgoing>)>, Fault> {
        let Some(world) = self.worlds.get_mut(&order) else {
            return Ok(None);
        };
        self.orchestrator
            .decide_on(world, order.uuid(), input, None, stamp)
    }

    pub(crate) fn ids(&self) -> Vec<OrderId> {
        self.worlds.keys().copied().collect()
    }

    pub(crate) fn order(&self, order: OrderId) -> Option<&Order> {
        self.worlds.get(&order)?.data(order.uuid())
    }

    pub(crate) fn saga(&self, order: OrderId) -> Option<&Instance> {
        self.worlds.get(&order)?.instance(order.uuid())
    }

    /// What happened to the saga of an order.
    pub(crate) fn records(&self, order: OrderId) -> &[saga::Record] {
        let world = self.worlds.get(&order);
        world.map_or(&[], |world| world.records(order.uuid()))
    }

    /// How long the awaited command of an order may stay unanswered.
    pub(crate) fn patience(&self, order: OrderId) -> Option<u64> {
        let instance = self.saga(order)?;
        let definition = self.orchestrator.definitions().of(instance)?;
        let patience = definition.patience(instance)?;
        u64::try_from(patience.as_millis()).ok()
    }

    /// Whether a saga keeps events of this kind, when they come early.
    pub(crate) fn waits_for(&self, kind: &str) -> bool {
        let definition = self.orchestrator.definitions().current();
        definition.waits_for(kind)
    }
}

impl Service for Orders {
    fn name(&self) -> &'static str {
        NAME
    }

    fn topics(&self) -> &'static [Topic] {
        &[Topic::OrderReply]
    }

    fn interest(&self, message: &Message) -> Interest {
        self.orchestrator.interest(&message.topic, &message.kind)
    }

    fn decide(&mut self, message: &Message, stamp: &mut Stamp) -> Result<Vec<Outgoing>, Fault> {
        match self.worlds.get_mut(&OrderId::new(message.key)) {
            Some(world) => self.orchestrator.decide(world, message, stamp),
            None => Ok(Vec::new()),
        }
    }
}
