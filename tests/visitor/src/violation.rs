//! A promise that was broken.

use std::fmt::Display;

use serde::Serialize;

/// What was found, about which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The order that it is about, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// In words.
    pub what: String,
}

impl Violation {
    /// One of an order.
    pub fn of(order: impl Display, what: impl Into<String>) -> Self {
        Self {
            order: Some(order.to_string()),
            what: what.into(),
        }
    }

    /// One that no single order has.
    pub fn general(what: impl Into<String>) -> Self {
        Self {
            order: None,
            what: what.into(),
        }
    }
}
