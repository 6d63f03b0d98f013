//! The table `authorisations`: where each hold stands.

use sea_orm::{ConnectionTrait, DbBackend, FromQueryResult, Statement};
use uuid::Uuid;

use super::{Error, foreign};
use crate::domain::{Amount, Authorisation, Behaviour, State};

#[derive(Debug, FromQueryResult)]
struct Row {
    reference: String,
    amount: i64,
    currency: String,
    state: String,
    token: String,
    behaviour: String,
}

/// What an authorisation is drawn on.
#[derive(Debug)]
pub(super) struct Card {
    pub(super) token: String,
    pub(super) behaviour: Behaviour,
}

/// Reads an authorisation and how its card behaves, and keeps others from changing it until the transaction ends.
pub(super) async fn lock(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<(Authorisation, Card), Error> {
    let sql = "SELECT a.reference, a.amount, a.currency, a.state, t.token, t.behaviour \
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
        Card {
            token: row.token,
            behaviour,
        },
    ))
}
