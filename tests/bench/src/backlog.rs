//! What is under way: outbox rows that are not relayed, records that are not consumed, and calls that the gateway has not answered.

use anyhow::Context;
use futures_util::future::try_join_all;
use sea_orm::sqlx;
use serde::Serialize;

use crate::site::Site;

/// How much is under way at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Backlog {
    /// Rows of all outboxes.
    pub(crate) rows: i64,
    /// Records of all consumers.
    pub(crate) records: i64,
    /// Calls of the gateway: what asked for them was consumed.
    pub(crate) calls: i64,
}

impl Backlog {
    /// Looks.
    ///
    /// # Errors
    /// A database's, or the broker's.
    pub(crate) async fn look(site: &Site) -> anyhow::Result<Self> {
        let counts = site.outboxes().map(|(name, pool)| async move {
            sqlx::query_scalar::<_, i64>("SELECT count(*) FROM outbox_pending")
                .fetch_one(pool)
                .await
                .with_context(|| format!("the outbox of {name}"))
        });
        let calls = async {
            let open = "SELECT count(*) FROM payments WHERE call IS NOT NULL";
            let payments = site.database("payments")?;
            let count = sqlx::query_scalar::<_, i64>(open).fetch_one(payments);
            count.await.context("the calls of payments")
        };
        let (rows, records, calls) =
            tokio::try_join!(try_join_all(counts), site.topics.lag(), calls)?;
        Ok(Self {
            rows: rows.into_iter().sum(),
            records,
            calls,
        })
    }

    /// All together.
    pub(crate) const fn total(self) -> i64 {
        self.rows + self.records + self.calls
    }
}
