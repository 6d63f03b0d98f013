//! What the restaurant makes of orders.

use contracts::OrderId;
use messaging::Report;
use serde_json::{Value, json};
use testing::replies_to;

use crate::support::{Restaurants, new_order, order_is};

fn said(expected: &[(&str, i64, &str)]) -> Vec<(String, i64, String)> {
    let owned = |(kind, version, state): &(&str, i64, &str)| {
        ((*kind).to_owned(), *version, (*state).to_owned())
    };
    expected.iter().map(owned).collect()
}

#[tokio::test]
async fn an_order_is_priced_from_the_restaurants_own_menu() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    restaurants
        .hear(&[restaurant.order(order, &restaurant.soup, 3)])
        .await;
    let told = restaurants.told(order).await;
    assert_eq!(
        (told.len(), told[0].topic.as_str(), told[0].kind.as_str()),
        (1, "order-reply", "TICKET_CREATED")
    );
    let ticket = told[0].json();
    assert_eq!(
        ticket["total"],
        json!({ "amount": 3750, "currency": "EUR" })
    );
    assert_eq!(ticket["items"][0]["name"], "Soup");
    let path = format!("/tickets/{}", ticket["ticketId"].as_str().unwrap());
    let (status, stored) = restaurants.client.get(&path).await;
    assert_eq!(
        (status, &stored["state"], &stored["total"]),
        (200, &json!("PENDING"), &ticket["total"])
    );
}

#[tokio::test]
async fn a_ticket_follows_its_order_to_the_end_also_within_one_batch() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    let kinds = [
        "ORDER_APPROVED",
        "ORDER_PREPARING",
        "ORDER_READY",
        "ORDER_PICKEDUP",
        "ORDER_COMPLETE",
    ];
    let mut batch = vec![restaurant.order(order, &restaurant.soup, 1)];
    batch.extend(kinds.map(|kind| order_is(kind, order)));
    restaurants.hear(&batch).await;
    let expected = said(&[
        ("TICKET_CREATED", 1, "PENDING"),
        ("TICKET_APPROVED", 2, "ACCEPTED"),
        ("TICKET_PREPARING", 3, "PREPARING"),
        ("TICKET_READY", 4, "READY"),
        ("TICKET_PICKEDUP", 5, "PICKEDUP"),
        ("TICKET_COMPLETE", 6, "COMPLETE"),
    ]);
    assert_eq!(restaurants.said(order).await, expected);
}

async fn refusal(restaurants: &Restaurants, order: OrderId) -> Value {
    let told = restaurants.told(order).await;
    assert_eq!((told.len(), told[0].kind.as_str()), (1, "TICKET_REJECTED"));
    let reply = told[0].json();
    assert_eq!(
        (&reply["state"], reply.get("total")),
        (&json!("REJECTED"), None)
    );
    reply["reason"]["code"].clone()
}

#[tokio::test]
async fn every_refusal_says_why() {
    let restaurants = Restaurants::open().await;
    let open = restaurants.restaurant(json!({})).await;
    let closed = restaurants.restaurant(json!({ "openingHours": [] })).await;
    let minimum = json!({ "minimumOrder": { "amount": 2000, "currency": "EUR" } });
    let choosy = restaurants.restaurant(minimum).await;
    let mut unknown = restaurants.restaurant(json!({})).await;
    unknown.id = json!(ambient::new_id());
    for (restaurant, dish, code) in [
        (&unknown, &unknown.soup, "RESTAURANT_UNKNOWN"),
        (&closed, &closed.soup, "RESTAURANT_CLOSED"),
        (&open, &json!(ambient::new_id()), "ITEM_UNKNOWN"),
        (&open, &choosy.soup, "ITEM_UNKNOWN"),
        (&open, &open.eel, "ITEM_UNAVAILABLE"),
        (&choosy, &choosy.soup, "BELOW_MINIMUM_ORDER"),
    ] {
        let order = new_order();
        restaurants.hear(&[restaurant.order(order, dish, 1)]).await;
        assert_eq!(refusal(&restaurants, order).await, code);
    }
}

