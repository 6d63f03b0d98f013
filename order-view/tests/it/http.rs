//! The queries.

use std::time::Duration;

use messaging::Report;
use serde_json::{Value, json};

use crate::support::{PATIENCE, Story, View};

#[tokio::test]
async fn an_order_that_nobody_told_of_is_not_found() {
    let view = View::open().await;
    let story = Story::new();
    assert_eq!(
        view.client.get(&format!("/orders/{}", story.order)).await.0,
        404
    );
    // A companion may be heard of first; the order has not spoken yet.
    view.hear(&story.life()[2..3]).await;
    assert_eq!(
        view.client.get(&format!("/orders/{}", story.order)).await.0,
        404
    );
}

#[tokio::test]
async fn a_reader_waits_for_its_version_and_is_woken_when_it_comes() {
    let view = View::open().await;
    let story = Story::new();
    let life = story.life();
    view.hear(&life[..1]).await;
    let path = format!("/orders/{}?atLeast=2", story.order);
    let (answer, _) = tokio::join!(view.client.get(&path), view.hear(&life[1..2]));
    assert_eq!((answer.0, &answer.1["version"]), (200, &json!(2)));
}

#[tokio::test]
async fn a_reader_does_not_wait_for_ever_and_is_told_what_is_there() {
    let view = View::open().await;
    let story = Story::new();
    view.hear(&story.life()[..1]).await;
    let began = tokio::time::Instant::now();
    let (status, problem) = view
        .client
        .get(&format!("/orders/{}?atLeast=9", story.order))
        .await;
    assert_eq!(status, 503);
    assert!(
        problem["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("at version 1")),
        "{problem}"
    );
    assert!(began.elapsed() >= PATIENCE && began.elapsed() < PATIENCE + Duration::from_secs(10));
}

#[tokio::test]
async fn a_reader_sees_what_another_instance_has_written() {
    let view = View::open().await;
    let story = Story::new();
    let life = story.life();
    view.hear(&life[..1]).await;
    // Written behind the back of this instance: nobody wakes its readers.
    let path = format!("/orders/{}?atLeast=2", story.order);
    let store = view.store.clone();
    let writing = store.transact(move |work| {
        Box::pin(async move {
            let news = order_view::messages::news(&life[1])
                .map_err(|fault| sea_orm::DbErr::Custom(fault.to_string()))?;
            let views = [order_view::domain::OrderView::of(news)];
            order_view::store::merge(work.db(), views.iter()).await
        })
    });
    let (answer, written) = tokio::join!(view.client.get(&path), writing);
    written.expect("the other instance writes");
    assert_eq!((answer.0, &answer.1["version"]), (200, &json!(2)));
}

#[tokio::test]
async fn orders_are_listed_newest_first_and_page_by_page() {
    let view = View::open().await;
    let mut stories: Vec<Story> = (0..5).map(|_| Story::new()).collect();
    let customer = stories[0].customer;
    for story in &mut stories {
        story.customer = customer;
        view.hear(&story.life()[..4]).await;
    }
    view.hear(&Story::new().life()).await;
    let mut seen = Vec::new();
    let mut path = format!("/orders?customerId={customer}&limit=2");
    loop {
        let (status, page) = view.client.get(&path).await;
        assert_eq!(status, 200, "{page}");
        seen.extend(ids(&page, "orders", "orderId"));
        match page["next"].as_str() {
            Some(next) => path = format!("/orders?customerId={customer}&limit=2&cursor={next}"),
            None => break,
        }
    }
    let expected: Vec<Value> = stories
        .iter()
        .rev()
        .map(|story| json!(story.order))
        .collect();
    assert_eq!(seen, expected);
    let (_, complete) = view.client.get("/orders?state=COMPLETE").await;
    assert_eq!(ids(&complete, "orders", "orderId").len(), 1);
    let (_, pending) = view.client.get("/orders?state=PENDING").await;
    assert_eq!(ids(&pending, "orders", "orderId").len(), 5);
}

#[tokio::test]
async fn tickets_are_found_by_id_restaurant_and_state() {
    let view = View::open().await;
    let story = Story::new();
    view.hear(&story.life()[..7]).await;
    let (status, ticket) = view.client.get(&format!("/tickets/{}", story.ticket)).await;
    assert_eq!(
        (status, &ticket["state"], &ticket["orderId"]),
        (200, &json!("ACCEPTED"), &json!(story.order))
    );
    assert_eq!(
        ticket["total"],
        json!({ "amount": 2500, "currency": "EUR" })
    );
    for (state, count) in [("ACCEPTED", 1), ("READY", 0)] {
        let path = format!("/tickets?restaurantId={}&state={state}", story.restaurant);
        let (_, page) = view.client.get(&path).await;
        assert_eq!(ids(&page, "tickets", "ticketId").len(), count);
    }
}

#[tokio::test]
async fn a_rejection_says_who_and_why() {
    let view = View::open().await;
    let story = Story::new();
    view.hear(&story.life()[..1]).await;
    let rejection = json!({ "by": "customer", "reason": { "code": "CUSTOMER_SUSPENDED", "detail": "Suspended." } });
    let rest = json!({ "customerId": story.customer, "restaurantId": story.restaurant, "rejection": rejection });
    view.hear(&[story.says("order-customer", "ORDER_CHANGED", 2, "REJECTED", &rest)])
        .await;
    let order = view.order(story.order).await;
    assert_eq!(
        (&order["state"], &order["rejection"]),
        (&json!("REJECTED"), &rejection)
    );
}

#[tokio::test]
async fn a_bad_query_names_the_parameter() {
    let view = View::open().await;
    let order = Story::new().order;
    for (path, status, field) in [
        ("/orders/nonsense".to_owned(), 400, "orderId"),
        (format!("/orders/{order}?atLeast=many"), 400, "atLeast"),
        (format!("/orders/{order}?atLeast=0"), 422, "atLeast"),
        ("/orders?state=EATEN".to_owned(), 400, "state"),
        ("/orders?limit=0".to_owned(), 422, "limit"),
        ("/orders?limit=101".to_owned(), 422, "limit"),
        ("/orders?cursor=%27".to_owned(), 400, "cursor"),
        ("/orders?colour=red".to_owned(), 400, "colour"),
        ("/tickets?restaurantId=1".to_owned(), 400, "restaurantId"),
    ] {
        let (answered, problem) = view.client.get(&path).await;
        assert_eq!(
            (answered, &problem["errors"][0]["field"]),
            (status, &json!(field)),
            "{path}: {problem}"
        );
    }
}

#[tokio::test]
async fn a_message_that_the_contract_does_not_know_is_parked() {
    let view = View::open().await;
    let story = Story::new();
    let strange = story.says("order-reply", "TICKET_BURNT", 9, "PENDING", &json!({}));
    assert_eq!(
        view.hear(&[strange]).await,
        Report {
            parked: 1,
            ..Report::default()
        }
    );
    let verdict = story.says(
        "order-reply",
        "CUSTOMER_APPROVED",
        1,
        "APPROVED",
        &json!({ "customerId": story.customer }),
    );
    assert_eq!(view.hear(&[verdict]).await, Report::default());
}

fn ids(page: &Value, list: &str, id: &str) -> Vec<Value> {
    page[list]
        .as_array()
        .map(|all| all.iter().map(|one| one[id].clone()).collect())
        .unwrap_or_default()
}
