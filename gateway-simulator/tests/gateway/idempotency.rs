//! Asked again with the same key, nothing happens again: whatever became of the first answer.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use testing::Database;

use crate::{Gateway, good, read, refused, word};

const GOOD: &str = "4242424242424242";
const LATE: &str = "4000000000000259";
const LOST: &str = "4000000000000119";

#[tokio::test]
async fn the_first_answer_is_given_again_also_after_a_restart() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let token = gateway.token(GOOD).await;
    let first = good(gateway.hold(&token, "order", "key")).await;
    good(gateway.act(&word(&first, "authorisationId"), "capture", "capture")).await;
    gateway.stop().await;

    let gateway = Gateway::start(&database, 0).await;
    let again = gateway.hold(&token, "order", "key").send().await.unwrap();
    assert_eq!(again.headers()["Idempotent-Replayed"], "true");
    assert_eq!(read(again).await, first);
    good(gateway.act(&word(&first, "authorisationId"), "capture", "capture")).await;
    assert_eq!(gateway.ledger("order").await, ["HOLD", "CHARGE"]);
}

#[tokio::test]
async fn asked_many_times_at_once_it_happens_once() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let token = gateway.token(GOOD).await;
    let answers = join_all((0..20).map(|_| good(gateway.hold(&token, "order", "key")))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let id = word(&answers[0], "authorisationId");
    join_all((0..20).map(|_| good(gateway.act(&id, "capture", "capture")))).await;
    assert_eq!(gateway.ledger("order").await, ["HOLD", "CHARGE"]);
}

#[tokio::test]
async fn a_capture_and_a_void_at_once_have_one_winner() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let id = gateway.held(GOOD, "order").await;
    let actions = ["capture", "void"].map(|action| gateway.act(&id, action, action).send());
    let mut statuses: Vec<_> = join_all(actions)
        .await
        .into_iter()
        .map(|answer| answer.unwrap().status())
        .collect();
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, StatusCode::CONFLICT]);
    assert_eq!(gateway.ledger("order").await.len(), 2);
}

#[tokio::test]
async fn a_key_belongs_to_one_request() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let token = gateway.token(GOOD).await;
    let id = word(
        &good(gateway.hold(&token, "order", "key")).await,
        "authorisationId",
    );
    for other in [
        gateway.hold(&token, "another", "key"),
        gateway.act(&id, "capture", "key"),
    ] {
        let problem = refused(other, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["field"], "Idempotency-Key");
    }
    let without = gateway.post(&format!("/v1/authorisations/{id}/capture"));
    refused(without, StatusCode::BAD_REQUEST).await;
    assert_eq!(gateway.ledger("order").await, ["HOLD"]);
}

#[tokio::test]
async fn a_request_that_was_refused_leaves_its_key_free() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    refused(
        gateway.hold("tok_unknown", "order", "key"),
        StatusCode::NOT_FOUND,
    )
    .await;
    let token = gateway.token(GOOD).await;
    good(gateway.hold(&token, "order", "key")).await;
}

#[tokio::test]
async fn a_lost_answer_is_found_by_asking_again() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 0).await;
    let token = gateway.token(LOST).await;
    let hold = || gateway.hold(&token, "order", "key");
    assert_eq!(lost(hold()).await, None);
    assert_eq!(gateway.ledger("order").await, ["HOLD"]);
    let id = word(&lost(hold()).await.unwrap(), "authorisationId");
    assert_eq!(lost(gateway.act(&id, "capture", "capture")).await, None);
    assert!(lost(gateway.act(&id, "capture", "capture")).await.is_some());
    assert_eq!(gateway.ledger("order").await, ["HOLD", "CHARGE"]);
}

/// The answer, or nothing when the connection broke off before it was whole.
async fn lost(request: reqwest::RequestBuilder) -> Option<Value> {
    let text = request.send().await.ok()?.text().await.ok()?;
    serde_json::from_str(&text).ok()
}

#[tokio::test]
async fn a_late_answer_comes_at_once_when_it_is_asked_for_again() {
    let database = Database::new().await;
    let gateway = Gateway::start(&database, 600_000).await;
    let token = gateway.token(LATE).await;
    let hold = || gateway.hold(&token, "order", "key");
    let impatient = hold().timeout(Duration::from_millis(500)).send().await;
    assert!(impatient.unwrap_err().is_timeout());
    let found = testing::eventually("the hold in the ledger", async || {
        (gateway.ledger("order").await == ["HOLD"]).then_some(())
    });
    found.await;
    assert_eq!(good(hold()).await["outcome"], json!("APPROVED"));
    assert_eq!(gateway.ledger("order").await, ["HOLD"]);
}
