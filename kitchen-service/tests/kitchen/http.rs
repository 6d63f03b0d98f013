//! What the people in the kitchen see and do.

use crate::support::{Kitchen, approved, busy, cancel_requested, changed, new_order, told};
use messaging::TraceParent;
use serde_json::{Value, json};

#[tokio::test]
async fn an_order_is_ready_once_and_saying_so_again_succeeds() {
    let (kitchen, orders) = busy(2).await;
    let order = orders[0];
    assert_eq!(
        kitchen.mark_ready(order).await,
        (200, json!({ "changed": [order] }))
    );
    assert_eq!(
        kitchen.mark_ready(order).await,
        (200, json!({ "changed": [] }))
    );

    let told_of = kitchen.told(order).await;
    assert_eq!(told_of[1..], [told("KITCHEN_READY", 2, "READY")]);
    assert_eq!(
        kitchen.told(orders[1]).await.len(),
        1,
        "the other one is still being cooked"
    );
}

#[tokio::test]
async fn being_ready_is_news_of_its_own_in_the_trace_of_its_order() {
    let (kitchen, order) = (Kitchen::open().await, new_order());
    let mut command = approved(order);
    command.trace = Some(TraceParent::new_root());
    kitchen.hear([&command]).await;
    kitchen.mark_ready(order).await;

    let news = kitchen.outbox(order).await.pop().unwrap();
    assert_eq!(news.causation, None);
    let sent: TraceParent = news.traceparent.as_deref().unwrap().parse().unwrap();
    assert_eq!(
        Some(sent.trace_id()),
        command.trace.map(TraceParent::trace_id)
    );
}

#[tokio::test]
async fn without_a_body_everything_that_is_being_cooked_is_ready() {
    let (kitchen, mut orders) = busy(450).await;
    let cancelled = orders.pop().unwrap();
    kitchen.hear([&cancel_requested(cancelled)]).await;

    let (status, answer) = kitchen.client.ask("POST", "/kitchen/ready", None).await;
    assert_eq!((status, changed(&answer)), (200, orders.clone()));
    for order in orders {
        assert_eq!(kitchen.told(order).await.len(), 2);
    }
    let (status, answer) = kitchen.client.ask("POST", "/kitchen/ready", None).await;
    assert_eq!((status, answer), (200, json!({ "changed": [] })));
}

#[tokio::test]
async fn many_who_say_it_at_once_change_it_once() {
    let (kitchen, orders) = busy(60).await;
    let calls = (0..8).map(|call| {
        let (kitchen, order) = (&kitchen, orders[call]);
        async move {
            let one = kitchen.mark_ready(order).await;
            let all = kitchen.client.ask("POST", "/kitchen/ready", None).await;
            [one, all]
        }
    });
    let mut seen = Vec::new();
    for (status, answer) in futures_util::future::join_all(calls)
        .await
        .into_iter()
        .flatten()
    {
        assert_eq!(status, 200);
        seen.extend(changed(&answer));
    }
    seen.sort();
    assert_eq!(seen, orders);
    for order in orders {
        assert_eq!(
            kitchen.told(order).await.len(),
            2,
            "one answer and one piece of news"
        );
    }
}

#[tokio::test]
async fn an_order_that_has_not_come_is_not_found() {
    let (kitchen, order) = (Kitchen::open().await, new_order());
    let (status, problem) = kitchen.mark_ready(order).await;
    assert_eq!(status, 404);
    assert_eq!(
        problem["detail"],
        format!("the kitchen has not heard of order {order}")
    );
}

#[tokio::test]
async fn bad_input_is_refused_by_name_and_changes_nothing() {
    let (kitchen, orders) = busy(1).await;
    let with_more = json!({ "orderId": orders[0], "force": true });
    for (body, field) in [
        (json!({}), "orderId"),
        (json!({ "orderId": "one" }), "orderId"),
        (json!({ "orderId": null }), "orderId"),
        (with_more, "force"),
    ] {
        let (status, problem) = kitchen.client.post("/kitchen/ready", &body).await;
        assert_eq!(
            (status, &problem["errors"][0]["field"]),
            (422, &json!(field))
        );
    }
    for (query, field) in [
        ("state=COOKED", "state"),
        ("cursor=one", "cursor"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("sort=up", "sort"),
    ] {
        let (status, problem) = kitchen.client.get(&format!("/kitchen/cooks?{query}")).await;
        assert!((400..=422).contains(&status), "{query}: {status}");
        assert_eq!(problem["errors"][0]["field"], field, "{query}");
    }
    assert_eq!(kitchen.told(orders[0]).await.len(), 1);
}

#[tokio::test]
async fn the_works_are_listed_by_state_and_page_by_page() {
    let (kitchen, orders) = busy(5).await;
    kitchen.mark_ready(orders[1]).await;

    let (status, first) = kitchen
        .client
        .get("/kitchen/cooks?state=PREPARING&limit=3")
        .await;
    assert_eq!(status, 200);
    let ids = |page: &Value| -> Vec<Value> {
        let cooks = page["cooks"].as_array().unwrap();
        cooks.iter().map(|cook| cook["orderId"].clone()).collect()
    };
    assert_eq!(
        ids(&first),
        [json!(orders[0]), json!(orders[2]), json!(orders[3])]
    );
    let cursor = first["next"].as_str().unwrap();
    let path = format!("/kitchen/cooks?state=PREPARING&limit=3&cursor={cursor}");
    let (_, second) = kitchen.client.get(&path).await;
    assert_eq!(ids(&second), [json!(orders[4])]);
    assert_eq!(second.get("next"), None);

    let (_, ready) = kitchen.client.get("/kitchen/cooks?state=READY").await;
    assert_eq!(ready["cooks"][0]["orderId"], json!(orders[1]));
    assert_eq!(ready["cooks"][0]["items"][0]["quantity"], 2);
}
