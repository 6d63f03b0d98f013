//! Requests that come at the same time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use messaging::{Joint, Store, Together, UnitOfWork, Verdict, judge, sql};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use testing::{Break, Database, Line, Log, eventually};
use tokio::{sync::Semaphore, task::JoinHandle};
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// To be stored.
    Store(Uuid),
    /// To be stored, by somebody who has to be waited for.
    StoreLate(Uuid),
    /// What the database refuses.
    Refused,
    /// What nobody has thought of.
    Panics,
}

/// Stores ids, and answers in which transaction.
#[derive(Clone)]
struct Shelf {
    gate: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
}

impl Shelf {
    async fn store(&self, work: &UnitOfWork, wishes: &[Wish]) -> Result<String, DbErr> {
        assert!(!wishes.contains(&Wish::Panics), "nobody has thought of it");
        if wishes.contains(&Wish::Refused) {
            work.db().execute_unprepared("SELECT 1 / 0").await?;
        }
        let ids = wishes.iter().filter_map(|wish| match wish {
            Wish::Store(id) | Wish::StoreLate(id) => Some(*id),
            Wish::Refused | Wish::Panics => None,
        });
        let insert =
            "INSERT INTO shelf (id) SELECT unnest($1::uuid[]) RETURNING pg_current_xact_id()::text";
        let insert = Statement::from_sql_and_values(DbBackend::Postgres, insert, [sql::uuids(ids)]);
        let row = work.db().query_one_raw(insert).await?;
        row.map_or_else(|| Ok(String::new()), |row| row.try_get_by_index(0))
    }
}

impl Joint for Shelf {
    type Request = Wish;
    type Answer = String;

    async fn together(
        &self,
        work: &mut UnitOfWork,
        wishes: &[Wish],
    ) -> Result<Vec<Option<String>>, DbErr> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.expect("the gate stays").forget();
        let (late, now): (Vec<Wish>, Vec<Wish>) = wishes
            .iter()
            .partition(|wish| matches!(wish, Wish::StoreLate(_)));
        let transaction = self.store(work, &now).await?;
        let answer = |wish| (!late.contains(wish)).then(|| transaction.clone());
        Ok(wishes.iter().map(answer).collect())
    }

    async fn alone(&self, work: &mut UnitOfWork, wish: &Wish) -> Result<String, DbErr> {
        self.store(work, &[*wish]).await
    }
}

type Asked = JoinHandle<Result<String, DbErr>>;

struct Scene {
    together: Together<Shelf>,
    shelf: Shelf,
    store: Store,
    line: Line,
    _database: Database,
}

/// Far more than a transaction takes.
const LONG: Duration = Duration::from_secs(60);
/// More than a transaction takes.
const SHORT: Duration = Duration::from_secs(2);

impl Scene {
    async fn open() -> Self {
        Self::with_patience(LONG).await
    }

    async fn with_patience(patience: Duration) -> Self {
        let database = Database::migrated(messaging::migrations(1)).await;
        let (store, line) = database.store_over_a_line().await;
        let create = store
            .db()
            .execute_unprepared("CREATE TABLE shelf (id uuid PRIMARY KEY)");
        create.await.expect("the table is new");
        let shelf = Shelf {
            gate: Arc::new(Semaphore::new(0)),
            begun: Arc::default(),
        };
        Self {
            together: Together::with_patience(store.clone(), shelf.clone(), patience),
            shelf,
            store,
            line,
            _database: database,
        }
    }

    fn ask(&self, wish: Wish) -> Asked {
        let together = self.together.clone();
        tokio::spawn(async move { together.ask(wish).await })
    }

    /// One request that is under way, and these, which wait for it to be done.
    async fn crowd(&self, wishes: impl IntoIterator<Item = Wish>) -> (Asked, Vec<Asked>) {
        let first = self.ask(Wish::Store(ambient::new_id()));
        eventually("the first to be under way", async || {
            (self.shelf.begun.load(Ordering::SeqCst) == 1).then_some(())
        })
        .await;
        let others: Vec<Asked> = wishes.into_iter().map(|wish| self.ask(wish)).collect();
        let all = format!("waiting: {}", others.len());
        eventually("the others to wait", async || {
            format!("{:?}", self.together).contains(&all).then_some(())
        })
        .await;
        (first, others)
    }

    async fn stored(&self) -> i64 {
        let count = Statement::from_string(DbBackend::Postgres, "SELECT count(*) FROM shelf");
        let row = self.store.db().query_one_raw(count).await.expect("a table");
        row.expect("a row").try_get_by_index(0).expect("a number")
    }
}

fn store() -> Wish {
    Wish::Store(ambient::new_id())
}

async fn answers(asked: Vec<Asked>) -> Vec<Result<String, DbErr>> {
    let all = join_all(asked).await.into_iter();
    all.map(|answer| answer.expect("it is answered")).collect()
}

