//! An operator gives money back: once, whoever asks how often, and whatever becomes of the gateway's answers.

use std::sync::Arc;

use contracts::{OrderId, PaymentState};
use reqwest::StatusCode;
use serde_json::{Value, json};
use testing::outbox;

use crate::{
    cards::Server,
    scene::{Instance, Scene, authorise, capture, new_order, next_year, void},
    scripted::{Scripted, Twist},
};

fn asked() -> Value {
    json!({ "by": "ada", "why": "the soup was cold" })
}

async fn refund(server: &Server, order: OrderId) -> (StatusCode, Value) {
    let path = format!("/payments/{order}/refund");
    server.post_to(&path, &asked()).await
}

/// An order that was paid for.
async fn paid(scene: &Scene, service: &Instance) -> OrderId {
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    service
        .handle(&[&authorise(order, scene.customer, method)])
        .await;
    scene.settled(order, PaymentState::Authorised).await;
    service.handle(&[&capture(order)]).await;
    scene.settled(order, PaymentState::Captured).await;
    order
}

async fn kinds(scene: &Scene) -> Vec<String> {
    let told = outbox(scene.store.db()).await.into_iter();
    told.map(|told| told.kind).collect()
}

#[tokio::test]
async fn what_was_taken_is_given_back_once_and_everybody_is_told() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let server = Server::beside(&service, &scene, gateway.clone()).await;
    let order = paid(&scene, &service).await;
    assert_eq!(refund(&server, order).await.0, StatusCode::ACCEPTED);
    scene.settled(order, PaymentState::Refunded).await;
    let (status, again) = refund(&server, order).await;
    assert_eq!(
        (status, &again["state"]),
        (StatusCode::ACCEPTED, &"REFUNDED".into())
    );
    assert_eq!(gateway.ledger(order), ["HOLD", "CHARGE", "REFUND"]);
    assert_eq!(
        kinds(&scene).await,
        ["PAYMENT_APPROVED", "PAYMENT_CAPTURED", "PAYMENT_REFUNDED"]
    );
    let refunds = "refunds WHERE ordered_by = 'ada' AND ordered_why = 'the soup was cold'";
    assert_eq!(scene.count(refunds).await, 1);
}

#[tokio::test]
async fn twenty_who_ask_at_once_are_one_refund() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let server = Server::beside(&service, &scene, gateway.clone()).await;
    let order = paid(&scene, &service).await;
    let all = (0..20).map(|_| refund(&server, order));
    for (status, body) in futures_util::future::join_all(all).await {
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    }
    scene.settled(order, PaymentState::Refunded).await;
    assert_eq!(gateway.ledger(order), ["HOLD", "CHARGE", "REFUND"]);
    assert_eq!(scene.count("refunds").await, 1);
}

#[tokio::test]
async fn a_refund_whose_answer_is_lost_is_asked_for_again_with_the_same_key() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let order = paid(&scene, &service).await;
    let twisted = Scripted::twisted([Twist::Lost, Twist::Away]);
    drop(service);
    let service = scene.instance(0, twisted.clone());
    let server = Server::beside(&service, &scene, twisted.clone()).await;
    refund(&server, order).await;
    scene.settled(order, PaymentState::Refunded).await;
    assert_eq!(twisted.asked(), vec![format!("{order}-refund"); 3]);
    assert_eq!(twisted.ledger(order), ["REFUND"]);
}

#[tokio::test]
async fn what_was_never_taken_is_not_given_back() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let service = scene.instance(0, gateway.clone());
    let server = Server::beside(&service, &scene, gateway.clone()).await;
    assert_eq!(refund(&server, new_order()).await.0, StatusCode::NOT_FOUND);
    let method = scene.method("tok_good", next_year()).await;
    let order = new_order();
    service
        .handle(&[&authorise(order, scene.customer, method)])
        .await;
    scene.settled(order, PaymentState::Authorised).await;
    assert_eq!(refund(&server, order).await.0, StatusCode::CONFLICT);
    service.handle(&[&void(order)]).await;
    scene.settled(order, PaymentState::Voided).await;
    let (status, problem) = refund(&server, order).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        problem["detail"].as_str().unwrap().contains("VOIDED"),
        "{problem}"
    );
    assert_eq!(gateway.ledger(order), ["HOLD", "VOID"]);
    assert_eq!(scene.count("refunds").await, 0);
}

#[tokio::test]
async fn a_refund_says_who_and_why() {
    let scene = Scene::new().await;
    let server = Server::start(&scene, Arc::new(Scripted::default())).await;
    let path = format!("/payments/{}/refund", new_order());
    for (body, field) in [
        (json!({ "why": "x" }), "by"),
        (json!({ "by": "", "why": "x" }), "by"),
        (json!({ "by": "ada" }), "why"),
        (json!({ "by": "ada", "why": "x", "amount": 1 }), "amount"),
    ] {
        let (status, problem) = server.post_to(&path, &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
}

#[tokio::test]
async fn an_aged_order_is_not_charged_a_second_time() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let mut service = scene.instance(0, gateway.clone());
    let server = Server::beside(&service, &scene, gateway.clone()).await;
    let (refunded, captured) = (paid(&scene, &service).await, paid(&scene, &service).await);
    refund(&server, refunded).await;
    scene.settled(refunded, PaymentState::Refunded).await;
    let method = scene.method("tok_good", next_year()).await;
    let held = new_order();
    service
        .handle(&[&authorise(held, scene.customer, method)])
        .await;
    scene.settled(held, PaymentState::Authorised).await;

    assert_eq!(service.age(&scene).await, 2);
    assert_eq!(
        (scene.count("payments").await, scene.count("refunds").await),
        (1, 0)
    );
    let again: Vec<_> = [refunded, captured, held]
        .map(|order| authorise(order, scene.customer, method))
        .into();
    let report = service.handle(&again.iter().collect::<Vec<_>>()).await;
    assert_eq!((report.handled, report.aged), (1, 2));
    let report = service.handle(&[&void(captured)]).await;
    assert_eq!(
        (report.handled, report.aged),
        (0, 1),
        "nor is there a tombstone"
    );
    assert_eq!(scene.count("payments").await, 1);
    assert_eq!(gateway.ledger(captured), ["HOLD", "CHARGE"]);
    assert_eq!(refund(&server, captured).await.0, StatusCode::NOT_FOUND);
}
