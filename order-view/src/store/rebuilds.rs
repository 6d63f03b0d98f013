//! The table `rebuilds`, and the tables that a rebuild works on.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, FromQueryResult,
    Statement, Value,
};
use uuid::Uuid;

use crate::migration::ORDER_VIEWS;

/// A rebuild: who wanted it, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Rebuild {
    /// Its id.
    pub rebuild_id: Uuid,
    /// Who wanted it.
    pub asked_by: String,
    /// Why.
    pub asked_why: String,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// How many records were read so far.
    pub records: i64,
    /// How many there were ahead, when that was last looked.
    pub ahead: Option<i64>,
    /// How many records were no message of the contract.
    pub unreadable: i64,
    /// When it was done.
    pub ended_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str =
    "rebuild_id, asked_by, asked_why, asked_at, records, ahead, unreadable, ended_at";

/// Where the new table grows: under the same names, in another schema.
const GROWING: &str = "rebuild";

fn statement(sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
}

/// Asks for a rebuild. False: one is under way.
///
/// # Errors
/// The database's.
pub async fn ask(db: &DatabaseConnection, rebuild: &Rebuild) -> Result<bool, DbErr> {
    let insert = "INSERT INTO rebuilds (rebuild_id, asked_by, asked_why, asked_at, claimed_until) \
                  VALUES ($1, $2, $3, $4, clock_timestamp()) ON CONFLICT DO NOTHING";
    let values = [
        rebuild.rebuild_id.into(),
        rebuild.asked_by.as_str().into(),
        rebuild.asked_why.as_str().into(),
        rebuild.asked_at.into(),
    ];
    let inserted = db.execute_raw(statement(insert, values)).await?;
    Ok(inserted.rows_affected() == 1)
}

/// A rebuild by its id.
///
/// # Errors
/// The database's.
pub async fn find(db: &DatabaseConnection, id: Uuid) -> Result<Option<Rebuild>, DbErr> {
    let select = format!("SELECT {COLUMNS} FROM rebuilds WHERE rebuild_id = $1");
    Rebuild::find_by_statement(statement(&select, [id.into()]))
        .one(db)
        .await
}

/// Claims the rebuild that is asked for, when nobody is at it.
///
/// # Errors
/// The database's.
pub async fn claim(
    db: &DatabaseConnection,
    by: &str,
    lasts: Duration,
) -> Result<Option<Rebuild>, DbErr> {
    let update = format!(
        "UPDATE rebuilds SET claimed_by = $1, claimed_until = clock_timestamp() + $2::bigint * interval '1 ms', \
                records = 0, ahead = NULL, unreadable = 0 \
         WHERE ended_at IS NULL AND (claimed_until <= clock_timestamp() OR claimed_by = $1) RETURNING {COLUMNS}"
    );
    let values = [by.into(), milliseconds(lasts).into()];
    Rebuild::find_by_statement(statement(&update, values))
        .one(db)
        .await
}

/// Gives a claim back.
///
/// # Errors
/// The database's.
pub async fn give_back(db: &DatabaseConnection, by: &str) -> Result<(), DbErr> {
    let update = "UPDATE rebuilds SET claimed_until = clock_timestamp() WHERE ended_at IS NULL AND claimed_by = $1";
    db.execute_raw(statement(update, [by.into()])).await?;
    Ok(())
}

/// What is said of a rebuild with each batch.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Which it is.
    pub rebuild_id: Uuid,
    /// Who is at it.
    pub by: String,
    /// For how long nobody else may be.
    pub lasts: Duration,
    /// How many records were read in this batch.
    pub read: i64,
    /// How many of them are no message of the contract.
    pub unreadable: i64,
    /// How many are ahead.
    pub ahead: i64,
}

/// Notes progress, and holds the rebuild's row until the end of the transaction.
///
/// # Errors
/// The database's; or somebody else is at it, because the claim had lapsed.
pub async fn note(db: &DatabaseTransaction, progress: &Progress) -> Result<(), DbErr> {
    let update = "UPDATE rebuilds SET claimed_until = clock_timestamp() + $3::bigint * interval '1 ms', \
                         records = records + $4, unreadable = unreadable + $5, ahead = $6 \
                  WHERE rebuild_id = $1 AND claimed_by = $2 AND ended_at IS NULL";
    let values = [
        progress.rebuild_id.into(),
        progress.by.as_str().into(),
        milliseconds(progress.lasts).into(),
        progress.read.into(),
        progress.unreadable.into(),
        progress.ahead.into(),
    ];
    let noted = db.execute_raw(statement(update, values)).await?;
    match noted.rows_affected() {
        1 => Ok(()),
        _ => Err(DbErr::Custom("somebody else is at the rebuild".to_owned())),
    }
}

/// Makes an empty table to grow, in place of what an earlier attempt has left.
///
/// # Errors
/// The database's.
pub async fn plant(db: &DatabaseTransaction) -> Result<(), DbErr> {
    db.execute_unprepared(&format!(
        "DROP SCHEMA IF EXISTS {GROWING} CASCADE; CREATE SCHEMA {GROWING}; SET LOCAL search_path = {GROWING}, public; {ORDER_VIEWS}"
    ))
    .await?;
    Ok(())
}

/// Lets this transaction work on the growing table.
///
/// # Errors
/// The database's.
pub async fn turn_to_growing(db: &DatabaseTransaction) -> Result<(), DbErr> {
    db.execute_unprepared(&format!("SET LOCAL search_path = {GROWING}, public"))
        .await?;
    Ok(())
}

/// Holds up those who write to the table that is read, until the end of the transaction; readers are not held up.
///
/// # Errors
/// The database's; or somebody had it for longer than `patience`.
pub async fn hold_up_writers(db: &DatabaseTransaction, patience: Duration) -> Result<(), DbErr> {
    db.execute_unprepared(&format!(
        "SET LOCAL lock_timeout = {}; LOCK TABLE public.order_views IN EXCLUSIVE MODE",
        patience.as_millis()
    ))
    .await?;
    Ok(())
}

/// Puts the grown table in the place of the one that is read. Statements that wait for it find the new one.
///
/// # Errors
/// The database's.
pub async fn swap(db: &DatabaseTransaction, id: Uuid, now: DateTime<Utc>) -> Result<(), DbErr> {
    db.execute_unprepared(&format!(
        "CREATE SCHEMA outgrown; ALTER TABLE public.order_views SET SCHEMA outgrown; \
         ALTER TABLE {GROWING}.order_views SET SCHEMA public; DROP SCHEMA outgrown CASCADE; DROP SCHEMA {GROWING}"
    ))
    .await?;
    let update = "UPDATE public.rebuilds SET ended_at = $2, ahead = 0 WHERE rebuild_id = $1";
    db.execute_raw(statement(update, [id.into(), now.into()]))
        .await?;
    Ok(())
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
