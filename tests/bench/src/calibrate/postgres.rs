//! Postgres alone: commits of one row of an outbox's size into a plain table.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use sea_orm::sqlx::{self, PgPool};

use crate::quantiles::{Latencies, Quantiles};
use crate::site::{Site, pool};

/// About as much as a message of the platform.
const BODY: usize = 300;
/// Before that nothing counts: statements are prepared, files grow.
const WARM: Duration = Duration::from_millis(500);

/// A plain table in a database of its own kind: that of the server's administrator.
pub(super) struct Table {
    url: String,
    server: PgPool,
}

impl Table {
    /// Makes it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn make(site: &Site) -> anyhow::Result<Self> {
        let table = "CREATE TABLE bench_commits (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message_id uuid NOT NULL,
                     key uuid NOT NULL, occurred_at timestamptz NOT NULL, kind text NOT NULL, body text NOT NULL)";
        sqlx::query("DROP TABLE IF EXISTS bench_commits")
            .execute(&site.server)
            .await?;
        sqlx::query(table).execute(&site.server).await?;
        Ok(Self {
            url: site.platform.database("postgres")?,
            server: site.server.clone(),
        })
    }

    /// The times of commits by so many clients, each with a connection, and how many there were per second.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn commits(
        &self,
        clients: u32,
        length: Duration,
    ) -> anyhow::Result<(Quantiles, f64)> {
        let pool = pool(&self.url, clients)?;
        let begin = Instant::now() + WARM;
        let end = begin + length;
        let clients = (0..clients).map(|_| {
            let pool = pool.clone();
            let client = tokio::spawn(async move { commit(&pool, begin, end).await });
            async { anyhow::Ok(client.await??) }
        });
        let mut all = Latencies::new();
        for times in try_join_all(clients).await? {
            all.merge(&times);
        }
        pool.close().await;
        let quantiles = all.quantiles();
        Ok((quantiles, quantiles.count as f64 / length.as_secs_f64()))
    }

    /// Drops it.
    ///
    /// # Errors
    /// The database's.
    pub(super) async fn drop(self) -> anyhow::Result<()> {
        sqlx::query("DROP TABLE bench_commits")
            .execute(&self.server)
            .await?;
        Ok(())
    }
}

/// Commits until the end; only what began and ended in between counts.
async fn commit(pool: &PgPool, begin: Instant, end: Instant) -> sqlx::Result<Latencies> {
    let insert = "INSERT INTO bench_commits (message_id, key, occurred_at, kind, body) VALUES ($1, $2, $3, $4, $5)";
    let (mut connection, body) = (pool.acquire().await?, "x".repeat(BODY));
    let mut times = Latencies::new();
    loop {
        let began = Instant::now();
        if began >= end {
            return Ok(times);
        }
        sqlx::query(insert)
            .bind(ambient::new_id())
            .bind(ambient::new_id())
            .bind(ambient::now())
            .bind("TICKET_CREATED")
            .bind(&body)
            .execute(&mut *connection)
            .await?;
        let now = Instant::now();
        if began >= begin && now <= end {
            times.add(now - began);
        }
    }
}
