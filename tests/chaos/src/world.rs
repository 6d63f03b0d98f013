//! What orders need: a customer with cards and a restaurant with a menu, made for one run.

use anyhow::Context;
use serde_json::{Value, json};

use crate::client::{Answer, CUSTOMERS, Client, PAYMENTS, RESTAURANTS, Request};
use crate::intention::Basket;

const CARD_APPROVES: &str = "4242424242424242";
const CARD_DECLINES: &str = "4000000000000002";
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
        let email = format!("{name}@example.org");
        let customer = json!({"name": name, "email": email});
        let customer = created(client, CUSTOMERS, "/customers", &customer, "customerId").await?;
        let restaurant = json!({"name": name, "currency": "EUR"});
        let restaurant = created(
            client,
            RESTAURANTS,
            "/restaurants",
            &restaurant,
            "restaurantId",
        )
        .await?;
        Ok(Self {
            name: name.to_owned(),
            dish: dish(client, &restaurant).await?,
            card: card(client, &customer, CARD_APPROVES).await?,
            bad_card: card(client, &customer, CARD_DECLINES).await?,
            customer,
            restaurant,
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

async fn created(
    client: &Client,
    service: &str,
    path: &str,
    body: &Value,
    id: &str,
) -> anyhow::Result<String> {
    let body = body.to_string();
    let answer = client.send(0, &Request::post(service, path, &body)).await;
    let answer = answer.with_context(|| format!("{service} does not answer"))?;
    anyhow::ensure!(
        answer.status == 201,
        "POST {path}: {} {}",
        answer.status,
        answer.body
    );
    text(&answer, &format!("/{id}"))
}

async fn card(client: &Client, customer: &str, number: &str) -> anyhow::Result<String> {
    let card = json!({
        "customerId": customer, "cardNumber": number, "expiryMonth": 12, "expiryYear": 2099, "cvc": "737",
        "holder": "Chaos",
    });
    created(
        client,
        PAYMENTS,
        "/payment-methods",
        &card,
        "paymentMethodId",
    )
    .await
}

async fn dish(client: &Client, restaurant: &str) -> anyhow::Result<String> {
    let menu = json!({"items": [{"name": "Soup", "price": {"amount": 1250, "currency": "EUR"}}]});
    let (path, body) = (format!("/restaurants/{restaurant}/menu"), menu.to_string());
    let menu = client
        .send(0, &Request::put(RESTAURANTS, &path, &body))
        .await;
    text(
        &menu.context("restaurant-service does not answer")?,
        "/items/0/menuItemId",
    )
}

fn text(answer: &Answer, pointer: &str) -> anyhow::Result<String> {
    let body: Value = serde_json::from_str(&answer.body)?;
    let found = body.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no {pointer} in {}", answer.body))?
        .to_owned())
}
