//! An order as readers see it.

use chrono::{DateTime, Utc};
use contracts::{
    CookState, CustomerId, DeliveryState, MenuItemId, Money, OrderId, OrderItem, OrderState,
    PaymentState, PricedItem, Quantity, Reason, Rejection, RestaurantId, TicketId, TicketState,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Latest, OrderView};

/// An order with its ticket, payment, kitchen and delivery, each as far as it has been told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Order {
    order_id: OrderId,
    state: OrderState,
    /// The version of the order that this shows.
    version: i64,
    /// When the newest message in this answer was said.
    as_of: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rejection: Option<Rejection>,
    /// Absent until the restaurant has priced the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restaurant_id: Option<RestaurantId>,
    items: Vec<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket: Option<TicketPart>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<Part<PaymentState>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kitchen: Option<Part<CookState>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<Part<DeliveryState>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<DateTime<Utc>>,
    /// When the order last said something.
    updated_at: DateTime<Utc>,
}

/// A line of the order. Name and prices are there once the restaurant has told them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    menu_item_id: MenuItemId,
    quantity: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit_price: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line_total: Option<Money>,
}

/// The state of one of the order's companions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part<S> {
    state: S,
    version: i64,
    /// Since when.
    at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
}

/// The restaurant's ticket.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TicketPart {
    #[serde(skip_serializing_if = "Option::is_none")]
    ticket_id: Option<TicketId>,
    #[serde(flatten)]
    part: Part<TicketState>,
}

impl Order {
    /// The order, if it has said something itself: a companion may be heard of first.
    pub(super) fn of(view: OrderView) -> Option<Self> {
        let order = view.order.told()?.clone();
        let ticket = part(&view.ticket, |told| {
            (told.state, told.at, told.reason.clone())
        });
        let ticket_id = view.facts.ticket_id;
        Some(Self {
            order_id: view.order_id,
            state: order.state,
            version: view.order.version(),
            as_of: view.as_of,
            rejection: order.rejection,
            total: view.facts.total,
            customer_id: view.facts.customer_id,
            restaurant_id: view.facts.restaurant_id,
            ticket: ticket.map(|part| TicketPart { ticket_id, part }),
            payment: part(&view.payment, |told| {
                (told.state, told.at, told.reason.clone())
            }),
            kitchen: part(&view.kitchen, |told| (told.state, told.at, None)),
            delivery: part(&view.delivery, |told| (told.state, told.at, None)),
            created_at: view.facts.created_at,
            updated_at: order.at,
            items: items(view.facts.priced_items, view.facts.items),
        })
    }
}

fn part<T, S>(
    latest: &Latest<T>,
    read: impl Fn(&T) -> (S, DateTime<Utc>, Option<Reason>),
) -> Option<Part<S>> {
    let (state, at, reason) = latest.told().map(read)?;
    Some(Part {
        state,
        version: latest.version(),
        at,
        reason,
    })
}

/// The lines as the restaurant has priced them, or else as they were ordered.
pub(super) fn items(priced: Option<Vec<PricedItem>>, ordered: Option<Vec<OrderItem>>) -> Vec<Item> {
    if let Some(priced) = priced {
        return priced.into_iter().map(Item::from).collect();
    }
    ordered
        .unwrap_or_default()
        .into_iter()
        .map(Item::from)
        .collect()
}

impl From<PricedItem> for Item {
    fn from(item: PricedItem) -> Self {
        Self {
            menu_item_id: item.menu_item_id,
            quantity: item.quantity,
            name: Some(item.name),
            unit_price: Some(item.unit_price),
            line_total: Some(item.line_total),
        }
    }
}

impl From<OrderItem> for Item {
    fn from(item: OrderItem) -> Self {
        let OrderItem {
            menu_item_id,
            quantity,
        } = item;
        Self {
            menu_item_id,
            quantity,
            name: None,
            unit_price: None,
            line_total: None,
        }
    }
}
