//! Removes rows of what has ended, some days after it began.
//!
//! Some rows at a time, in the order of their keys, and none that somebody else has locked; then it rests for nine times as long
//! as that took. One instance at a time: it says in the database that it is at it.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, Statement, Value};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{EVERY, Horizon, RETRY};
use crate::Store;

/// The most rows of one transaction.
const BATCH: usize = 200;
/// Removing may take this part of the time, not more.
const SHARE: u32 = 10;

/// Rows that are not needed any more once what they are about has ended.
#[derive(Debug, Clone, Copy)]
pub struct Finished {
    /// The table that says whether it has ended.
    pub table: &'static str,
    /// Its primary key, which is also the key of the messages about it. Its age is the time in it, so only a UUID v7 has one.
    pub key: &'static str,
    /// The condition on a row that it has ended, in SQL.
    pub ended: &'static str,
    /// Other tables whose rows go with it, each with the column that holds the key.
    pub along: &'static [(&'static str, &'static str)],
}

/// Removes finished rows.
#[derive(Debug)]
pub struct Aging {
    store: Store,
    horizon: Horizon,
    days: Option<u32>,
    /// Who it is.
    worker: Uuid,
}

/// The horizon moves once a day: so whatever is removable has been behind it for a day.
const MOVE: &str = "\
INSERT INTO forgotten (what, before, since) VALUES ($1, $2, $3)
ON CONFLICT (what) DO UPDATE SET removable = least(forgotten.before, excluded.before), before = greatest(forgotten.before, excluded.before),
                                 since = excluded.since
WHERE forgotten.since <= excluded.since - interval '1 day'";

/// An instance that does not come back is followed by another one after a minute.
const TURN: &str = "\
UPDATE forgotten SET worker = $2, worker_until = clock_timestamp() + interval '1 minute'
FROM (SELECT what FROM forgotten WHERE what = $1 AND removable IS NOT NULL
      AND (worker = $2 OR worker IS NULL OR worker_until < clock_timestamp()) FOR UPDATE SKIP LOCKED) AS free
WHERE forgotten.what = free.what RETURNING removable";

const DONE: &str =
    "UPDATE forgotten SET worker = NULL, worker_until = NULL WHERE what = $1 AND worker = $2";

/// What operators did with parked messages is kept as long as the orders are that it was about.
const DEEDS: &str = "\
WITH old AS (SELECT id FROM parked_history WHERE done_at < $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)
DELETE FROM parked_history USING old WHERE parked_history.id = old.id";

impl Aging {
    /// Removes from the database of `store` what is behind `horizon`, which follows the present at a distance of `days`; `None`:
    /// nothing is removed.
    #[must_use]
    pub fn new(store: Store, horizon: Horizon, days: Option<u32>) -> Self {
        Self {
            store,
            horizon,
            days,
            worker: ambient::new_id(),
        }
    }

