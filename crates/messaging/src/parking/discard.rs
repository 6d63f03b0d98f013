//! Giving up on a message that can never be handled.

use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, FromQueryResult, Statement};
use serde::Serialize;
use uuid::Uuid;

use super::{Action, Request, deed, line};
use crate::Store;

/// A message that is not parked any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromQueryResult)]
#[serde(rename_all = "camelCase")]
pub struct Discarded {
    /// Whose message it was.
    pub consumer: String,
    /// Its key; of a record that had none, its id.
    pub line: String,
    /// How many others stand in its line: they go on waiting until a replay is asked for.
    pub left: i64,
}

/// Takes the message that is parked as `id` out of its line, for good: it is remembered as handled, so that it changes
/// nothing when it comes again. It is kept in the history. None, when there is no such message, or none any more.
///
/// What waited behind it is not tried by itself: what went missing may be what it needs, and only the operator knows.
///
/// # Errors
/// The database's.
pub async fn discard(
    store: &Store,
    id: Uuid,
    request: Request,
) -> Result<Option<Discarded>, DbErr> {
    store
        .transact(move |work| async move { remove(work.db(), id, &request).await }.boxed())
        .await
}

/// A message that is remembered by its id has a key that is a UUID; a record that is none comes again as what it is.
const REMEMBER: &str = "\
INSERT INTO inbox (message_id, consumer, key)
SELECT message_id, consumer, key::uuid FROM parked WHERE id = $1 AND message_id IS NOT NULL
ON CONFLICT DO NOTHING";

async fn remove(
    db: &DatabaseTransaction,
    id: Uuid,
    request: &Request,
) -> Result<Option<Discarded>, DbErr> {
    let place = "SELECT consumer, line, 0::bigint AS left FROM parked WHERE id = $1";
    let Some(found) = one::<Discarded, _>(db, place, [id.into()]).await? else {
        return Ok(None);
    };
    line::hold(db, &found.consumer, &found.line).await?;
    let remember = Statement::from_sql_and_values(DbBackend::Postgres, REMEMBER, [id.into()]);
    db.execute_raw(remember).await?;
    if !deed::remove(db, id, Action::Discarded, request, request.at).await? {
        // Somebody was faster.
        return Ok(None);
    }
    line::close(db, &found.consumer, &found.line).await?;
    let left = "\
        SELECT $1 AS consumer, $2 AS line, count(*) AS left FROM parked WHERE consumer = $1 AND line = $2";
    one(
        db,
        left,
        [found.consumer.as_str().into(), found.line.as_str().into()],
    )
    .await
}

async fn one<T: FromQueryResult, const N: usize>(
    db: &DatabaseTransaction,
    select: &str,
    values: [sea_orm::Value; N],
) -> Result<Option<T>, DbErr> {
    let select = Statement::from_sql_and_values(DbBackend::Postgres, select, values);
    T::find_by_statement(select).one(db).await
}