#[tokio::test]
async fn an_absurd_total_is_refused() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    let path = format!("/restaurants/{}/menu", restaurant.id.as_str().unwrap());
    let price = json!({ "amount": i64::MAX / 2, "currency": "EUR" });
    let menu =
        json!({ "items": [{ "menuItemId": restaurant.soup, "name": "Soup", "price": price }] });
    restaurants.client.ask("PUT", &path, Some(&menu)).await;
    for quantity in [1, 100] {
        let order = if quantity == 1 { order } else { new_order() };
        restaurants
            .hear(&[restaurant.order(order, &restaurant.soup, quantity)])
            .await;
        assert_eq!(refusal(&restaurants, order).await, "TOTAL_TOO_LARGE");
    }
}

#[tokio::test]
async fn a_refusal_stays_a_refusal_when_the_reason_has_gone() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    let message = restaurant.order(order, &restaurant.eel, 1);
    restaurants.hear([&message]).await;
    let path = format!("/restaurants/{}/menu", restaurant.id.as_str().unwrap());
    let price = json!({ "amount": 3000, "currency": "EUR" });
    let menu =
        json!({ "items": [{ "menuItemId": restaurant.eel, "name": "Eel", "price": price }] });
    assert_eq!(
        restaurants.client.ask("PUT", &path, Some(&menu)).await.0,
        200
    );
    restaurants.forget_the_inbox().await;
    restaurants.hear(&[message]).await;
    let expected = said(&[
        ("TICKET_REJECTED", 1, "REJECTED"),
        ("TICKET_REJECTED", 2, "REJECTED"),
    ]);
    assert_eq!(restaurants.said(order).await, expected);
}

#[tokio::test]
async fn a_dish_that_was_taken_off_counts_at_once() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    let path = format!("/restaurants/{}/menu", restaurant.id.as_str().unwrap());
    restaurants
        .client
        .ask("PUT", &path, Some(&json!({ "items": [] })))
        .await;
    restaurants
        .hear(&[restaurant.order(order, &restaurant.soup, 1)])
        .await;
    assert_eq!(refusal(&restaurants, order).await, "ITEM_UNKNOWN");
}

#[tokio::test]
async fn a_duplicate_is_answered_again_with_the_same_reply() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    let message = restaurant.order(order, &restaurant.soup, 1);
    restaurants.hear([&message]).await;
    let again = restaurants.hear([&message]).await;
    assert_eq!(
        again,
        Report {
            duplicates: 1,
            ..Report::default()
        }
    );
    let replies = replies_to(restaurants.store.db(), message.id).await;
    assert_eq!(replies.len(), 2);
    assert_eq!(replies[0], replies[1]);
}

#[tokio::test]
async fn an_order_that_comes_again_after_the_inbox_was_pruned_has_one_ticket() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    let messages = [
        restaurant.order(order, &restaurant.soup, 1),
        order_is("ORDER_APPROVED", order),
    ];
    restaurants.hear(&messages).await;
    restaurants.forget_the_inbox().await;
    restaurants.hear(&messages).await;
    let told = restaurants.told(order).await;
    let tickets: Vec<_> = told
        .iter()
        .map(|told| told.json()["ticketId"].clone())
        .collect();
    assert!(
        tickets.iter().all(|ticket| *ticket == tickets[0]),
        "{tickets:?}"
    );
    let expected = said(&[
        ("TICKET_CREATED", 1, "PENDING"),
        ("TICKET_APPROVED", 2, "ACCEPTED"),
        ("TICKET_CREATED", 3, "ACCEPTED"),
        ("TICKET_APPROVED", 4, "ACCEPTED"),
    ]);
    assert_eq!(restaurants.said(order).await, expected);
    assert_eq!(told[0].json()["total"], told[2].json()["total"]);
}

