//! A batch that is under way to Kafka: counted down by the delivery reports, without a future per message.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use crate::wake::Wake;

/// Counts the messages of one batch that Kafka has not acknowledged.
#[derive(Debug)]
pub struct Flight {
    /// Messages under way, and one more until the batch is complete.
    pending: AtomicUsize,
    failed: AtomicBool,
    wake: Arc<Wake>,
}

impl Flight {
    /// A batch that is still being handed over. `wake` is woken when all of it has been reported on.
    #[must_use]
    pub fn new(wake: Arc<Wake>) -> Arc<Self> {
        Arc::new(Self {
            pending: AtomicUsize::new(1),
            failed: AtomicBool::new(false),
            wake,
        })
    }

    /// One more message is under way. Must be called before it is.
    pub(crate) fn add(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// A message was acknowledged, or was not taken in the first place, or the batch is complete.
    pub(crate) fn settle(&self) {
        if self.pending.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.wake.wake();
        }
    }

    /// A message was given up: it may be in Kafka, or not.
    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
        self.settle();
    }

    /// No more messages will be added.
    pub fn complete(&self) {
        self.settle();
    }

    /// Whether Kafka has acknowledged all of it.
    #[must_use]
    pub fn has_landed(&self) -> bool {
        self.pending.load(Ordering::Acquire) == 0 && !self.failed.load(Ordering::Acquire)
    }

    /// Whether a message of it was given up.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}
