//! How much there is to do: the sagas that move, and wait for nobody but the system itself.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// Those that are alive are found by an index, and no more of them are counted than was asked for.
const UNDER_WAY: &str = "\
SELECT count(*) FROM (
    SELECT FROM sagas WHERE state IN ('FORWARD', 'BACKWARD', 'CANCELLING') AND state NOT IN ('COMPLETED', 'ROLLED_BACK')
        AND sent_at > $2 LIMIT $1
) AS under_way";

/// How many sagas await the answer to a command that was sent after `since`; counted up to `limit`. `since` is of the clock by which commands are sent: this process', not Postgres'.
///
/// One whose command has been silent for longer is not counted: its participant is away, or has parked it, and to do less elsewhere
/// does not bring it on. Neither are those that wait for somebody outside, or for an operator: they are nobody's work now.
///
/// # Errors
/// The database's.
pub async fn under_way(
    db: &impl ConnectionTrait,
    limit: u32,
    since: DateTime<Utc>,
) -> Result<u32, DbErr> {
    let values = [i64::from(limit).into(), since.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, UNDER_WAY, values);
    let row = db.query_one_raw(statement).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
