//! The table `authorisations`: where each hold stands.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement};
use uuid::Uuid;

use super::{Error, foreign};
use crate::domain::{Amount, Authorisation, Behaviour, State};

#[derive(Debug, FromQueryResult)]
struct Row {
    reference: String,
    amount: i64,
    currency: String,
    state: String,
    behaviour: String,
}

/// Reads an authorisation and how its card behaves, and keeps others from changing it until the transaction ends.
pub(super) async fn lock(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<(Authorisation, Behaviour), Error> {
    let sql = "SELECT a.reference, a.amount, a.currency, a.state, t.behaviour \
               FROM authorisations a JOIN tokens t USING (token) WHERE a.authorisation_id = $1 FOR UPDATE OF a";
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [id.into()]);
    let row = Row::find_by_statement(statement).one(db).await?;
    let row = row.ok_or(Error::UnknownAuthorisation(id))?;
    let state = State::named(&row.state).ok_or_else(|| foreign("state"))?;
    let behaviour = Behaviour::named(&row.behaviour).ok_or_else(|| foreign("behaviour"))?;
    let amount = Amount {
        amount: row.amount,
        currency: row.currency,
    };
    Ok((
        Authorisation {
            id,
            reference: row.reference,
            amount,
            state,
        },
        behaviour,
    ))
}

pub(super) async fn insert(
    db: &impl ConnectionTrait,
    authorisation: &Authorisation,
    token: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let Authorisation {
        id,
        reference,
        amount,
        state,
    } = authorisation;
    let values = [
        (*id).into(),
        token.into(),
        reference.as_str().into(),
        amount.amount.into(),
        amount.currency.as_str().into(),
        state.as_str().into(),
        now.into(),
    ];
    let sql = "INSERT INTO authorisations \
               (authorisation_id, token, reference, amount, currency, state, created_at, updated_at) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .await?;
    Ok(())
}

pub(super) async fn update(
    db: &impl ConnectionTrait,
    authorisation: &Authorisation,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let values = [
        authorisation.id.into(),
        authorisation.state.as_str().into(),
        now.into(),
    ];
    let sql = "UPDATE authorisations SET state = $2, updated_at = $3 WHERE authorisation_id = $1";
    db.execute_raw(Statement::from_sql_and_values(
        DbBackend::Postgres,
        sql,
        values,
    ))
    .await?;
    Ok(())
}
