//! A stored way to pay: what is left of a card.

use chrono::{DateTime, Utc};
use contracts::{Code, CustomerId, PaymentMethodId, Reason};

use super::{Expiry, Secret};

/// The gateway's token for a card, and what people recognise the card by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// What the rest of the world calls it.
    pub id: PaymentMethodId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What the gateway calls the card.
    pub token: Secret,
    /// The card's brand, in the gateway's words.
    pub brand: String,
    /// The last four digits.
    pub last4: String,
    /// The card's last month.
    pub expiry: Expiry,
}

impl Method {
    /// Why this customer may not pay with it now, as far as that can be known without the gateway.
    #[must_use]
    pub fn refusal(&self, customer: CustomerId, now: DateTime<Utc>) -> Option<Reason> {
        if self.customer_id != customer {
            let detail = "The payment method is another customer's.";
            return Some(Reason::new(Code::PAYMENT_METHOD_FOREIGN, detail));
        }
        self.expiry
            .has_passed(now)
            .then(|| Reason::new(Code::CARD_EXPIRED, "The card has expired."))
    }
}
