//! The life of a delivery: the way of one order to its customer.

use crate::machine::machine;

machine! {
    /// The state of a delivery.
    DeliveryState, "delivery", "delivery state"
    states {
        /// Waits to be picked up.
        Ready = "READY",
        /// On its way.
        Pickedup = "PICKEDUP",
        /// Handed over.
        Complete = "COMPLETE",
    }
    begins in { Ready }
    moves {
        Ready => Pickedup;
        Pickedup => Complete;
    }
}
