//! New orders are turned away while too many are under way.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{body::Body, http::Request};
use futures_util::FutureExt;
use order_service::Limit;
use saga_postgres::under_way;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use testing::{Break, Log};
use tokio_util::sync::CancellationToken;

use crate::support::{Desk, new_order};

const TWO: Limit = Limit {
    orders_under_way: 2,
};

/// A desk whose door is full.
async fn full() -> Desk {
    let desk = Desk::open().await;
    desk.place().await;
    desk.place().await;
    desk.look(TWO).await;
    desk
}

#[tokio::test]
async fn while_too_many_orders_are_under_way_a_new_one_is_turned_away_and_told_to_come_back() {
    let desk = Desk::open().await;
    let first = desk.place().await;
    desk.look(TWO).await;
    desk.place().await;
    desk.look(TWO).await;

    let (status, problem) = desk.post("/orders", &new_order()).await;
    assert_eq!(status, 503, "{problem}");
    assert!(
        problem["detail"].as_str().unwrap().contains("under way"),
        "{problem}"
    );
    assert_eq!(desk.count("SELECT count(*) FROM orders").await, 2);

    // What waits for the cook is nobody's work now.
    while desk.saga(first).await["state"] != "WAITING" {
        desk.grant(first).await;
    }
    desk.look(TWO).await;
    desk.place().await;
}

#[tokio::test]
async fn while_nothing_flows_every_order_is_taken() {
    let desk = Desk::open().await;
    for _ in 0..3 {
        desk.place().await;
        let look = desk.admission.look(&desk.store, TWO, false, ambient::now());
        look.await.unwrap();
    }
    desk.look(TWO).await;
    assert_eq!(desk.post("/orders", &new_order()).await.0, 503);
}

#[tokio::test]
async fn orders_whose_participant_is_silent_close_the_door_to_nobody() {
    let desk = Desk::open().await;
    desk.place().await;
    desk.place().await;
    let silent_for_two_seconds_more = "UPDATE sagas SET sent_at = sent_at - interval '2 s'";
    for _ in 0..2 {
        desk.execute(silent_for_two_seconds_more).await;
        desk.look(TWO).await;
        assert_eq!(desk.post("/orders", &new_order()).await.0, 503);
    }
    desk.execute(silent_for_two_seconds_more).await;
    desk.look(TWO).await;
    desk.place().await;
}

#[tokio::test]
async fn orders_whose_participant_is_asked_again_close_it_to_nobody_either() {
    let desk = Desk::open().await;
    desk.place().await;
    desk.place().await;
    let (mut silence, mut now, mut felt) = (desk.silence(), ambient::now(), 0);
    for _ in 0..30 {
        desk.publish().await;
        felt += silence.look(now).await.unwrap();
        if felt == 2 {
            break;
        }
        now += Duration::from_secs(1);
    }
    assert_eq!(felt, 2);
    let look = desk.admission.look(&desk.store, TWO, true, now);
    look.await.unwrap();
    desk.place().await;
}

#[tokio::test]
async fn what_moves_is_told_by_the_clock_of_who_sends_commands_and_not_by_that_of_the_database() {
    let desk = Desk::open().await;
    desk.place().await;
    desk.place().await;
    // This process' clock is an hour behind that of Postgres.
    let now = ambient::now() - Duration::from_secs(3_600);
    desk.execute("UPDATE sagas SET sent_at = sent_at - interval '1 h'")
        .await;
    let look = desk.admission.look(&desk.store, TWO, true, now);
    look.await.unwrap();
    assert_eq!(desk.post("/orders", &new_order()).await.0, 503);
}

#[tokio::test]
async fn operators_are_told_once_that_new_orders_are_turned_away() {
    let desk = full().await;
    let (log, _logging) = Log::collect(tracing::Level::INFO);
    for _ in 0..3 {
        assert_eq!(desk.post("/orders", &new_order()).await.0, 503);
        desk.look(TWO).await;
    }

    let text = log.text();
    let told: Vec<&str> = text
        .lines()
        .filter(|it| it.contains("new orders"))
        .collect();
    assert_eq!(told.len(), 1, "{text}");
    assert!(told[0].contains("WARN") && told[0].contains("are turned away"));
}

#[tokio::test]
async fn what_is_wrong_in_an_order_is_told_at_a_full_door_too() {
    let desk = full().await;
    let mut order = new_order();
    order["orderItems"] = serde_json::json!([]);
    let (status, problem) = desk.post("/orders", &order).await;
    assert!((400..500).contains(&status), "{status} {problem}");
}

