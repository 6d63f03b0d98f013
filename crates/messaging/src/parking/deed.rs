//! What was done with parked messages, by whom and why.

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, FromQueryResult,
    Statement, Value,
};
use serde::Serialize;
use uuid::Uuid;

use super::{Condemned, Filter, Request};

/// What became of a parked message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Action {
    /// It was handled, and has left its line.
    Replayed,
    /// It was tried, and stays.
    FailedAgain,
    /// It was removed, and is never handled.
    Discarded,
}

impl Action {
    /// As the table has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replayed => "REPLAYED",
            Self::FailedAgain => "FAILED_AGAIN",
            Self::Discarded => "DISCARDED",
        }
    }
}

/// A row of `parked_history`, without the message's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromQueryResult)]
#[serde(rename_all = "camelCase")]
pub struct Deed {
    /// Ascends.
    pub id: i64,
    /// See [`Action`].
    pub action: String,
    /// When it was done.
    pub done_at: DateTime<Utc>,
    /// When it was asked for.
    pub requested_at: DateTime<Utc>,
    /// Who asked.
    pub requested_by: String,
    /// What for.
    pub why: String,
    /// The id under which the message was parked.
    pub parked_id: Uuid,
    /// Whose message it was.
    pub consumer: String,
    /// What it was about.
    pub key: Option<String>,
    /// Its topic.
    pub topic: String,
    /// Its type.
    pub kind: Option<String>,
    /// Why it had failed; after [`Action::FailedAgain`], why it failed this time.
    pub reason: Option<String>,
    /// How often it had been tried.
    pub attempts: i32,
}

/// `$1` is the message, `$2` the action, and so on up to `$6`; `message` is its row.
const KEEP: &str = "\
INSERT INTO parked_history (action, done_at, requested_at, requested_by, why, parked_id, consumer, line, topic, partition,
                            \"offset\", key, message_id, kind, headers, payload, reason, attempts, parked_at)
SELECT $2, $3, $4, $5, $6, id, consumer, line, topic, partition,
       \"offset\", key, message_id, kind, headers, payload, reason, attempts, parked_at FROM message";

/// Takes a message out of its line, for good, and keeps it in the history. Says whether it was there.
pub(super) async fn remove(
    db: &DatabaseTransaction,
    id: Uuid,
    action: Action,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let delete = format!("WITH message AS (DELETE FROM parked WHERE id = $1 RETURNING *) {KEEP}");
    execute(db, &delete, values(id, action, request, now)).await
}

/// Notes that a message has failed again.
pub(super) async fn fail(
    db: &DatabaseTransaction,
    id: Uuid,
    condemned: &Condemned,
    request: &Request,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let update = format!(
        "WITH message AS (UPDATE parked SET reason = $7, attempts = attempts + $8 WHERE id = $1 RETURNING *) {KEEP}"
    );
    let mut values = values(id, Action::FailedAgain, request, now);
    values.extend([condemned.reason().into(), condemned.attempts().into()]);
    execute(db, &update, values).await
}

fn values(id: Uuid, action: Action, request: &Request, now: DateTime<Utc>) -> Vec<Value> {
    vec![
        id.into(),
        action.as_str().into(),
        now.into(),
        request.at.into(),
        request.by.as_str().into(),
        request.why.as_str().into(),
    ]
}

async fn execute(
    db: &DatabaseTransaction,
    statement: &str,
    values: Vec<Value>,
) -> Result<bool, DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, statement, values);
    Ok(db.execute_raw(statement).await?.rows_affected() > 0)
}

/// What was done with the messages that `filter` names, in the order in which it was done, after the deed with the id `after`.
///
/// # Errors
/// The database's.
pub async fn deeds(
    db: &DatabaseConnection,
    filter: &Filter,
    after: i64,
) -> Result<Vec<Deed>, DbErr> {
    let select = format!(
        "SELECT id, action, done_at, requested_at, requested_by, why, parked_id, consumer, key, topic, kind, reason, attempts \
         FROM parked_history WHERE {} AND id > $4 ORDER BY id",
        Filter::matching("parked_id")
    );
    let mut values = filter.values();
    values.push(after.into());
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, values);
    Deed::find_by_statement(select).all(db).await
}

/// The id of the latest deed; 0 when there is none.
///
/// # Errors
/// The database's.
pub async fn last_deed(db: &DatabaseConnection) -> Result<i64, DbErr> {
    let select = "SELECT COALESCE(max(id), 0) AS last FROM parked_history";
    let row = db
        .query_one_raw(Statement::from_string(DbBackend::Postgres, select))
        .await?;
    row.map_or(Ok(0), |row| row.try_get("", "last"))
}
