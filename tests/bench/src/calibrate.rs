//! What this machine can do at best: the disk, Postgres and Kafka alone, in the same run as everything that is compared with it.

mod disk;
pub(crate) mod kafka;
mod postgres;

use serde::Serialize;

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
    let length = seconds(plan.calibrate);
    let fsync = disk::fsync(length)?;
    let table = postgres::Table::make(site).await?;
    let (commit, commits_of_1) = table.commits(1, length).await?;
    let (_, commits_of_16) = table.commits(16, length).await?;
    table.drop().await?;
    let mut kafka = Vec::new();
    for per_second in RATES {
        let times = kafka::alone(site.topics.brokers(), per_second, length).await?;
        kafka.push(Alone { per_second, times });
    }
    Ok(Calibration {
        fsync,
        commit,
        commits_of_1,
        commits_of_16,
        kafka,
    })
}
