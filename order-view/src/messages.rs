//! All five topics: what each message tells of its order.

use std::collections::BTreeMap;

use contracts::{
    AuthorisePayment, Body, Cook, CookReply, CreateTicket, DeliveryReply, Kind, KitchenOrder,
    OrderChanged, OrderId, OrderState, PaymentOrder, PaymentReply, TicketOrder, TicketReply, Topic,
    VerifyCustomer,
};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    domain::{
        DeliveryTold, Facts, KitchenTold, News, OrderTold, OrderView, PaymentTold, TicketTold, Told,
    },
    store,
    waiters::Waiters,
};

/// Folds every message into the view of its order.
#[derive(Debug, Clone)]
pub struct Folding {
    waiters: Waiters,
}

impl Folding {
    /// Tells `waiters` which orders have changed.
    #[must_use]
    pub const fn new(waiters: Waiters) -> Self {
        Self { waiters }
    }
}

/// What a batch tells, folded. What is stored already is met in the database, see [`store::merge`].
pub type Batch = BTreeMap<OrderId, OrderView>;

impl Handler for Folding {
    type World = Batch;
    /// The orders that a message of order-service has moved, and their versions.
    type Effects = Vec<(OrderId, i64)>;

    fn interest(&self, topic: &str, kind: &str) -> Interest {
        let verdicts = [Kind::CustomerApproved, Kind::CustomerRejected];
        match protocol::interest(topic, kind, &verdicts) {
            // The check of a customer is no aggregate of the view: the order tells what followed.
            Interest::Handle => Interest::Ignore,
            Interest::Ignore => Interest::Handle,
            Interest::Unknown => Interest::Unknown,
        }
    }

    /// A fold is the same however often it meets a message: there is nothing to remember.
    fn remembers(&self) -> bool {
        false
    }

    async fn load(&self, _: &DatabaseTransaction, _: &[Message]) -> Result<Batch, DbErr> {
        Ok(Batch::new())
    }

    fn decide(
        &self,
        batch: &mut Batch,
        message: &Message,
        _: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        let news = news(message)?;
        match batch.get_mut(&news.order_id) {
            Some(view) => view.fold(news),
            None => drop(batch.insert(news.order_id, OrderView::of(news))),
        }
        Ok(Vec::new())
    }

    async fn save(
        &self,
        db: &DatabaseTransaction,
        batch: Batch,
    ) -> Result<Vec<(OrderId, i64)>, DbErr> {
        store::merge(db, batch.values()).await?;
        let versions = batch
            .values()
            .map(|view| (view.order_id, view.order.version()));
        Ok(versions.filter(|(_, version)| *version > 0).collect())
    }

    fn committed(&self, orders: Vec<(OrderId, i64)>) {
        self.waiters.wake(orders);
    }
}

/// What `message` tells.
///
/// # Errors
/// It is no message of the contract.
pub fn news(message: &Message) -> Result<News, Fault> {
    let topic: Topic = message
        .topic
        .parse()
        .map_err(|error| Fault::new(format!("{error}")))?;
    let (order_id, told, facts) = match topic {
        Topic::OrderCustomer => of_customer(message)?,
        Topic::OrderTicket => of_ticket(message)?,
        Topic::OrderPayment => of_payment(message)?,
        Topic::OrderKitchen => of_kitchen(message)?,
        Topic::OrderReply => of_reply(message)?,
    };
    Ok(News {
        order_id,
        version: message.sequence,
        told,
        facts,
        at: message.time,
    })
}

type Content = (OrderId, Told, Facts);

fn order(message: &Message, order_id: OrderId, state: OrderState, facts: Facts) -> Content {
    (
        order_id,
        Told::Order(OrderTold {
            state,
            at: message.time,
            rejection: None,
        }),
        facts,
    )
}

