//! How much there is to do: the sagas that wait for nobody but the system itself.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// Read from the index `sagas_alive` alone, and never more of it than was asked for.
const UNDER_WAY: &str = "\
SELECT count(*) FROM (
    SELECT FROM sagas WHERE state IN ('FORWARD', 'BACKWARD', 'CANCELLING') AND state NOT IN ('COMPLETED', 'ROLLED_BACK') LIMIT $1
) AS under_way";

/// How many sagas await the answer to a command; counted up to `limit`. Those that wait for somebody outside, or for an
/// operator, are nobody's work now.
///
/// # Errors
/// The database's.
pub async fn under_way(db: &impl ConnectionTrait, limit: u32) -> Result<u32, DbErr> {
    let statement =
        Statement::from_sql_and_values(DbBackend::Postgres, UNDER_WAY, [i64::from(limit).into()]);
    let row = db.query_one_raw(statement).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}
