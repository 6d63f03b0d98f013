//! A service that writes down what it is given, in the order in which it is given, and that can be broken and mended.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use messaging::{
    Fault, Handler, Incoming, Interest, Message, Outgoing, Policy, Processor, Replays, Report,
    Stamp, Store,
    parking::{self, Deed, Filter, Letter, Request},
    sql,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement};
use sea_orm_migration::prelude::*;
use serde_json::json;
use testing::Database;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) const CONSUMER: &str = "logbook";

struct Table;

impl MigrationName for Table {
    fn name(&self) -> &str {
        "logbook"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Table {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = "CREATE TABLE logbook (line bigint GENERATED ALWAYS AS IDENTITY, key uuid, written bigint)";
        manager
            .get_connection()
            .execute_unprepared(table)
            .await
            .map(drop)
    }
}

/// The handler. It locks nothing, so that only messaging keeps what it writes in order.
#[derive(Clone)]
pub(crate) struct Logbook {
    /// Keys whose messages cannot be handled, and why.
    sick: Arc<Mutex<HashSet<(Uuid, String)>>>,
    /// A message of the type WAIT that can be handled takes a permit before it is, inside of its transaction.
    pub(crate) gate: Arc<Semaphore>,
    /// How many have come to the gate.
    at_the_gate: Arc<AtomicUsize>,
    /// It keeps nothing in the inbox.
    pub(crate) forgets: bool,
}

impl Logbook {
    /// Whether messages of `key` can be handled.
    fn well(&self, key: Uuid) -> Result<(), Fault> {
        let sick = self.sick.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = sick.iter().find(|(sick, _)| *sick == key);
        reason.map_or(Ok(()), |(_, reason)| Err(Fault::new(reason)))
    }
}

impl Handler for Logbook {
    type World = Vec<(Uuid, i64)>;
    type Effects = ();

    fn remembers(&self) -> bool {
        !self.forgets
    }

    fn interest(&self, _topic: &str, kind: &str) -> Interest {
        match kind {
            "NOTE" | "WAIT" => Interest::Handle,
            "PRINT" => Interest::Ignore,
            _ => Interest::Unknown,
        }
    }

    async fn load(
        &self,
        _: &DatabaseTransaction,
        messages: &[Message],
    ) -> Result<Self::World, DbErr> {
        let waits = |message: &&Message| message.kind == "WAIT" && self.well(message.key).is_ok();
        for _ in messages.iter().filter(waits) {
            self.at_the_gate.fetch_add(1, Ordering::SeqCst);
            let permit = self.gate.acquire().await;
            permit
                .map_err(|error| DbErr::Custom(error.to_string()))?
                .forget();
        }
        Ok(Vec::new())
    }

    fn decide(
        &self,
        world: &mut Self::World,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        self.well(message.key)?;
        world.push((message.key, message.offset));
        let reply = Outgoing::new(
            stamp,
            "noted",
            "NOTED",
            message.key,
            message.offset,
            &json!({}),
        )?;
        Ok(vec![reply.answering(message)])
    }

    async fn save(&self, db: &DatabaseTransaction, world: Self::World) -> Result<(), DbErr> {
        let insert = "INSERT INTO logbook (key, written) SELECT key, written \
                      FROM unnest($1::uuid[], $2::bigint[]) WITH ORDINALITY AS row (key, written, place) ORDER BY place";
        let values = [
            sql::uuids(world.iter().map(|(key, _)| *key)),
            sql::bigints(world.iter().map(|(_, offset)| *offset)),
        ];
        let insert = Statement::from_sql_and_values(DbBackend::Postgres, insert, values);
        db.execute_raw(insert).await.map(drop)
    }

    fn committed(&self, (): ()) {}
}

/// A logbook with its database.
pub(crate) struct Desk {
    _database: Database,
    pub(crate) store: Store,
    pub(crate) logbook: Logbook,
}

impl Desk {
    pub(crate) async fn new() -> Self {
        let mut migrations = messaging::migrations(1);
        migrations.push(Box::new(Table));
        let database = Database::migrated(migrations).await;
        let store = database.store().await;
        let logbook = Logbook {
            sick: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
            at_the_gate: Arc::default(),
            forgets: false,
        };
        Self {
            _database: database,
            store,
            logbook,
        }
    }

