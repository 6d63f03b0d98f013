//! The five topics. A setting may put a prefix before their names, at Kafka's edge and only there.

use crate::words::words;

words! {
    /// A topic. The key of every message on it is the order id.
    Topic, "topic" {
        /// order-service asks customer-service to verify, and announces what no other message does.
        OrderCustomer = "order-customer",
        /// order-service tells restaurant-service.
        OrderTicket = "order-ticket",
        /// order-service tells payment-service.
        OrderPayment = "order-payment",
        /// order-service tells kitchen-service.
        OrderKitchen = "order-kitchen",
        /// Everyone answers, and reports what happened outside.
        OrderReply = "order-reply",
    }
}
