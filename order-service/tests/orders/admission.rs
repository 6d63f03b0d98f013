//! New orders are turned away while too many are under way.

use order_service::Limit;

use crate::support::{Desk, new_order};

const TWO: Limit = Limit {
    orders_under_way: 2,
};

#[tokio::test]
async fn while_too_many_orders_are_under_way_a_new_one_is_turned_away_and_told_to_come_back() {
    let desk = Desk::open().await;
    let first = desk.place().await;
    desk.admission.look(&desk.store, TWO, true).await.unwrap();
    desk.place().await;
    desk.admission.look(&desk.store, TWO, true).await.unwrap();

    let (status, problem) = desk.post("/orders", &new_order()).await;
    assert_eq!(status, 503, "{problem}");
    assert!(
        problem["detail"].as_str().unwrap().contains("under way"),
        "{problem}"
    );
    assert_eq!(desk.count("SELECT count(*) FROM orders").await, 2);

    // What waits for the cook is nobody's work now.
    while desk.saga(first).await["state"] != "WAITING" {
        desk.grant(first).await;
    }
    desk.admission.look(&desk.store, TWO, true).await.unwrap();
    desk.place().await;
}

#[tokio::test]
async fn while_nothing_flows_every_order_is_taken() {
    let desk = Desk::open().await;
    for _ in 0..3 {
        desk.place().await;
        desk.admission.look(&desk.store, TWO, false).await.unwrap();
    }
    desk.admission.look(&desk.store, TWO, true).await.unwrap();
    assert_eq!(desk.post("/orders", &new_order()).await.0, 503);
}

#[tokio::test]
async fn orders_whose_participant_is_silent_close_the_door_to_nobody() {
    let desk = Desk::open().await;
    desk.place().await;
    desk.place().await;
    desk.execute("UPDATE sagas SET sent_at = sent_at - interval '4 s'")
        .await;
    desk.admission.look(&desk.store, TWO, true).await.unwrap();
    desk.place().await;
}

#[tokio::test]
async fn who_has_an_answer_gets_it_while_new_orders_are_turned_away() {
    let desk = Desk::open().await;
    let order = new_order().to_string();
    let first = desk.client.post_as("k", "/orders", &order).await;
    desk.place().await;
    desk.admission.look(&desk.store, TWO, true).await.unwrap();

    let again = desk.client.post_as("k", "/orders", &order).await;
    assert_eq!(
        (again.status(), again.body()),
        (first.status(), first.body())
    );
    let new = desk.client.post_as("l", "/orders", &order).await;
    assert_eq!(new.status(), 503);
    assert_eq!(desk.count("SELECT count(*) FROM orders").await, 2);
}