    /// Messages of `key` cannot be handled any more.
    pub(crate) fn breaks(&self, key: Uuid, reason: &str) {
        let mut sick = self.logbook.sick.lock().expect("nobody panicked with it");
        sick.retain(|(sick, _)| *sick != key);
        sick.insert((key, reason.to_owned()));
    }

    /// They can be again.
    pub(crate) fn mends(&self, key: Uuid) {
        let mut sick = self.logbook.sick.lock().expect("nobody panicked with it");
        sick.retain(|(sick, _)| *sick != key);
    }

    /// An instance of the service.
    pub(crate) fn instance(&self) -> Processor<Logbook> {
        let policy = Policy {
            pause: std::time::Duration::from_millis(1),
            ..Policy::default()
        };
        Processor::new(self.store.clone(), CONSUMER, self.logbook.clone()).with_policy(policy)
    }

    pub(crate) async fn process(&self, batch: &[&Message]) -> Report {
        let batch = batch.iter().map(|&message| Incoming::from(message.clone()));
        self.process_records(batch.collect()).await
    }

    pub(crate) async fn process_records(&self, batch: Vec<Incoming>) -> Report {
        self.instance()
            .process(batch, &CancellationToken::new())
            .await
            .expect("nothing stops it")
    }

    pub(crate) async fn replay(&self) -> Replays {
        self.instance()
            .replay(&CancellationToken::new())
            .await
            .expect("nothing stops it")
    }

    /// Asks for a replay of these keys' lines.
    pub(crate) async fn request(&self, keys: &[Uuid]) -> u64 {
        let mut lines = 0;
        for key in keys {
            let asked =
                parking::request_replay(self.store.db(), &of(*key), &request("mended")).await;
            lines += asked.expect("the lines can be marked");
        }
        lines
    }

    /// What was written about `key`, in its order.
    pub(crate) async fn written(&self, key: Uuid) -> Vec<i64> {
        let select = format!("SELECT written FROM logbook WHERE key = '{key}' ORDER BY line");
        let rows = Statement::from_string(DbBackend::Postgres, select);
        let rows = self.store.db().query_all_raw(rows).await;
        rows.expect("the logbook can be read")
            .iter()
            .map(|row| row.try_get_by_index(0).expect("an offset"))
            .collect()
    }

    pub(crate) async fn letters(&self, filter: &Filter) -> Vec<Letter> {
        let letters = parking::letters(self.store.db(), filter, 1_000).await;
        letters.expect("the letters can be read")
    }

    pub(crate) async fn deeds(&self, filter: &Filter) -> Vec<Deed> {
        let deeds = parking::deeds(self.store.db(), filter, 0).await;
        deeds.expect("the history can be read")
    }

    /// What was done, in its order, with messages of `key`.
    pub(crate) async fn actions(&self, key: Uuid) -> Vec<String> {
        let deeds = self.deeds(&of(key)).await;
        deeds.into_iter().map(|deed| deed.action).collect()
    }

    /// Waits until a message has come to the gate, and so is inside of its transaction.
    pub(crate) async fn stands_at_the_gate(&self) {
        testing::eventually("a message at the gate", async || {
            (self.logbook.at_the_gate.load(Ordering::SeqCst) > 0).then_some(())
        })
        .await;
    }

    /// How many transactions of this database wait for a row that another one holds.
    pub(crate) async fn waiting(&self) -> i64 {
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        crate::counter::one(&self.store, waiting).await
    }
}

pub(crate) fn of(key: Uuid) -> Filter {
    Filter {
        key: Some(key.to_string()),
        ..Filter::default()
    }
}

pub(crate) fn request(why: &str) -> Request {
    Request {
        by: "ann".to_owned(),
        why: why.to_owned(),
        at: ambient::now(),
    }
}

pub(crate) fn note(key: Uuid) -> Message {
    testing::message("notes", "NOTE", key, &json!({}))
}

pub(crate) fn waiting_note(key: Uuid) -> Message {
    testing::message("notes", "WAIT", key, &json!({}))
}
