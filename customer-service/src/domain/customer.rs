//! A customer.

use chrono::{DateTime, Utc};
use contracts::CustomerId;
use serde::Serialize;
use thiserror::Error;
use utoipa::ToSchema;

/// Whether a customer may order. Only this service speaks of it, so it is none of the contracts'.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum CustomerState {
    /// May order.
    Active,
    /// May not order at present.
    Suspended,
}

/// A word that is no customer's state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no customer state")]
pub struct UnknownState(String);

impl CustomerState {
    /// The word, as it is in the database and in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
        }
    }
}

impl std::str::FromStr for CustomerState {
    type Err = UnknownState;

    fn from_str(word: &str) -> Result<Self, UnknownState> {
        match word {
            "ACTIVE" => Ok(Self::Active),
            "SUSPENDED" => Ok(Self::Suspended),
            other => Err(UnknownState(other.to_owned())),
        }
    }
}

/// A customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Customer {
    /// The id of the customer.
    pub customer_id: CustomerId,
    /// What they are called.
    pub name: String,
    /// Where they get their letters.
    pub email: String,
    /// Whether they may order.
    pub state: CustomerState,
    /// Counts the changes, from 1.
    pub version: i64,
    /// When they were registered.
    pub created_at: DateTime<Utc>,
    /// When they last changed.
    pub updated_at: DateTime<Utc>,
}

impl Customer {
    /// A new customer, who may order.
    #[must_use]
    pub const fn register(
        customer_id: CustomerId,
        name: String,
        email: String,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            customer_id,
            name,
            email,
            state: CustomerState::Active,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}
