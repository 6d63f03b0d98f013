//! The short way of a call from the transaction that opened it to the gateway.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::{domain::Secret, store::Row};

/// Calls that may wait in memory. What is beyond waits in the table until its claim lapses.
const CAPACITY: usize = 2_048;

/// A call that this instance has claimed.
#[derive(Debug, Clone)]
pub struct Job {
    /// The payment as it is in the table, with its call open.
    pub row: Row,
    /// The token of the card, where the call needs it.
    pub token: Option<Secret>,
    claimed: Instant,
}

impl Job {
    /// A call that was claimed just now.
    #[must_use]
    pub fn new(row: Row, token: Option<Secret>) -> Self {
        Self {
            row,
            token,
            claimed: Instant::now(),
        }
    }

    pub(super) fn waited(&self) -> Duration {
        self.claimed.elapsed()
    }
}

/// Where calls are handed over to a [`Worker`](super::Worker). Cheap to clone.
#[derive(Debug, Clone)]
pub struct Handoff {
    jobs: mpsc::Sender<Job>,
}

impl Handoff {
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (jobs, receiver) = mpsc::channel(CAPACITY);
        (Self { jobs }, receiver)
    }

    /// Hands a call over. Never waits and never fails: a call that finds no place is made when its claim lapses.
    pub fn give(&self, job: Job) {
        if self.jobs.try_send(job).is_err() {
            metrics::counter!("gateway_calls_left_total").increment(1);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }
}
