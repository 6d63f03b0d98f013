//! The life of a ticket: what a restaurant has promised for an order, and at which price.

use crate::machine::machine;

machine! {
    /// The state of a ticket. It follows the order, step by step.
    TicketState, "ticket", "ticket state"
    states {
        /// Priced; waits for the payment.
        Pending = "PENDING",
        /// Paid for (a hold).
        Accepted = "ACCEPTED",
        /// The kitchen is at it.
        Preparing = "PREPARING",
        /// Cooked.
        Ready = "READY",
        /// With a courier.
        Pickedup = "PICKEDUP",
        /// Delivered.
        Complete = "COMPLETE",
        /// The order was refused.
        Rejected = "REJECTED",
        /// The order was cancelled.
        Cancelled = "CANCELLED",
    }
    begins in { Pending }
    moves {
        Pending => Accepted, Rejected, Cancelled;
        Accepted => Preparing, Cancelled;
        Preparing => Ready, Cancelled;
        Ready => Pickedup;
        Pickedup => Complete;
    }
}
