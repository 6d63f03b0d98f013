//! A restaurant as clients see it.

use chrono::{DateTime, Utc};
use contracts::{Currency, Money, RestaurantId};
use messaging::Store;
use serde::Serialize;
use service::Problem;
use utoipa::ToSchema;

use crate::{
    domain::{Opening, Restaurant},
    store,
};

/// A restaurant.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Restaurant)]
pub(super) struct RestaurantView {
    restaurant_id: RestaurantId,
    name: String,
    #[schema(value_type = String, example = "EUR")]
    currency: Currency,
    #[serde(skip_serializing_if = "Option::is_none")]
    minimum_order: Option<Money>,
    /// In UTC; absent: always open; empty: closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_hours: Option<Vec<Opening>>,
    created_at: DateTime<Utc>,
}

impl From<Restaurant> for RestaurantView {
    fn from(restaurant: Restaurant) -> Self {
        Self {
            restaurant_id: restaurant.restaurant_id,
            name: restaurant.name,
            currency: restaurant.currency,
            minimum_order: restaurant.minimum_order,
            opening_hours: restaurant
                .opening_hours
                .map(|hours| hours.openings().to_vec()),
            created_at: restaurant.created_at,
        }
    }
}

/// There is no restaurant of this id.
pub(super) fn unknown(id: RestaurantId) -> Problem {
    Problem::not_found(format!("there is no restaurant {id}"))
}

/// The restaurant, or the problem that there is none.
pub(super) async fn existing(store: &Store, id: RestaurantId) -> Result<Restaurant, Problem> {
    let found = store::restaurants::find(store.db(), id).await?;
    found.ok_or_else(|| unknown(id))
}
