//! New ids, from a counter: ascending as the real ones, and the same in every repetition of a run.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use messaging::Stamp;
use uuid::Uuid;

use crate::agenda::Moment;

/// The counter behind all ids of a run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ids(Arc<AtomicU64>);

impl Ids {
    pub(crate) fn fresh(&self) -> Uuid {
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        // The head ascends; the tail decides about the partition, and is scattered.
        Uuid::from_u64_pair(number, number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// The stamp of a decision at `now`.
    pub(crate) fn stamp(&self, now: Moment) -> Stamp {
        let ids = self.clone();
        Stamp::new(now.time(), move || ids.fresh())
    }
}
