//! Tables that are partitioned by day: makes their days ahead of time, and drops those that are too old.

use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DbErr};
use tokio_util::sync::CancellationToken;

use super::{EVERY, RETRY};
use crate::Store;

/// Making and dropping a day takes a lock that everybody needs who uses the table. Rather than let them queue, try again later: days
/// are made well ahead. Instances take turns; whoever does not get the turn has nothing to do.
const MAINTAIN: &str = "\
DO $$ BEGIN
    SET LOCAL lock_timeout = '200ms';
    IF pg_try_advisory_xact_lock(hashtext('{table}_maintain')) THEN
        PERFORM {table}_maintain((now() AT TIME ZONE 'UTC')::date, {days});
    END IF;
END $$";

/// In a transaction of its own: it waits for each day, and would hold the locks of those that were made and dropped meanwhile. A day
/// that it does not get has its turn an hour later.
const LEAVE_ALONE: &str = "\
DO $$ BEGIN
    SET LOCAL lock_timeout = '200ms';
    IF pg_try_advisory_xact_lock(hashtext('{table}_maintain')) THEN
        PERFORM append_only('{table}', (now() AT TIME ZONE 'UTC')::date);
    END IF;
END $$";

/// A table that is partitioned by day.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    /// Its name. The function `<table>_maintain(today date, keep int)` makes its days and drops them: by `days_maintain`, in one line.
    pub table: &'static str,
    /// How many whole days are kept besides today.
    pub keep: u32,
}

/// What the inbox remembers. Effects happen once also after that, by their business keys.
pub(crate) const INBOX: Days = Days {
    table: "inbox",
    keep: 30,
};

/// Maintains a table of `store` once an hour, beginning at once, until `shutdown`.
pub async fn maintain(store: Store, days: Days, shutdown: CancellationToken) {
    let Days { table, keep } = days;
    loop {
        let fill_in = |sql: &str| {
            sql.replace("{table}", table)
                .replace("{days}", &keep.to_string())
        };
        let mut done = execute(&store, fill_in(MAINTAIN)).await;
        if done.is_ok() {
            done = execute(&store, fill_in(LEAVE_ALONE)).await;
        }
        let pause: Duration = match done {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::warn!(%error, table, "old days were not forgotten; again in a minute");
                RETRY
            }
        };
        if shutdown
            .run_until_cancelled(tokio::time::sleep(pause))
            .await
            .is_none()
        {
            return;
        }
    }
}

async fn execute(store: &Store, sql: String) -> Result<(), DbErr> {
    store
        .transact(move |work| {
            async move { work.db().execute_unprepared(&sql).await.map(drop) }.boxed()
        })
        .await
}
