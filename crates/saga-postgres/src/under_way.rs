//! How much there is to do: the sagas that move, and wait for nobody but the system itself.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// For each one that may be counted, so many are looked at from either end.
const LOOKED_AT: i64 = 2;
/// No index knows when a command was sent (it would have to be changed at every step), and a participant that is away leaves
/// thousands that are silent. They are not to be read at every look: of those that are alive only the youngest and the oldest are
/// looked at. What moves is there: who has just begun, and when a participant comes back, who has waited longest.
const UNDER_WAY: &str = "\
SELECT count(*) FROM (
    SELECT FROM unnest(ARRAY['FORWARD', 'BACKWARD', 'CANCELLING']) AS alive (state), LATERAL (
        (SELECT saga_id, sent_at, attempt FROM sagas WHERE sagas.state = alive.state AND sagas.state NOT IN ('COMPLETED', 'ROLLED_BACK')
         ORDER BY started_at DESC LIMIT $3)
        UNION
        (SELECT saga_id, sent_at, attempt FROM sagas WHERE sagas.state = alive.state AND sagas.state NOT IN ('COMPLETED', 'ROLLED_BACK')
         ORDER BY started_at LIMIT $3)
    ) AS looked_at
    WHERE sent_at > $2 AND attempt = 1 LIMIT $1
) AS under_way";

/// How many sagas await the answer to a command that was sent after `since`; counted up to `limit`, and where very many are alive
/// among the youngest and the oldest of them. `since` is of the clock by which commands are sent: this process', not Postgres'.
///
/// One whose command has been silent for longer, or was sent again because it was, is not counted: its participant is away, or has
/// parked it, and to do less elsewhere does not bring it on. Neither are those that wait for somebody outside, or for an operator: they are nobody's work now.
///
/// # Errors
/// The database's.
pub async fn under_way(
    db: &impl ConnectionTrait,
    limit: u32,
    since: DateTime<Utc>,
) -> Result<u32, DbErr> {
    let limit = i64::from(limit);
    let values = [limit.into(), since.into(), (limit * LOOKED_AT).into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, UNDER_WAY, values);
    let row = db.query_one_raw(statement).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
