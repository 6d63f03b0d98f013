//! What has been said and not yet been heard: outbox rows that are not relayed, and records that are not consumed.

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
        let (rows, records) = tokio::try_join!(try_join_all(counts), site.topics.lag())?;
        Ok(Self {
            rows: rows.into_iter().sum(),
            records,
        })
    }

    /// Both together.
    pub(crate) const fn total(self) -> i64 {
        self.rows + self.records
    }
}
