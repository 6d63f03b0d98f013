//! Asking for a replay: a mark on the lines. Whoever consumes there finds it.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, FromQueryResult, Statement};
use serde::Serialize;
use uuid::Uuid;

use super::Filter;

/// What an operator wants, who that is, and why: kept with everything that follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Who asks.
    pub by: String,
    /// What for.
    pub why: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The parked messages of one key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromQueryResult)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Whose messages they are.
    pub consumer: String,
    /// Their key; of a record that has none, the id under which it is parked.
    pub line: String,
    /// How many there are.
    pub messages: i64,
    /// The one that failed, or is to be tried next.
    pub first: Option<Uuid>,
    /// Since when the key is held back.
    pub since: DateTime<Utc>,
    /// When a replay was asked for, if one was and is still to be done.
    pub replay_requested_at: Option<DateTime<Utc>>,
    /// Who asked.
    pub replay_requested_by: Option<String>,
}

/// Lines that `filter` names: by a message in it, if by an id.
const MATCHING: &str = "\
($1 = '' OR consumer = $1) AND ($2 = '' OR line = $2) \
AND ($3 = '00000000-0000-0000-0000-000000000000' OR (consumer, line) IN (SELECT consumer, line FROM parked WHERE id = $3))";

/// The lines that `filter` names, the longest-waiting first.
///
/// # Errors
/// The database's.
pub async fn lines(db: &DatabaseConnection, filter: &Filter) -> Result<Vec<Line>, DbErr> {
    let select = format!(
        "SELECT consumer, line, messages, first, since, replay_requested_at, replay_requested_by FROM parked_line \
         CROSS JOIN LATERAL (SELECT count(*) AS messages, (array_agg(id ORDER BY position))[1] AS first FROM parked \
                             WHERE (parked.consumer, parked.line) = (parked_line.consumer, parked_line.line)) AS standing \
         WHERE {MATCHING} ORDER BY consumer, since, line"
    );
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, filter.values());
    Line::find_by_statement(select).all(db).await
}

/// Asks for a replay of the lines that `filter` names: of all their messages, those included that join before it is done.
/// It ends with the line, or with a message that fails again. Tells how many lines it is now asked for; those for which it
/// was asked before are left as they are.
///
/// # Errors
/// The database's.
pub async fn request_replay(
    db: &DatabaseConnection,
    filter: &Filter,
    request: &Request,
) -> Result<u64, DbErr> {
    let update = format!(
        "UPDATE parked_line SET replay_requested_at = $4, replay_requested_by = $5, replay_reason = $6 \
         WHERE {MATCHING} AND replay_requested_at IS NULL"
    );
    let mut values = filter.values();
    values.extend([
        request.at.into(),
        request.by.as_str().into(),
        request.why.as_str().into(),
    ]);
    let update = Statement::from_sql_and_values(DbBackend::Postgres, update, values);
    Ok(db.execute_raw(update).await?.rows_affected())
}

/// Of how many lines that `filter` names a replay is asked for and not done.
///
/// # Errors
/// The database's.
pub async fn outstanding(db: &DatabaseConnection, filter: &Filter) -> Result<i64, DbErr> {
    let select = format!(
        "SELECT count(*) FROM parked_line WHERE {MATCHING} AND replay_requested_at IS NOT NULL"
    );
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, filter.values());
    let row = db.query_one_raw(select).await?;
    row.map_or(Ok(0), |row| row.try_get_by_index(0))
}
