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

/// What the key of `stamp` was used for earlier, if it was.
pub(super) async fn find(
    db: &impl ConnectionTrait,
    stamp: &Stamp,
) -> Result<Option<Earlier>, DbErr> {
    let sql = "SELECT request, answer FROM answers WHERE idempotency_key = $1";
    let values = [stamp.key.as_str().into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    Earlier::find_by_statement(statement).one(db).await
}
