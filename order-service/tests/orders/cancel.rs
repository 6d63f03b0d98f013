//! Whoever ordered thinks better of it: at every step, twice, too late, and in a race with everything else.

use contracts::OrderId;
use serde_json::Value;

use crate::support::{Desk, answer};

/// Where the order would say that it is.
async fn state(desk: &Desk, order: OrderId) -> Value {
    desk.order(order).await["state"].clone()
}

#[tokio::test]
async fn an_order_is_locked_at_once_and_everybody_is_told() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("create ticket").await;
    let (status, cancelling) = desk.cancel(order).await;
    assert_eq!(
        (status, &cancelling["state"]),
        (202, &"CANCEL_PENDING".into())
    );
    assert_eq!(state(&desk, order).await, "CANCEL_PENDING");
    let told = desk.said(order).await.pop().unwrap();
    assert_eq!(
        (told.topic.as_str(), told.kind.as_str()),
        ("order-customer", "ORDER_CHANGED")
    );
    assert_eq!(told.json()["state"], "CANCEL_PENDING");
    assert_eq!(cancelling["version"], told.sequence);
}

#[tokio::test]
async fn what_was_granted_is_undone_in_reverse_order_and_nothing_else() {
    let desk = Desk::open().await;
    let void = "order-payment ORDER_CANCELLED";
    let take_back = "order-ticket ORDER_CANCELLED";
    let stop = "order-kitchen ORDER_CANCEL_REQUESTED";
    for (step, expected) in [
        ("verify customer", vec![]),
        ("create ticket", vec![take_back]),
        ("authorise payment", vec![void, take_back]),
        ("approve ticket", vec![void, take_back]),
        ("cook", vec![stop, void, take_back]),
        ("prepare ticket", vec![stop, void, take_back]),
        ("cooked", vec![stop, void, take_back]),
    ] {
        let order = desk.place_up_to(step).await;
        let before = desk.kinds(order).await.len();
        desk.cancel(order).await;
        desk.finish(order).await;
        assert_eq!(state(&desk, order).await, "CANCELLED", "at {step}");
        let said = desk.kinds(order).await.split_off(before);
        let commands: Vec<&String> = said
            .iter()
            .filter(|said| !said.ends_with("ORDER_CHANGED"))
            .collect();
        assert_eq!(commands, expected, "at {step}");
        assert_eq!(desk.saga(order).await["state"], "ROLLED_BACK");
    }
}

#[tokio::test]
async fn an_order_that_is_refused_while_it_is_cancelled_is_cancelled() {
    let desk = Desk::open().await;
    for (step, refusal) in [
        ("verify customer", "CUSTOMER_REJECTED"),
        ("create ticket", "TICKET_REJECTED"),
        ("authorise payment", "PAYMENT_REJECTED"),
    ] {
        let order = desk.place_up_to(step).await;
        desk.cancel(order).await;
        desk.answer(order, refusal).await;
        desk.finish(order).await;
        let ended = desk.order(order).await;
        assert_eq!(
            (&ended["state"], &ended["rejection"]),
            (&"CANCELLED".into(), &Value::Null)
        );
    }
}

#[tokio::test]
async fn an_order_whose_kitchen_refuses_goes_on_where_it_is_by_then() {
    let desk = Desk::open().await;
    for (step, goes_on_as) in [
        ("cook", "ACCEPTED"),
        ("prepare ticket", "PREPARING"),
        ("cooked", "PREPARING"),
    ] {
        let order = desk.place_up_to(step).await;
        desk.cancel(order).await;
        while desk.saga(order).await["state"] != "CANCELLING" {
            desk.grant(order).await;
        }
        desk.answer(order, "KITCHEN_CANCEL_REFUSED").await;
        assert_eq!(state(&desk, order).await, goes_on_as, "at {step}");
        desk.finish(order).await;
        assert_eq!(state(&desk, order).await, "COMPLETE");
    }
}

