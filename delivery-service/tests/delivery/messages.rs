//! What the delivery makes of what the kitchen tells, whatever comes twice.

use serde_json::json;
use testing::message;

use crate::support::{Delivery, kitchen_ready, new_order};

#[tokio::test]
async fn what_is_cooked_waits_for_a_courier() {
    let (delivery, order) = (Delivery::open().await, new_order());
    let news = kitchen_ready(order);
    delivery.hear([&news]).await;

    let (_, listed) = delivery.client.get("/delivery/ready").await;
    let listed = &listed["deliveries"][0];
    assert_eq!(listed["orderId"], json!(order));
    assert_eq!(
        (&listed["state"], &listed["version"]),
        (&json!("READY"), &json!(1))
    );
    let body: serde_json::Value = news.decode().unwrap();
    assert_eq!(listed["restaurantId"], body["restaurantId"]);
    assert!(
        delivery.outbox(order).await.is_empty(),
        "nobody is told what everybody was told"
    );
}

#[tokio::test]
async fn an_order_has_one_delivery_whatever_is_heard_twice() {
    let (delivery, order) = (Delivery::open().await, new_order());
    let news = kitchen_ready(order);
    let report = delivery.hear([&news, &news, &kitchen_ready(order)]).await;
    assert_eq!(
        (report.handled, report.duplicates, report.parked),
        (2, 1, 0)
    );
    delivery.act("pickedup", order).await;

    delivery.hear([&news]).await;
    delivery.forget_the_inbox().await;
    delivery.hear([&news]).await;
    assert!(
        delivery.ready().await.is_empty(),
        "it is on its way, and does not come back"
    );
    assert_eq!(delivery.outbox(order).await.len(), 1);
}

#[tokio::test]
async fn what_others_tell_is_not_for_the_delivery() {
    let (delivery, order) = (Delivery::open().await, new_order());
    let other = message(
        "order-reply",
        "KITCHEN_PREPARING",
        order.uuid(),
        &json!({ "any": 1 }),
    );
    let report = delivery.hear([&other]).await;
    assert_eq!((report.handled, report.parked), (0, 0));
    assert!(delivery.ready().await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_understood_is_parked_and_holds_back_only_its_own_order() {
    let (delivery, order, other) = (Delivery::open().await, new_order(), new_order());
    let unknown = message("order-reply", "KITCHEN_ON_FIRE", order.uuid(), &json!({}));
    let broken = message(
        "order-reply",
        "KITCHEN_READY",
        new_order().uuid(),
        &json!({}),
    );
    let batch = [unknown, broken, kitchen_ready(order), kitchen_ready(other)];
    let report = delivery.hear(&batch).await;
    assert_eq!((report.handled, report.parked), (1, 3));
    assert_eq!(delivery.ready().await, [other]);
}

#[tokio::test]
async fn an_aged_order_is_not_delivered_a_second_time_and_one_on_its_way_arrives() {
    let (mut delivery, orders) = Delivery::with(2).await;
    let [ended, open] = orders[..] else {
        panic!("two orders")
    };
    delivery.act_on_all("pickedup").await;
    delivery.act("complete", ended).await;
    assert_eq!(delivery.age().await, 1);
    delivery.forget_the_inbox().await;
    let report = delivery
        .hear(&[kitchen_ready(ended), kitchen_ready(open)])
        .await;
    assert_eq!((report.handled, report.aged), (1, 1));
    assert!(delivery.ready().await.is_empty());
    assert_eq!(delivery.act("complete", ended).await.0, 404);
    assert_eq!(delivery.act("complete", open).await.0, 200);
}
