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
    /// Why the last attempt failed; of one that has ended: why it was not done.
    pub problem: Option<String>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

/// One instance's try at a rebuild. What it does to the database it does under its fence: when another one has begun,
/// or the rebuild was given up, it can do nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Which rebuild.
    pub rebuild_id: Uuid,
    /// Which try.
    pub attempt: Uuid,
    /// For how long from now on nobody else may begin.
    pub lasts: Duration,
}

/// What was done in one batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// How many records were read.
    pub read: i64,
    /// How many of them are no message of the contract.
    pub unreadable: i64,
    /// How many are ahead.
    pub ahead: i64,
}

const COLUMNS: &str =
    "rebuild_id, asked_by, asked_why, asked_at, records, ahead, unreadable, problem, ended_at";

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
    let select = Rebuild::find_by_statement(statement(&select, [id.into()]));
    select.one(db).await
}

/// The newest rebuilds, the newest first.
///
/// # Errors
/// The database's.
pub async fn list(db: &DatabaseConnection, limit: u64) -> Result<Vec<Rebuild>, DbErr> {
    let select = format!("SELECT {COLUMNS} FROM rebuilds ORDER BY rebuild_id DESC LIMIT {limit}");
    let select = Rebuild::find_by_statement(statement(&select, []));
    select.all(db).await
}

/// Gives a rebuild up: whoever is at it finds that out. False: none of this id is under way.
///
/// # Errors
/// The database's.
pub async fn give_up(db: &DatabaseConnection, id: Uuid, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let update = "UPDATE rebuilds SET ended_at = $2, problem = 'it was given up' \
                  WHERE rebuild_id = $1 AND ended_at IS NULL";
    let updated = db.execute_raw(statement(update, [id.into(), now.into()]));
    Ok(updated.await?.rows_affected() == 1)
}

/// Begins an attempt at the rebuild that is asked for, when nobody is at it.
///
/// # Errors
/// The database's.
pub async fn claim(
    db: &DatabaseConnection,
    by: &str,
    attempt: Uuid,
    lasts: Duration,
) -> Result<Option<Rebuild>, DbErr> {
    let update = format!(
        "UPDATE rebuilds SET claimed_by = $1, claimed_until = clock_timestamp() + $2::bigint * interval '1 ms', \
                attempt = $3, records = 0, ahead = NULL, unreadable = 0 \
         WHERE ended_at IS NULL AND (claimed_until <= clock_timestamp() OR claimed_by = $1) RETURNING {COLUMNS}"
    );
    let values = [by.into(), milliseconds(lasts).into(), attempt.into()];
    let claimed = Rebuild::find_by_statement(statement(&update, values));
    claimed.one(db).await
}

impl Attempt {
    /// Holds the rebuild's row until the end of the transaction, so that nobody begins another attempt meanwhile, and
    /// prolongs the claim.
    ///
    /// # Errors
    /// The database's; or this attempt is over.
    pub async fn fence(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let update = "UPDATE public.rebuilds SET claimed_until = clock_timestamp() + $3::bigint * interval '1 ms' \
                      WHERE rebuild_id = $1 AND attempt = $2 AND ended_at IS NULL";
        self.once(db, update, [milliseconds(self.lasts).into()])
            .await
    }

    /// Notes progress.
    ///
    /// # Errors
    /// See [`Self::fence`].
    pub async fn note(&self, db: &impl ConnectionTrait, progress: Progress) -> Result<(), DbErr> {
        let Progress {
            read,
            unreadable,
            ahead,
        } = progress;
        let update = "UPDATE public.rebuilds SET records = records + $3, unreadable = unreadable + $4, ahead = $5, problem = NULL \
                      WHERE rebuild_id = $1 AND attempt = $2 AND ended_at IS NULL";
        self.once(db, update, [read.into(), unreadable.into(), ahead.into()])
            .await
    }

    /// Lets go, so that anybody may begin anew, and says why.
    ///
    /// # Errors
    /// See [`Self::fence`].
    pub async fn let_go(&self, db: &impl ConnectionTrait, problem: &str) -> Result<(), DbErr> {
        let update = "UPDATE public.rebuilds SET claimed_by = NULL, claimed_until = clock_timestamp(), problem = $3 \
                      WHERE rebuild_id = $1 AND attempt = $2 AND ended_at IS NULL";
        self.once(db, update, [problem.into()]).await
    }

    /// Ends the rebuild: done, or with the reason for which it cannot be done.
    ///
    /// # Errors
    /// See [`Self::fence`].
    pub async fn end(
        &self,
        db: &impl ConnectionTrait,
        now: DateTime<Utc>,
        problem: Option<&str>,
    ) -> Result<(), DbErr> {
        let update = "UPDATE public.rebuilds SET ended_at = $3, problem = $4, ahead = CASE WHEN $4 IS NULL THEN 0 ELSE ahead END \
                      WHERE rebuild_id = $1 AND attempt = $2 AND ended_at IS NULL";
        self.once(db, update, [now.into(), problem.into()]).await
    }

    async fn once<const N: usize>(
        &self,
        db: &impl ConnectionTrait,
        update: &str,
        values: [Value; N],
    ) -> Result<(), DbErr> {
        let own = [self.rebuild_id.into(), self.attempt.into()];
        let values = own.into_iter().chain(values);
        let updated = db.execute_raw(statement(update, values)).await?;
        match updated.rows_affected() {
            1 => Ok(()),
            _ => Err(DbErr::Custom(
                "this attempt at the rebuild is over".to_owned(),
            )),
        }
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
/// The database's; or somebody read for longer than `patience`. Everybody who began to read meanwhile has waited behind him.
pub async fn swap(db: &DatabaseTransaction, patience: Duration) -> Result<(), DbErr> {
    db.execute_unprepared(&format!(
        "SET LOCAL lock_timeout = {}; CREATE SCHEMA outgrown; ALTER TABLE public.order_views SET SCHEMA outgrown; \
         ALTER TABLE {GROWING}.order_views SET SCHEMA public; DROP SCHEMA outgrown CASCADE; DROP SCHEMA {GROWING}",
        patience.as_millis()
    ))
    .await?;
    Ok(())
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
