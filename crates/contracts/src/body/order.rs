//! What order-service says: commands to the participants, and the order's own state.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body;
use crate::{
    CustomerId, MenuItemId, Money, OrderId, OrderState, Party, PaymentMethodId, Quantity, Reason,
    RestaurantId,
};

/// A dish and how many of it, as ordered: without name and price, which are the restaurant's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderItem {
    /// The dish.
    pub menu_item_id: MenuItemId,
    /// How many of it.
    pub quantity: Quantity,
}

/// Who refused an order, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rejection {
    /// Who refused.
    pub by: Party,
    /// Why.
    pub reason: Reason,
}

/// Verify this customer: may they order? It is also how the view learns of the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyCustomer {
    /// The order.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrderState,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// From whom.
    pub restaurant_id: RestaurantId,
    /// What.
    pub items: Vec<OrderItem>,
    /// When the order was taken.
    pub created_at: DateTime<Utc>,
}
body!(VerifyCustomer, "verify-customer.v1", OrderCustomer: OrderCreated);

/// The order has a state that no other message announces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderChanged {
    /// The order.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrderState,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// From whom.
    pub restaurant_id: RestaurantId,
    /// Who refused it and why, when it is REJECTED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rejection: Option<Rejection>,
    /// What it costs, once the restaurant has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
}
body!(OrderChanged, "order-changed.v1", OrderCustomer: OrderChanged);

/// Price this order from your menu, and make a ticket of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreateTicket {
    /// The order.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrderState,
    /// Who ordered.
    pub customer_id: CustomerId,
    /// Who is asked.
    pub restaurant_id: RestaurantId,
    /// What was ordered.
    pub items: Vec<OrderItem>,
}
body!(CreateTicket, "create-ticket.v1", OrderTicket: OrderCreated);

/// The order has gone on: its ticket follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketOrder {
    /// The order.
    pub order_id: OrderId,
    /// Its state, which the ticket's own may be ahead of: the kind says what to do.
    pub state: OrderState,
}
body!(
    TicketOrder, "ticket-order.v1",
    OrderTicket: OrderApproved, OrderPreparing, OrderReady, OrderPickedup, OrderComplete,
        OrderRejected, OrderCancelled,
);

/// Hold this amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorisePayment {
    /// The order.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrderState,
    /// Who pays.
    pub customer_id: CustomerId,
    /// With what: the name of a card's token, which only this topic carries.
    pub payment_method_id: PaymentMethodId,
    /// How much: the ticket's total.
    pub amount: Money,
}
body!(AuthorisePayment, "authorise-payment.v1", OrderPayment: OrderCreated);

/// Take what is held (ORDER_READY), or let it go (ORDER_REJECTED, ORDER_CANCELLED).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentOrder {
    /// The order.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrderState,
}
body!(
    PaymentOrder, "payment-order.v1",
    OrderPayment: OrderReady, OrderRejected, OrderCancelled,
);

/// Cook this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cook {
    /// The order.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrderState,
    /// In whose kitchen.
    pub restaurant_id: RestaurantId,
    /// What.
    pub items: Vec<OrderItem>,
}
body!(Cook, "cook.v1", OrderKitchen: OrderApproved);

/// Stop, if it is not too late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KitchenOrder {
    /// The order.
    pub order_id: OrderId,
    /// Its state.
    pub state: OrderState,
}
body!(KitchenOrder, "kitchen-order.v1", OrderKitchen: OrderCancelRequested);
