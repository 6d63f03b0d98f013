//! A ticket: what the restaurant makes of an order.

use chrono::{DateTime, Utc};
use contracts::{
    Code, CreateTicket, Illegal, Kind, Machine, Money, OrderId, OrderItem, PricedItem, Reason,
    RestaurantId, TicketId, TicketReply, TicketState,
};

use super::{Menu, Restaurant};

/// No restaurant cooks for more than this, in minor units: what is beyond it is a mistake.
const MOST: i64 = 1_000_000_000;

/// What the restaurant makes of an order. A refusal is one too, so that it stays refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The order; there is one ticket for each.
    pub order_id: OrderId,
    /// Its own id.
    pub ticket_id: TicketId,
    /// The restaurant.
    pub restaurant_id: RestaurantId,
    /// How far it is.
    pub state: TicketState,
    /// Counts the messages that it has said.
    pub version: i64,
    /// What was ordered, priced; empty where it was refused.
    pub items: Vec<PricedItem>,
    /// What it costs; none where it was refused.
    pub total: Option<Money>,
    /// Why it was refused or withdrawn.
    pub reason: Option<Reason>,
    /// When the order came.
    pub created_at: DateTime<Utc>,
    /// When it last changed or spoke.
    pub updated_at: DateTime<Utc>,
}

/// What a new ticket takes from its surroundings.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    /// The id for it.
    pub ticket_id: TicketId,
    /// The time.
    pub now: DateTime<Utc>,
}

impl Ticket {
    /// Makes a ticket of an order: priced from the restaurant's own menu, or refused.
    #[must_use]
    pub fn create(
        order: &CreateTicket,
        restaurant: Option<(&Restaurant, &Menu)>,
        beginning: Beginning,
    ) -> Self {
        let Beginning { ticket_id, now } = beginning;
        let priced = restaurant
            .ok_or_else(|| Reason::new(Code::RESTAURANT_UNKNOWN, "There is no such restaurant."))
            .and_then(|(restaurant, menu)| price(&order.items, restaurant, menu, now));
        let (state, items, total, reason) = match priced {
            Ok((items, total)) => (TicketState::Pending, items, Some(total), None),
            Err(reason) => (TicketState::Rejected, Vec::new(), None, Some(reason)),
        };
        Self {
            order_id: order.order_id,
            ticket_id,
            restaurant_id: order.restaurant_id,
            state,
            version: 1,
            items,
            total,
            reason,
            created_at: now,
            updated_at: now,
        }
    }

    /// The order came again: nothing changes, but that it is answered once more.
    pub fn asked_again(&mut self, now: DateTime<Utc>) {
        self.speak(now);
    }

    /// What the ticket answers to its order.
    #[must_use]
    pub const fn answer_to_order(&self) -> Kind {
        match self.state {
            TicketState::Rejected => Kind::TicketRejected,
            TicketState::Cancelled => Kind::TicketCancelled,
            _ => Kind::TicketCreated,
        }
    }

    /// Follows the order to `state`. To be told again what has been followed already changes nothing; nor does anything
    /// change about a ticket that is withdrawn: what comes then is a late repetition, or withdraws it once more.
    ///
    /// # Errors
    /// There is no way there.
    pub fn follow(&mut self, state: TicketState, now: DateTime<Utc>) -> Result<(), Illegal> {
        if !self.is_withdrawn() && !self.state.has_reached(state) {
            self.state = self.state.move_to(state)?;
            self.reason = withdrawal(state).or(self.reason.take());
        }
        self.speak(now);
        Ok(())
    }

    /// What the ticket answers to being told to follow to `state`, which is `done` when it has. One that is withdrawn
    /// must not seem accepted.
    #[must_use]
    pub fn answer_to(&self, state: TicketState, done: Kind) -> Kind {
        match self.is_withdrawn() && !withdraws(state) {
            true => self.answer_to_order(),
            false => done,
        }
    }

    /// Whether it will never be cooked: refused by the restaurant, or given back.
    const fn is_withdrawn(&self) -> bool {
        withdraws(self.state)
    }

    fn speak(&mut self, now: DateTime<Utc>) {
        self.version += 1;
        self.updated_at = now;
    }

    /// What the ticket says of itself. What was ordered and what it costs is said with the answer to the order.
    #[must_use]
    pub fn tell(&self, kind: Kind) -> TicketReply {
        let is_offer = kind == Kind::TicketCreated;
        TicketReply {
            order_id: self.order_id,
            ticket_id: self.ticket_id,
            restaurant_id: self.restaurant_id,
            state: self.state,
            total: self.total.filter(|_| is_offer),
            items: is_offer.then(|| self.items.clone()),
            reason: self.reason.clone(),
        }
    }
}

const fn withdraws(state: TicketState) -> bool {
    matches!(state, TicketState::Rejected | TicketState::Cancelled)
}

fn withdrawal(state: TicketState) -> Option<Reason> {
    match state {
        TicketState::Rejected => Some(Reason::new(
            Code::ORDER_REJECTED,
            "The order was refused further on.",
        )),
        TicketState::Cancelled => Some(Reason::new(
            Code::ORDER_CANCELLED,
            "The order was cancelled.",
        )),
        _ => None,
    }
}

/// Prices the order, or says why not.
fn price(
    ordered: &[OrderItem],
    restaurant: &Restaurant,
    menu: &Menu,
    now: DateTime<Utc>,
) -> Result<(Vec<PricedItem>, Money), Reason> {
    if !restaurant.is_open(now) {
        return Err(Reason::new(
            Code::RESTAURANT_CLOSED,
            "The restaurant is closed.",
        ));
    }
    let items = ordered
        .iter()
        .map(|item| price_one(item, menu))
        .collect::<Result<Vec<_>, _>>()?;
    let total = items
        .iter()
        .try_fold(Money::zero(restaurant.currency), |total, item| {
            total.plus(item.line_total)
        });
    let total = total.map_err(|error| {
        Reason::new(
            Code::TOTAL_TOO_LARGE,
            format!("The total cannot be counted: {error}."),
        )
    })?;
    if total.amount() > MOST {
        return Err(Reason::new(
            Code::TOTAL_TOO_LARGE,
            format!("{total} is more than any order may cost."),
        ));
    }
    match restaurant.minimum_order {
        Some(minimum) if total.amount() < minimum.amount() => {
            let detail = format!(
                "The order is worth {total}; the restaurant delivers for {minimum} or more."
            );
            Err(Reason::new(Code::BELOW_MINIMUM_ORDER, detail))
        }
        _ => Ok((items, total)),
    }
}

fn price_one(ordered: &OrderItem, menu: &Menu) -> Result<PricedItem, Reason> {
    let id = ordered.menu_item_id;
    let item = menu.item(id);
    let item =
        item.ok_or_else(|| Reason::new(Code::ITEM_UNKNOWN, format!("The menu has no dish {id}.")))?;
    if !item.available {
        return Err(Reason::new(
            Code::ITEM_UNAVAILABLE,
            format!("{} is not to be had at present.", item.name),
        ));
    }
    let line_total = item.price.times(ordered.quantity);
    Ok(PricedItem {
        menu_item_id: id,
        name: item.name.clone(),
        quantity: ordered.quantity,
        unit_price: item.price,
        line_total: line_total.map_err(|error| {
            Reason::new(
                Code::TOTAL_TOO_LARGE,
                format!("{} cannot be counted: {error}.", item.name),
            )
        })?,
    })
}
