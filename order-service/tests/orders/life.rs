//! One order from beginning to end.

use contracts::OrderState;
use messaging::{Outgoing, TraceParent};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::support::{Desk, answer};

#[tokio::test]
async fn an_order_that_everybody_grants_is_completed() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    desk.finish(order).await;

    assert_eq!(desk.order(order).await["state"], "COMPLETE");
    let said = [
        "order-customer ORDER_CREATED",
        "order-ticket ORDER_CREATED",
        "order-payment ORDER_CREATED",
        "order-ticket ORDER_APPROVED",
        "order-kitchen ORDER_APPROVED",
        "order-ticket ORDER_PREPARING",
        "order-customer ORDER_CHANGED",
        "order-payment ORDER_READY",
        "order-ticket ORDER_READY",
        "order-customer ORDER_CHANGED",
        "order-ticket ORDER_PICKEDUP",
        "order-customer ORDER_CHANGED",
        "order-ticket ORDER_COMPLETE",
        "order-customer ORDER_CHANGED",
    ];
    assert_eq!(desk.kinds(order).await, said);
}

#[tokio::test]
async fn every_message_has_a_version_of_its_own_and_every_state_is_told() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    desk.finish(order).await;

    let said = desk.said(order).await;
    let versions: Vec<i64> = said.iter().map(|told| told.sequence).collect();
    assert_eq!(versions, (1..=14).collect::<Vec<i64>>());
    assert_eq!(desk.order(order).await["version"], 14);
    let mut states: Vec<Value> = said
        .iter()
        .map(|told| told.json()["state"].clone())
        .collect();
    states.dedup();
    let all = [
        OrderState::Pending,
        OrderState::Accepted,
        OrderState::Preparing,
        OrderState::Ready,
        OrderState::Pickedup,
        OrderState::Complete,
    ];
    assert_eq!(states, all.map(|state| json!(state)));
}

#[tokio::test]
async fn the_payment_is_asked_for_what_the_restaurant_charges() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("authorise payment").await;
    let authorise = desk.said(order).await.pop().unwrap().json();
    assert_eq!(
        authorise["amount"],
        json!({ "amount": 2500, "currency": "EUR" })
    );
    assert_eq!(desk.order(order).await["total"], authorise["amount"]);
    let method = authorise["paymentMethodId"].as_str().unwrap();
    for told in desk.said(order).await {
        assert_eq!(
            told.body.contains(method),
            told.topic == "order-payment",
            "{}",
            told.topic
        );
    }
}

#[tokio::test]
async fn the_awaited_command_is_kept_word_for_word() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("create ticket").await;
    let query = "SELECT command, awaited FROM sagas";
    let query = Statement::from_string(DbBackend::Postgres, query);
    let row = desk.store.db().query_one_raw(query).await.unwrap().unwrap();
    let kept: String = row.try_get("", "command").unwrap();
    let kept: Outgoing = serde_json::from_str(&kept).unwrap();
    let sent = desk.said(order).await.pop().unwrap();
    assert_eq!(kept.id, row.try_get::<uuid::Uuid>("", "awaited").unwrap());
    assert_eq!(
        (kept.id, kept.topic, kept.kind),
        (sent.message_id, sent.topic, sent.kind)
    );
    assert_eq!((kept.body, kept.sequence), (sent.body, sent.sequence));
    assert_eq!(kept.traceparent, sent.traceparent);
}

#[tokio::test]
async fn one_order_is_one_trace() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    let first = desk.said(order).await.pop().unwrap();
    let begun: TraceParent = first.traceparent.unwrap().parse().unwrap();
    let mut reply = answer(order, "CUSTOMER_APPROVED", Some(first.message_id));
    reply.trace = Some(begun.publishing(reply.id));
    desk.hear([&reply]).await;
    let next = desk.said(order).await.pop().unwrap();
    let next: TraceParent = next.traceparent.unwrap().parse().unwrap();
    assert_eq!(next.trace_id(), begun.trace_id());
    assert_ne!(next.span_id(), begun.span_id());
}

#[tokio::test]
async fn the_saga_tells_its_steps_with_attempts_and_times() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cooked").await;
    let saga = desk.saga(order).await;
    assert_eq!(
        (&saga["state"], &saga["step"]),
        (&json!("WAITING"), &json!("cooked"))
    );
    assert_eq!(saga["remaining"].as_array().unwrap().len(), 7);
    let customer = &saga["steps"][0];
    assert_eq!(
        (&customer["step"], &customer["attempts"]),
        (&json!("verify customer"), &json!(1))
    );
    assert_eq!(customer["records"][0]["kind"], "ORDER_CREATED");
    assert_eq!(customer["records"][1]["kind"], "CUSTOMER_APPROVED");
    assert!(customer["records"][1]["at"].is_string());
}

#[tokio::test]
async fn an_aged_order_is_gone_with_its_saga_and_one_that_waits_stays() {
    let mut desk = Desk::open().await;
    let (ended, waiting) = (desk.place().await, desk.place_up_to("cooked").await);
    desk.finish(ended).await;
    assert_eq!(desk.age().await, 1);
    assert_eq!(desk.get(&format!("/orders/{ended}")).await.0, 404);
    assert_eq!(desk.get(&format!("/orders/{ended}/saga")).await.0, 404);
    assert_eq!(desk.count("SELECT count(*) FROM orders").await, 1);
    let late = answer(ended, "PAYMENT_REFUNDED", None);
    let report = desk.hear([&late]).await;
    assert_eq!((report.handled, report.aged), (0, 1));
    desk.finish(waiting).await;
    assert_eq!(desk.order(waiting).await["state"], "COMPLETE");
}
