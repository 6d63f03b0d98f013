//! The smallest service: counters that are added to, and tell their totals.

use std::collections::BTreeMap;

use messaging::{Fault, Handler, Interest, Message, Outgoing, Stamp, Store, sql};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Statement};
use sea_orm_migration::prelude::*;
use uuid::Uuid;

pub(crate) struct Table;

impl MigrationName for Table {
    fn name(&self) -> &str {
        "counter"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Table {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table =
            "CREATE TABLE counter (key uuid PRIMARY KEY, total bigint NOT NULL CHECK (total >= 0))";
        manager
            .get_connection()
            .execute_unprepared(table)
            .await
            .map(|_| ())
    }
}

pub(crate) struct Counter;

#[derive(serde::Deserialize)]
struct Add {
    amount: i64,
}

impl Handler for Counter {
    type World = BTreeMap<Uuid, i64>;
    type Effects = ();

    fn interest(&self, _topic: &str, kind: &str) -> Interest {
        match kind {
            "ADD" | "EXPLODE" => Interest::Handle,
            "PRINT" => Interest::Ignore,
            _ => Interest::Unknown,
        }
    }

    async fn load(
        &self,
        db: &DatabaseTransaction,
        messages: &[Message],
    ) -> Result<Self::World, DbErr> {
        // The row is there before it is locked, so that two consumers of a new key wait for each other.
        let keys = sql::uuids(messages.iter().map(|message| message.key));
        let insert = "INSERT INTO counter SELECT DISTINCT key, 0 FROM unnest($1::uuid[]) AS key ORDER BY key ON CONFLICT DO NOTHING";
        db.execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            insert,
            [keys.clone()],
        ))
        .await?;
        let lock =
            "SELECT key, total FROM counter WHERE key = ANY($1::uuid[]) ORDER BY key FOR UPDATE";
        let rows = db
            .query_all_raw(Statement::from_sql_and_values(
                DbBackend::Postgres,
                lock,
                [keys],
            ))
            .await?;
        rows.iter()
            .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
            .collect()
    }

    fn decide(
        &self,
        world: &mut Self::World,
        message: &Message,
        stamp: &mut Stamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        assert_ne!(message.kind, "EXPLODE", "boom");
        let total = world.entry(message.key).or_default();
        *total += message.decode::<Add>()?.amount;
        let body = serde_json::json!({ "total": total });
        Ok(vec![
            Outgoing::new(stamp, "totals", "TOTAL", message.key, *total, &body)?.answering(message),
        ])
    }

    async fn save(&self, db: &DatabaseTransaction, world: Self::World) -> Result<(), DbErr> {
        let update = "UPDATE counter SET total = row.total FROM unnest($1::uuid[], $2::bigint[]) AS row (key, total) WHERE counter.key = row.key";
        let values = [
            sql::uuids(world.keys().copied()),
            sql::bigints(world.values().copied()),
        ];
        db.execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            update,
            values,
        ))
        .await
        .map(|_| ())
    }

    fn committed(&self, (): ()) {}
}

#[derive(Debug, FromQueryResult)]
pub(crate) struct ParkedRow {
    pub(crate) line: String,
    pub(crate) reason: Option<String>,
    pub(crate) attempts: i32,
    pub(crate) payload: Vec<u8>,
}

pub(crate) async fn parked(store: &Store) -> Vec<ParkedRow> {
    let rows = "SELECT line, reason, attempts, payload FROM parked ORDER BY position";
    let rows = Statement::from_string(DbBackend::Postgres, rows);
    ParkedRow::find_by_statement(rows)
        .all(store.db())
        .await
        .expect("parked can be read")
}

pub(crate) async fn headers_of(store: &Store, message: Uuid) -> serde_json::Value {
    one(
        store,
        &format!("SELECT headers FROM outbox WHERE message_id = '{message}'"),
    )
    .await
}

pub(crate) async fn counts(store: &Store, key: Uuid) -> i64 {
    one(
        store,
        &format!("SELECT COALESCE((SELECT total FROM counter WHERE key = '{key}'), 0)"),
    )
    .await
}

pub(crate) async fn rows(store: &Store) -> i64 {
    one(store, "SELECT count(*) FROM counter").await
}

pub(crate) async fn counted(store: &Store, key: Uuid, total: i64) {
    testing::eventually("the counter's total", async || {
        (counts(store, key).await == total).then_some(())
    })
    .await;
}

pub(crate) async fn one<T: sea_orm::TryGetable>(store: &Store, query: &str) -> T {
    let row = store
        .db()
        .query_one_raw(Statement::from_string(DbBackend::Postgres, query))
        .await;
    row.expect("the query runs")
        .expect("a row")
        .try_get_by_index(0)
        .expect("its column")
}
