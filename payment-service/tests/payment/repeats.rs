//! `POST /payment-methods` with an `Idempotency-Key`: one payment method per key, whatever happens around the gateway.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use testing::eventually;
use tokio::sync::Semaphore;

use crate::{
    cards::{Server, request},
    scene::Scene,
    scripted::{Scripted, Twist},
};

const NUMBER: &str = "4242424242424242";

async fn stored(scene: &Scene) -> (i64, i64) {
    (
        scene.count("payment_methods").await,
        scene.count("idempotency_keys").await,
    )
}

#[tokio::test]
async fn a_card_that_is_sent_again_with_its_key_is_exchanged_once() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let server = Server::start(&scene, gateway.clone()).await;
    let body = request(NUMBER);
    let first = server.post_as("k", &body).await;
    assert_eq!(first.0, StatusCode::CREATED);
    assert_eq!(server.post_as("k", &body).await, first);
    assert_eq!(gateway.cards(), ["4242"]);
    assert_eq!(stored(&scene).await, (1, 1));
}

/// Number and CVC are no part of the fingerprint; everything else is.
#[tokio::test]
async fn another_card_gets_the_first_answer_and_another_body_is_refused() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let server = Server::start(&scene, gateway.clone()).await;
    let body = request(NUMBER);
    let first = server.post_as("k", &body).await;
    let with = |field: &str, value: Value| {
        let mut body = body.clone();
        body[field] = value;
        body
    };
    for same in [
        with("cardNumber", json!("5555555555554444")),
        with("cvc", json!("999")),
    ] {
        assert_eq!(server.post_as("k", &same).await, first);
    }
    for other in [
        with("holder", json!("B. Customer")),
        with("expiryMonth", json!(11)),
        with("customerId", json!(ambient::new_id())),
    ] {
        let (status, problem) = server.post_as("k", &other).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    assert_eq!(gateway.cards(), ["4242"]);
    assert_eq!(stored(&scene).await, (1, 1));
}

#[tokio::test]
async fn while_a_card_is_exchanged_the_same_request_is_told_to_come_back() {
    let gate = Arc::new(Semaphore::new(0));
    let gateway = Scripted::twisted_cards([Twist::Gated(gate.clone())]);
    let mut scene = Scene::new().await;
    scene.patience = std::time::Duration::from_secs(60);
    let server = Server::start(&scene, gateway.clone()).await;
    let body = request(NUMBER);
    let second = async {
        eventually("the call", async || gateway.cards().pop()).await;
        let second = server.post_as("k", &body).await;
        gate.add_permits(1);
        second
    };
    let (first, second) = tokio::join!(server.post_as("k", &body), second);
    assert_eq!(
        (first.0, second.0),
        (StatusCode::CREATED, StatusCode::CONFLICT)
    );
    assert_eq!(server.post_as("k", &body).await, first);
    assert_eq!(gateway.cards(), ["4242"]);
    assert_eq!(stored(&scene).await, (1, 1));
}

#[tokio::test]
async fn a_crash_between_reservation_and_answer_heals() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted_cards([Twist::Never]));
    let server = Server::start(&scene, gateway.clone()).await;
    let body = request(NUMBER);
    let healed = {
        let dying = server.post_as("k", &body);
        let after = async {
            eventually("the call", async || gateway.cards().pop()).await;
            eventually("the lease to be over", async || {
                let (status, answer) = server.post_as("k", &body).await;
                match status {
                    StatusCode::CONFLICT => None,
                    status => Some((status, answer)),
                }
            })
            .await
        };
        tokio::select! {
            _ = dying => panic!("the gateway never answers"),
            healed = after => healed,
        }
    };
    assert_eq!(healed.0, StatusCode::CREATED);
    assert_eq!(server.post_as("k", &body).await, healed);
    assert_eq!(gateway.cards(), ["4242", "4242"]);
    assert_eq!(stored(&scene).await, (1, 1));
}

#[tokio::test]
async fn a_gateway_that_is_away_leaves_the_key_free() {
    let gateway = Scripted::twisted_cards([Twist::Away]);
    let scene = Scene::new().await;
    let server = Server::start(&scene, gateway.clone()).await;
    let body = request(NUMBER);
    let (status, _) = server.post_as("k", &body).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(stored(&scene).await, (0, 0));
    assert_eq!(server.post_as("k", &body).await.0, StatusCode::CREATED);
    assert_eq!(stored(&scene).await, (1, 1));
}

#[tokio::test]
async fn a_key_that_is_made_of_the_card_number_is_refused_and_not_repeated() {
    let (scene, gateway) = (Scene::new().await, Scripted::twisted([]));
    let server = Server::start(&scene, gateway.clone()).await;
    for key in [NUMBER, "card-4242-4242-4242-4242"] {
        let (status, problem) = server.post_as(key, &request(NUMBER)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
        assert!(!problem.to_string().contains("4242"), "{problem}");
    }
    assert_eq!(gateway.cards(), Vec::<String>::new());
    assert_eq!(stored(&scene).await, (0, 0));
}
