//! A service that keeps notes: written down in a transaction, jotted down by one statement, or printed elsewhere first.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{body::Bytes, extract::State, http::Response};
use futures_util::FutureExt;
use messaging::{Joint, Store, Together, UnitOfWork};
use sea_orm::{ConnectionTrait, DatabaseExecutor, DbBackend, DbErr, Statement};
use sea_orm_migration::{
    MigrationTrait, SchemaManager, async_trait::async_trait, prelude::DeriveMigrationName,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use service::{
    Problem,
    extract::Keyed,
    health::Health,
    idempotency::{self, Answer, Once, Taken},
};
use testing::{Client, Database, Migrations, eventually};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

/// Long against a busy machine.
const LEASE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Serialize, Deserialize, garde::Validate, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
struct Note {
    text: String,
    pages: Option<u32>,
}

/// What happens to the next request, just before its work is done.
#[derive(Debug, Clone)]
pub(crate) enum Twist {
    /// It fails.
    Fails,
    /// It stands still until somebody adds a permit.
    Gated(Arc<Semaphore>),
    /// It stands still until somebody adds a permit, and then fails.
    FailsAfter(Arc<Semaphore>),
    /// It stands still for ever, as seen by others when its process is killed.
    Dies,
}

#[derive(Debug, Clone)]
struct Desk {
    store: Store,
    pile: Together<Pile>,
    twists: Arc<Mutex<VecDeque<Twist>>>,
}

impl Desk {
    async fn suffer(&self) -> Result<(), Problem> {
        let twist = self.twists.lock().unwrap().pop_front();
        match twist {
            None => Ok(()),
            Some(Twist::Fails) => Err(Problem::conflict("not now")),
            Some(Twist::Dies) => std::future::pending().await,
            Some(Twist::Gated(gate)) => {
                gate.acquire().await.unwrap().forget();
                Ok(())
            }
            Some(Twist::FailsAfter(gate)) => {
                gate.acquire().await.unwrap().forget();
                Err(Problem::conflict("not now"))
            }
        }
    }
}

async fn insert(db: DatabaseExecutor<'_>, id: Uuid, note: Note) -> Result<(), DbErr> {
    let insert = "INSERT INTO notes (id, text) VALUES ($1, $2)";
    let insert =
        Statement::from_sql_and_values(DbBackend::Postgres, insert, [id.into(), note.text.into()]);
    db.execute_raw(insert).await.map(drop)
}

/// A new id, and an answer that depends on it.
fn note(kind: &str, note: &Note) -> (Uuid, Answer) {
    let id = ambient::new_id();
    let body = json!({ "id": id, "text": note.text, "at": ambient::now() });
    (
        id,
        Answer::created(Some(format!("/{kind}/{id}")), &body).unwrap(),
    )
}

#[utoipa::path(post, path = "/notes", params(Once), request_body = Note, responses((status = 201), Once))]
async fn write_down(
    State(desk): State<Desk>,
    Keyed { once, body }: Keyed<Note>,
) -> Result<Answer, Problem> {
    let (id, answer) = note("notes", &body);
    let store = desk.store.clone();
    let written = once.transact(&store, answer, move |work| {
        async move {
            insert(work.db().into(), id, body).await?;
            desk.suffer().await
        }
        .boxed()
    });
    written.await
}

#[utoipa::path(post, path = "/jottings", params(Once), request_body = Note, responses((status = 201), Once))]
async fn jot_down(
    State(desk): State<Desk>,
    Keyed { once, body }: Keyed<Note>,
) -> Result<Answer, Problem> {
    let (id, answer) = note("jottings", &body);
    once.insert(&desk.store, answer, move |db| insert(db, id, body).boxed())
        .await
}

#[utoipa::path(post, path = "/prints", params(Once), request_body = Note, responses((status = 201), Once))]
async fn print(
    State(desk): State<Desk>,
    Keyed { once, body }: Keyed<Note>,
) -> Result<Answer, Problem> {
    let printing = async {
        desk.suffer().await?;
        let (id, answer) = note("prints", &body);
        Ok((answer, (id, body)))
    };
    let printed = once.insert_after(&desk.store, LEASE, printing, |db, (id, body)| {
        insert(db, id, body).boxed()
    });
    printed.await
}

/// Writes down what comes at the same time, in one transaction.
#[derive(Debug)]
struct Pile;

#[derive(Debug)]
struct Sheet {
    once: Once,
    answer: Answer,
    id: Uuid,
    note: Note,
}

impl Joint for Pile {
    type Request = Sheet;
    type Answer = Result<Answer, Problem>;

    async fn together(
        &self,
        work: &mut UnitOfWork,
        sheets: &[Sheet],
    ) -> Result<Vec<Option<Self::Answer>>, DbErr> {
        let named: Vec<_> = sheets.iter().map(|it| (&it.once, &it.answer)).collect();
        let mut answers = Vec::new();
        for (sheet, taken) in sheets.iter().zip(Once::take_together(work, &named).await?) {
            answers.push(match taken {
                Taken::New => {
                    insert(work.db().into(), sheet.id, sheet.note.clone()).await?;
                    Some(Ok(sheet.answer.clone()))
                }
                Taken::Before(answer) => Some(answer),
                Taken::Busy => None,
            });
        }
        Ok(answers)
    }

    async fn alone(&self, work: &mut UnitOfWork, sheet: &Sheet) -> Result<Self::Answer, DbErr> {
        match sheet.once.take(work, &sheet.answer).await {
            Ok(None) => {
                insert(work.db().into(), sheet.id, sheet.note.clone()).await?;
                Ok(Ok(sheet.answer.clone()))
            }
            Ok(Some(earlier)) => Ok(Ok(earlier)),
            Err(problem) => Ok(Err(problem)),
        }
    }
}

#[utoipa::path(post, path = "/sheets", params(Once), request_body = Note, responses((status = 201), Once))]
async fn pile_up(
    State(desk): State<Desk>,
    Keyed { once, body }: Keyed<Note>,
) -> Result<Answer, Problem> {
    let (id, answer) = note("sheets", &body);
    let sheet = Sheet {
        once,
        answer,
        id,
        note: body,
    };
    desk.pile.ask(sheet).await?
}

#[derive(DeriveMigrationName)]
struct Table;

#[async_trait]
impl MigrationTrait for Table {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = "CREATE TABLE notes (id uuid PRIMARY KEY, text text NOT NULL)";
        manager
            .get_connection()
            .execute_unprepared(table)
            .await
            .map(drop)
    }
}

