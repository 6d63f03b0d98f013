//! The verdict on the customer of one order.

use chrono::{DateTime, Utc};
use contracts::{Code, CustomerId, CustomerReply, Kind, OrderId, Reason, VerificationState};

use super::CustomerState;

/// The version of every verification: it is given once, and stays.
pub const VERSION: i64 = 1;

/// The verdict on the customer of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The order: there is one verdict on it.
    pub order_id: OrderId,
    /// Who was verified.
    pub customer_id: CustomerId,
    /// Why they may not order; none when they may.
    pub refusal: Option<Reason>,
    /// When it was given.
    pub decided_at: DateTime<Utc>,
}

impl Verification {
    /// Decides whether the customer, who is known as this or not at all, may order.
    #[must_use]
    pub fn decide(
        order_id: OrderId,
        customer_id: CustomerId,
        customer: Option<CustomerState>,
        now: DateTime<Utc>,
    ) -> Self {
        let refusal = match customer {
            Some(CustomerState::Active) => None,
            Some(CustomerState::Suspended) => Some(Reason::new(
                Code::CUSTOMER_SUSPENDED,
                "The customer is suspended.",
            )),
            None => Some(Reason::new(
                Code::CUSTOMER_UNKNOWN,
                "There is no such customer.",
            )),
        };
        Self {
            order_id,
            customer_id,
            refusal,
            decided_at: now,
        }
    }

    /// The verdict in a word.
    #[must_use]
    pub const fn state(&self) -> VerificationState {
        match self.refusal {
            None => VerificationState::Approved,
            Some(_) => VerificationState::Rejected,
        }
    }

    /// The kind of message that tells it.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.refusal {
            None => Kind::CustomerApproved,
            Some(_) => Kind::CustomerRejected,
        }
    }

    /// What the message tells.
    #[must_use]
    pub fn tell(&self) -> CustomerReply {
        CustomerReply {
            order_id: self.order_id,
            customer_id: self.customer_id,
            state: self.state(),
            reason: self.refusal.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn verdict(customer: Option<CustomerState>) -> (Kind, Option<Code>) {
        let id = Uuid::from_u128(1);
        let now = DateTime::UNIX_EPOCH;
        let verdict = Verification::decide(OrderId::new(id), CustomerId::new(id), customer, now);
        (
            verdict.kind(),
            verdict.tell().reason.map(|reason| reason.code),
        )
    }

    #[test]
    fn only_an_active_customer_may_order() {
        let rejected = |code| (Kind::CustomerRejected, Some(code));
        assert_eq!(
            verdict(Some(CustomerState::Active)),
            (Kind::CustomerApproved, None)
        );
        assert_eq!(
            verdict(Some(CustomerState::Suspended)),
            rejected(Code::CUSTOMER_SUSPENDED)
        );
        assert_eq!(verdict(None), rejected(Code::CUSTOMER_UNKNOWN));
    }
}
