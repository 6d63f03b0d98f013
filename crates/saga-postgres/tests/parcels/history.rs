//! How the history of sagas is forgotten.

use messaging::Message;
use saga::State;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use testing::{Database, id_of_days_ago};
use uuid::Uuid;

use crate::parcel::{Post, first, news};

const TODAY: &str = "(now() AT TIME ZONE 'UTC')::date";

async fn execute(post: &Post, sql: &str) {
    post.store.db().execute_unprepared(sql).await.unwrap();
}

async fn texts(db: &impl ConnectionTrait, sql: &str) -> Vec<String> {
    let rows = Statement::from_string(DbBackend::Postgres, sql);
    let rows = db.query_all_raw(rows).await.unwrap();
    rows.iter()
        .map(|row| row.try_get_by_index(0).unwrap())
        .collect()
}

/// The partitions in which the history of a saga lies.
async fn places(post: &Post, parcel: Uuid) -> Vec<String> {
    let places = format!(
        "SELECT DISTINCT tableoid::regclass::text FROM saga_history WHERE saga_id = '{parcel}'"
    );
    texts(post.store.db(), &places).await
}

async fn deliver(post: &Post, parcel: Uuid, answers: &[&str]) {
    for kind in answers {
        let answer = post.answer(parcel, kind).await;
        post.hear(&[answer]).await;
    }
    let event: Message = news(parcel, "PICKED_UP");
    post.hear(&[event]).await;
}

#[tokio::test]
async fn old_days_go_and_the_history_of_what_has_not_ended_stays() {
    let (post, _database) = Post::open(first()).await;
    execute(
        &post,
        &format!("SELECT saga_history_maintain({TODAY} - 40, 60)"),
    )
    .await;
    let (ended, open, young) = (
        post.take_as(id_of_days_ago(40)).await,
        post.take_as(id_of_days_ago(40)).await,
        post.take().await,
    );
    deliver(&post, ended, &["WEIGHED", "PAID"]).await;
    let told = post.answer(open, "WEIGHED").await;
    post.hear(&[told]).await;
    let before = post.story(open).await;
    for parcel in [ended, open, young] {
        let [place] = &places(&post, parcel).await[..] else {
            panic!("one partition")
        };
        assert_ne!(place, "saga_history_default");
    }

    execute(&post, &format!("SELECT saga_history_maintain({TODAY}, 30)")).await;
    assert_eq!(
        post.story(ended).await.glance.instance.state,
        State::Completed
    );
    assert!(post.story(ended).await.records.is_empty());
    assert_eq!(post.story(open).await, before);
    assert_eq!(places(&post, open).await, ["saga_history_default"]);
    assert!(!post.story(young).await.records.is_empty());
    let forgotten = texts(post.store.db(), "SELECT what FROM forgotten").await;
    assert_eq!(forgotten, ["saga_history"]);

    // It goes on where its day was, and is forgotten when it has ended.
    deliver(&post, open, &["PAID"]).await;
    let whole = post.story(open).await;
    assert!(whole.records.len() > before.records.len());
    let numbers: Vec<u32> = whole.records.iter().map(|record| record.number).collect();
    assert!(
        numbers
            .iter()
            .copied()
            .eq(1..=whole.glance.instance.records)
    );
    execute(&post, &format!("SELECT saga_history_maintain({TODAY}, 30)")).await;
    assert!(post.story(open).await.records.is_empty());
    assert!(!post.story(young).await.records.is_empty());
}

#[tokio::test]
async fn the_history_of_before_there_were_days_is_brought_over_as_it_is_and_goes_when_all_of_it_is_old()
 {
    let mut tables = messaging::migrations(1);
    let mut sagas = saga_postgres::migrations();
    let by_day = sagas.pop().unwrap();
    assert_eq!(by_day.name(), "m000013_history_by_day");
    tables.extend(sagas);
    let database = Database::migrated(tables).await;
    let db = database.connect(2).await;
    let (old, recent, ahead) = (id_of_days_ago(400), id_of_days_ago(0), id_of_days_ago(-2));
    for id in [old, recent, ahead] {
        let insert = format!(
            "INSERT INTO saga_history SELECT '{id}', number, 1, now(), NULL, 'weigh', 'ASKED', 'WEIGH', NULL, NULL \
             FROM generate_series(1, 3) AS number"
        );
        db.execute_unprepared(&insert).await.unwrap();
    }
    let all = "SELECT saga_id || ' ' || number || ' ' || at || step FROM saga_history ORDER BY saga_id, number";
    let before = texts(&db, all).await;
    by_day
        .up(&sea_orm_migration::SchemaManager::new(&db))
        .await
        .unwrap();
    assert_eq!(texts(&db, all).await, before);

    let left = async |day: &str| {
        let maintain = format!("SELECT saga_history_maintain({TODAY} + {day}, 30)");
        db.execute_unprepared(&maintain).await.unwrap();
        texts(&db, all).await.len()
    };
    for (day, rows) in [("0", 9), ("1", 9), ("30", 9), ("31", 3), ("40", 0)] {
        assert_eq!(left(day).await, rows, "after {day} days");
    }
}

/// Also with a plan that was made before anybody knew which saga is asked for.
#[tokio::test]
async fn reading_one_story_looks_into_one_day() {
    let (post, database) = Post::open(first()).await;
    let parcel = post.take().await;
    let db = database.connect(1).await;
    let prepare = "\
        SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
        PREPARE story (uuid) AS SELECT record.* FROM sagas saga LEFT JOIN saga_history record \
        ON record.saga_id = saga.saga_id WHERE saga.saga_id = $1 ORDER BY record.number";
    db.execute_unprepared(prepare).await.unwrap();
    let explain = format!("EXPLAIN (ANALYZE, COSTS OFF) EXECUTE story ('{parcel}')");
    let plan = texts(&db, &explain).await.join("\n");
    let scanned = plan.matches("Scan using saga_history_").count()
        + plan.matches("Scan on saga_history_").count()
        - plan.matches("never executed").count();
    assert!(
        scanned <= 2 && (plan.contains("Subplans Removed") || plan.contains("never executed")),
        "{plan}"
    );
}