#[tokio::test]
async fn those_who_come_while_one_is_served_share_the_next_transaction() {
    let scene = Scene::open().await;
    let (first, others) = scene.crowd((0..10).map(|_| store())).await;
    scene.shelf.gate.add_permits(2);
    let first = first.await.expect("it is answered").expect("it is stored");
    let others = answers(others).await;
    assert_ne!(others[0], Ok(first));
    assert!(others.iter().all(|other| *other == others[0]), "{others:?}");
    assert_eq!(scene.stored().await, 11);
    assert_eq!(scene.shelf.begun.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn one_that_fails_fails_alone() {
    let scene = Scene::open().await;
    let (_, others) = scene.crowd([store(), Wish::Refused, store()]).await;
    scene.shelf.gate.add_permits(2);
    let others = answers(others).await;
    assert!(
        others[1].is_err() && others[0].is_ok() && others[2].is_ok(),
        "{others:?}"
    );
    assert_ne!(others[0], others[2], "each has a transaction of its own");
    assert_eq!(scene.stored().await, 3);
}

#[tokio::test]
async fn where_a_connection_falls_silent_those_on_it_get_an_error_and_the_next_take_another_one() {
    let scene = Scene::with_patience(SHORT).await;
    let (first, others) = scene.crowd([store(), store()]).await;
    scene.line.breaks_at("INSERT", Break::Silent);
    scene.shelf.gate.add_permits(2);
    let first = tokio::time::timeout(5 * SHORT, first).await;
    let first = first.expect("nobody waits for ever");
    let error = first.expect("it is answered").expect_err("no answer");
    assert_eq!(judge(&error), Verdict::Away, "{error}");
    let others = answers(others).await;
    assert!(others[0].is_ok() && others[0] == others[1], "{others:?}");
    assert_eq!(scene.stored().await, 2);
}

#[tokio::test]
async fn where_no_connection_is_to_be_had_all_are_told_at_once_and_not_one_after_the_other() {
    let scene = Scene::open().await;
    let (log, _logging) = Log::collect(tracing::Level::DEBUG);
    let (first, others) = scene.crowd([store(), store()]).await;
    // It lends nothing any more, and takes back what it has lent.
    let pool = scene.store.db().get_postgres_connection_pool().clone();
    let closing = tokio::spawn(async move { pool.close().await });
    tokio::task::yield_now().await;
    scene.shelf.gate.add_permits(1);
    first.await.expect("it is answered").expect("it is stored");
    closing.await.expect("all came back");
    let others = answers(others).await;
    let away = |other: &Result<String, DbErr>| other.as_ref().err().map(judge);
    assert!(
        others
            .iter()
            .all(|other| away(other) == Some(Verdict::Away)),
        "{others:?}"
    );
    assert!(!log.text().contains("each alone"), "{}", log.text());
}

#[tokio::test]
async fn where_the_confirmation_of_a_shared_commit_is_lost_all_of_it_was_done_once() {
    let scene = Scene::open().await;
    let (first, others) = scene.crowd([store(), store()]).await;
    scene.shelf.gate.add_permits(1);
    first.await.expect("it is answered").expect("it is stored");
    scene.line.breaks_at("COMMIT", Break::Cut);
    scene.shelf.gate.add_permits(1);
    let others = answers(others).await;
    // Each was tried once more, and found its id taken.
    assert!(others.iter().all(Result::is_err), "{others:?}");
    assert_eq!(scene.stored().await, 3);
}

#[tokio::test]
async fn one_that_would_have_to_wait_is_done_alone() {
    let scene = Scene::open().await;
    let late = Wish::StoreLate(ambient::new_id());
    let (_, others) = scene.crowd([store(), late, store()]).await;
    scene.shelf.gate.add_permits(2);
    let others = answers(others).await;
    assert_eq!(others[0], others[2]);
    assert!(others[1].is_ok() && others[1] != others[0], "{others:?}");
    assert_eq!(scene.stored().await, 4);
}

#[tokio::test]
async fn a_panic_is_an_error_for_the_one_and_the_others_are_served() {
    let scene = Scene::open().await;
    let (_, others) = scene.crowd([Wish::Panics, store()]).await;
    scene.shelf.gate.add_permits(3);
    let others = answers(others).await;
    assert!(others[0].is_err() && others[1].is_ok(), "{others:?}");
    assert!(scene.together.ask(store()).await.is_ok());
    assert_eq!(scene.stored().await, 3);
}

#[tokio::test]
async fn what_was_asked_for_is_done_also_when_nobody_waits_for_it() {
    let scene = Scene::open().await;
    let (first, others) = scene.crowd([store()]).await;
    first.abort();
    others.iter().for_each(JoinHandle::abort);
    scene.shelf.gate.add_permits(2);
    eventually("both to be stored", async || {
        (scene.stored().await == 2).then_some(())
    })
    .await;
}
