//! Events from outside that come before their step.

use crate::support::{Desk, answer};

const EVENTS: [&str; 3] = ["KITCHEN_READY", "DELIVERY_PICKEDUP", "DELIVERY_COMPLETE"];

#[tokio::test]
async fn an_early_event_is_kept_and_applied_when_its_step_is_reached() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("prepare ticket").await;
    let before = desk.order(order).await;
    desk.hear([&answer(order, "KITCHEN_READY", None)]).await;
    assert_eq!(desk.order(order).await, before);
    assert!(
        desk.records(order)
            .await
            .contains(&"prepare ticket KEPT".to_owned())
    );

    desk.answer(order, "TICKET_PREPARING").await;
    assert_eq!(desk.saga(order).await["step"], "capture payment");
    assert!(
        desk.records(order)
            .await
            .contains(&"cooked HAPPENED".to_owned())
    );
    let said = desk.kinds(order).await;
    assert_eq!(
        said[said.len() - 2..],
        ["order-customer ORDER_CHANGED", "order-payment ORDER_READY"]
    );
}

#[tokio::test]
async fn events_may_come_at_any_step_and_in_any_order_and_the_order_completes() {
    let desk = Desk::open().await;
    let steps: Vec<String> = desk
        .definition
        .steps()
        .iter()
        .map(|step| step.name().to_owned())
        .collect();
    let cooked = steps.iter().position(|step| step == "cooked").unwrap();
    for step in &steps[..cooked] {
        let order = desk.place_up_to(step).await;
        let events: Vec<_> = EVENTS
            .iter()
            .rev()
            .map(|kind| answer(order, kind, None))
            .collect();
        desk.hear(&events).await;
        desk.finish(order).await;
        assert_eq!(
            desk.order(order).await["state"],
            "COMPLETE",
            "events came at {step}"
        );
        assert_eq!(desk.said(order).await.len(), 14);
        assert_eq!(
            desk.count("SELECT count(*) FROM sagas WHERE memory IS NOT NULL")
                .await,
            0
        );
    }
}

#[tokio::test]
async fn an_early_event_that_comes_twice_counts_once() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    for _ in 0..2 {
        desk.hear([&answer(order, "KITCHEN_READY", None)]).await;
    }
    let records = desk.records(order).await;
    assert_eq!(
        records[1..],
        ["verify customer KEPT", "verify customer STALE"]
    );
    desk.finish(order).await;
    assert_eq!(desk.said(order).await.len(), 14);
}

#[tokio::test]
async fn an_event_and_the_reply_before_it_may_come_in_one_batch() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("prepare ticket").await;
    let sent = desk.said(order).await.pop().unwrap();
    let batch = [
        answer(order, "KITCHEN_READY", None),
        answer(order, "TICKET_PREPARING", Some(sent.message_id)),
        answer(order, "DELIVERY_PICKEDUP", None),
    ];
    desk.hear(&batch).await;
    assert_eq!(desk.saga(order).await["step"], "capture payment");
    desk.finish(order).await;
    assert_eq!(desk.order(order).await["state"], "COMPLETE");
}
