//! How long keys are kept, and how a database gets its table.

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use service::{Context, Settings, database, idempotency};
use testing::{Database, eventually};
use tokio_util::sync::CancellationToken;

use crate::notes::{Notes, assert_replayed, former_migrations, migrations};

async fn days(notes: &Notes) -> Vec<String> {
    let query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'idempotency_keys'::regclass";
    let query = Statement::from_string(DbBackend::Postgres, query);
    let rows = notes.store.db().query_all_raw(query).await.unwrap();
    let names = rows.iter().map(|row| row.try_get_by_index(0).unwrap());
    names.collect()
}

const TODAY: &str = "(now() AT TIME ZONE 'UTC')::date";

async fn age_by(notes: &Notes, days: u32) {
    let age =
        format!("UPDATE idempotency_keys SET created_at = created_at - interval '{days} days'");
    assert_eq!(notes.execute(&age).await, 1);
}

#[tokio::test]
async fn an_expired_key_is_forgotten_by_the_process_that_runs() {
    let notes = Notes::open().await;
    let first = notes.post("k", "/notes", "hello").await;
    age_by(&notes, 2).await;
    // Still there, so it still counts.
    assert_replayed(&first, &notes.post("k", "/notes", "hello").await);
    let settings = Settings::local("notes", Some(notes.database.url()));
    let context = Context::new(&settings);
    idempotency::forget(&context, &settings, &notes.store);
    eventually("the key to be forgotten", async || {
        (notes.stored().await == (1, 0)).then_some(())
    })
    .await;
    context.shutdown.cancel();
    let again = notes.post("k", "/notes", "goodbye").await;
    assert_eq!(again.status(), 201);
    assert_eq!(notes.stored().await, (2, 1));
}

#[tokio::test]
async fn a_key_is_known_on_the_next_day() {
    let notes = Notes::open().await;
    let first = notes.post("k", "/notes", "hello").await;
    age_by(&notes, 1).await;
    let maintain = format!("SELECT idempotency_keys_maintain({TODAY}, 1)");
    notes.execute(&maintain).await;
    assert_replayed(&first, &notes.post("k", "/notes", "hello").await);
    assert_eq!(notes.post("k", "/notes", "goodbye").await.status(), 422);
    assert_eq!(notes.stored().await, (1, 1));
}

#[tokio::test]
async fn days_are_made_ahead_and_old_ones_are_dropped_with_their_keys() {
    let notes = Notes::open().await;
    notes.post("k", "/notes", "hello").await;
    let today = ambient::now().date_naive();
    for ahead in 1..=2 {
        assert_eq!(notes.stored().await, (1, 1), "after {} days", ahead - 1);
        let maintain = format!("SELECT idempotency_keys_maintain({TODAY} + {ahead}, 1)");
        notes.execute(&maintain).await;
    }
    assert_eq!(notes.stored().await, (1, 0));
    let days = days(&notes).await;
    let name = |offset| {
        (today + chrono::Days::new(offset))
            .format("idempotency_keys_%Y%m%d")
            .to_string()
    };
    assert!(!days.contains(&name(0)), "{days:?}");
    for offset in 1..=5 {
        assert!(days.contains(&name(offset)), "{days:?}");
    }
}

/// Every step drops a day and makes one, in a transaction: it must not wait in a circle with those who take keys.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_come_and_go_while_keys_are_taken() {
    let notes = Notes::open().await;
    let done = CancellationToken::new();
    let busy = join_all((0..4).map(|client| {
        let (notes, done) = (notes.clone(), done.clone());
        tokio::spawn(async move {
            let mut answers = Vec::new();
            while !done.is_cancelled() {
                let key = format!("{client}-{}", answers.len());
                answers.push(notes.post(&key, "/notes", "hello").await.status());
            }
            answers
        })
    }));
    let chores = async {
        // The keys of today are in a day that stays.
        notes
            .execute(&format!(
                "SELECT idempotency_keys_maintain({TODAY} - 40, 60)"
            ))
            .await;
        for ago in (0..40).rev() {
            let maintain = format!("SELECT idempotency_keys_maintain({TODAY} - {ago}, 1)");
            notes.execute(&maintain).await;
        }
        done.cancel();
    };
    let (answers, ()) = tokio::join!(busy, chores);
    for answers in answers {
        let answers = answers.unwrap();
        assert!(!answers.is_empty());
        assert!(answers.iter().all(|status| *status == 201), "{answers:?}");
    }
}

#[tokio::test]
async fn what_came_while_its_day_was_missing_is_still_known_when_the_day_is_made() {
    let notes = Notes::open().await;
    for day in days(&notes).await {
        if !day.ends_with("default") {
            notes.execute(&format!("DROP TABLE {day}")).await;
        }
    }
    let first = notes.post("k", "/notes", "hello").await;
    assert_eq!(first.status(), 201);
    let homeless = "SELECT count(*) FROM idempotency_keys_default";
    assert_eq!(notes.count(homeless).await, 1);
    notes
        .execute(&format!("SELECT idempotency_keys_maintain({TODAY}, 1)"))
        .await;
    assert_eq!(notes.count(homeless).await, 0);
    assert_replayed(&first, &notes.post("k", "/notes", "hello").await);
}

#[tokio::test]
async fn a_database_that_is_older_than_keys_gets_their_table() {
    let empty = Database::new().await;
    let db = empty.connect(2).await;
    database::migrate(&db, former_migrations()).await.unwrap();
    let note = "INSERT INTO notes VALUES (gen_random_uuid(), 'old')";
    db.execute_unprepared(note).await.unwrap();
    for _ in 0..2 {
        database::migrate(&db, migrations()).await.unwrap();
    }
    let notes = Notes::on(empty).await;
    let first = notes.post("k", "/notes", "hello").await;
    assert_replayed(&first, &notes.post("k", "/notes", "hello").await);
    assert_eq!(notes.stored().await, (2, 1));
}
