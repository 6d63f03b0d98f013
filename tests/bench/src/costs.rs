//! What the platform has used up since it was started; two of these, subtracted, are what a run costs.

pub(crate) mod processes;
pub(crate) mod statements;
pub(crate) mod usage;
pub(crate) mod work;

use std::collections::BTreeMap;

use anyhow::Context;
use sea_orm::sqlx;
use serde::Serialize;

use crate::site::{GATEWAY, Site};
use statements::{Spent, Statement};
use usage::Usage;
use work::Work;

/// Everything that is counted, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Costs {
    usage: Usage,
    work: BTreeMap<String, Work>,
    backends: BTreeMap<String, f64>,
    statements: BTreeMap<Statement, Spent>,
    /// Transactions that got a number, in all databases of the server.
    writes: i64,
    /// Transactions by database, those that only read as well.
    commits: BTreeMap<String, i64>,
    wal: i64,
    records: i64,
}

/// What was used up between two moments.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Bill {
    /// How long that was.
    pub(crate) seconds: f64,
    /// CPU seconds by process.
    pub(crate) cpu: BTreeMap<String, f64>,
    /// Percent of all processors that others had.
    pub(crate) others: f64,
    /// What was done by process, of those that answered.
    pub(crate) work: BTreeMap<String, Work>,
    /// CPU seconds of Postgres' backends by database: a part of those of `postgres`.
    pub(crate) backends: BTreeMap<String, f64>,
    /// Statements by who sent them, but BEGIN and its like.
    pub(crate) statements: BTreeMap<String, i64>,
    /// The statements that were sent most often.
    pub(crate) frequent: Vec<Frequent>,
    /// Write transactions: what the server numbered, less what the gateway committed.
    pub(crate) writes: i64,
    /// Transactions by database, those that only read as well.
    pub(crate) commits: BTreeMap<String, i64>,
    /// Bytes of WAL, less what the gateway's statements wrote.
    pub(crate) wal: i64,
    /// Records of all topics.
    pub(crate) records: i64,
}

/// A statement that is sent often.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Frequent {
    /// Where it was sent to.
    pub(crate) database: String,
    /// Who sent it.
    pub(crate) role: String,
    /// How often, in the window.
    pub(crate) calls: i64,
    /// Its text, without values.
    pub(crate) sql: String,
}

/// So many statements are told.
const FREQUENT: usize = 30;

/// What a counter has grown by. One that is lower than it was belongs to a process that was started again: what its
/// predecessor had counted is gone with it.
fn grown(before: f64, after: f64) -> f64 {
    if after < before {
        after
    } else {
        after - before
    }
}

impl Costs {
    /// Looks.
    ///
    /// # Errors
    /// A database's, or the broker's.
    pub(crate) async fn look(site: &Site) -> anyhow::Result<Self> {
        let (writes, wal): (i64, i64) = sqlx::query_as(
            "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
                    pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint",
        )
        .fetch_one(&site.server)
        .await
        .context("the server's counters")?;
        let commits: Vec<(String, i64)> = sqlx::query_as(
            "SELECT datname::text, xact_commit FROM pg_stat_database WHERE datname IS NOT NULL",
        )
        .fetch_all(&site.server)
        .await?;
        Ok(Self {
            usage: Usage::look(&site.platform),
            work: work::look(&site.platform).await,
            backends: processes::backends(&site.platform),
            statements: statements::look(&site.server).await?,
            writes,
            commits: commits.into_iter().collect(),
            wal,
            records: site.topics.records().await?,
        })
    }

    /// What was used up since an earlier moment.
    pub(crate) fn since(&self, before: &Self) -> Bill {
        let commits: BTreeMap<String, i64> = self
            .commits
            .iter()
            .map(|(name, count)| (name.clone(), count - before.commits.get(name).unwrap_or(&0)))
            .collect();
        let spent = statements::between(&before.statements, &self.statements);
        let gateway: i64 = spent
            .iter()
            .filter(|(statement, _)| statement.database == GATEWAY)
            .map(|(_, spent)| spent.wal)
            .sum();
        let mut statements: BTreeMap<String, i64> = BTreeMap::new();
        let mut frequent = Vec::new();
        for (statement, spent) in spent {
            if statement.is_utility() || statement.database == GATEWAY {
                continue;
            }
            let sender = statement.sender();
            *statements.entry(sender).or_default() += spent.calls;
            frequent.push(Frequent {
                database: statement.database,
                role: statement.role,
                calls: spent.calls,
                sql: statement.sql,
            });
        }
        frequent.sort_by_key(|one| -one.calls);
        frequent.truncate(FREQUENT);
        Bill {
            seconds: self.usage.seconds(&before.usage),
            cpu: self.usage.cpu(&before.usage),
            others: self.usage.others(&before.usage),
            work: self
                .work
                .iter()
                .map(|(name, work)| {
                    let earlier = before.work.get(name).copied().unwrap_or_default();
                    (name.clone(), work.since(earlier))
                })
                .collect(),
            backends: self
                .backends
                .iter()
                .map(|(name, cpu)| {
                    (
                        name.clone(),
                        cpu - before.backends.get(name).unwrap_or(&0.0),
                    )
                })
                .collect(),
            statements,
            frequent,
            writes: self.writes - before.writes - commits.get(GATEWAY).unwrap_or(&0),
            commits,
            wal: self.wal - before.wal - gateway,
            records: self.records - before.records,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_started_again_counts_from_its_start() {
        assert!((grown(2.0, 5.0) - 3.0).abs() < 1e-9);
        assert!((grown(5.0, 2.0) - 2.0).abs() < 1e-9);
    }
}
