//! Requests with one key, at the same time.

use std::sync::Arc;

use axum::http::header;
use futures_util::future::join_all;
use service::idempotency::REPLAYED;
use tokio::sync::Semaphore;

use crate::notes::{Notes, Twist, assert_replayed, json};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_at_once_have_one_effect_and_get_equal_answers() {
    for path in ["/notes", "/jottings"] {
        let notes = Notes::open().await;
        let all = join_all((0..50).map(|_| notes.post("k", path, "hello"))).await;
        for answer in &all {
            assert_eq!(answer.status(), 201, "{:?}", answer.body());
            assert_eq!(answer.body(), all[0].body());
            let place = &answer.headers()[header::LOCATION];
            assert_eq!(place, all[0].headers()[header::LOCATION]);
        }
        let replayed = all
            .iter()
            .filter(|answer| answer.headers().contains_key(REPLAYED));
        assert_eq!(replayed.count(), 49);
        assert_eq!(notes.stored().await, (1, 1));
    }
}

/// The first one's row lies in yesterday's table, where no index of today's would see it.
#[tokio::test]
async fn the_second_waits_for_the_first_also_when_that_began_on_the_day_before() {
    let notes = Notes::open().await;
    notes
        .execute(
            "CREATE FUNCTION yesterday() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             UPDATE idempotency_keys SET created_at = created_at - interval '1 day'; RETURN NULL; END $$; \
             CREATE TRIGGER yesterday AFTER INSERT ON notes FOR EACH ROW EXECUTE FUNCTION yesterday()",
        )
        .await;
    let gate = Arc::new(Semaphore::new(0));
    notes.next(Twist::Gated(gate.clone()));
    let first = notes.send("k", "/notes", "hello");
    notes.met().await;
    let second = notes.send("k", "/notes", "hello");
    notes.somebody_waits("advisory").await;
    gate.add_permits(1);
    assert_replayed(&first.await.unwrap(), &second.await.unwrap());
    assert_eq!(notes.stored().await, (1, 1));
}

#[tokio::test]
async fn when_the_first_fails_the_second_that_waited_for_it_does_the_work() {
    let notes = Notes::open().await;
    let gate = Arc::new(Semaphore::new(0));
    notes.next(Twist::FailsAfter(gate.clone()));
    let first = notes.send("k", "/notes", "hello");
    notes.met().await;
    let second = notes.send("k", "/notes", "hello");
    notes.somebody_waits("advisory").await;
    gate.add_permits(1);
    assert_eq!(json(&first.await.unwrap())["detail"], "not now");
    let second = second.await.unwrap();
    assert_eq!(second.status(), 201);
    assert!(!second.headers().contains_key(REPLAYED));
    assert_eq!(notes.stored().await, (1, 1));
}

#[tokio::test]
async fn whoever_would_wait_too_long_is_told_to_come_back() {
    let notes = Notes::open().await;
    notes
        .execute("ALTER FUNCTION idempotency_take SET lock_timeout = '50ms'")
        .await;
    let gate = Arc::new(Semaphore::new(0));
    notes.next(Twist::Gated(gate.clone()));
    let first = notes.send("k", "/notes", "hello");
    notes.met().await;
    let second = notes.post("k", "/notes", "hello").await;
    assert_eq!(second.status(), 409);
    assert_eq!(second.headers()[header::RETRY_AFTER], "1");
    assert_eq!(json(&second)["errors"][0]["field"], "Idempotency-Key");
    gate.add_permits(1);
    let first = first.await.unwrap();
    assert_replayed(&first, &notes.post("k", "/notes", "hello").await);
    assert_eq!(notes.stored().await, (1, 1));
}

#[tokio::test]
async fn other_keys_do_not_wait() {
    let notes = Notes::open().await;
    let gate = Arc::new(Semaphore::new(0));
    notes.next(Twist::Gated(gate.clone()));
    let first = notes.send("k", "/notes", "hello");
    notes.met().await;
    assert_eq!(notes.post("l", "/notes", "hello").await.status(), 201);
    assert_eq!(notes.post("k", "/jottings", "hello").await.status(), 201);
    gate.add_permits(1);
    assert_eq!(first.await.unwrap().status(), 201);
    assert_eq!(notes.stored().await, (3, 3));
}
