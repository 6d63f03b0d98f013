//! The kinds of messages. Which of them belong on which topic is in the [catalogue](crate::catalogue).

use crate::words::words;

words! {
    /// What a message is about: its `ce_type`.
    Kind, "kind of message" {
        /// To each participant: the order begins for you (verify, create a ticket, authorise).
        OrderCreated = "ORDER_CREATED",
        /// The order has a state that no other message announces.
        OrderChanged = "ORDER_CHANGED",
        /// The payment is held: accept the ticket; cook.
        OrderApproved = "ORDER_APPROVED",
        /// The kitchen is at it.
        OrderPreparing = "ORDER_PREPARING",
        /// It is cooked: capture the payment; the ticket follows.
        OrderReady = "ORDER_READY",
        /// A courier has it.
        OrderPickedup = "ORDER_PICKEDUP",
        /// It was delivered.
        OrderComplete = "ORDER_COMPLETE",
        /// The order is refused: undo.
        OrderRejected = "ORDER_REJECTED",
        /// The order is cancelled: undo.
        OrderCancelled = "ORDER_CANCELLED",
        /// To the kitchen: stop, if it is not too late.
        OrderCancelRequested = "ORDER_CANCEL_REQUESTED",
        /// The customer may order.
        CustomerApproved = "CUSTOMER_APPROVED",
        /// The customer may not order.
        CustomerRejected = "CUSTOMER_REJECTED",
        /// The ticket is priced.
        TicketCreated = "TICKET_CREATED",
        /// There is no ticket, or it is withdrawn.
        TicketRejected = "TICKET_REJECTED",
        /// The ticket is ACCEPTED.
        TicketApproved = "TICKET_APPROVED",
        /// The ticket is PREPARING.
        TicketPreparing = "TICKET_PREPARING",
        /// The ticket is READY.
        TicketReady = "TICKET_READY",
        /// The ticket is PICKEDUP.
        TicketPickedup = "TICKET_PICKEDUP",
        /// The ticket is COMPLETE.
        TicketComplete = "TICKET_COMPLETE",
        /// The ticket is CANCELLED.
        TicketCancelled = "TICKET_CANCELLED",
        /// The amount is held.
        PaymentApproved = "PAYMENT_APPROVED",
        /// The amount is not held.
        PaymentRejected = "PAYMENT_REJECTED",
        /// The amount was taken.
        PaymentCaptured = "PAYMENT_CAPTURED",
        /// The hold was let go, or will never be made.
        PaymentVoided = "PAYMENT_VOIDED",
        /// The amount was given back.
        PaymentRefunded = "PAYMENT_REFUNDED",
        /// The kitchen has begun.
        KitchenPreparing = "KITCHEN_PREPARING",
        /// The kitchen is done. From outside: answers nothing.
        KitchenReady = "KITCHEN_READY",
        /// The kitchen has stopped, or will never begin.
        KitchenCancelled = "KITCHEN_CANCELLED",
        /// Too late to cancel: it is READY.
        KitchenCancelRefused = "KITCHEN_CANCEL_REFUSED",
        /// A courier has it. From outside: answers nothing.
        DeliveryPickedup = "DELIVERY_PICKEDUP",
        /// It was handed over. From outside: answers nothing.
        DeliveryComplete = "DELIVERY_COMPLETE",
    }
}
