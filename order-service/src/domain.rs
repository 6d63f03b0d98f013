//! An order, and what may become of it. Pure: ids and times come in as values.

mod items;
mod progress;
mod said;

use chrono::{DateTime, Utc};
use contracts::{
    CustomerId, CustomerReply, Money, OrderId, OrderState, Party, PaymentMethodId, PaymentReply,
    Reason, Rejection, RestaurantId, TicketId, TicketReply,
};

pub use items::{Items, ItemsError};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its id, which is also its saga's, and the key of all messages about it.
    pub id: OrderId,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// From whom.
    pub restaurant_id: RestaurantId,
    /// How it is paid for.
    pub payment_method_id: PaymentMethodId,
    /// What was ordered.
    pub items: Items,
    /// How far it is.
    pub state: OrderState,
    /// How far it would be if nobody had asked for it to be cancelled; only while that is open.
    pub held_state: Option<OrderState>,
    /// Counts the messages that it has said, from 1: each tells the state at its version.
    pub version: i64,
    /// The restaurant's ticket, once there is one.
    pub ticket_id: Option<TicketId>,
    /// What it costs, once the restaurant has said so.
    pub total: Option<Money>,
    /// Who refused it, and why.
    pub rejection: Option<Rejection>,
    /// When it was taken.
    pub created_at: DateTime<Utc>,
}

/// What a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// Who orders.
    pub customer_id: CustomerId,
    /// From whom.
    pub restaurant_id: RestaurantId,
    /// How it is paid for.
    pub payment_method_id: PaymentMethodId,
    /// What is ordered.
    pub items: Items,
}

/// A reply that lacks what its kind promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field} is missing: {why}")]
pub struct Missing {
    field: &'static str,
    why: &'static str,
}

impl Order {
    /// Takes an order. It has said nothing yet, so that it has no version.
    #[must_use]
    pub fn take(id: OrderId, new: NewOrder, now: DateTime<Utc>) -> Self {
        let NewOrder {
            customer_id,
            restaurant_id,
            payment_method_id,
            items,
        } = new;
        Self {
            id,
            customer_id,
            restaurant_id,
            payment_method_id,
            items,
            state: OrderState::Pending,
            held_state: None,
            version: 0,
            ticket_id: None,
            total: None,
            rejection: None,
            created_at: now,
        }
    }

    /// The restaurant has made a ticket, and says what it costs.
    ///
    /// # Errors
    /// It does not say.
    pub fn learn_ticket(&mut self, ticket: &TicketReply) -> Result<(), Missing> {
        let missing = Missing {
            field: "total",
            why: "a ticket that was created is priced",
        };
        self.total = Some(ticket.total.ok_or(missing)?);
        self.ticket_id = Some(ticket.ticket_id);
        Ok(())
    }

    /// The customer may not order.
    ///
    /// # Errors
    /// It is not said why.
    pub fn refused_by_customer(&mut self, reply: &CustomerReply) -> Result<(), Missing> {
        self.refused(Party::Customer, reply.reason.as_ref())
    }

    /// The restaurant makes no ticket.
    ///
    /// # Errors
    /// It is not said why.
    pub fn refused_by_restaurant(&mut self, reply: &TicketReply) -> Result<(), Missing> {
        self.refused(Party::Restaurant, reply.reason.as_ref())
    }

    /// The payment is declined.
    ///
    /// # Errors
    /// It is not said why.
    pub fn refused_by_payment(&mut self, reply: &PaymentReply) -> Result<(), Missing> {
        self.refused(Party::Payment, reply.reason.as_ref())
    }

    fn refused(&mut self, by: Party, reason: Option<&Reason>) -> Result<(), Missing> {
        let missing = Missing {
            field: "reason",
            why: "a refusal has one",
        };
        self.rejection = Some(Rejection {
            by,
            reason: reason.ok_or(missing)?.clone(),
        });
        Ok(())
    }
}
