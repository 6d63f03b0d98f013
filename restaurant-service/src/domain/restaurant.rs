//! A restaurant.

use chrono::{DateTime, Utc};
use contracts::{Currency, Money, RestaurantId};

use super::OpeningHours;

/// A restaurant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restaurant {
    /// Its id.
    pub restaurant_id: RestaurantId,
    /// What it is called.
    pub name: String,
    /// The currency of its prices.
    pub currency: Currency,
    /// It does not deliver for less.
    pub minimum_order: Option<Money>,
    /// When it is open; always, where nothing is said.
    pub opening_hours: Option<OpeningHours>,
    /// When it joined.
    pub created_at: DateTime<Utc>,
}

impl Restaurant {
    /// Whether it takes orders at `moment`.
    #[must_use]
    pub fn is_open(&self, moment: DateTime<Utc>) -> bool {
        self.opening_hours
            .as_ref()
            .is_none_or(|hours| hours.include(moment))
    }
}
