//! Finished orders in all databases, many of them: copies of orders that really went all their way, under other ids.
//!
//! The same order gets the same other id everywhere, so that databases agree with each other. The ids are older than this
//! run, as those of orders are that finished long ago. What ages by itself is not copied: outbox, inbox, idempotency keys.

mod tables;

use std::time::Duration;

use anyhow::{Context, ensure};
use sea_orm::sqlx;
use serde::Serialize;
use uuid::Uuid;
use visitor::console::{Progress, say};

use crate::bench::Bench;
use crate::run::Run;
use crate::shortfall::keeps_pace;
use crate::top;
use tables::{TABLES, Table};

/// Throughput is compared where so many times the top is offered: at the top itself everybody keeps up, and the ratio would be that
/// of arrivals.
const ABOVE: f64 = 1.2;
/// So many orders serve as patterns at most.
const PATTERNS: i64 = 1_000;
/// Copies of a pattern in one statement.
const STRIDE: i64 = 25;
/// The other id of an id, for copy number `k`: a day and `k` minutes earlier, and otherwise the same. One expression, so
/// that it is no call.
const OTHER: &str = "\
CREATE OR REPLACE FUNCTION pg_temp.other(id uuid, k bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT (lpad(to_hex(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint - 86400000 - k * 60000), 12, '0')
            || substr(replace(id::text, '-', ''), 13))::uuid
$$";

/// What finished orders change.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Million {
    /// Just above the top, before they are there.
    pub(crate) without: Run,
    /// The same rate with them.
    pub(crate) with: Run,
    /// At the top, with them.
    pub(crate) top: Run,
}

impl Million {
    /// Throughput with them ÷ without.
    pub(crate) fn ratio(&self) -> f64 {
        self.with.completed / self.without.completed.max(1e-9)
    }

    /// Whether more was offered than completed without them: otherwise more could have completed, and the ratio is too good.
    pub(crate) fn saturated(&self) -> bool {
        !keeps_pace(&self.without)
    }
}

/// Offers a little more than the top, puts finished orders into the tables, and offers the top and as much as before.
///
/// # Errors
/// A database's; or a run cannot be judged.
pub(crate) async fn measure(bench: &Bench, top: f64) -> anyhow::Result<Million> {
    let (above, length) = (ABOVE * top, bench.plan.top);
    let without = top::hold(bench, "just above the top", above, length).await?;
    fill(bench).await?;
    Ok(Million {
        without,
        top: top::hold(bench, "finished orders", top, length).await?,
        with: top::hold(bench, "finished orders, above the top", above, length).await?,
    })
}

/// Puts them there.
///
/// # Errors
/// A database's; or no order has finished yet.
async fn fill(bench: &Bench) -> anyhow::Result<()> {
    let patterns: Vec<Uuid> = sqlx::query_scalar(
        "SELECT order_id FROM orders WHERE state = 'COMPLETE' ORDER BY order_id DESC LIMIT $1",
    )
    .bind(PATTERNS)
    .fetch_all(bench.site.database("orders")?)
    .await?;
    ensure!(!patterns.is_empty(), "no order has finished yet");
    let copies = i64::try_from(bench.plan.finished)? / patterns.len() as i64;
    say(format_args!(
        "putting {} finished orders into {} tables",
        copies * patterns.len() as i64,
        TABLES.len()
    ));
    // About how long that takes: only for the bar.
    let mut progress = Progress::begin(Duration::from_millis(bench.plan.finished / 2));
    for table in TABLES {
        copy(bench, table, &patterns, copies, &mut progress)
            .await
            .with_context(|| format!("the table {} of {}", table.name, table.database))?;
    }
    Ok(())
}

async fn copy(
    bench: &Bench,
    table: &Table,
    patterns: &[Uuid],
    copies: i64,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let mut db = bench.site.database(table.database)?.acquire().await?;
    sqlx::raw_sql(OTHER).execute(&mut *db).await?;
    let columns: Vec<String> = sqlx::query_scalar(
        "SELECT column_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' AND is_identity = 'NO'
         ORDER BY ordinal_position",
    )
    .bind(table.name)
    .fetch_all(&mut *db)
    .await?;
    let insert = table.insert(&columns);
    let mut last = copies;
    // From the oldest to the newest, as orders come.
    while last > 0 {
        let first = (last - STRIDE + 1).max(1);
        sqlx::query(sqlx::AssertSqlSafe(insert.clone()))
            .bind(patterns)
            .bind(last)
            .bind(first)
            .execute(&mut *db)
            .await?;
        progress.tell(&format!(
            "{}: copies down to {first} of {copies}",
            table.name
        ));
        last = first - 1;
    }
    // As autovacuum would have done by the time that so many orders have finished.
    let vacuum = format!("VACUUM (ANALYZE) {}", table.name);
    sqlx::raw_sql(sqlx::AssertSqlSafe(vacuum))
        .execute(&mut *db)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_that_of_what_completed_where_more_was_offered() {
        let run = |lifecycles, completed| Run {
            expected: 100,
            lifecycles,
            completed,
            ..Run::default()
        };
        let million = |without| Million {
            without,
            with: run(76, 304.0),
            top: Run::default(),
        };
        let compared = million(run(80, 320.0));
        assert!(compared.saturated() && (compared.ratio() - 0.95).abs() < 1e-9);
        assert!(!million(run(99, 396.0)).saturated());
    }
}
