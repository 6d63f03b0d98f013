//! What the definition says about itself, tried at every step on a real database: refuse it, answer it twice, answer it late.

use crate::support::{Desk, answer, said_anew};

/// The steps, with the kinds that refuse each of them.
fn refusals(desk: &Desk) -> Vec<(String, String)> {
    let steps = desk.definition.steps().iter();
    let pairs = steps.flat_map(|step| {
        let refused = step.asks().into_iter().flat_map(saga::Ask::refused);
        refused.map(|kind| (step.name().to_owned(), kind.to_owned()))
    });
    pairs.collect()
}

fn steps(desk: &Desk) -> Vec<String> {
    desk.definition
        .steps()
        .iter()
        .map(|step| step.name().to_owned())
        .collect()
}

#[tokio::test]
async fn a_refusal_at_any_step_undoes_what_was_granted_and_rejects_the_order() {
    let desk = Desk::open().await;
    let refusals = refusals(&desk);
    assert_eq!(refusals.len(), 3);
    for (step, kind) in refusals {
        let order = desk.place_up_to(&step).await;
        let before = desk.said(order).await.len();
        desk.answer(order, &kind).await;
        let granted = desk
            .definition
            .steps()
            .iter()
            .take_while(|before| before.name() != step);
        let mut undos: Vec<String> = granted
            .filter_map(|step| step.undo())
            .map(|undo| format!("{} {}", undo.command().to(), undo.command().kind()))
            .collect();
        undos.reverse();
        for undo in &undos {
            assert_eq!(
                desk.order(order).await["state"],
                "PENDING",
                "not before {undo} is confirmed"
            );
            desk.grant(order).await;
        }
        undos.push("order-customer ORDER_CHANGED".to_owned());
        assert_eq!(
            desk.kinds(order).await[before..],
            undos,
            "refused at {step}"
        );
        let rejected = desk.order(order).await;
        assert_eq!(rejected["state"], "REJECTED");
        let told = desk.said(order).await.pop().unwrap().json();
        assert_eq!(
            (&told["state"], &told["rejection"]),
            (&rejected["state"], &rejected["rejection"])
        );
        assert_eq!(desk.saga(order).await["state"], "ROLLED_BACK");
    }
}

#[tokio::test]
async fn a_refusal_names_who_refused_and_why() {
    let desk = Desk::open().await;
    for (step, kind, by, code) in [
        (
            "verify customer",
            "CUSTOMER_REJECTED",
            "customer",
            "CUSTOMER_SUSPENDED",
        ),
        (
            "create ticket",
            "TICKET_REJECTED",
            "restaurant",
            "ITEM_UNAVAILABLE",
        ),
        (
            "authorise payment",
            "PAYMENT_REJECTED",
            "payment",
            "CARD_DECLINED",
        ),
    ] {
        let order = desk.place_up_to(step).await;
        desk.answer(order, kind).await;
        desk.finish(order).await;
        let rejection = desk.order(order).await["rejection"].clone();
        assert_eq!(
            (&rejection["by"], &rejection["reason"]["code"]),
            (&by.into(), &code.into())
        );
    }
}

#[tokio::test]
async fn every_message_delivered_twice_changes_nothing_the_second_time() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    while !desk.remaining(order).await.is_empty() {
        let message = desk.grant(order).await;
        let (said, saga, data) = (
            desk.said(order).await,
            desk.saga(order).await,
            desk.order(order).await,
        );
        let report = desk.hear([&message, &message]).await;
        assert_eq!(
            (report.handled, report.duplicates),
            (0, 2),
            "{}",
            message.kind
        );
        assert_eq!(desk.said(order).await, said);
        assert_eq!(
            (desk.saga(order).await, desk.order(order).await),
            (saga, data)
        );
    }
    assert_eq!(desk.order(order).await["state"], "COMPLETE");
}

#[tokio::test]
async fn every_answer_given_anew_is_stale_and_recorded() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    let mut stale = 0;
    while !desk.remaining(order).await.is_empty() {
        let message = desk.grant(order).await;
        let (said, data) = (desk.said(order).await, desk.order(order).await);
        desk.hear([&said_anew(&message)]).await;
        stale += 1;
        assert_eq!(desk.said(order).await, said, "{} again", message.kind);
        assert_eq!(desk.order(order).await, data);
        let records = desk.records(order).await;
        let recorded = records
            .iter()
            .filter(|record| record.ends_with(" STALE"))
            .count();
        assert_eq!(recorded, stale, "{} again", message.kind);
    }
    assert_eq!(desk.order(order).await["state"], "COMPLETE");
}

#[tokio::test]
async fn every_answer_that_comes_late_is_stale_wherever_the_saga_stands() {
    let desk = Desk::open().await;
    let order = desk.place().await;
    let mut heard = Vec::new();
    while !desk.remaining(order).await.is_empty() {
        heard.push(desk.grant(order).await);
        let late: Vec<_> = heard.iter().map(said_anew).collect();
        let (said, data) = (desk.said(order).await, desk.order(order).await);
        desk.hear(&late).await;
        assert_eq!(
            (desk.said(order).await, desk.order(order).await),
            (said, data)
        );
    }
    assert_eq!(desk.order(order).await["state"], "COMPLETE");
}

#[tokio::test]
async fn nothing_wakes_an_order_that_is_rejected() {
    let desk = Desk::open().await;
    let order = desk.place_up_to("authorise payment").await;
    let authorise = desk.said(order).await.pop().unwrap();
    desk.answer(order, "PAYMENT_REJECTED").await;
    desk.finish(order).await;
    let (said, data) = (desk.said(order).await, desk.order(order).await);
    let late = answer(order, "PAYMENT_APPROVED", Some(authorise.message_id));
    let ready = answer(order, "KITCHEN_READY", None);
    desk.hear([&late, &ready]).await;
    assert_eq!(
        (desk.said(order).await, desk.order(order).await),
        (said, data)
    );
}

#[tokio::test]
async fn every_step_of_the_definition_is_come_to() {
    let desk = Desk::open().await;
    for step in steps(&desk) {
        let order = desk.place_up_to(&step).await;
        assert_eq!(desk.saga(order).await["step"], step);
    }
}