    /// Does it once an hour, beginning at once, until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let table = self.horizon.of.table;
            let pause = match self.look(ambient::now(), &shutdown).await {
                Ok(rows) => {
                    if rows > 0 {
                        tracing::info!(table, rows, "what has ended long ago was removed");
                    }
                    EVERY
                }
                Err(error) => {
                    tracing::warn!(%error, table, "what has ended was not removed; again in a minute");
                    RETRY
                }
            };
            let sleep = tokio::time::sleep(pause);
            if shutdown.run_until_cancelled(sleep).await.is_none() {
                return;
            }
        }
    }

    /// Moves the horizon, if there are days to follow and it is time, and removes what has been behind it for a day. Gives how many
    /// have gone; none, when another instance is at it.
    ///
    /// # Errors
    /// The database's.
    pub async fn look(
        &self,
        now: DateTime<Utc>,
        shutdown: &CancellationToken,
    ) -> Result<u64, DbErr> {
        let days = self.days.map(|days| TimeDelta::days(days.into()));
        let before = days.and_then(|days| now.checked_sub_signed(days));
        if let Some(before) = before {
            let values = [self.what(), before.into(), now.into()];
            let step = Statement::from_sql_and_values(DbBackend::Postgres, MOVE, values);
            self.store.db().execute_raw(step).await?;
        }
        // Also without days: another instance may have them.
        self.horizon.refresh(self.store.db()).await?;
        if before.is_none() {
            return Ok(0);
        }
        let removed = self.remove(shutdown).await;
        let values = [self.what(), self.worker.into()];
        let done = Statement::from_sql_and_values(DbBackend::Postgres, DONE, values);
        self.store.db().execute_raw(done).await?;
        removed
    }

    async fn remove(&self, shutdown: &CancellationToken) -> Result<u64, DbErr> {
        let (mut removed, mut next) = (0, Some(Uuid::nil()));
        while let Some(after) = next
            && !shutdown.is_cancelled()
        {
            let began = Instant::now();
            let (count, last) = self.batch(after).await?;
            (removed, next) = (removed + count, last);
            self.rest(began.elapsed(), shutdown).await;
        }
        let mut more = true;
        while more && !shutdown.is_cancelled() {
            let began = Instant::now();
            more = self.deeds().await? == BATCH as u64;
            self.rest(began.elapsed(), shutdown).await;
        }
        if removed > 0 {
            metrics::counter!("finished_rows_removed_total", "table" => self.horizon.of.table)
                .increment(removed);
        }
        Ok(removed)
    }

    async fn rest(&self, worked: Duration, shutdown: &CancellationToken) {
        let rest = tokio::time::sleep(worked * (SHARE - 1));
        let _ = shutdown.run_until_cancelled(rest).await;
    }

    /// Removes some rows behind `after`. Gives how many, and the last key, if there may be more.
    async fn batch(&self, after: Uuid) -> Result<(u64, Option<Uuid>), DbErr> {
        let (remove, turn) = (self.horizon.of.remove(), self.turn());
        self.store
            .transact(move |work| {
                async move {
                    let Some(removable) = take_turn(work.db(), turn).await? else {
                        return Ok((0, None));
                    };
                    let bound = Uuid::from_u128(milliseconds(removable) << 80);
                    let values = [after.into(), bound.into(), limit()];
                    let remove =
                        Statement::from_sql_and_values(DbBackend::Postgres, remove, values);
                    let gone = work.db().query_all_raw(remove).await?;
                    let last = gone.last().map(|row| row.try_get_by_index(0)).transpose()?;
                    Ok((gone.len() as u64, last.filter(|_| gone.len() == BATCH)))
                }
                .boxed()
            })
            .await
    }

    /// Removes some records of what operators did.
    async fn deeds(&self) -> Result<u64, DbErr> {
        let turn = self.turn();
        self.store
            .transact(move |work| {
                async move {
                    let Some(removable) = take_turn(work.db(), turn).await? else {
                        return Ok(0);
                    };
                    let values = [removable.into(), limit()];
                    let deeds = Statement::from_sql_and_values(DbBackend::Postgres, DEEDS, values);
                    Ok(work.db().execute_raw(deeds).await?.rows_affected())
                }
                .boxed()
            })
            .await
    }

    fn what(&self) -> Value {
        self.horizon.of.table.into()
    }

    fn turn(&self) -> Statement {
        let values = [self.what(), self.worker.into()];
        Statement::from_sql_and_values(DbBackend::Postgres, TURN, values)
    }
}

impl Finished {
    /// One statement, so that a foreign key between the tables is looked at when all of it has happened.
    fn remove(&self) -> String {
        let Self {
            table,
            key,
            ended,
            along,
        } = self;
        let mut with = format!(
            "WITH old AS MATERIALIZED (SELECT {key} AS id FROM {table} WHERE {key} > $1 AND {key} < $2 AND ({ended}) \
             AND uuid_extract_version({key}) = 7 ORDER BY {key} LIMIT $3 FOR UPDATE SKIP LOCKED), \
             gone AS (DELETE FROM {table} USING old WHERE {table}.{key} = old.id)"
        );
        for (table, key) in *along {
            with += &format!(
                ", gone_from_{table} AS (DELETE FROM {table} USING old WHERE {table}.{key} = old.id)"
            );
        }
        with + " SELECT id FROM old ORDER BY id"
    }
}

/// Says that this instance is at it, and gives the moment up to which it may remove. Nothing: another one is at it, or there is
/// nothing to remove. Nobody waits long for anybody.
async fn take_turn(
    db: &DatabaseTransaction,
    turn: Statement,
) -> Result<Option<DateTime<Utc>>, DbErr> {
    db.execute_unprepared("SET LOCAL lock_timeout = '200ms'")
        .await?;
    let row = db.query_one_raw(turn).await?;
    row.map(|row| row.try_get_by_index(0)).transpose()
}

fn limit() -> Value {
    i64::try_from(BATCH).unwrap_or(i64::MAX).into()
}

fn milliseconds(moment: DateTime<Utc>) -> u128 {
    u128::try_from(moment.timestamp_millis()).unwrap_or_default()
}
