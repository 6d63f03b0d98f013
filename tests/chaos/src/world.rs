//! What orders need: a customer with cards and a restaurant with a menu, made for one run.

use serde_json::json;
use visitor::client::Client;
use visitor::world::{CARD_APPROVES, CARD_DECLINES, card, customer, restaurant};

use crate::intention::Basket;

/// A dish that nobody was ever given.
const NO_DISH: &str = "01890000-0000-7000-8000-000000000000";

/// Ids of what was made.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Unlike that of any other run; part of every `Idempotency-Key`.
    pub(crate) name: String,
    customer: String,
    pub(crate) restaurant: String,
    dish: String,
    card: String,
    bad_card: String,
}

impl World {
    /// Makes everything new.
    pub(crate) async fn make(client: &Client, name: &str) -> anyhow::Result<Self> {
        let customer = customer(client, name).await?;
        let restaurant = restaurant(client, name, &["Soup"]).await?;
        Ok(Self {
            name: name.to_owned(),
            dish: restaurant.dishes.concat(),
            card: card(client, &customer, CARD_APPROVES).await?,
            bad_card: card(client, &customer, CARD_DECLINES).await?,
            customer,
            restaurant: restaurant.id,
        })
    }

    /// The body of `POST /orders`.
    pub(crate) fn order(&self, basket: Basket, quantity: u32) -> String {
        let (card, dish) = match basket {
            Basket::Good => (&self.card, self.dish.as_str()),
            Basket::Declined => (&self.bad_card, self.dish.as_str()),
            Basket::Unknown => (&self.card, NO_DISH),
        };
        json!({
            "customerId": self.customer,
            "restaurantId": self.restaurant,
            "paymentMethodId": card,
            "orderItems": [{"menuItemId": dish, "quantity": quantity}],
        })
        .to_string()
    }
}
