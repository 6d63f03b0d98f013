//! `POST /restaurants`: a new restaurant.

use axum::extract::State;
use contracts::{Currency, Money, RestaurantId};
use futures_util::FutureExt;
use garde::Validate;
use messaging::Store;
use serde::{Deserialize, Serialize};
use service::{
    Problem,
    extract::Keyed,
    idempotency::{Answer, Once},
};
use utoipa::ToSchema;

use super::{text::legible, view::RestaurantView};
use crate::{
    domain::{Opening, OpeningHours, Restaurant},
    store,
};

/// A new restaurant.
#[derive(Debug, Serialize, Deserialize, Validate, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct NewRestaurant {
    /// What it is called.
    #[garde(length(chars, min = 1, max = 200), custom(legible))]
    #[schema(min_length = 1, max_length = 200, example = "Trattoria")]
    name: String,
    /// The currency of all its prices.
    #[garde(skip)]
    #[schema(value_type = String, example = "EUR")]
    currency: Currency,
    /// It does not deliver for less. In the restaurant's currency.
    #[garde(custom(in_currency(&self.currency)))]
    minimum_order: Option<Money>,
    /// When it is open, in UTC; over midnight it takes two spans. Absent: always. Empty: closed.
    #[garde(length(max = 50), custom(in_order))]
    #[schema(max_items = 50)]
    opening_hours: Option<Vec<Opening>>,
}

fn in_currency(currency: &Currency) -> impl FnOnce(&Option<Money>, &()) -> garde::Result {
    move |money, ()| match money {
        Some(money) if money.currency() != *currency => Err(garde::Error::new(format!(
            "must be in {currency}, the restaurant's currency"
        ))),
        _ => Ok(()),
    }
}

fn in_order(openings: &Option<Vec<Opening>>, (): &()) -> garde::Result {
    let reversed = openings
        .iter()
        .flatten()
        .position(|span| span.closes <= span.opens);
    match reversed {
        Some(index) => Err(garde::Error::new(format!(
            "[{index}]: closes must be after opens"
        ))),
        None => Ok(()),
    }
}

/// A new restaurant, whose menu is empty.
#[utoipa::path(
    post,
    path = "/restaurants",
    tag = "restaurants",
    params(Once),
    request_body = NewRestaurant,
    responses(
        (status = CREATED, body = RestaurantView, headers(("Location" = String))),
        (status = "4XX", body = Problem),
        Once
    )
)]
pub(super) async fn add_restaurant(
    State(store): State<Store>,
    Keyed { once, body: new }: Keyed<NewRestaurant>,
) -> Result<Answer, Problem> {
    let restaurant = Restaurant {
        restaurant_id: RestaurantId::new(ambient::new_id()),
        name: new.name,
        currency: new.currency,
        minimum_order: new.minimum_order,
        opening_hours: new.opening_hours.map(OpeningHours::new),
        created_at: ambient::now(),
    };
    let location = format!("/restaurants/{}", restaurant.restaurant_id);
    let view = RestaurantView::from(restaurant.clone());
    let answer = Answer::created(Some(location), &view)?;
    let added = once.insert(&store, answer, |db| {
        async move { store::restaurants::insert(&db, &restaurant).await }.boxed()
    });
    added.await
}
