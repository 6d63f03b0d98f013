//! The bodies of the messages: JSON in camelCase. Each carries what its receivers need and no more,
//! and always the order's id and the state of the aggregate that speaks.
//!
//! What is not in a body is in the headers: the id, the time, the version of the aggregate that
//! speaks, and the message that this one answers.

mod order;
mod reply;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use order::{
    AuthorisePayment, Cook, CreateTicket, KitchenOrder, OrderChanged, OrderItem, PaymentOrder,
    Rejection, TicketOrder, VerifyCustomer,
};
pub use reply::{
    CookReply, CustomerReply, DeliveryReply, PaymentReply, PricedItem, TicketReply,
    VerificationState,
};

use crate::{Kind, OrderId, Topic};

/// A body of messages, and where it may be seen.
pub trait Body: Serialize + DeserializeOwned + JsonSchema + 'static {
    /// The name and version of its schema: the file `docs/schemas/<SCHEMA>.json`.
    const SCHEMA: &'static str;
    /// The topic that it belongs on.
    const TOPIC: Topic;
    /// The kinds of messages that have this body.
    const KINDS: &'static [Kind];

    /// The order that it speaks of, which is the key of its message.
    fn order_id(&self) -> OrderId;
}

/// Says once where a body belongs.
macro_rules! body {
    ($name:ident, $schema:literal, $topic:ident: $($kind:ident),+ $(,)?) => {
        impl $crate::Body for $name {
            const SCHEMA: &'static str = $schema;
            const TOPIC: $crate::Topic = $crate::Topic::$topic;
            const KINDS: &'static [$crate::Kind] = &[$($crate::Kind::$kind),+];

            fn order_id(&self) -> $crate::OrderId {
                self.order_id
            }
        }
    };
}

pub(crate) use body;
