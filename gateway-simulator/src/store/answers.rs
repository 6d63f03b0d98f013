//! The table `answers`: what was answered to which idempotency key.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};

use super::{Stamp, foreign};
use crate::domain::Answer;

/// A request that was answered under this key.
#[derive(Debug, FromQueryResult)]
pub(super) struct Earlier {
    pub(super) request: String,
    answer: Option<String>,
}

impl Earlier {
    pub(super) fn answer(&self) -> Result<Answer, DbErr> {
        let answer = self
            .answer
            .as_deref()
            .and_then(|answer| serde_json::from_str(answer).ok());
        answer.ok_or_else(|| foreign("answer"))
    }
}

/// Takes the key for `request`, or gives what it was taken for earlier.
///
/// When another transaction has taken it and not ended yet, the unique index makes this one wait for its end.
pub(super) async fn claim(
    db: &impl ConnectionTrait,
    request: &str,
    stamp: &Stamp,
) -> Result<Option<Earlier>, DbErr> {
    let values = [stamp.key.as_str().into(), request.into(), stamp.now.into()];
    let sql = "INSERT INTO answers (idempotency_key, request, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let taken = db
        .execute_raw(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            values,
        ))
        .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let sql = "SELECT request, answer FROM answers WHERE idempotency_key = $1";
    let values = [stamp.key.as_str().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Earlier::find_by_statement(statement).one(db).await
}

/// Keeps the answer under the key that [`claim`] took.
pub(super) async fn remember(
    db: &impl ConnectionTrait,
    answer: &Answer,
    stamp: &Stamp,
) -> Result<(), DbErr> {
    let answer = serde_json::to_string(answer).map_err(|error| DbErr::Json(error.to_string()))?;
    let sql = "UPDATE answers SET answer = $2 WHERE idempotency_key = $1";
    let values = [stamp.key.as_str().into(), answer.into()];
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .await?;
    Ok(())
}
