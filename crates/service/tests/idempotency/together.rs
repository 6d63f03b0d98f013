//! Requests that share a transaction, each with its key.

use std::sync::Arc;

use futures_util::future::join_all;
use service::idempotency::REPLAYED;
use tokio::sync::Semaphore;

use crate::notes::{Notes, assert_replayed, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_with_few_keys_have_one_effect_for_each_key() {
    let notes = Notes::open().await;
    let keys: Vec<String> = (0..90).map(|number| format!("k{}", number % 9)).collect();
    let all = join_all(keys.iter().map(|key| notes.post(key, "/sheets", "hello"))).await;
    for (answer, key) in all.iter().zip(&keys) {
        assert_eq!(answer.status(), 201, "{:?}", answer.body());
        let first = keys.iter().position(|other| other == key).unwrap();
        assert_eq!(answer.body(), all[first].body());
    }
    let replayed = |answer: &&axum::http::Response<_>| answer.headers().contains_key(REPLAYED);
    assert_eq!(all.iter().filter(replayed).count(), 81);
    assert_eq!(notes.stored().await, (9, 9));
}

#[tokio::test]
async fn a_known_key_gets_its_first_answer_and_another_body_is_refused() {
    let notes = Notes::open().await;
    let first = notes.post("k", "/sheets", "hello").await;
    let (again, other, fresh) = tokio::join!(
        notes.post("k", "/sheets", "hello"),
        notes.post("k", "/sheets", "goodbye"),
        notes.post("l", "/sheets", "hello"),
    );
    assert_replayed(&first, &again);
    assert_eq!(other.status(), 422);
    assert_eq!(fresh.status(), 201);
    assert_ne!(json(&fresh)["id"], json(&first)["id"]);
    assert_eq!(notes.stored().await, (2, 2));
}

/// Keys of different paths are different keys, but the lock that is waited for here is one of the very same key.
#[tokio::test]
async fn who_waits_for_a_key_holds_up_nobody() {
    let notes = Notes::open().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = notes.hold("POST /sheets k", gate.clone()).await;
    let waiting = notes.send("k", "/sheets", "hello");
    notes.somebody_waits("advisory").await;
    assert_eq!(notes.post("l", "/sheets", "hello").await.status(), 201);
    gate.add_permits(1);
    held.await.unwrap();
    assert_eq!(waiting.await.unwrap().status(), 201);
    assert_eq!(notes.stored().await, (2, 2));
}

#[tokio::test]
async fn requests_without_a_key_are_all_different() {
    let notes = Notes::open().await;
    let body = serde_json::json!({ "text": "hello" });
    let posts = (0..3).map(|_| notes.client.post("/sheets", &body));
    assert!(
        join_all(posts)
            .await
            .iter()
            .all(|(status, _)| *status == 201)
    );
    assert_eq!(notes.stored().await, (3, 0));
}
