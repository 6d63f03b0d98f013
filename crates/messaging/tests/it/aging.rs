//! Finished rows go some days after they began, and nobody who comes later begins them anew.

use chrono::TimeDelta;
use messaging::{
    Message, Processor, Report, Store,
    parking::{self, Filter},
    retention::{Aging, Finished, Horizon},
};
use sea_orm::ConnectionTrait;
use serde_json::json;
use testing::{Database, age, id_of_days_ago, outbox};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    counter::{Counter, one, parked},
    logbook::request,
};

/// A counter has ended at a hundred.
const COUNTERS: Finished = Finished {
    table: "counter",
    key: "key",
    ended: "total >= 100",
    along: &[("counter_note", "counter")],
};
/// A table that nobody can ask.
const NOWHERE: Finished = Finished {
    table: "nowhere",
    ..COUNTERS
};

async fn database() -> (Database, Store) {
    let mut migrations = messaging::migrations(1);
    migrations.push(Box::new(crate::counter::Table));
    let database = Database::migrated(migrations).await;
    let store = database.store().await;
    let notes =
        "CREATE TABLE counter_note (counter uuid NOT NULL REFERENCES counter, note text NOT NULL)";
    execute(&store, notes).await;
    (database, store)
}

async fn execute(store: &Store, sql: &str) {
    let done = store.db().execute_unprepared(sql).await;
    done.expect("it can be done");
}

async fn counter(store: &Store, key: Uuid, total: i64) -> Uuid {
    let sql = format!(
        "INSERT INTO counter VALUES ('{key}', {total}); INSERT INTO counter_note VALUES ('{key}', 'x')"
    );
    execute(store, &sql).await;
    key
}

async fn is_there(store: &Store, key: Uuid) -> bool {
    let count = format!("SELECT count(*) FROM counter WHERE key = '{key}'");
    one::<i64>(store, &count).await == 1
}

async fn look(store: &Store, days: Option<u32>, days_ago: i64) -> u64 {
    let horizon = Horizon::read(store.db(), COUNTERS).await;
    let aging = Aging::new(store.clone(), horizon.expect("it can be read"), days);
    let now = ambient::now() - TimeDelta::days(days_ago);
    let looked = aging.look(now, &CancellationToken::new()).await;
    looked.expect("the database answers")
}

fn add(key: Uuid) -> Message {
    testing::message("numbers", "ADD", key, &json!({ "amount": 1 }))
}

async fn process(store: &Store, horizon: Horizon, batch: &[Message]) -> Report {
    let processor = Processor::new(store.clone(), "counter", Counter).behind(horizon);
    let batch = batch.iter().cloned().map(Into::into).collect();
    let done = processor.process(batch, &CancellationToken::new()).await;
    done.expect("nothing stops it")
}

#[tokio::test]
async fn what_has_ended_goes_when_it_is_old_enough_and_has_been_refused_for_a_day() {
    let (_database, store) = database().await;
    let old = counter(&store, id_of_days_ago(40), 100).await;
    let just_refused = counter(&store, id_of_days_ago(31), 100).await;
    let under_way = counter(&store, id_of_days_ago(40), 99).await;
    let young = counter(&store, id_of_days_ago(29), 100).await;
    let ageless = counter(&store, Uuid::from_u128(1), 100).await;
    assert_eq!(look(&store, Some(30), 0).await, 0, "refused since now");
    assert_eq!(look(&store, Some(30), -2).await, 2);
    for (key, stays) in [
        (old, false),
        (just_refused, false),
        (under_way, true),
        (young, true),
        (ageless, true),
    ] {
        assert_eq!(is_there(&store, key).await, stays);
    }
    let notes = "SELECT count(*) FROM counter_note";
    assert_eq!(one::<i64>(&store, notes).await, 3, "they go with them");
}

#[tokio::test]
async fn nothing_goes_without_days_and_a_longer_time_is_kept_to_at_once() {
    let (_database, store) = database().await;
    counter(&store, id_of_days_ago(40), 100).await;
    for days_ago in [2, 1, 0] {
        assert_eq!(look(&store, None, days_ago).await, 0);
    }
    look(&store, Some(30), 2).await;
    assert_eq!(look(&store, Some(60), 1).await, 0);
    assert_eq!(look(&store, Some(60), 0).await, 0);
    let horizon = Horizon::read(store.db(), COUNTERS)
        .await
        .expect("it is there");
    assert!(
        horizon.is_behind(id_of_days_ago(33)),
        "what was refused once stays so"
    );
    assert!(!horizon.is_behind(id_of_days_ago(31)));
}

