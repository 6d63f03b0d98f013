//! What the participants say on `order-reply`: answers to commands, and news from outside.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body;
use crate::words::words;
use crate::{
    CookId, CookState, CustomerId, DeliveryId, DeliveryState, MenuItemId, Money, OrderId,
    PaymentId, PaymentState, Quantity, Reason, RestaurantId, TicketId, TicketState,
};

words! {
    /// The verdict on the customer of one order. It is given once, and stays.
    VerificationState, "verification state" {
        /// The customer may order.
        Approved = "APPROVED",
        /// The customer may not order.
        Rejected = "REJECTED",
    }
}

/// Whether the customer may order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerReply {
    /// The order.
    pub order_id: OrderId,
    /// Who was verified.
    pub customer_id: CustomerId,
    /// The verdict.
    pub state: VerificationState,
    /// Why, when it is REJECTED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}
body!(CustomerReply, "customer-reply.v1", OrderReply: CustomerApproved, CustomerRejected);

/// A line of a ticket: name and price as they were when it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PricedItem {
    /// The dish.
    pub menu_item_id: MenuItemId,
    /// What the menu called it.
    pub name: String,
    /// How many of it.
    pub quantity: Quantity,
    /// The price of one.
    pub unit_price: Money,
    /// The price of all of them.
    pub line_total: Money,
}

/// The ticket has this state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TicketReply {
    /// The order.
    pub order_id: OrderId,
    /// Its ticket. A refused one has an id, too: it is remembered.
    pub ticket_id: TicketId,
    /// Whose ticket.
    pub restaurant_id: RestaurantId,
    /// Its state.
    pub state: TicketState,
    /// What the order costs, with TICKET_CREATED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
    /// The lines, with TICKET_CREATED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<PricedItem>>,
    /// Why, when it is REJECTED.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}
body!(
    TicketReply, "ticket-reply.v1",
    OrderReply: TicketCreated, TicketRejected, TicketApproved, TicketPreparing, TicketReady,
        TicketPickedup, TicketComplete, TicketCancelled,
);

/// The payment has this state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentReply {
    /// The order.
    pub order_id: OrderId,
    /// Its payment.
    pub payment_id: PaymentId,
    /// Its state.
    pub state: PaymentState,
    /// What is held, was taken or let go. A tombstone has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Why, when it is DECLINED or the command was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}
body!(
    PaymentReply, "payment-reply.v1",
    OrderReply: PaymentApproved, PaymentRejected, PaymentCaptured, PaymentVoided, PaymentRefunded,
);

/// The kitchen's work on the order has this state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CookReply {
    /// The order.
    pub order_id: OrderId,
    /// The work on it.
    pub cook_id: CookId,
    /// In whose kitchen. A tombstone does not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restaurant_id: Option<RestaurantId>,
    /// Its state.
    pub state: CookState,
    /// Why, when a command was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}
body!(
    CookReply, "cook-reply.v1",
    OrderReply: KitchenPreparing, KitchenReady, KitchenCancelled, KitchenCancelRefused,
);

/// The delivery has this state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryReply {
    /// The order.
    pub order_id: OrderId,
    /// Its delivery.
    pub delivery_id: DeliveryId,
    /// Its state.
    pub state: DeliveryState,
}
body!(DeliveryReply, "delivery-reply.v1", OrderReply: DeliveryPickedup, DeliveryComplete);
