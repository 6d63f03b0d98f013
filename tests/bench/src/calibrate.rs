//! What this machine can do at best: the disk, Postgres and Kafka alone, in the same run as everything that is compared with it.

mod disk;
pub(crate) mod kafka;
mod postgres;

use serde::Serialize;

use crate::costs::usage::Usage;
use crate::plan::{Plan, seconds};
use crate::quantiles::Quantiles;
use crate::site::Site;

/// Rates at which Kafka alone is timed, in messages per second.
pub(crate) const RATES: [u32; 2] = [500, 2_000];

/// What the machine can do. Times in milliseconds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Calibration {
    /// fsync of a page that was written, for information.
    pub(crate) fsync: Quantiles,
    /// A commit of one row by one client: F is its p50.
    pub(crate) commit: Quantiles,
    /// Such commits per second: C1.
    pub(crate) commits_of_1: f64,
    /// The same of 16 clients: C16.
    pub(crate) commits_of_16: f64,
    /// Kafka alone from produce to consume: K is its p50, K99 its p99.
    pub(crate) kafka: Vec<Alone>,
    /// Percent of all processors that others had.
    pub(crate) others: f64,
}

/// Kafka alone at a rate.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Alone {
    /// Records per second.
    pub(crate) per_second: u32,
    /// From produce to consume, in milliseconds.
    pub(crate) times: Quantiles,
}

impl Calibration {
    /// F, in milliseconds.
    pub(crate) const fn f(&self) -> f64 {
        self.commit.p50
    }

    /// Kafka alone at a rate; at the nearest one that was measured.
    pub(crate) fn kafka_at(&self, rate: f64) -> Quantiles {
        let distance = |alone: &&Alone| (f64::from(alone.per_second) - rate).abs();
        let nearest = self
            .kafka
            .iter()
            .min_by(|one, other| distance(one).total_cmp(&distance(other)));
        nearest.map(|alone| alone.times).unwrap_or_default()
    }

    /// The stricter of two for whatever is compared with it: of each limit the one that allows less. (Of the latencies only p50 and
    /// p99 are limits.)
    pub(crate) fn stricter(&self, other: &Self) -> Self {
        let quicker = |one: Quantiles, other: Quantiles| Quantiles {
            p50: one.p50.min(other.p50),
            p99: one.p99.min(other.p99),
            ..one
        };
        let kafka = self.kafka.iter().map(|alone| Alone {
            times: quicker(alone.times, other.kafka_at(f64::from(alone.per_second))),
            ..*alone
        });
        Self {
            fsync: quicker(self.fsync, other.fsync),
            commit: quicker(self.commit, other.commit),
            commits_of_1: self.commits_of_1.max(other.commits_of_1),
            commits_of_16: self.commits_of_16.max(other.commits_of_16),
            kafka: kafka.collect(),
            others: self.others.max(other.others),
        }
    }

    /// F + K, in milliseconds, with K at a rate.
    pub(crate) fn f_and_k(&self, rate: f64) -> f64 {
        self.f() + self.kafka_at(rate).p50
    }
}

/// Uses Kafka until its code is compiled: a JVM that has just been started takes several times as long for everything, and no
/// limit that it sets then is one an hour later.
///
/// # Errors
/// The broker's.
pub(crate) async fn warm_up(site: &Site, plan: &Plan) -> anyhow::Result<()> {
    let [.., rate] = RATES;
    kafka::alone(site.topics.brokers(), rate, seconds(plan.warm)).await?;
    Ok(())
}

/// Measures all of it.
///
/// # Errors
/// One of them does not answer.
pub(crate) async fn measure(site: &Site, plan: &Plan) -> anyhow::Result<Calibration> {
    let (length, before) = (seconds(plan.calibrate), Usage::look(&site.platform));
    site.settle().await?;
    let fsync = disk::fsync(length)?;
    let table = postgres::Table::make(site).await?;
    let (commit, commits_of_1) = table.commits(1, length).await?;
    let (_, commits_of_16) = table.commits(16, length).await?;
    table.drop().await?;
    site.settle().await?;
    let mut kafka = Vec::new();
    for per_second in RATES {
        let times = kafka::alone(site.topics.brokers(), per_second, seconds(plan.kafka)).await?;
        kafka.push(Alone { per_second, times });
    }
    Ok(Calibration {
        fsync,
        commit,
        commits_of_1,
        commits_of_16,
        kafka,
        others: Usage::look(&site.platform).others(&before),
    })
}

/// Calibrations for tests.
#[cfg(test)]
pub(crate) mod examples {
    use super::*;

    pub(crate) fn times(p50: f64, p99: f64) -> Quantiles {
        Quantiles {
            p50,
            p99,
            ..Quantiles::default()
        }
    }

    pub(crate) fn calibration(f: f64, commits_of_16: f64, kafka: Quantiles) -> Calibration {
        Calibration {
            fsync: Quantiles::default(),
            commit: times(f, 1.0),
            commits_of_1: commits_of_16 / 8.0,
            commits_of_16,
            kafka: vec![Alone {
                per_second: 500,
                times: kafka,
            }],
            others: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::examples::{calibration, times};

    #[test]
    fn of_two_calibrations_each_limit_is_the_one_that_allows_less() {
        let before = calibration(0.3, 16_000.0, times(0.5, 4.0));
        let after = calibration(0.4, 20_000.0, times(0.6, 2.0));
        let limits = before.stricter(&after);
        let (f, c1, c16) = (limits.f(), limits.commits_of_1, limits.commits_of_16);
        assert_eq!((f, c1, c16), (0.3, 2_500.0, 20_000.0));
        assert_eq!(limits.kafka_at(500.0), times(0.5, 2.0));
    }
}
