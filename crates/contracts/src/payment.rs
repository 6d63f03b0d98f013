//! The life of a payment: one per order.

use crate::machine::machine;

machine! {
    /// The state of a payment.
    ///
    /// Every payment begins with the intent to authorise, the tombstone too that is left when a
    /// void overtakes its authorisation: it begins, and is voided in the same breath.
    PaymentState, "payment", "payment state"
    states {
        /// The intent is stored; the gateway has not answered yet.
        Authorising = "AUTHORISING",
        /// The gateway holds the amount.
        Authorised = "AUTHORISED",
        /// The held amount was taken.
        Captured = "CAPTURED",
        /// The taken amount was given back.
        Refunded = "REFUNDED",
        /// The gateway, or a check before it, refused.
        Declined = "DECLINED",
        /// The hold was let go, or will never be made.
        Voided = "VOIDED",
    }
    begins in { Authorising }
    moves {
        Authorising => Authorised, Declined, Voided;
        Authorised => Captured, Voided;
        Captured => Refunded;
    }
}
