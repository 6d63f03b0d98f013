//! Something that is done once per idempotency key: authorisation, ledger and answer in one statement.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::Stamp;
use crate::domain::{Answer, Authorisation, Behaviour};

/// What is to be written down.
#[derive(Debug)]
pub(super) struct Deed {
    /// The authorisation as it is from now on.
    pub(super) authorisation: Authorisation,
    /// What stands for its card.
    pub(super) token: String,
    /// How that card behaves.
    pub(super) behaviour: Behaviour,
    /// What is answered.
    pub(super) answer: Answer,
}

/// When another transaction has taken the key and not ended yet, the unique index makes this one wait for its end.
const WRITE: &str = "\
WITH answered AS (
    INSERT INTO answers (idempotency_key, request, answer, at) VALUES ($1, $2, $3, $4)
    ON CONFLICT DO NOTHING RETURNING at
), saved AS (
    INSERT INTO authorisations (authorisation_id, token, reference, amount, currency, state, created_at, updated_at)
    SELECT $5, $6, $7, $8, $9, $10, at, at FROM answered
    ON CONFLICT (authorisation_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at
)
INSERT INTO ledger (authorisation_id, kind, reference, amount, currency, idempotency_key, at)
SELECT $5, $11, $7, $8, $9, $1, at FROM answered";

/// Writes `deed` under the key of `stamp`. `false`: the key was used before, and nothing is written.
pub(super) async fn write(
    db: &impl ConnectionTrait,
    deed: &Deed,
    request: &str,
    stamp: &Stamp,
) -> Result<bool, DbErr> {
    let answer =
        serde_json::to_string(&deed.answer).map_err(|error| DbErr::Json(error.to_string()))?;
    let Authorisation {
        id,
        reference,
        amount,
        state,
    } = &deed.authorisation;
    let values = [
        stamp.key.as_str().into(),
        request.into(),
        answer.into(),
        stamp.now.into(),
        (*id).into(),
        deed.token.as_str().into(),
        reference.as_str().into(),
        amount.amount.into(),
        amount.currency.as_str().into(),
        state.as_str().into(),
        state.entry().as_str().into(),
    ];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, WRITE, values);
    Ok(db.execute_raw(statement).await?.rows_affected() == 1)
}
