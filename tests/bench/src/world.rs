//! Whoever orders and whoever cooks: several customers with cards, several restaurants with menus, and what is ordered.

use fastrand::Rng;
use futures_util::future::try_join_all;
use serde_json::json;
use visitor::client::Client;
use visitor::world::{CARD_APPROVES, Restaurant, card, customer, restaurant};

const CUSTOMERS: usize = 50;
const RESTAURANTS: usize = 10;
const MENU: [&str; 8] = [
    "Soup", "Salad", "Pizza", "Pasta", "Curry", "Rice", "Cake", "Water",
];

/// What orders are made of.
#[derive(Debug)]
pub(crate) struct World {
    /// Unlike that of any other run; part of every `Idempotency-Key`.
    pub(crate) name: String,
    /// Each with a card that pays.
    customers: Vec<(String, String)>,
    restaurants: Vec<Restaurant>,
}

impl World {
    /// Makes everything new.
    ///
    /// # Errors
    /// A service does not make it.
    pub(crate) async fn make(client: &Client, name: String) -> anyhow::Result<Self> {
        let customers = (0..CUSTOMERS).map(|number| {
            let name = format!("{name}-{number}");
            async move {
                let customer = customer(client, &name).await?;
                let card = card(client, &customer, CARD_APPROVES).await?;
                anyhow::Ok((customer, card))
            }
        });
        let restaurants = (0..RESTAURANTS).map(|number| {
            let name = format!("{name}-{number}");
            async move { restaurant(client, &name, &MENU).await }
        });
        let (customers, restaurants) =
            tokio::try_join!(try_join_all(customers), try_join_all(restaurants))?;
        Ok(Self {
            name,
            customers,
            restaurants,
        })
    }

    /// The body of `POST /orders`: one to three dishes.
    pub(crate) fn order(&self, dice: &mut Rng) -> String {
        let (customer, card) = &self.customers[dice.usize(..self.customers.len())];
        let restaurant = &self.restaurants[dice.usize(..self.restaurants.len())];
        let first = dice.usize(..restaurant.dishes.len());
        let dishes = restaurant.dishes.iter().cycle().skip(first);
        let items = dishes.take(dice.usize(1..=3)).map(|dish| {
            let quantity = dice.u32(1..=3);
            json!({"menuItemId": dish, "quantity": quantity})
        });
        json!({
            "customerId": customer,
            "restaurantId": restaurant.id,
            "paymentMethodId": card,
            "orderItems": items.collect::<Vec<_>>(),
        })
        .to_string()
    }
}
