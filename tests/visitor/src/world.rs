//! What orders need: customers with cards, and restaurants with menus. Each is made as its owner would make it.

use anyhow::Context;
use serde_json::{Value, json};

use crate::client::{Answer, CUSTOMERS, Client, PAYMENTS, RESTAURANTS, Request};

/// The number of a card that pays.
pub const CARD_APPROVES: &str = "4242424242424242";
/// The number of a card that does not.
pub const CARD_DECLINES: &str = "4000000000000002";

/// A restaurant, and the dishes on its menu.
#[derive(Debug, Clone)]
pub struct Restaurant {
    /// Its id.
    pub id: String,
    /// Theirs.
    pub dishes: Vec<String>,
}

/// A new customer's id.
///
/// # Errors
/// It is not made.
pub async fn customer(client: &Client, name: &str) -> anyhow::Result<String> {
    let body = json!({"name": name, "email": format!("{name}@example.org")});
    created(client, CUSTOMERS, "/customers", &body, "customerId").await
}

/// A new restaurant that has these dishes, each for the same price.
///
/// # Errors
/// It is not made.
pub async fn restaurant(
    client: &Client,
    name: &str,
    dishes: &[&str],
) -> anyhow::Result<Restaurant> {
    let body = json!({"name": name, "currency": "EUR"});
    let id = created(client, RESTAURANTS, "/restaurants", &body, "restaurantId").await?;
    let price = json!({"amount": 1250, "currency": "EUR"});
    let items = dishes
        .iter()
        .map(|dish| json!({"name": dish, "price": price}));
    let body = json!({"items": items.collect::<Vec<_>>()}).to_string();
    let path = format!("/restaurants/{id}/menu");
    let menu = client
        .send(0, &Request::put(RESTAURANTS, &path, &body))
        .await;
    let menu = menu.context("restaurant-service does not answer")?;
    let dishes = (0..dishes.len()).map(|index| text(&menu, &format!("/items/{index}/menuItemId")));
    Ok(Restaurant {
        dishes: dishes.collect::<anyhow::Result<_>>()?,
        id,
    })
}

/// The id of a new payment method of a customer, whose card has this number.
///
/// # Errors
/// It is not made.
pub async fn card(client: &Client, customer: &str, number: &str) -> anyhow::Result<String> {
    let body = json!({
        "customerId": customer, "cardNumber": number, "expiryMonth": 12, "expiryYear": 2099, "cvc": "737",
        "holder": "Visitor",
    });
    let path = "/payment-methods";
    created(client, PAYMENTS, path, &body, "paymentMethodId").await
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

fn text(answer: &Answer, pointer: &str) -> anyhow::Result<String> {
    let body: Value = serde_json::from_str(&answer.body)?;
    let found = body.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no {pointer} in {}", answer.body))?
        .to_owned())
}
