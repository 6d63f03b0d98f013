//! What order-service asks of the restaurant: make a ticket of this order; the order is so far; withdraw it.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use contracts::{CreateTicket, Kind, OrderId, RestaurantId, TicketId, TicketOrder, TicketState};
use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    domain::{Beginning, Menu, Restaurant, Ticket},
    store::{self, Row},
};

/// What is handled on `order-ticket`.
const HANDLED: [Kind; 8] = [
    Kind::OrderCreated,
    Kind::OrderApproved,
    Kind::OrderPreparing,
    Kind::OrderReady,
    Kind::OrderPickedup,
    Kind::OrderComplete,
    Kind::OrderRejected,
    Kind::OrderCancelled,
];

/// Handles `order-ticket`.
#[derive(Debug, Clone, Copy)]
pub struct Ticketing;

/// The tickets of a batch, and the restaurants that its new orders are for.
#[derive(Debug, Default)]
pub struct World {
    tickets: HashMap<OrderId, Row>,
    restaurants: HashMap<RestaurantId, (Restaurant, Menu)>,
}

impl World {
    /// Stored tickets, and the restaurants with those of their dishes that are asked for.
    #[must_use]
    pub fn of(
        tickets: impl IntoIterator<Item = Ticket>,
        restaurants: HashMap<RestaurantId, (Restaurant, Menu)>,
    ) -> Self {
        let tickets = tickets.into_iter();
        Self {
            tickets: tickets
                .map(|ticket| (ticket.order_id, Row::Known(ticket)))
                .collect(),
            restaurants,
        }
    }

    /// The tickets as they are to be stored.
    #[must_use]
    pub fn into_tickets(self) -> Vec<Row> {
        self.tickets.into_values().collect()
    }
}

impl Handler for Ticketing {
    type World = World;
    type Effects = ();

    fn interest(&self, topic: &str, kind: &str) -> Interest {
        protocol::interest(topic, kind, &HANDLED)
    }

    async fn load(&self, db: &DatabaseTransaction, messages: &[Message]) -> Result<World, DbErr> {
        let tickets = store::tickets::lock(db, messages.iter().map(|message| message.key)).await?;
        let known: HashSet<OrderId> = tickets.iter().map(|ticket| ticket.order_id).collect();
        // One that cannot be read has nothing to load: it fails when it is decided about.
        let orders = messages
            .iter()
            .filter_map(|message| protocol::read::<CreateTicket>(message).ok());
        let new: Vec<_> = orders
            .filter(|order| !known.contains(&order.order_id))
            .collect();
        let restaurants = store::restaurants::of_orders(db, &new).await?;
        Ok(World::of(tickets, restaurants))
    }

    fn decide(
        &self,
        world: &mut World,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        let (kind, ticket) = match protocol::kind(message)? {
            Kind::OrderCreated => created(world, message, stamp)?,
            kind => followed(world, kind, message, stamp)?,
        };
        let reply = protocol::write(stamp, kind, ticket.version, &ticket.tell(kind))?;
        Ok(vec![reply.answering(message)])
    }

    async fn save(&self, db: &DatabaseTransaction, world: World) -> Result<(), DbErr> {
        store::tickets::save(db, world.into_tickets()).await
    }

    fn committed(&self, (): ()) {}
}

/// Make a ticket of this order.
fn created<'w>(
    world: &'w mut World,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<(Kind, &'w Ticket), Fault> {
    let order: CreateTicket = protocol::read(message)?;
    let ticket = match world.tickets.entry(order.order_id) {
        Entry::Vacant(place) => {
            let restaurant = world.restaurants.get(&order.restaurant_id);
            let beginning = Beginning {
                ticket_id: TicketId::new(stamp.new_id()),
                now: stamp.now,
            };
            let ticket = Ticket::create(
                &order,
                restaurant.map(|(restaurant, menu)| (restaurant, menu)),
                beginning,
            );
            place.insert(Row::New(ticket)).ticket()
        }
        Entry::Occupied(known) => {
            let ticket = known.into_mut().ticket_mut();
            ticket.asked_again(stamp.now);
            ticket
        }
    };
    Ok((ticket.answer_to_order(), ticket))
}

/// The order is so far: follow it. It came with `ORDER_CREATED` on the same topic, so there is a ticket.
fn followed<'w>(
    world: &'w mut World,
    kind: Kind,
    message: &Message,
    stamp: &mut Stamp,
) -> Result<(Kind, &'w Ticket), Fault> {
    let TicketOrder { order_id, .. } = protocol::read(message)?;
    let (state, done) = meaning(kind)?;
    let row = world.tickets.get_mut(&order_id);
    let row =
        row.ok_or_else(|| Fault::new(format!("{kind} for order {order_id}, which has no ticket")))?;
    let ticket = row.ticket_mut();
    ticket
        .follow(state, stamp.now)
        .map_err(|illegal| Fault::new(format!("{kind} for order {order_id}: {illegal}")))?;
    Ok((ticket.answer_to(state, done), ticket))
}

/// The state that a message takes a ticket to, and how it is answered.
fn meaning(kind: Kind) -> Result<(TicketState, Kind), Fault> {
    Ok(match kind {
        Kind::OrderApproved => (TicketState::Accepted, Kind::TicketApproved),
        Kind::OrderPreparing => (TicketState::Preparing, Kind::TicketPreparing),
        Kind::OrderReady => (TicketState::Ready, Kind::TicketReady),
        Kind::OrderPickedup => (TicketState::Pickedup, Kind::TicketPickedup),
        Kind::OrderComplete => (TicketState::Complete, Kind::TicketComplete),
        Kind::OrderRejected => (TicketState::Rejected, Kind::TicketRejected),
        Kind::OrderCancelled => (TicketState::Cancelled, Kind::TicketCancelled),
        other => return Err(Fault::new(format!("a restaurant does not handle {other}"))),
    })
}
