//! Why something was refused: a code for programs, a sentence for people.

use std::borrow::Cow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::words::words;

words! {
    /// Who refused.
    Party, "party" {
        /// order-service itself: nobody answered in time, or an operator took the order back.
        Order = "order",
        /// The check of the customer.
        Customer = "customer",
        /// The restaurant.
        Restaurant = "restaurant",
        /// The payment.
        Payment = "payment",
        /// The kitchen.
        Kitchen = "kitchen",
        /// The delivery.
        Delivery = "delivery",
    }
}

/// A stable code in upper-case words, for example `CARD_DECLINED`.
///
/// The set is open: a code that a consumer does not know is passed on as it is, so that a
/// participant may learn to refuse for a new reason before everyone else is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(transparent)]
#[schemars(inline, extend("pattern" = "^[A-Z][A-Z_]*$"))]
#[schema(value_type = String, example = "CARD_DECLINED")]
pub struct Code(Cow<'static, str>);

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        impl Code {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed(stringify!($name)));)+

            /// Every code that this version knows.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
        }
    };
}

codes! {
    /// There is no such customer.
    CUSTOMER_UNKNOWN,
    /// The customer may not order at present.
    CUSTOMER_SUSPENDED,
    /// There is no such restaurant.
    RESTAURANT_UNKNOWN,
    /// The restaurant is closed at the time of the order.
    RESTAURANT_CLOSED,
    /// The restaurant's menu has no such dish.
    ITEM_UNKNOWN,
    /// The dish is not to be had at present.
    ITEM_UNAVAILABLE,
    /// The total is below what the restaurant delivers for.
    BELOW_MINIMUM_ORDER,
    /// The total cannot be counted.
    TOTAL_TOO_LARGE,
    /// There is no such payment method.
    PAYMENT_METHOD_UNKNOWN,
    /// The payment method is another customer's.
    PAYMENT_METHOD_FOREIGN,
    /// The card is past its last month.
    CARD_EXPIRED,
    /// The issuer refuses, and says no more.
    CARD_DECLINED,
    /// The issuer refuses for want of money.
    INSUFFICIENT_FUNDS,
    /// The gateway does not know, or no longer wants, this card's token.
    CARD_UNUSABLE,
    /// The payment was undone before it was made.
    PAYMENT_VOIDED,
    /// The order was refused further on, so this part of it is withdrawn.
    ORDER_REJECTED,
    /// The order was cancelled.
    ORDER_CANCELLED,
    /// It is too late: the dish is ready.
    ALREADY_READY,
    /// A participant did not answer, in all its attempts.
    NO_ANSWER,
    /// An operator had the order taken back.
    SENT_BACK,
}

impl Code {
    /// The code's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Code {
    /// Any text: for what was stored, or came from a newer version.
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

/// Why something was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// For programs: stable.
    pub code: Code,
    /// For people: one sentence, which may change.
    #[schema(example = "The issuer declined the card.")]
    pub detail: String,
}

impl Reason {
    /// A reason with its sentence.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_upper_case_words_and_differ() {
        for (index, code) in Code::ALL.iter().enumerate() {
            let text = code.as_str();
            assert!(
                text.starts_with(|first: char| first.is_ascii_uppercase()),
                "{text}"
            );
            assert!(
                text.chars().all(|c| c.is_ascii_uppercase() || c == '_'),
                "{text}"
            );
            assert!(
                !Code::ALL[..index].contains(code),
                "{text} stands there twice"
            );
        }
    }

    #[test]
    fn a_code_that_is_not_known_yet_is_passed_on() {
        let newer = r#"{"code":"OUT_OF_GAS","detail":"The stove is cold."}"#;
        let reason: Reason = serde_json::from_str(newer).unwrap();
        assert_eq!(reason.code.as_str(), "OUT_OF_GAS");
        assert_eq!(serde_json::to_string(&reason).unwrap(), newer);
    }
}
