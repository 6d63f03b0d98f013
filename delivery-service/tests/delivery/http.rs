//! What couriers see and do.

use messaging::TraceParent;
use serde_json::json;

use crate::support::{Delivery, ids, kitchen_ready, new_order};

#[tokio::test]
async fn an_order_is_picked_up_and_handed_over_once_each() {
    let (delivery, orders) = Delivery::with(2).await;
    let order = orders[0];
    let (done, again) = (json!({ "changed": [order] }), json!({ "changed": [] }));
    for action in ["pickedup", "complete"] {
        assert_eq!(
            delivery.act(action, order).await,
            (200, done.clone()),
            "{action}"
        );
        assert_eq!(
            delivery.act(action, order).await,
            (200, again.clone()),
            "{action}"
        );
    }
    assert_eq!(
        delivery.act("pickedup", order).await,
        (200, again),
        "it was picked up"
    );

    let told = delivery.outbox(order).await.into_iter();
    let told: Vec<_> = told
        .map(|told| {
            (
                told.topic.clone(),
                told.kind.clone(),
                told.sequence,
                told.json()["state"].clone(),
            )
        })
        .collect();
    let news = |kind: &str, version, state| {
        (
            "order-reply".to_owned(),
            kind.to_owned(),
            version,
            json!(state),
        )
    };
    let expected = [
        news("DELIVERY_PICKEDUP", 2, "PICKEDUP"),
        news("DELIVERY_COMPLETE", 3, "COMPLETE"),
    ];
    assert_eq!(told, expected);
    assert_eq!(
        delivery.ready().await,
        orders[1..],
        "the other one still waits"
    );
}

#[tokio::test]
async fn news_from_the_road_answers_nothing_and_stays_in_the_trace_of_its_order() {
    let (delivery, order) = (Delivery::open().await, new_order());
    let mut ready = kitchen_ready(order);
    ready.trace = Some(TraceParent::new_root());
    delivery.hear([&ready]).await;
    delivery.act("pickedup", order).await;
    delivery.act("complete", order).await;

    for told in delivery.outbox(order).await {
        assert_eq!(told.causation, None);
        let sent: TraceParent = told.traceparent.as_deref().unwrap().parse().unwrap();
        assert_eq!(
            Some(sent.trace_id()),
            ready.trace.map(TraceParent::trace_id)
        );
    }
}

#[tokio::test]
async fn what_was_not_picked_up_is_not_handed_over() {
    let (delivery, orders) = Delivery::with(1).await;
    let (status, problem) = delivery.act("complete", orders[0]).await;
    assert_eq!(status, 409);
    assert_eq!(
        problem["detail"],
        "delivery cannot go from READY to COMPLETE"
    );
    assert!(delivery.outbox(orders[0]).await.is_empty());
    assert!(delivery.act_on_all("complete").await.is_empty());
}

#[tokio::test]
async fn an_order_that_is_not_cooked_yet_is_not_found() {
    let (delivery, order) = (Delivery::open().await, new_order());
    for action in ["pickedup", "complete"] {
        let (status, problem) = delivery.act(action, order).await;
        assert_eq!(status, 404);
        assert_eq!(
            problem["detail"],
            format!("the delivery has not heard of order {order}")
        );
    }
}

#[tokio::test]
async fn without_a_body_all_that_are_due_are_changed() {
    let (delivery, orders) = Delivery::with(450).await;
    assert_eq!(delivery.act_on_all("pickedup").await, orders);
    assert_eq!(delivery.act_on_all("pickedup").await, []);
    assert_eq!(delivery.act_on_all("complete").await, orders);
    assert_eq!(delivery.act_on_all("complete").await, []);
    assert_eq!(delivery.outbox(orders[449]).await.len(), 2);
}

#[tokio::test]
async fn many_couriers_at_once_change_each_order_once() {
    let (delivery, orders) = Delivery::with(60).await;
    let calls = (0..8).map(|_| delivery.act_on_all("pickedup"));
    let mut changed = futures_util::future::join_all(calls).await.concat();
    changed.extend(delivery.act_on_all("pickedup").await);
    changed.sort();
    assert_eq!(changed, orders);
    for order in orders {
        assert_eq!(delivery.outbox(order).await.len(), 1);
    }
}

#[tokio::test]
async fn an_order_that_somebody_has_locked_holds_up_no_other() {
    let (delivery, orders) = Delivery::with(2).await;
    let gate = delivery.lock(orders[0]).await;
    let waiting = delivery.act("pickedup", orders[0]);
    let other = delivery.act("pickedup", orders[1]);
    let both = async { tokio::join!(waiting, other) };
    tokio::pin!(both);
    // The other one is done while the first waits.
    let done = async { while delivery.outbox(orders[1]).await.is_empty() {} };
    tokio::select! {
        _ = &mut both => panic!("the first did not wait"),
        () = done => {}
    }
    gate.send(()).unwrap();
    let ((first, _), (second, _)) = both.await;
    assert_eq!((first, second), (200, 200));
    assert_eq!(delivery.ready().await, []);
}

#[tokio::test]
async fn what_waits_is_listed_page_by_page() {
    let (delivery, orders) = Delivery::with(5).await;
    let (_, first) = delivery.client.get("/delivery/ready?limit=3").await;
    assert_eq!(ids(&first), orders[..3]);
    let cursor = first["next"].as_str().unwrap();
    let next = format!("/delivery/ready?limit=3&cursor={cursor}");
    let (_, second) = delivery.client.get(&next).await;
    assert_eq!(ids(&second), orders[3..]);
    assert_eq!(second.get("next"), None);
}

#[tokio::test]
async fn bad_input_is_refused_by_name_and_changes_nothing() {
    let (delivery, orders) = Delivery::with(1).await;
    for path in ["/delivery/pickedup", "/delivery/complete"] {
        for (body, field) in [
            (json!({}), "orderId"),
            (json!({ "orderId": 7 }), "orderId"),
            (
                json!({ "orderId": orders[0], "state": "COMPLETE" }),
                "state",
            ),
        ] {
            let (status, problem) = delivery.client.post(path, &body).await;
            assert_eq!(
                (status, &problem["errors"][0]["field"]),
                (422, &json!(field))
            );
        }
    }
    for query in ["limit=0", "limit=many", "cursor=one", "sort=up"] {
        let (status, _) = delivery
            .client
            .get(&format!("/delivery/ready?{query}"))
            .await;
        assert!((400..=422).contains(&status), "{query}: {status}");
    }
    assert_eq!(delivery.ready().await, orders);
}
