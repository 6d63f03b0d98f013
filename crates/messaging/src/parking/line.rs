//! A line as a replay sees it: whose turn it is, who stands first, and how they leave.

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, FromQueryResult,
    Statement, Value,
};
use uuid::Uuid;

use super::{Action, Condemned, Request, deed};
use crate::{Incoming, Raw};

/// A message that is to be replayed: the first of a line of which a replay was asked for.
#[derive(Debug, Clone, FromQueryResult)]
pub(crate) struct Turn {
    pub(crate) line: String,
    pub(crate) id: Option<Uuid>,
    attempts: Option<i32>,
}

/// The first message of a line that this transaction holds.
#[derive(Debug)]
pub(crate) struct First {
    pub(crate) id: Uuid,
    pub(crate) incoming: Incoming,
    /// How often it was tried.
    pub(crate) attempts: i32,
    pub(crate) request: Request,
    line: String,
}

/// Whoever asked first is first; and each line has one turn before the first has its second.
const TURNS: &str = "\
SELECT parked_line.line, first.id, first.attempts FROM parked_line
LEFT JOIN LATERAL (SELECT id, attempts FROM parked
                   WHERE (parked.consumer, parked.line) = (parked_line.consumer, parked_line.line)
                   ORDER BY position LIMIT 1) AS first ON true
WHERE parked_line.consumer = $1 AND replay_requested_at IS NOT NULL ORDER BY replay_requested_at, line LIMIT 100";

/// What is to be replayed next.
pub(crate) async fn turns(db: &DatabaseConnection, consumer: &str) -> Result<Vec<Turn>, DbErr> {
    let turns = Statement::from_sql_and_values(DbBackend::Postgres, TURNS, [consumer.into()]);
    Turn::find_by_statement(turns).all(db).await
}

/// Against other replays, whom this lock makes pass on; not against newcomers, with whom it would otherwise
/// find the line busy again and again.
const CLAIM: &str = "\
SELECT replay_requested_by AS by, replay_reason AS why, replay_requested_at AS at FROM parked_line
WHERE consumer = $1 AND line = $2 AND replay_requested_at IS NOT NULL FOR NO KEY UPDATE SKIP LOCKED";
/// Against newcomers, too. Waits for those who are joining.
const HOLD: &str = "SELECT FROM parked_line WHERE consumer = $1 AND line = $2 FOR UPDATE";
/// To be read after the line is held, by a statement of its own: that one sees who joined last.
const FIRST: &str = "\
SELECT id, topic, partition, \"offset\", key, headers::text, payload, attempts FROM parked
WHERE consumer = $1 AND line = $2 ORDER BY position LIMIT 1";

#[derive(Debug, FromQueryResult)]
struct Asked {
    by: String,
    why: String,
    at: DateTime<Utc>,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    id: Uuid,
    topic: String,
    partition: i32,
    offset: i64,
    key: Option<String>,
    headers: String,
    payload: Vec<u8>,
    attempts: i32,
}

/// Holds a line until the end of the transaction, and gives its first message; none, when it is not its turn any more, or
/// somebody else replays it just now.
pub(crate) async fn first(
    db: &DatabaseTransaction,
    consumer: &str,
    turn: &Turn,
) -> Result<Option<First>, DbErr> {
    let line = [consumer.into(), turn.line.as_str().into()];
    let claim = Statement::from_sql_and_values(DbBackend::Postgres, CLAIM, line.clone());
    let Some(Asked { by, why, at }) = Asked::find_by_statement(claim).one(db).await? else {
        return Ok(None);
    };
    hold(db, consumer, &turn.line).await?;
    let first = Statement::from_sql_and_values(DbBackend::Postgres, FIRST, line);
    let Some(row) = Row::find_by_statement(first).one(db).await? else {
        // Somebody has deleted rows by hand.
        close(db, consumer, &turn.line).await?;
        return Ok(None);
    };
    if (Some(row.id), Some(row.attempts)) != (turn.id, turn.attempts) {
        return Ok(None);
    }
    Ok(Some(First {
        id: row.id,
        attempts: row.attempts,
        request: Request { by, why, at },
        line: turn.line.clone(),
        incoming: row.incoming()?,
    }))
}

/// Waits until this transaction alone may shorten a line.
pub(super) async fn hold(
    db: &DatabaseTransaction,
    consumer: &str,
    line: &str,
) -> Result<(), DbErr> {
    execute(db, HOLD, [consumer.into(), line.into()]).await
}

/// The message was handled: it leaves, and the line with the last one.
pub(crate) async fn leave(
    db: &DatabaseTransaction,
    consumer: &str,
    first: &First,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    deed::remove(db, first.id, Action::Replayed, &first.request, now).await?;
    close(db, consumer, &first.line).await
}

/// The message has failed again: it stays with its new reason, the others with it, and the request is done.
pub(crate) async fn failed(
    db: &DatabaseTransaction,
    consumer: &str,
    first: &First,
    condemned: &Condemned,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    deed::fail(db, first.id, condemned, &first.request, now).await?;
    let done = "\
        UPDATE parked_line SET replay_requested_at = NULL, replay_requested_by = NULL, replay_reason = NULL \
        WHERE consumer = $1 AND line = $2";
    execute(db, done, [consumer.into(), first.line.as_str().into()]).await
}

/// Removes a line that is held, if nobody stands in it any more.
pub(super) async fn close(
    db: &DatabaseTransaction,
    consumer: &str,
    line: &str,
) -> Result<(), DbErr> {
    let delete = "\
        DELETE FROM parked_line WHERE consumer = $1 AND line = $2 \
        AND NOT EXISTS (SELECT FROM parked WHERE consumer = $1 AND line = $2)";
    execute(db, delete, [consumer.into(), line.into()]).await
}

/// How many messages of `consumer` are parked, and how many keys they hold back.
pub(crate) async fn size(db: &DatabaseConnection, consumer: &str) -> Result<(i64, i64), DbErr> {
    let select = "\
        SELECT (SELECT count(*) FROM parked WHERE consumer = $1), (SELECT count(*) FROM parked_line WHERE consumer = $1)";
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, [consumer.into()]);
    match db.query_one_raw(select).await? {
        Some(row) => Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)),
        None => Ok((0, 0)),
    }
}

async fn execute<const N: usize>(
    db: &DatabaseTransaction,
    statement: &str,
    values: [Value; N],
) -> Result<(), DbErr> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, statement, values);
    db.execute_raw(statement).await.map(drop)
}

impl Row {
    fn incoming(self) -> Result<Incoming, DbErr> {
        let headers = Raw::headers_from_json(&self.headers)
            .map_err(|error| DbErr::Json(error.to_string()))?;
        Ok(Incoming::from(Raw {
            topic: self.topic,
            partition: self.partition,
            offset: self.offset,
            key: self.key,
            headers,
            payload: self.payload,
            at: None,
        }))
    }
}