/// What the database of such a service had before there were keys.
pub(crate) fn former_migrations() -> Migrations {
    let mut all = messaging::migrations(1);
    all.push(Box::new(Table));
    all
}

/// As a service puts them together that had a table of its own before there were keys.
pub(crate) fn migrations() -> Migrations {
    let mut all = messaging::migrations(1);
    all.extend(idempotency::migrations());
    all.push(Box::new(Table));
    all
}

/// The service, on a database of its own.
#[derive(Clone)]
pub(crate) struct Notes {
    pub(crate) client: Client,
    pub(crate) store: Store,
    twists: Arc<Mutex<VecDeque<Twist>>>,
    pub(crate) database: Arc<Database>,
}

impl Notes {
    pub(crate) async fn open() -> Self {
        Self::on(Database::migrated(migrations()).await).await
    }

    pub(crate) async fn on(database: Database) -> Self {
        let store = database.store().await;
        let twists = Arc::<Mutex<VecDeque<Twist>>>::default();
        let desk = Desk {
            store: store.clone(),
            pile: Together::new(store.clone(), Pile),
            twists: twists.clone(),
        };
        let routes = OpenApiRouter::new()
            .routes(routes!(write_down))
            .routes(routes!(jot_down))
            .routes(routes!(print))
            .routes(routes!(pile_up))
            .with_state(desk);
        let (health, tasks) = (Health::default(), TaskTracker::new());
        let router = service::http::router("notes", routes, &health, &tasks, Default::default());
        Self {
            client: Client::new(router.unwrap()),
            store,
            twists,
            database: Arc::new(database),
        }
    }

    pub(crate) fn next(&self, twist: Twist) {
        self.twists.lock().unwrap().push_back(twist);
    }

    pub(crate) async fn post(&self, key: &str, path: &str, text: &str) -> Response<Bytes> {
        let body = json!({ "text": text }).to_string();
        self.client.post_as(key, path, &body).await
    }

    pub(crate) async fn execute(&self, sql: &str) -> u64 {
        let done = self.store.db().execute_unprepared(sql).await;
        done.unwrap().rows_affected()
    }

    /// The number that a query gives.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        let query = Statement::from_string(DbBackend::Postgres, query);
        let row = self.store.db().query_one_raw(query).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    }

    /// How many notes and how many keys there are.
    pub(crate) async fn stored(&self) -> (i64, i64) {
        (
            self.count("SELECT count(*) FROM notes").await,
            self.count("SELECT count(*) FROM idempotency_keys").await,
        )
    }
}

/// A request that is under way.
pub(crate) type Asked = tokio::task::JoinHandle<Response<Bytes>>;

impl Notes {
    /// Sends a request and does not wait for its answer.
    pub(crate) fn send(&self, key: &'static str, path: &'static str, text: &'static str) -> Asked {
        let notes = self.clone();
        tokio::spawn(async move { notes.post(key, path, text).await })
    }

    /// Holds the lock of a key, given as operation and key, until the gate opens. It is held when this returns.
    pub(crate) async fn hold(
        &self,
        key: &'static str,
        gate: Arc<Semaphore>,
    ) -> tokio::task::JoinHandle<()> {
        let (store, (told, holds)) = (self.store.clone(), tokio::sync::oneshot::channel());
        let holding = async move {
            let held = store.transact::<_, DbErr, _>(move |work| {
                async move {
                    let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
                    let lock =
                        Statement::from_sql_and_values(DbBackend::Postgres, lock, [key.into()]);
                    work.db().query_one_raw(lock).await?;
                    told.send(()).unwrap();
                    gate.acquire().await.unwrap().forget();
                    Ok(())
                }
                .boxed()
            });
            held.await.unwrap();
        };
        let holding = tokio::spawn(holding);
        holds.await.unwrap();
        holding
    }

    /// Waits until a request has met the twist that was prepared for it. No other request can meet it then.
    pub(crate) async fn met(&self) {
        eventually("the twist to be met", async || {
            self.twists.lock().unwrap().is_empty().then_some(())
        })
        .await;
    }

    /// Waits until somebody waits for a lock of this kind.
    pub(crate) async fn somebody_waits(&self, kind: &str) {
        let waiting = format!(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) \
             WHERE datname = current_database() AND locktype = '{kind}' AND NOT granted"
        );
        eventually("somebody who waits", async || {
            (self.count(&waiting).await > 0).then_some(())
        })
        .await;
    }
}

pub(crate) fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

/// Asserts that `again` is the answer `first`, given once more.
pub(crate) fn assert_replayed(first: &Response<Bytes>, again: &Response<Bytes>) {
    let mut headers = again.headers().clone();
    assert_eq!(headers.remove(idempotency::REPLAYED).unwrap(), "true");
    assert_eq!(again.status(), first.status());
    assert_eq!(&headers, first.headers());
    assert_eq!(again.body(), first.body());
}
