//! Forgetting: makes the days of the inbox ahead of time, and drops those that are too old.

use std::time::Duration;

use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DbErr};
use tokio_util::sync::CancellationToken;

use crate::Store;

const EVERY: Duration = Duration::from_secs(60 * 60);
/// When to try again what did not work.
const RETRY: Duration = Duration::from_secs(60);
/// How many days the inbox remembers. Effects happen once also after that, by their business keys.
const DAYS: u32 = 30;
/// Making and dropping a day takes a lock that every handler needs. Rather than let them queue, try again later: days
/// are made well ahead. Instances take turns; whoever does not get the turn has nothing to do.
const MAINTAIN: &str = "\
DO $$ BEGIN
    SET LOCAL lock_timeout = '200ms';
    IF pg_try_advisory_xact_lock(hashtext('inbox_maintain')) THEN
        PERFORM inbox_maintain((now() AT TIME ZONE 'UTC')::date, {days});
    END IF;
END $$";

/// Maintains the inbox of `store` once an hour, until `shutdown`.
pub(crate) async fn maintain(store: Store, shutdown: CancellationToken) {
    loop {
        let done: Result<(), DbErr> = store
            .transact(|work| {
                async move {
                    let maintain = MAINTAIN.replace("{days}", &DAYS.to_string());
                    work.db().execute_unprepared(&maintain).await.map(drop)
                }
                .boxed()
            })
            .await;
        let pause = match done {
            Ok(()) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "the inbox was not maintained; again in a minute");
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
