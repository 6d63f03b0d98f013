//! Work that asks somebody else in between: the key is reserved, and no transaction stays open.

use std::sync::Arc;

use axum::http::header;
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use tokio::sync::Semaphore;

use crate::notes::{Notes, Twist, assert_replayed, json};

/// Waits until the first request has reserved its key and asks.
async fn reserved(notes: &Notes) {
    notes.met().await;
    assert_eq!(notes.stored().await, (0, 1));
}

/// As if the first request had been silent for so long.
async fn let_the_lease_pass(notes: &Notes) {
    let lapse = "UPDATE idempotency_keys SET reserved_until = now()";
    assert_eq!(notes.execute(lapse).await, 1);
}

#[tokio::test]
async fn while_the_first_is_under_way_others_are_told_to_come_back_at_once() {
    let notes = Notes::open().await;
    let gate = Arc::new(Semaphore::new(0));
    notes.next(Twist::Gated(gate.clone()));
    let first = notes.send("k", "/prints", "hello");
    reserved(&notes).await;
    let held = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    assert_eq!(notes.count(held).await, 0);
    let second = notes.post("k", "/prints", "hello").await;
    assert_eq!(second.status(), 409);
    assert_eq!(second.headers()[header::RETRY_AFTER], "1");
    assert_eq!(json(&second)["errors"][0]["field"], "Idempotency-Key");
    let other = notes.post("k", "/prints", "goodbye").await;
    assert_eq!(other.status(), 422);
    gate.add_permits(1);
    let first = first.await.unwrap();
    assert_eq!(first.status(), 201);
    assert_replayed(&first, &notes.post("k", "/prints", "hello").await);
    assert_eq!(notes.stored().await, (1, 1));
}

#[tokio::test]
async fn a_crash_between_reservation_and_answer_heals_when_the_lease_is_over() {
    let notes = Notes::open().await;
    notes.next(Twist::Dies);
    let dead = notes.send("k", "/prints", "hello");
    reserved(&notes).await;
    dead.abort();
    assert_eq!(notes.post("k", "/prints", "hello").await.status(), 409);
    let_the_lease_pass(&notes).await;
    assert_eq!(notes.post("k", "/prints", "goodbye").await.status(), 422);
    let healed = notes.post("k", "/prints", "hello").await;
    assert_eq!(healed.status(), 201);
    assert_replayed(&healed, &notes.post("k", "/prints", "hello").await);
    assert_eq!(notes.stored().await, (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_take_over_at_once_one_does() {
    let notes = Notes::open().await;
    notes.next(Twist::Dies);
    let dead = notes.send("k", "/prints", "hello");
    reserved(&notes).await;
    dead.abort();
    let_the_lease_pass(&notes).await;
    let all = join_all((0..20).map(|_| notes.post("k", "/prints", "hello"))).await;
    for answer in &all {
        assert!([201, 409].contains(&answer.status().as_u16()));
    }
    assert!(all.iter().any(|answer| answer.status() == 201));
    assert_eq!(notes.stored().await, (1, 1));
}

#[tokio::test]
async fn whoever_comes_back_after_his_lease_stores_nothing_and_hears_the_answer_of_the_other() {
    let notes = Notes::open().await;
    let gate = Arc::new(Semaphore::new(0));
    notes.next(Twist::Gated(gate.clone()));
    let slow = notes.send("k", "/prints", "hello");
    reserved(&notes).await;
    let_the_lease_pass(&notes).await;
    let other = notes.post("k", "/prints", "hello").await;
    assert_eq!(other.status(), 201);
    gate.add_permits(1);
    assert_eq!(slow.await.unwrap().status(), 409);
    assert_replayed(&other, &notes.post("k", "/prints", "hello").await);
    assert_eq!(notes.stored().await, (1, 1));
}

/// The lease passes while the answer is being committed: whoever wants to take over then waits for that, and must not.
#[tokio::test]
async fn an_answer_that_is_just_being_written_is_not_taken_over() {
    let notes = Notes::open().await;
    notes
        .execute(
            "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             PERFORM pg_advisory_xact_lock(42); RETURN NEW; END $$; \
             CREATE TRIGGER slowly BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION slowly()",
        )
        .await;
    let brake = notes.database.connect(1).await;
    let on_the_brake = async |sql: &str| brake.execute_unprepared(sql).await.unwrap();
    on_the_brake("SELECT pg_advisory_lock(42)").await;
    let gate = Arc::new(Semaphore::new(0));
    notes.next(Twist::Gated(gate.clone()));
    let first = notes.send("k", "/prints", "hello");
    reserved(&notes).await;
    let_the_lease_pass(&notes).await;
    gate.add_permits(1);
    notes.somebody_waits("advisory").await;
    let second = notes.send("k", "/prints", "hello");
    notes.somebody_waits("transactionid").await;
    on_the_brake("SELECT pg_advisory_unlock(42)").await;
    let first = first.await.unwrap();
    assert_eq!(first.status(), 201);
    assert_eq!(second.await.unwrap().status(), 409);
    assert_replayed(&first, &notes.post("k", "/prints", "hello").await);
    assert_eq!(notes.stored().await, (1, 1));
}
