//! What the Kafka client tells while it works: rebalances, errors, log lines.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use rdkafka::{
    ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, Rebalance},
    error::KafkaError,
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

    fn lost(&self) {
        self.up.store(false, Ordering::Relaxed);
    }
}

pub(super) struct Context {
    status: Arc<Status>,
    revoked: Mutex<Vec<(String, i32)>>,
}

impl Context {
    pub(super) const fn new(status: Arc<Status>) -> Self {
        Self {
            status,
            revoked: Mutex::new(Vec::new()),
        }
    }

    /// The partitions that were taken away since the last call.
    pub(super) fn take_revoked(&self) -> Vec<(String, i32)> {
        mem::take(&mut *self.revoked.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for Context {
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
            if self.status.is_up() {
                tracing::warn!(reason, "Kafka is away; waiting");
            }
            self.status.lost();
        } else {
            tracing::debug!(%error, reason, "Kafka client");
        }
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
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

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Error(error) = rebalance {
            tracing::warn!(%error, "rebalance failed");
            return;
        }
        self.status.heard();
        let count = consumer
            .assignment()
            .map_or(0, |assignment| assignment.count());
        self.status
            .partitions
            .store(i64::try_from(count).unwrap_or(i64::MAX), Ordering::Relaxed);
        tracing::info!(partitions = count, "assignment changed");
    }
}