#[tokio::test]
async fn those_who_are_turned_away_are_not_told_to_come_back_at_once() {
    let desk = full().await;
    let mut told = BTreeSet::new();
    for _ in 0..100 {
        let order = Request::post("/orders").header("content-type", "application/json");
        let order = order.body(Body::from(new_order().to_string())).unwrap();
        let answer = desk.client.exchange(order).await;
        told.insert(answer.headers()["retry-after"].to_str().unwrap().to_owned());
    }
    assert_eq!(told, ["1", "2", "3"].map(str::to_owned).into());
}

/// Copies what is there, as of orders that came between the first and the second of it, and whose participant is away.
const SILENT: &str = "\
INSERT INTO sagas SELECT (jsonb_populate_record(first, jsonb_build_object(
    'saga_id', gen_random_uuid(), 'awaited', gen_random_uuid(), 'sent_at', sent_at - interval '1 min',
    'started_at', started_at + number * interval '1 us'))).*
FROM sagas AS first, generate_series(1, 1000) AS number WHERE first.started_at = (SELECT min(started_at) FROM sagas)";

#[tokio::test]
async fn of_thousands_that_are_silent_few_are_read_and_what_moves_before_and_behind_them_counts() {
    let desk = Desk::open().await;
    desk.place().await;
    desk.place().await;
    desk.execute("UPDATE sagas SET started_at = started_at + interval '1 h' WHERE started_at = (SELECT max(started_at) FROM sagas)")
        .await;
    desk.execute(SILENT).await;
    // Postgres counts nothing where the statistics of a table were just made anew, which autovacuum may do at any moment.
    let (count, read) = testing::eventually("what is read is counted", async || {
        let look = desk.store.transact::<_, DbErr, _>(|work| {
            async move {
                // As in the pool of a service.
                let no_scans = "SET LOCAL enable_seqscan = off";
                work.db().execute_unprepared(no_scans).await?;
                let since = ambient::now() - Duration::from_secs(30);
                let count = under_way(work.db(), 3, since).await?;
                let read = "SELECT pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid) \
                            FROM pg_class WHERE oid = 'sagas'::regclass";
                let read = Statement::from_string(DbBackend::Postgres, read);
                let read = work.db().query_one_raw(read).await?.unwrap();
                Ok((count, read.try_get_by_index::<i64>(0)?))
            }
            .boxed()
        });
        Some(look.await.unwrap()).filter(|(_, read)| *read > 0)
    })
    .await;
    assert_eq!(count, 2);
    assert!((2..50).contains(&read), "{read} rows were read");
}

#[tokio::test]
async fn who_has_an_answer_gets_it_while_new_orders_are_turned_away() {
    let desk = Desk::open().await;
    let order = new_order().to_string();
    let first = desk.client.post_as("k", "/orders", &order).await;
    desk.place().await;
    desk.look(TWO).await;

    let (log, _logging) = Log::collect(tracing::Level::INFO);
    let again = desk.client.post_as("k", "/orders", &order).await;
    assert_eq!(
        (again.status(), again.body()),
        (first.status(), first.body())
    );
    desk.look(TWO).await;
    assert!(!log.text().contains("turned away"), "nobody was");
    let new = desk.client.post_as("l", "/orders", &order).await;
    assert_eq!(new.status(), 503);
    assert_eq!(desk.count("SELECT count(*) FROM orders").await, 2);
}

#[tokio::test]
async fn a_look_whose_connection_falls_silent_is_left_to_itself_and_the_next_one_takes_another() {
    let (desk, line) = Desk::over_a_line().await;
    desk.place().await;
    desk.place().await;
    let (log, _logging) = Log::collect(tracing::Level::WARN);
    line.breaks_at("SELECT 1", Break::Silent);
    let (shutdown, kafka) = (CancellationToken::new(), Arc::default());
    let watch = desk
        .admission
        .clone()
        .watch(desk.store.clone(), TWO, kafka, shutdown.clone());
    let watching = tokio::spawn(watch);
    testing::eventually("the look is given up", async || {
        log.text().contains("nobody answers").then_some(())
    })
    .await;
    shutdown.cancel();
    watching.await.unwrap().unwrap();
    desk.look(TWO).await;
    assert_eq!(desk.post("/orders", &new_order()).await.0, 503);
}

#[tokio::test]
async fn an_order_whose_connection_falls_silent_gives_its_place_back_when_it_is_not_waited_for_any_more()
 {
    let (desk, line) = Desk::over_a_line().await;
    line.breaks_at("INSERT", Break::Silent);
    let (status, problem) = desk.post("/orders", &new_order()).await;
    assert_eq!(status, 503, "{problem}");
    let one = Limit {
        orders_under_way: 1,
    };
    desk.look(one).await;
    desk.place().await;
    desk.look(one).await;
    assert_eq!(desk.post("/orders", &new_order()).await.0, 503);
}