#[tokio::test]
async fn a_message_about_what_was_removed_changes_nothing_and_about_what_is_there_it_does() {
    let (_database, store) = database().await;
    let ended = counter(&store, ambient::new_id(), 100).await;
    let under_way = counter(&store, ambient::new_id(), 1).await;
    let (horizon, removed) = age(&store, COUNTERS).await;
    assert_eq!(removed, 1);
    let young = id_of_days_ago(-5);
    let batch = [add(ended), add(under_way), add(young), add(ended)];
    let report = process(&store, horizon, &batch).await;
    let expected = Report {
        handled: 2,
        aged: 2,
        ..Report::default()
    };
    assert_eq!(report, expected);
    assert!(!is_there(&store, ended).await);
    assert!(is_there(&store, young).await);
    assert_eq!(outbox(store.db()).await.len(), 2);
}

#[tokio::test]
async fn about_what_is_young_nobody_is_asked() {
    let (_database, store) = database().await;
    let (horizon, _) = age(&store, COUNTERS).await;
    drop(horizon);
    execute(&store, "UPDATE forgotten SET what = 'nowhere'").await;
    let horizon = Horizon::read(store.db(), NOWHERE)
        .await
        .expect("it is there");
    let report = process(&store, horizon.clone(), &[add(id_of_days_ago(-5))]).await;
    assert_eq!((report.handled, report.parked), (1, 0));
    assert!(
        horizon.is_behind(ambient::new_id()),
        "about this one somebody would be"
    );
}

#[tokio::test]
async fn a_parked_message_about_what_was_removed_leaves_its_line_without_an_effect_and_in_time_the_record_of_it()
 {
    let (_database, store) = database().await;
    let key = ambient::new_id();
    let processor = Processor::new(store.clone(), "counter", Counter);
    let poison = testing::message("numbers", "ADD", key, &json!({}));
    let never = CancellationToken::new();
    let done = processor.process(vec![poison.into()], &never).await;
    assert_eq!(done.expect("nothing stops it").parked, 1);
    let (horizon, _) = age(&store, COUNTERS).await;
    let asked = parking::request_replay(store.db(), &Filter::default(), &request("again")).await;
    assert_eq!(asked.expect("the line can be marked"), 1);
    let replays = processor.behind(horizon).replay(&never).await;
    assert_eq!(replays.expect("nothing stops it").replayed, 1);
    assert!(parked(&store).await.is_empty());
    assert!(!is_there(&store, key).await);

    let deeds = "SELECT count(*) FROM parked_history";
    assert_eq!(one::<i64>(&store, deeds).await, 1);
    age(&store, COUNTERS).await;
    let removable = "UPDATE forgotten SET removable = now() + interval '1 day'";
    execute(&store, removable).await;
    age(&store, COUNTERS).await;
    assert_eq!(one::<i64>(&store, deeds).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_instances_one_does_it() {
    let (_database, store) = database().await;
    for _ in 0..450 {
        counter(&store, id_of_days_ago(40), 100).await;
    }
    look(&store, Some(30), 1).await;
    let (one, other) = tokio::join!(look(&store, Some(30), 0), look(&store, Some(30), 0));
    assert_eq!((one.min(other), one.max(other)), (0, 450));
}

#[tokio::test]
async fn an_instance_that_has_died_over_it_is_followed_by_another_one() {
    let (_database, store) = database().await;
    counter(&store, id_of_days_ago(40), 100).await;
    look(&store, Some(30), 1).await;
    let claimed = |until| {
        format!(
            "UPDATE forgotten SET worker = gen_random_uuid(), worker_until = now() {until} interval '1 minute'"
        )
    };
    execute(&store, &claimed("+")).await;
    assert_eq!(look(&store, Some(30), 0).await, 0);
    execute(&store, &claimed("-")).await;
    assert_eq!(look(&store, Some(30), 0).await, 1);
}
