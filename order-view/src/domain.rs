//! What has been told of an order, and how the next message changes that. Pure.
//!
//! Topics are not ordered among each other, and messages come twice and late. So nothing is inferred:
//!
//! - of each aggregate the highest version counts, whichever came first ([`Latest`]);
//! - what never changes (who ordered what from whom, and for how much) is taken from the first message that tells it
//!   ([`Facts`]).
//!
//! Both are commutative, associative and idempotent. So the order of messages does not matter, nor do repetitions, and a
//! batch can be folded before it meets what is stored.

use chrono::{DateTime, Utc};
use contracts::{
    CookId, CookState, CustomerId, DeliveryId, DeliveryState, Money, OrderId, OrderItem,
    OrderState, PaymentId, PaymentState, PricedItem, Reason, Rejection, RestaurantId, TicketId,
    TicketState,
};
use serde::{Deserialize, Serialize};

/// An order as far as it has been told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// The order.
    pub order_id: OrderId,
    /// What never changes.
    pub facts: Facts,
    /// The order itself.
    pub order: Latest<OrderTold>,
    /// The restaurant's ticket.
    pub ticket: Latest<TicketTold>,
    /// The payment.
    pub payment: Latest<PaymentTold>,
    /// The kitchen's work.
    pub kitchen: Latest<KitchenTold>,
    /// The delivery.
    pub delivery: Latest<DeliveryTold>,
    /// When the newest of the messages that made this was said.
    pub as_of: DateTime<Utc>,
}

/// The highest version of an aggregate that has been told, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Latest<T>(Option<(i64, T)>);

/// What never changes about an order, once it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    /// Who ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// From whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restaurant_id: Option<RestaurantId>,
    /// What was ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<OrderItem>>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<DateTime<Utc>>,
    /// The restaurant's ticket.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket_id: Option<TicketId>,
    /// What was ordered, as the restaurant has priced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priced_items: Option<Vec<PricedItem>>,
    /// What it costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
}

/// What a version of the order tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderTold {
    /// Its state.
    pub state: OrderState,
    /// When it said so.
    pub at: DateTime<Utc>,
    /// Who refused it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
}

/// What a version of the ticket tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketTold {
    /// Its state.
    pub state: TicketState,
    /// When it said so.
    pub at: DateTime<Utc>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// What a version of the payment tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentTold {
    /// The payment.
    pub payment_id: PaymentId,
    /// Its state.
    pub state: PaymentState,
    /// When it said so.
    pub at: DateTime<Utc>,
    /// Why it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// What a version of the kitchen's work tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KitchenTold {
    /// The work.
    pub cook_id: CookId,
    /// Its state.
    pub state: CookState,
    /// When it said so.
    pub at: DateTime<Utc>,
}

/// What a version of the delivery tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryTold {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Its state.
    pub state: DeliveryState,
    /// When it said so.
    pub at: DateTime<Utc>,
}

/// What one aggregate says of itself in one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// The order.
    Order(OrderTold),
    /// The ticket.
    Ticket(TicketTold),
    /// The payment.
    Payment(PaymentTold),
    /// The kitchen's work.
    Kitchen(KitchenTold),
    /// The delivery.
    Delivery(DeliveryTold),
}

/// What one message tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The order that it is about.
    pub order_id: OrderId,
    /// The version of the aggregate that speaks.
    pub version: i64,
    /// What it says of itself.
    pub told: Told,
    /// What it says besides.
    pub facts: Facts,
    /// When it was said.
    pub at: DateTime<Utc>,
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Latest<T> {
    /// This version is the highest so far.
    #[must_use]
    pub const fn new(version: i64, told: T) -> Self {
        Self(Some((version, told)))
    }

    /// The version; 0 where nothing was told.
    #[must_use]
    pub fn version(&self) -> i64 {
        self.0.as_ref().map_or(0, |(version, _)| *version)
    }

    /// What was told.
    #[must_use]
    pub fn told(&self) -> Option<&T> {
        self.0.as_ref().map(|(_, told)| told)
    }

    fn hear(&mut self, version: i64, told: T) {
        if version > self.version() {
            *self = Self::new(version, told);
        }
    }
}

impl Facts {
    /// Takes what is not known yet.
    fn learn(&mut self, other: Self) {
        self.customer_id = self.customer_id.or(other.customer_id);
        self.restaurant_id = self.restaurant_id.or(other.restaurant_id);
        self.items = self.items.take().or(other.items);
        self.created_at = self.created_at.or(other.created_at);
        self.ticket_id = self.ticket_id.or(other.ticket_id);
        self.priced_items = self.priced_items.take().or(other.priced_items);
        self.total = self.total.or(other.total);
    }
}

impl OrderView {
    /// The view of an order of which nothing is known but this.
    #[must_use]
    pub fn of(news: News) -> Self {
        let mut view = Self {
            order_id: news.order_id,
            facts: Facts::default(),
            order: Latest::default(),
            ticket: Latest::default(),
            payment: Latest::default(),
            kitchen: Latest::default(),
            delivery: Latest::default(),
            as_of: news.at,
        };
        view.fold(news);
        view
    }

    /// Takes in one more message about the same order.
    pub fn fold(&mut self, news: News) {
        let News {
            version,
            told,
            facts,
            at,
            ..
        } = news;
        match told {
            Told::Order(told) => self.order.hear(version, told),
            Told::Ticket(told) => self.ticket.hear(version, told),
            Told::Payment(told) => self.payment.hear(version, told),
            Told::Kitchen(told) => self.kitchen.hear(version, told),
            Told::Delivery(told) => self.delivery.hear(version, told),
        }
        self.facts.learn(facts);
        self.as_of = self.as_of.max(at);
    }
}
