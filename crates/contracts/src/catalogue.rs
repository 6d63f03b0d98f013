//! Every message there is: what the tests pin, and what documents are made from.

mod examples;

use schemars::{Schema, schema_for};
use serde_json::{Result, Value, from_value, to_value};

use crate::{
    AuthorisePayment, Body, Cook, CookReply, CreateTicket, CustomerReply, DeliveryReply, Kind,
    KitchenOrder, OrderChanged, PaymentOrder, PaymentReply, TicketOrder, TicketReply, Topic,
    VerifyCustomer,
};
use examples::Example;

/// Every body, in the order of its topics.
const BODIES: [Sort; 13] = [
    Sort::of::<VerifyCustomer>(),
    Sort::of::<OrderChanged>(),
    Sort::of::<CreateTicket>(),
    Sort::of::<TicketOrder>(),
    Sort::of::<AuthorisePayment>(),
    Sort::of::<PaymentOrder>(),
    Sort::of::<Cook>(),
    Sort::of::<KitchenOrder>(),
    Sort::of::<CustomerReply>(),
    Sort::of::<TicketReply>(),
    Sort::of::<PaymentReply>(),
    Sort::of::<CookReply>(),
    Sort::of::<DeliveryReply>(),
];

/// One kind of message on one topic.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Where it is seen.
    pub topic: Topic,
    /// What it is.
    pub kind: Kind,
    /// The name and version of its body's schema.
    pub schema: &'static str,
    sort: Sort,
}

impl Entry {
    /// The JSON Schema of the body.
    #[must_use]
    pub fn json_schema(&self) -> Schema {
        (self.sort.json_schema)()
    }

    /// An example of the body.
    ///
    /// # Errors
    /// Never in practice: when the example cannot be written as JSON.
    pub fn example(&self) -> Result<Value> {
        (self.sort.example)(self.kind)
    }

    /// Reads a body as its consumers do, and writes again what they understood of it.
    ///
    /// # Errors
    /// When it is no body of this kind.
    pub fn read(&self, body: Value) -> Result<Value> {
        (self.sort.read)(body)
    }
}

/// All messages, by topic.
pub fn catalogue() -> impl Iterator<Item = Entry> {
    BODIES.into_iter().flat_map(|sort| {
        let Sort { topic, schema, .. } = sort;
        sort.kinds.iter().map(move |&kind| Entry {
            topic,
            kind,
            schema,
            sort,
        })
    })
}

/// Whether messages of this kind belong on this topic (its name without a prefix). One that does
/// not is a dead letter for whoever meets it, and never silently skipped.
#[must_use]
pub fn is_known(topic: &str, kind: &str) -> bool {
    let (Ok(topic), Ok(kind)) = (topic.parse::<Topic>(), kind.parse::<Kind>()) else {
        return false;
    };
    BODIES
        .iter()
        .any(|sort| sort.topic == topic && sort.kinds.contains(&kind))
}

/// A body without its type.
#[derive(Debug, Clone, Copy)]
struct Sort {
    topic: Topic,
    kinds: &'static [Kind],
    schema: &'static str,
    json_schema: fn() -> Schema,
    example: fn(Kind) -> Result<Value>,
    read: fn(Value) -> Result<Value>,
}

impl Sort {
    const fn of<B: Body + Example>() -> Self {
        Self {
            topic: B::TOPIC,
            kinds: B::KINDS,
            schema: B::SCHEMA,
            json_schema: || schema_for!(B),
            example: |kind| to_value(B::example(kind)),
            read: |body| to_value(from_value::<B>(body)?),
        }
    }
}
