//! Whose business an open call is. A claim lapses, so that no call is lost with the instance that had it.

use std::time::Duration;

use contracts::OrderId;
use messaging::sql;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, FromQueryResult,
    Statement,
};
use uuid::Uuid;

use super::{Row, payment};
use crate::domain::Secret;

/// How an instance claims calls.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The instance: the same after each of its restarts.
    pub by: String,
    /// How long nobody else makes the call.
    pub lasts: Duration,
}

/// How long a call rests that found no answer: doubled each time.
#[derive(Debug, Clone, Copy)]
pub struct Pause {
    /// At first.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
}

impl Claim {
    pub(super) fn milliseconds(&self) -> i64 {
        milliseconds(self.lasts)
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Lets every call lapse at once that this instance had claimed before it was restarted.
///
/// # Errors
/// The database's.
pub async fn adopt(db: &DatabaseConnection, claim: &Claim) -> Result<u64, DbErr> {
    let update = "UPDATE payments SET claimed_by = NULL, claimed_until = clock_timestamp() \
                  WHERE call IS NOT NULL AND claimed_by = $1";
    let values = vec![claim.by.clone().into()];
    let update = Statement::from_sql_and_values(DbBackend::Postgres, update, values);
    Ok(db.execute_raw(update).await?.rows_affected())
}

/// The longest lapsed first, and none that somebody else is just claiming or deciding about.
const CLAIM: &str = "\
UPDATE payments SET claimed_by = $1, claimed_until = clock_timestamp() + $2::bigint * interval '1 ms'
FROM (SELECT order_id, payment_method_id FROM payments
      WHERE call IS NOT NULL AND claimed_until <= now()
      ORDER BY claimed_until LIMIT $3 FOR UPDATE SKIP LOCKED) AS due
     LEFT JOIN payment_methods AS method USING (payment_method_id)
WHERE payments.order_id = due.order_id
RETURNING payments.*, method.token AS method_token";

/// Claims at most `limit` calls whose claim has lapsed; gives them with the tokens of their cards.
///
/// # Errors
/// The database's.
pub async fn claim_lapsed(
    db: &DatabaseConnection,
    claim: &Claim,
    limit: usize,
) -> Result<Vec<(Row, Option<Secret>)>, DbErr> {
    let values = vec![
        claim.by.clone().into(),
        claim.milliseconds().into(),
        i64::try_from(limit).unwrap_or(i64::MAX).into(),
    ];
    let update = Statement::from_sql_and_values(DbBackend::Postgres, CLAIM, values);
    let rows = db.query_all_raw(update).await?;
    rows.iter()
        .map(|row| {
            let payment = payment::Model::from_query_result(row, "")?.try_into()?;
            let token: Option<String> = row.try_get("", "method_token")?;
            Ok((payment, token.map(Secret::new)))
        })
        .collect()
}

const POSTPONE: &str = "\
UPDATE payments
SET attempts = attempts + 1, claimed_by = NULL,
    claimed_until = clock_timestamp() + least($4::float8, $3::float8 * 2 ^ least(attempts, 30)) * interval '1 ms'
FROM (SELECT unnest($1::uuid[]) AS order_id, unnest($2::uuid[]) AS command_id) AS row
WHERE payments.order_id = row.order_id AND (payments.call ->> 'id')::uuid = row.command_id";

/// Lets calls rest that found no answer. Then they are anybody's.
///
/// # Errors
/// The database's.
pub async fn postpone(
    db: &DatabaseTransaction,
    calls: &[(OrderId, Uuid)],
    pause: Pause,
) -> Result<(), DbErr> {
    if calls.is_empty() {
        return Ok(());
    }
    let values = vec![
        sql::uuids(calls.iter().map(|(order, _)| order.uuid())),
        sql::uuids(calls.iter().map(|(_, command)| *command)),
        (pause.first.as_secs_f64() * 1_000.0).into(),
        (pause.longest.as_secs_f64() * 1_000.0).into(),
    ];
    let update = Statement::from_sql_and_values(DbBackend::Postgres, POSTPONE, values);
    db.execute_raw(update).await?;
    Ok(())
}
