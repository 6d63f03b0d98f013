//! The inbox forgets by day.

use messaging::{
    Processor, Store,
    retention::{self, Days},
};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use testing::Database;
use tokio_util::sync::CancellationToken;

use crate::counter::{Counter, Table, counts};

async fn store() -> (Database, Store) {
    let mut migrations = messaging::migrations(1);
    migrations.push(Box::new(Table));
    let database = Database::migrated(migrations).await;
    let store = database.store().await;
    (database, store)
}

async fn days(store: &Store) -> Vec<String> {
    tables(
        store,
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'inbox'::regclass ORDER BY 1",
    )
    .await
}

async fn tables(store: &Store, query: &str) -> Vec<String> {
    let rows = store
        .db()
        .query_all_raw(Statement::from_string(DbBackend::Postgres, query))
        .await;
    rows.expect("the tables can be listed")
        .iter()
        .map(|row| row.try_get_by_index(0).expect("a name"))
        .collect()
}

#[tokio::test]
async fn a_message_is_remembered_on_its_day_and_the_default_stays_empty() {
    let (_database, store) = store().await;
    let message = testing::message("numbers", "ADD", ambient::new_id(), &json!({"amount": 1}));
    let processor = Processor::new(store.clone(), "counter", Counter);
    let batch = vec![message.clone().into()];
    let done = processor.process(batch, &CancellationToken::new()).await;
    assert_eq!(done.expect("nothing stops it").handled, 1);
    let query = format!(
        "SELECT tableoid::regclass::text FROM inbox WHERE message_id = '{}'",
        message.id
    );
    let row = store
        .db()
        .query_one_raw(Statement::from_string(DbBackend::Postgres, query))
        .await;
    let day: String = row
        .expect("the inbox can be read")
        .expect("it was remembered")
        .try_get_by_index(0)
        .expect("a name");
    assert_eq!(day, message.time.format("inbox_%Y%m%d").to_string());
    assert_eq!(counts(&store, message.key).await, 1);
}

#[tokio::test]
async fn what_came_while_its_day_was_missing_is_still_known_when_the_day_is_made() {
    let (_database, store) = store().await;
    let message = testing::message("numbers", "ADD", ambient::new_id(), &json!({"amount": 1}));
    let day = message.time.format("inbox_%Y%m%d").to_string();
    let execute = async |sql: &str| {
        store
            .db()
            .execute_unprepared(sql)
            .await
            .expect("it can be done")
    };
    execute(&format!("DROP TABLE {day}")).await;
    let processor = Processor::new(store.clone(), "counter", Counter);
    let process = async || {
        let batch = vec![message.clone().into()];
        let done = processor.process(batch, &CancellationToken::new()).await;
        done.expect("nothing stops it")
    };
    assert_eq!(process().await.handled, 1);
    execute("SELECT inbox_maintain((now() AT TIME ZONE 'UTC')::date, 30)").await;
    assert!(days(&store).await.contains(&day));
    assert_eq!(process().await.duplicates, 1);
}

#[tokio::test]
async fn two_consumers_of_one_database_handle_the_same_message_each_once() {
    let (_database, store) = store().await;
    let message = testing::message("numbers", "ADD", ambient::new_id(), &json!({"amount": 1}));
    for consumer in ["one", "other", "one", "other"] {
        let processor = Processor::new(store.clone(), consumer, Counter);
        let batch = vec![message.clone().into()];
        let done = processor.process(batch, &CancellationToken::new()).await;
        done.expect("nothing stops it");
    }
    assert_eq!(counts(&store, message.key).await, 2);
}

#[tokio::test]
async fn days_are_made_ahead_and_old_ones_are_dropped() {
    let (_database, store) = store().await;
    for today in ["2030-01-31", "2030-02-01", "2030-03-05"] {
        let maintain = format!("SELECT inbox_maintain('{today}', 30)");
        store
            .db()
            .execute_unprepared(&maintain)
            .await
            .expect("the inbox can be maintained");
    }
    let days = days(&store).await;
    assert!(days.contains(&"inbox_20300308".to_owned()), "{days:?}");
    assert!(days.contains(&"inbox_20300204".to_owned()), "{days:?}");
    assert!(!days.contains(&"inbox_20300130".to_owned()), "{days:?}");
}

#[tokio::test]
async fn autovacuum_is_told_to_leave_alone_what_only_grows() {
    let yesterday = || {
        let day = ambient::now() - chrono::Days::new(1);
        day.format("inbox_%Y%m%d").to_string()
    };
    let first = yesterday();
    let (_database, store) = store().await;
    let leaves = async |with: &str| {
        let query = format!(
            "SELECT relid::regclass::text FROM (SELECT * FROM pg_partition_tree('outbox') UNION ALL SELECT * FROM pg_partition_tree('inbox')) AS tree
             JOIN pg_class ON pg_class.oid = relid
             WHERE isleaf AND {with} coalesce(reloptions, '{{}}') @> '{{autovacuum_vacuum_insert_threshold=-1,autovacuum_analyze_threshold=2147483647}}'
             ORDER BY 1"
        );
        tables(&store, &query).await
    };
    assert_eq!(leaves("NOT").await, [""; 0]);
    let ahead = "SELECT inbox_maintain('2130-01-31', 100000)";
    let ahead = store.db().execute_unprepared(ahead).await;
    ahead.expect("the inbox can be maintained");
    assert_eq!(leaves("NOT").await.len(), 5, "days that were just made");

    let once = CancellationToken::new();
    once.cancel();
    let inbox = Days {
        table: "inbox",
        keep: 30,
    };
    retention::maintain(store.clone(), inbox, once).await;
    let vacuumed = leaves("NOT").await;
    // Days end in the middle of tests, too.
    let over = [
        vec![first.clone()],
        vec![first, yesterday()],
        vec![yesterday()],
    ];
    assert!(over.contains(&vacuumed), "{vacuumed:?} of {over:?}");
    assert!(leaves("").await.contains(&"inbox_21300131".to_owned()));
}