#[tokio::test]
async fn food_that_gets_ready_while_the_kitchen_decides_is_not_forgotten() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cooked").await;
    desk.cancel(order).await;
    desk.hear([&answer(order, "KITCHEN_READY", None)]).await;
    assert_eq!(state(&desk, order).await, "CANCEL_PENDING");
    desk.answer(order, "KITCHEN_CANCEL_REFUSED").await;
    assert_eq!(desk.saga(order).await["step"], "capture payment");
    desk.finish(order).await;
    assert_eq!(state(&desk, order).await, "COMPLETE");
}

#[tokio::test]
async fn who_asks_again_gets_the_same_answer_and_changes_nothing() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cooked").await;
    let first = desk.cancel(order).await;
    let said = desk.said(order).await.len();
    let locked = desk.cancel(order).await;
    assert_eq!(locked.0, 202);
    assert_eq!(locked.1["state"], first.1["state"]);
    assert_eq!(desk.said(order).await.len(), said);
    desk.finish(order).await;
    let said = desk.said(order).await.len();
    let (status, ended) = desk.cancel(order).await;
    assert_eq!((status, &ended["state"]), (202, &"CANCELLED".into()));
    assert_eq!(desk.said(order).await.len(), said);
}

#[tokio::test]
async fn an_order_that_is_ready_or_further_or_rejected_answers_409() {
    let desk = Desk::open().await;
    for step in [
        "capture payment",
        "ready ticket",
        "picked up",
        "pick up ticket",
        "delivered",
        "complete ticket",
    ] {
        let order = desk.place_up_to(step).await;
        let (before, said) = (desk.order(order).await, desk.said(order).await.len());
        let (status, problem) = desk.cancel(order).await;
        assert_eq!(status, 409, "at {step}: {problem}");
        assert_eq!(
            (desk.order(order).await, desk.said(order).await.len()),
            (before, said)
        );
    }
    let order = desk.place_up_to("authorise payment").await;
    desk.answer(order, "PAYMENT_REJECTED").await;
    let (status, problem) = desk.cancel(order).await;
    assert_eq!(status, 409);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("rejected already"),
        "{problem}"
    );
    desk.finish(order).await;
    assert_eq!(desk.cancel(order).await.0, 409);
    assert_eq!(state(&desk, order).await, "REJECTED");
    assert_eq!(desk.cancel(OrderId::new(ambient::new_id())).await.0, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancellation_that_races_with_an_answer_ends_in_one_of_two_ways() {
    let desk = Desk::open().await;
    for step in desk.definition.steps() {
        let Some(ask) = step.asks() else { continue };
        let kind = ask.accepted().next().unwrap();
        let order = desk.place_up_to(step.name()).await;
        tokio::join!(
            desk.cancel(order),
            desk.answer(order, kind),
            desk.cancel(order)
        );
        desk.finish(order).await;
        let end = state(&desk, order).await;
        let late = [
            "capture payment",
            "ready ticket",
            "pick up ticket",
            "complete ticket",
        ];
        let expected = if late.contains(&step.name()) {
            "COMPLETE"
        } else {
            "CANCELLED"
        };
        assert_eq!(end, expected, "at {}", step.name());
        let asked = desk.records(order).await;
        let asked = asked
            .iter()
            .filter(|record| record.ends_with("CANCEL_ASKED"));
        assert!(asked.count() <= 1);
    }
}

#[tokio::test]
async fn an_order_that_began_before_orders_could_be_cancelled_says_so_and_completes() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("cook").await;
    desk.execute("UPDATE sagas SET version = 1").await;
    let (status, problem) = desk.cancel(order).await;
    assert_eq!(status, 409);
    assert!(
        problem["detail"].as_str().unwrap().contains("began before"),
        "{problem}"
    );
    desk.finish(order).await;
    assert_eq!(state(&desk, order).await, "COMPLETE");
    assert_eq!(desk.saga(order).await["version"], 1);
}
