//! What an order says to each participant: what they need, and always its state.

use contracts::{
    AuthorisePayment, Cook, CreateTicket, KitchenOrder, OrderChanged, PaymentOrder, TicketOrder,
    VerifyCustomer,
};

use super::{Missing, Order};

impl Order {
    /// May this customer order? It is also how everybody learns of the order.
    #[must_use]
    pub fn verify_customer(&self) -> VerifyCustomer {
        VerifyCustomer {
            order_id: self.id,
            state: self.state,
            customer_id: self.customer_id,
            restaurant_id: self.restaurant_id,
            items: self.items.to_vec(),
            created_at: self.created_at,
        }
    }

    /// Price this, and make a ticket of it.
    #[must_use]
    pub fn create_ticket(&self) -> CreateTicket {
        CreateTicket {
            order_id: self.id,
            state: self.state,
            customer_id: self.customer_id,
            restaurant_id: self.restaurant_id,
            items: self.items.to_vec(),
        }
    }

    /// Hold what it costs.
    ///
    /// # Errors
    /// Nobody has priced it.
    pub fn authorise_payment(&self) -> Result<AuthorisePayment, Missing> {
        let missing = Missing {
            field: "total",
            why: "a payment comes after the ticket",
        };
        Ok(AuthorisePayment {
            order_id: self.id,
            state: self.state,
            customer_id: self.customer_id,
            payment_method_id: self.payment_method_id,
            amount: self.total.ok_or(missing)?,
        })
    }

    /// Cook this.
    #[must_use]
    pub fn cook(&self) -> Cook {
        Cook {
            order_id: self.id,
            state: self.state,
            restaurant_id: self.restaurant_id,
            items: self.items.to_vec(),
        }
    }

    /// The order has gone on, or back: its ticket follows.
    #[must_use]
    pub const fn tell_ticket(&self) -> TicketOrder {
        TicketOrder {
            order_id: self.id,
            state: self.state,
        }
    }

    /// Take what is held, or let it go.
    #[must_use]
    pub const fn tell_payment(&self) -> PaymentOrder {
        PaymentOrder {
            order_id: self.id,
            state: self.state,
        }
    }

    /// The order is to be cancelled: stop, if it is not too late.
    #[must_use]
    pub const fn ask_kitchen_to_stop(&self) -> KitchenOrder {
        KitchenOrder {
            order_id: self.id,
            state: self.state,
        }
    }

    /// The order has a new state, which nothing else tells.
    #[must_use]
    pub fn changed(&self) -> OrderChanged {
        OrderChanged {
            order_id: self.id,
            state: self.state,
            customer_id: self.customer_id,
            restaurant_id: self.restaurant_id,
            rejection: self.rejection.clone(),
            total: self.total,
        }
    }
}