#[tokio::test]
async fn a_withdrawn_ticket_stays_withdrawn_and_says_so_whatever_comes_late() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    let batch = [
        restaurant.order(order, &restaurant.soup, 1),
        order_is("ORDER_REJECTED", order),
        order_is("ORDER_APPROVED", order),
        order_is("ORDER_CANCELLED", order),
    ];
    assert_eq!(restaurants.hear(&batch).await.handled, 4);
    let expected = said(&[
        ("TICKET_CREATED", 1, "PENDING"),
        ("TICKET_REJECTED", 2, "REJECTED"),
        ("TICKET_REJECTED", 3, "REJECTED"),
        ("TICKET_CANCELLED", 4, "REJECTED"),
    ]);
    assert_eq!(restaurants.said(order).await, expected);
}

#[tokio::test]
async fn a_ticket_that_the_restaurant_refused_can_be_withdrawn_by_whoever_has_not_heard_of_that() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order) = (restaurants.restaurant(json!({})).await, new_order());
    let batch = [
        restaurant.order(order, &json!(new_order()), 1),
        order_is("ORDER_CANCELLED", order),
    ];
    assert_eq!(restaurants.hear(&batch).await.handled, 2);
    let expected = said(&[
        ("TICKET_REJECTED", 1, "REJECTED"),
        ("TICKET_CANCELLED", 2, "REJECTED"),
    ]);
    assert_eq!(restaurants.said(order).await, expected);
}

#[tokio::test]
async fn a_ticket_skips_no_state_and_only_its_order_waits() {
    let restaurants = Restaurants::open().await;
    let (restaurant, order, other) = (
        restaurants.restaurant(json!({})).await,
        new_order(),
        new_order(),
    );
    let batch = [
        restaurant.order(order, &restaurant.soup, 1),
        order_is("ORDER_READY", order),
        restaurant.order(other, &restaurant.soup, 1),
    ];
    assert_eq!(
        restaurants.hear(&batch).await,
        Report {
            handled: 2,
            duplicates: 0,
            parked: 1,
            aged: 0,
        }
    );
    let expected = said(&[("TICKET_CREATED", 1, "PENDING")]);
    assert_eq!(restaurants.said(order).await[..1], expected);
    assert_eq!(restaurants.said(other).await.len(), 1);
}

#[tokio::test]
async fn a_message_about_an_order_without_ticket_is_parked() {
    let restaurants = Restaurants::open().await;
    let report = restaurants
        .hear(&[order_is("ORDER_APPROVED", new_order())])
        .await;
    assert_eq!(
        report,
        Report {
            parked: 1,
            ..Report::default()
        }
    );
}

#[tokio::test]
async fn an_aged_order_gets_no_second_ticket_and_one_that_is_under_way_goes_on() {
    let mut restaurants = Restaurants::open().await;
    let restaurant = restaurants.restaurant(json!({})).await;
    let (ended, open) = (new_order(), new_order());
    let messages = [
        restaurant.order(ended, &restaurant.soup, 1),
        order_is("ORDER_REJECTED", ended),
    ];
    restaurants.hear(&messages).await;
    restaurants
        .hear([&restaurant.order(open, &restaurant.soup, 1)])
        .await;
    assert_eq!(restaurants.age().await, 1);
    restaurants.forget_the_inbox().await;

    let report = restaurants.hear(&messages).await;
    assert_eq!((report.handled, report.parked, report.aged), (0, 0, 2));
    let expected = said(&[
        ("TICKET_CREATED", 1, "PENDING"),
        ("TICKET_REJECTED", 2, "REJECTED"),
    ]);
    assert_eq!(restaurants.said(ended).await, expected);
    let report = restaurants.hear([&order_is("ORDER_APPROVED", open)]).await;
    assert_eq!((report.handled, report.aged), (1, 0));
}