fn of_customer(message: &Message) -> Result<Content, Fault> {
    if protocol::kind(message)? == Kind::OrderCreated {
        let VerifyCustomer {
            order_id,
            state,
            customer_id,
            restaurant_id,
            items,
            created_at,
        } = protocol::read(message)?;
        let facts = Facts {
            customer_id: Some(customer_id),
            restaurant_id: Some(restaurant_id),
            items: Some(items),
            created_at: Some(created_at),
            ..Facts::default()
        };
        return Ok(order(message, order_id, state, facts));
    }
    let OrderChanged {
        order_id,
        state,
        customer_id,
        restaurant_id,
        rejection,
        total,
    } = protocol::read(message)?;
    let facts = Facts {
        customer_id: Some(customer_id),
        restaurant_id: Some(restaurant_id),
        total,
        ..Facts::default()
    };
    Ok((
        order_id,
        Told::Order(OrderTold {
            state,
            at: message.time,
            rejection,
        }),
        facts,
    ))
}

fn of_ticket(message: &Message) -> Result<Content, Fault> {
    if protocol::kind(message)? == Kind::OrderCreated {
        let CreateTicket {
            order_id,
            state,
            customer_id,
            restaurant_id,
            items,
        } = protocol::read(message)?;
        let facts = Facts {
            customer_id: Some(customer_id),
            restaurant_id: Some(restaurant_id),
            items: Some(items),
            ..Facts::default()
        };
        return Ok(order(message, order_id, state, facts));
    }
    let TicketOrder { order_id, state } = protocol::read(message)?;
    Ok(order(message, order_id, state, Facts::default()))
}

fn of_payment(message: &Message) -> Result<Content, Fault> {
    if protocol::kind(message)? == Kind::OrderCreated {
        let AuthorisePayment {
            order_id,
            state,
            customer_id,
            amount,
            ..
        } = protocol::read(message)?;
        let facts = Facts {
            customer_id: Some(customer_id),
            total: Some(amount),
            ..Facts::default()
        };
        return Ok(order(message, order_id, state, facts));
    }
    let PaymentOrder { order_id, state } = protocol::read(message)?;
    Ok(order(message, order_id, state, Facts::default()))
}

fn of_kitchen(message: &Message) -> Result<Content, Fault> {
    if protocol::kind(message)? == Kind::OrderApproved {
        let Cook {
            order_id,
            state,
            restaurant_id,
            items,
        } = protocol::read(message)?;
        let facts = Facts {
            restaurant_id: Some(restaurant_id),
            items: Some(items),
            ..Facts::default()
        };
        return Ok(order(message, order_id, state, facts));
    }
    let KitchenOrder { order_id, state } = protocol::read(message)?;
    Ok(order(message, order_id, state, Facts::default()))
}

fn of_reply(message: &Message) -> Result<Content, Fault> {
    let (kind, at) = (protocol::kind(message)?, message.time);
    if TicketReply::KINDS.contains(&kind) {
        return ticket(message);
    }
    if PaymentReply::KINDS.contains(&kind) {
        let PaymentReply {
            order_id,
            payment_id,
            state,
            reason,
            ..
        } = protocol::read(message)?;
        let told = Told::Payment(PaymentTold {
            payment_id,
            state,
            at,
            reason,
        });
        return Ok((order_id, told, Facts::default()));
    }
    if CookReply::KINDS.contains(&kind) {
        let CookReply {
            order_id,
            cook_id,
            restaurant_id,
            state,
            ..
        } = protocol::read(message)?;
        let told = Told::Kitchen(KitchenTold { cook_id, state, at });
        return Ok((
            order_id,
            told,
            Facts {
                restaurant_id,
                ..Facts::default()
            },
        ));
    }
    let DeliveryReply {
        order_id,
        delivery_id,
        state,
    } = protocol::read(message)?;
    let told = Told::Delivery(DeliveryTold {
        delivery_id,
        state,
        at,
    });
    Ok((order_id, told, Facts::default()))
}

fn ticket(message: &Message) -> Result<Content, Fault> {
    let TicketReply {
        order_id,
        ticket_id,
        restaurant_id,
        state,
        total,
        items,
        reason,
    } = protocol::read(message)?;
    let facts = Facts {
        restaurant_id: Some(restaurant_id),
        ticket_id: Some(ticket_id),
        priced_items: items,
        total,
        ..Facts::default()
    };
    Ok((
        order_id,
        Told::Ticket(TicketTold {
            state,
            at: message.time,
            reason,
        }),
        facts,
    ))
}
