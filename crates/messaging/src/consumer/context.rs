//! What the Kafka client tells while it works: rebalances, errors, log lines.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    },
};

use rdkafka::{
    ClientContext, Statistics,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance},
    error::KafkaError,
    statistics::ConsumerGroup,
    types::RDKafkaErrorCode,
};

/// What a consumer knows of Kafka. Readiness does not depend on it, but tells it.
#[derive(Debug, Default)]
pub struct Status {
    up: AtomicBool,
    partitions: AtomicI64,
}

impl Status {
    /// Whether Kafka answered when it was last heard of.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    /// How many partitions this process consumes.
    #[must_use]
    pub fn partitions(&self) -> i64 {
        self.partitions.load(Ordering::Relaxed)
    }

    pub(super) fn heard(&self) {
        self.up.store(true, Ordering::Relaxed);
    }

    pub(super) fn lost(&self, reason: &str) {
        if self.up.swap(false, Ordering::Relaxed) {
            tracing::warn!(reason, "Kafka is away; waiting");
        }
    }
}

/// So many reports in a row may say that a partition is not fetched before the client counts as hanging. It takes one or
/// two in good health: while offsets are asked for, and after a rebalance.
const PATIENCE: u32 = 3;

pub(super) struct Context {
    status: Arc<Status>,
    revoked: Mutex<Vec<(String, i32)>>,
    broken: AtomicBool,
    idle_reports: AtomicU32,
}

impl Context {
    pub(super) const fn new(status: Arc<Status>) -> Self {
        Self {
            status,
            revoked: Mutex::new(Vec::new()),
            broken: AtomicBool::new(false),
            idle_reports: AtomicU32::new(0),
        }
    }

    /// Whether this client has to be replaced: it has lost its group, or does not fetch what is assigned to it.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// This client has to be replaced.
    pub(super) fn breaks(&self, reason: &str) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "the Kafka client is replaced");
        }
    }

    /// The partitions that were taken away since the last call.
    pub(super) fn take_revoked(&self) -> Vec<(String, i32)> {
        mem::take(&mut *self.revoked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether the client is a settled member of its group and nevertheless does not fetch a partition of its own.
fn is_idle(statistics: &Statistics) -> bool {
    let steady = |group: &ConsumerGroup| group.join_state == "steady";
    let mut partitions = statistics
        .topics
        .values()
        .flat_map(|topic| topic.partitions.values());
    statistics.cgrp.as_ref().is_some_and(steady)
        && partitions.any(|partition| partition.desired && partition.fetch_state != "active")
}

impl ClientContext for Context {
    fn stats(&self, statistics: Statistics) {
        let idle = self.status.is_up() && is_idle(&statistics);
        if !idle {
            self.idle_reports.store(0, Ordering::Relaxed);
        } else if self.idle_reports.fetch_add(1, Ordering::Relaxed) + 1 >= PATIENCE {
            self.breaks("it does not fetch what is assigned to it");
        }
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                tracing::error!(facility, "{message}");
            }
            // An unreachable broker repeats itself on the levels below; `error` says it once.
            _ => tracing::debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.status.lost(reason);
        } else {
            tracing::debug!(%error, reason, "Kafka client");
        }
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            if consumer.assignment_lost() {
                self.breaks("the group has gone on without it");
            }
            let elements = partitions.elements();
            let names = elements
                .iter()
                .map(|element| (element.topic().to_owned(), element.partition()));
            self.revoked
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend(names);
            // Not waited for: this runs on the thread that serves everything else, and what is lost here comes again
            // and is known.
            if let Err(error) = consumer.commit_consumer_state(CommitMode::Async) {
                tracing::debug!(%error, "nothing to commit before the rebalance");
            }
        }
    }

    fn post_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        // The client is not asked what it has: while it closes, nobody answers, and the question is asked for ever.
        let count = match rebalance {
            Rebalance::Assign(all) => all.count(),
            Rebalance::Revoke(_) => 0,
            Rebalance::Error(error) => {
                tracing::warn!(%error, "rebalance failed");
                return;
            }
        };
        if self.is_broken() {
            // Its successor speaks now.
            return;
        }
        self.status.heard();
        self.status
            .partitions
            .store(i64::try_from(count).unwrap_or(i64::MAX), Ordering::Relaxed);
        tracing::info!(partitions = count, "assignment changed");
    }
}
