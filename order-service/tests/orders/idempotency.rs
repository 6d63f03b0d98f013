//! One order per `Idempotency-Key`.

use axum::http::header;
use futures_util::future::join_all;
use serde_json::{Value, json};
use testing::Break;

use crate::support::{Desk, new_order};

/// How many there are of what belongs to one order: its row, its saga and its first message.
async fn stored(desk: &Desk) -> [i64; 4] {
    let mut counts = [0; 4];
    for (count, table) in counts
        .iter_mut()
        .zip(["orders", "sagas", "outbox", "idempotency_keys"])
    {
        *count = desk.count(&format!("SELECT count(*) FROM {table}")).await;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_with_one_key_place_one_order_and_get_equal_answers() {
    let desk = Desk::open().await;
    let order = new_order().to_string();
    let all = (0..50).map(|_| desk.client.post_as("k", "/orders", &order));
    let all = join_all(all).await;
    for answer in &all {
        assert_eq!(answer.status(), 201, "{:?}", answer.body());
        assert_eq!(answer.body(), all[0].body());
        let place = &answer.headers()[header::LOCATION];
        assert_eq!(place, all[0].headers()[header::LOCATION]);
    }
    assert_eq!(stored(&desk).await, [1; 4]);
    let place = all[0].headers()[header::LOCATION].to_str().unwrap();
    let placed: Value = serde_json::from_slice(all[0].body()).unwrap();
    let (status, order) = desk.get(place).await;
    assert_eq!((status, &order["orderId"]), (200, &placed["orderId"]));
}

#[tokio::test]
async fn orders_without_a_key_whose_confirmation_was_lost_get_an_error_and_were_taken_once() {
    let (desk, line) = Desk::over_a_line().await;
    line.breaks_at("COMMIT", Break::Cut);
    assert_eq!(desk.post("/orders", &new_order()).await.0, 503);
    assert_eq!(stored(&desk).await, [1, 1, 1, 0]);

    // Of those that come at the same time one transaction or the other loses its confirmation.
    line.breaks_at("COMMIT", Break::Cut);
    let order = new_order();
    let all = join_all((0..10).map(|_| desk.post("/orders", &order))).await;
    assert!(all.iter().any(|(status, _)| *status >= 500), "{all:?}");
    assert_eq!(stored(&desk).await, [11, 11, 11, 0]);
}

#[tokio::test]
async fn the_first_answer_stays_the_answer_when_the_order_has_gone_on() {
    let desk = Desk::open().await;
    let order = new_order().to_string();
    let first = desk.client.post_as("k", "/orders", &order).await;
    let placed: Value = serde_json::from_slice(first.body()).unwrap();
    desk.finish(placed["orderId"].as_str().unwrap().parse().unwrap())
        .await;
    let again = desk.client.post_as("k", "/orders", &order).await;
    assert_eq!(again.body(), first.body());
    assert_eq!(placed["state"], "PENDING");
}

#[tokio::test]
async fn the_same_key_with_another_order_is_refused_and_nothing_is_stored() {
    let desk = Desk::open().await;
    let mut order = new_order();
    desk.client
        .post_as("k", "/orders", &order.to_string())
        .await;
    order["orderItems"][0]["quantity"] = json!(3);
    let other = desk
        .client
        .post_as("k", "/orders", &order.to_string())
        .await;
    assert_eq!(other.status(), 422);
    let problem: Value = serde_json::from_slice(other.body()).unwrap();
    assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    assert_eq!(stored(&desk).await, [1; 4]);
}

#[tokio::test]
async fn an_order_whose_message_could_not_be_written_leaves_its_key_free() {
    let desk = Desk::open().await;
    let order = new_order().to_string();
    desk.execute("ALTER TABLE outbox RENAME COLUMN body TO text")
        .await;
    let failed = desk.client.post_as("k", "/orders", &order).await;
    assert_eq!(failed.status(), 500);
    assert_eq!(stored(&desk).await, [0; 4]);
    desk.execute("ALTER TABLE outbox RENAME COLUMN text TO body")
        .await;
    let placed = desk.client.post_as("k", "/orders", &order).await;
    assert_eq!(placed.status(), 201);
    assert_eq!(stored(&desk).await, [1; 4]);
}
