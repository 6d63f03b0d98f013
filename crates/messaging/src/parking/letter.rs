//! What an operator sees of the lines.

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement, Value,
};
use serde::Serialize;
use uuid::Uuid;

/// Which messages are meant: those for which all that is given is true.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The consumer that could not handle them.
    pub consumer: Option<String>,
    /// Their key.
    pub key: Option<String>,
    /// The id under which one of them is parked.
    pub id: Option<Uuid>,
}

impl Filter {
    /// A condition on the columns `consumer`, `line` and `id`, with the parameters `$1` to `$3`.
    pub(super) fn matching(id: &str) -> String {
        format!(
            "($1 = '' OR consumer = $1) AND ($2 = '' OR line = $2) AND ($3 = '00000000-0000-0000-0000-000000000000' OR {id} = $3)"
        )
    }

    pub(super) fn values(&self) -> Vec<Value> {
        vec![
            self.consumer.clone().unwrap_or_default().into(),
            self.key.clone().unwrap_or_default().into(),
            self.id.unwrap_or_default().into(),
        ]
    }
}

/// A parked message without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromQueryResult)]
#[serde(rename_all = "camelCase")]
pub struct Letter {
    /// The id under which it is parked.
    pub id: Uuid,
    /// Who could not handle it.
    pub consumer: String,
    /// What it is about; none, where the record has no key.
    pub key: Option<String>,
    /// Its place in its line, from 1. Only the first can be replayed, and then the next.
    pub place: i64,
    /// The topic that it came from.
    pub topic: String,
    /// The topic's partition.
    pub partition: i32,
    /// Its offset in the partition.
    pub offset: i64,
    /// Its own id (`ce_id`); none, where the record is no message.
    pub message_id: Option<Uuid>,
    /// Its type (`ce_type`).
    pub kind: Option<String>,
    /// Why it failed; none, where it was not tried yet.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was parked.
    pub parked_at: DateTime<Utc>,
    /// When a replay of its line was asked for, if one was and is still to be done.
    pub replay_requested_at: Option<DateTime<Utc>>,
    /// Who asked.
    pub replay_requested_by: Option<String>,
    /// What for.
    pub replay_reason: Option<String>,
}

/// What a message says, as it was received.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Content {
    /// The headers of the record: a JSON object of strings.
    pub headers: serde_json::Value,
    /// Its value, byte for byte.
    pub payload: Vec<u8>,
}

/// Whether a database has what this module needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// Nothing can be parked there.
    None,
    /// From before there were lines: its service has not migrated it yet.
    Outdated,
    /// Everything.
    Ready,
}

/// Looks which tables there are.
///
/// # Errors
/// The database's.
pub async fn tables(db: &DatabaseConnection) -> Result<Tables, DbErr> {
    let select = "SELECT to_regclass('parked') IS NOT NULL, to_regclass('parked_line') IS NOT NULL";
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, select))
        .await?;
    let row = row.ok_or_else(|| DbErr::Custom("to_regclass gave no row".into()))?;
    let found: (bool, bool) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
    Ok(match found {
        (_, true) => Tables::Ready,
        (true, false) => Tables::Outdated,
        (false, false) => Tables::None,
    })
}

/// The first `limit` of the messages that `filter` names: line by line, the longest-waiting line first.
///
/// # Errors
/// The database's.
pub async fn letters(
    db: &DatabaseConnection,
    filter: &Filter,
    limit: u64,
) -> Result<Vec<Letter>, DbErr> {
    let select = format!(
        "SELECT id, consumer, key, place, topic, partition, \"offset\", message_id, kind, reason, attempts, parked_at, \
                replay_requested_at, replay_requested_by, replay_reason \
         FROM (SELECT id, consumer, line, key, topic, partition, \"offset\", message_id, kind, reason, attempts, parked_at, \
                      row_number() OVER (PARTITION BY consumer, line ORDER BY position) AS place FROM parked) AS letter \
         JOIN parked_line USING (consumer, line) \
         WHERE {} ORDER BY consumer, since, line, place LIMIT $4",
        Filter::matching("id")
    );
    let mut values = filter.values();
    values.push(i64::try_from(limit).unwrap_or(i64::MAX).into());
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, values);
    Letter::find_by_statement(select).all(db).await
}

/// How many messages `filter` names.
///
/// # Errors
/// The database's.
pub async fn count(db: &DatabaseConnection, filter: &Filter) -> Result<i64, DbErr> {
    let select = format!(
        "SELECT count(*) FROM parked WHERE {}",
        Filter::matching("id")
    );
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, filter.values());
    let row = db.query_one_raw(select).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}

/// What the message that is, or was, parked as `id` says; none, when there was never such a message.
///
/// # Errors
/// The database's.
pub async fn content(db: &DatabaseConnection, id: Uuid) -> Result<Option<Content>, DbErr> {
    let select = "\
        SELECT headers, payload FROM parked WHERE id = $1 \
        UNION ALL (SELECT headers, payload FROM parked_history WHERE parked_id = $1 LIMIT 1) LIMIT 1";
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, [id.into()]);
    Content::find_by_statement(select).one(db).await
}
