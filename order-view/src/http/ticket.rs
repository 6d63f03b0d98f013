//! A ticket as readers see it.

use chrono::{DateTime, Utc};
use contracts::{Money, OrderId, Reason, RestaurantId, TicketId, TicketState};
use serde::Serialize;
use utoipa::ToSchema;

use super::order::{Item, items};
use crate::domain::OrderView;

/// A restaurant's ticket.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ticket {
    ticket_id: TicketId,
    order_id: OrderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    restaurant_id: Option<RestaurantId>,
    state: TicketState,
    /// The version of the ticket that this shows.
    version: i64,
    /// When the newest message in this answer was said.
    as_of: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
    items: Vec<Item>,
    /// When the ticket last said something.
    updated_at: DateTime<Utc>,
}

impl Ticket {
    /// The order's ticket, if it has one.
    pub(super) fn of(view: OrderView) -> Option<Self> {
        let told = view.ticket.told()?.clone();
        Some(Self {
            ticket_id: view.facts.ticket_id?,
            order_id: view.order_id,
            restaurant_id: view.facts.restaurant_id,
            state: told.state,
            version: view.ticket.version(),
            as_of: view.as_of,
            reason: told.reason,
            total: view.facts.total,
            updated_at: told.at,
            items: items(view.facts.priced_items, view.facts.items),
        })
    }
}
