//! What the relay tells about its shards: to operators at `GET /sources`, and as metrics.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use serde::Serialize;
use utoipa::ToSchema;

/// What a relay is to a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Role {
    /// It publishes the shard's messages.
    Owner,
    /// Another one does; this one takes over when that one is gone.
    Standby,
    /// It cannot reach the database.
    Away,
}

/// A shard as this relay sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Shard {
    /// The service whose outbox it is.
    pub source: String,
    /// Its number in that outbox.
    pub shard: i16,
    /// What this relay is to it.
    pub role: Role,
    /// The relay that holds the lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// How often the lease changed hands.
    pub epoch: i64,
    /// The highest id that was published.
    pub position: i64,
    /// Ids below it whose transactions have not ended, as far as is known.
    pub holes: u64,
    /// Rows that are known to wait for Kafka. 0 where this relay is not the owner.
    pub backlog: u64,
    /// Messages that this process has published.
    pub published: u64,
    /// Why it does not go on, where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// A shard's status, written by the task that serves the shard.
#[derive(Debug)]
pub struct Status {
    state: Mutex<Shard>,
    published: AtomicU64,
    meters: Meters,
}

#[derive(Debug)]
struct Meters {
    published: Counter,
    batch: Histogram,
    acknowledged: Histogram,
    backlog: Gauge,
    holes: Gauge,
    oldest_hole: Gauge,
    owned: Gauge,
    truncated: Counter,
    lost: Counter,
}

impl Meters {
    fn new(source: &str, shard: i16) -> Self {
        let labels = [("source", source.to_owned()), ("shard", shard.to_string())];
        Self {
            published: counter!("relay_published_total", &labels),
            batch: histogram!("relay_batch_size", &labels),
            acknowledged: histogram!("relay_acknowledged_seconds", &labels),
            backlog: gauge!("relay_backlog_rows", &labels),
            holes: gauge!("relay_open_holes", &labels),
            oldest_hole: gauge!("relay_oldest_hole_seconds", &labels),
            owned: gauge!("relay_lease_owned", &labels),
            truncated: counter!("relay_truncations_total", &labels),
            lost: counter!("relay_leases_lost_total", &labels),
        }
    }
}

impl Status {
    /// The status of a shard that was not reached yet.
    #[must_use]
    pub fn new(source: &str, shard: i16) -> Arc<Self> {
        let state = Shard {
            source: source.to_owned(),
            shard,
            role: Role::Away,
            owner: None,
            epoch: 0,
            position: 0,
            holes: 0,
            backlog: 0,
            published: 0,
            problem: None,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            published: AtomicU64::new(0),
            meters: Meters::new(source, shard),
        })
    }

    /// How it is now.
    #[must_use]
    pub fn now(&self) -> Shard {
        let mut shard = self
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        shard.published = self.published.load(Ordering::Relaxed);
        shard
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Shard)) {
        let mut shard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut shard);
        self.meters
            .owned
            .set(if shard.role == Role::Owner { 1.0 } else { 0.0 });
        #[expect(
            clippy::cast_precision_loss,
            reason = "a gauge is a float, and exact up to 2^53"
        )]
        {
            self.meters.backlog.set(shard.backlog as f64);
            self.meters.holes.set(shard.holes as f64);
        }
    }

    pub(crate) fn landed(&self, rows: usize, after: std::time::Duration) {
        let count = u64::try_from(rows).unwrap_or(u64::MAX);
        self.published.fetch_add(count, Ordering::Relaxed);
        self.meters.published.increment(count);
        #[expect(clippy::cast_precision_loss, reason = "a batch is small")]
        self.meters.batch.record(rows as f64);
        self.meters.acknowledged.record(after);
    }

    pub(crate) fn oldest_hole(&self, age: std::time::Duration) {
        self.meters.oldest_hole.set(age);
    }

    pub(crate) fn truncated(&self) {
        self.meters.truncated.increment(1);
    }

    pub(crate) fn lost(&self) {
        self.meters.lost.increment(1);
    }
}

/// All shards of this relay.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<Vec<Arc<Status>>>>);

impl Board {
    /// Puts a shard on it.
    pub fn add(&self, status: Arc<Status>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(status);
    }

    /// Every shard as it is now, by source and number.
    #[must_use]
    pub fn shards(&self) -> Vec<Shard> {
        let statuses = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut shards: Vec<_> = statuses.iter().map(|status| status.now()).collect();
        shards.sort_by(|a, b| (&a.source, a.shard).cmp(&(&b.source, b.shard)));
        shards
    }
}
