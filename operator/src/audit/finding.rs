//! What a rule finds: a suspicion first, a violation when nothing explains it.

use contracts::OrderId;
use serde::{Serialize, Serializer};

/// What must be true, and when.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Its name, for scripts and for `docs/operations.md`.
    pub(crate) name: &'static str,
    /// Whose word it is about.
    pub(crate) about: Subject,
    /// When it holds.
    pub(crate) holds: Holds,
    /// What a person does about a violation.
    pub(crate) next: &'static str,
}

/// When a rule holds. The databases are read one after another, so whatever is found is looked at again anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// At every moment, whatever is under way.
    Always,
    /// When everything that was said has been published, and handled by whoever the rule is about.
    AtRest,
    /// When everything that was said has been published, and handled by everybody.
    Unattended,
}

/// Whose word a rule is about, and so who may have explained a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Order,
    Customer,
    Ticket,
    Payment,
    Kitchen,
    Delivery,
    View,
    Gateway,
    /// A message, whoever sent it.
    Message,
}

/// Something that is not as a rule wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Finding {
    /// The order; nil where there is none.
    pub(crate) order: OrderId,
    #[serde(serialize_with = "name")]
    pub(crate) rule: &'static Rule,
    pub(crate) expected: String,
    pub(crate) found: String,
}

fn name<S: Serializer>(rule: &&'static Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.name)
}

impl Subject {
    /// The consumer whose parked messages are about it.
    pub(crate) const fn consumer(self) -> Option<&'static str> {
        match self {
            Self::Order => Some("order-service"),
            Self::Customer => Some("customer-service"),
            Self::Ticket => Some("restaurant-service"),
            Self::Payment => Some("payment-service"),
            Self::Kitchen => Some("kitchen-service"),
            Self::Delivery => Some("delivery-service"),
            Self::View => Some("order-view"),
            Self::Gateway | Self::Message => None,
        }
    }

    /// Whether a step of the saga asks for it: when an operator has skipped that step, it may differ.
    pub(crate) fn is_asked_in(self, step: &str) -> bool {
        match self {
            Self::Customer => step == "verify customer",
            Self::Ticket => step.ends_with(" ticket"),
            Self::Payment => step.ends_with(" payment"),
            Self::Kitchen => matches!(step, "cook" | "cooked"),
            Self::Delivery => matches!(step, "picked up" | "delivered"),
            Self::Order | Self::View | Self::Gateway | Self::Message => false,
        }
    }
}
