//! A promise that was broken.

use std::fmt::Display;

use serde::Serialize;

/// What was found, about which order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Violation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) order: Option<String>,
    pub(crate) what: String,
}

impl Violation {
    /// One of an order.
    pub(crate) fn of(order: impl Display, what: impl Into<String>) -> Self {
        Self {
            order: Some(order.to_string()),
            what: what.into(),
        }
    }

    /// One that no single order has.
    pub(crate) fn general(what: impl Into<String>) -> Self {
        Self {
            order: None,
            what: what.into(),
        }
    }
}
