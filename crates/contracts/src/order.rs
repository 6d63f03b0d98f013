//! The life of an order.

use crate::machine::machine;

machine! {
    /// The state of an order.
    ///
    /// An order that is CANCEL_PENDING is locked: it becomes CANCELLED, or goes back to where it
    /// was, which its owner remembers.
    OrderState, "order", "order state"
    states {
        /// Taken, and being checked: customer, ticket, payment.
        Pending = "PENDING",
        /// Paid for (a hold), and passed to the kitchen.
        Accepted = "ACCEPTED",
        /// The kitchen is at it.
        Preparing = "PREPARING",
        /// Cooked and captured; waits for a courier.
        Ready = "READY",
        /// With a courier.
        Pickedup = "PICKEDUP",
        /// Delivered.
        Complete = "COMPLETE",
        /// Refused by the customer check, the restaurant or the payment; all is undone.
        Rejected = "REJECTED",
        /// A cancellation was asked for and is not decided yet.
        CancelPending = "CANCEL_PENDING",
        /// Cancelled; all that was granted is undone.
        Cancelled = "CANCELLED",
    }
    begins in { Pending }
    moves {
        Pending => Accepted, Rejected, CancelPending;
        Accepted => Preparing, CancelPending;
        Preparing => Ready, CancelPending;
        Ready => Pickedup;
        Pickedup => Complete;
        CancelPending => Cancelled, Pending, Accepted, Preparing;
    }
}
