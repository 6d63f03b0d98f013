//! The life of a cook entity: the kitchen's work on one order.

use crate::machine::machine;

machine! {
    /// The state of a kitchen's work on an order.
    ///
    /// It may begin CANCELLED: a tombstone, for a cancellation that arrived before the order did.
    CookState, "kitchen", "kitchen state"
    states {
        /// Being cooked.
        Preparing = "PREPARING",
        /// Cooked; too late to cancel.
        Ready = "READY",
        /// Stopped, or never to be started.
        Cancelled = "CANCELLED",
    }
    begins in { Preparing, Cancelled }
    moves {
        Preparing => Ready, Cancelled;
    }
}
