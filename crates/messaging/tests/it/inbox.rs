//! The inbox forgets by day.

use messaging::{Processor, Store};
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
    let query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'inbox'::regclass ORDER BY 1";
    let rows = store
        .db()
        .query_all_raw(Statement::from_string(DbBackend::Postgres, query))
        .await;
    rows.expect("the partitions can be listed")
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
