//! What makes a shard that waits look up.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Wakes one shard. Many wake-ups before it looks are one.
#[derive(Debug, Default)]
pub struct Wake {
    notify: Notify,
    rung: AtomicBool,
}

impl Wake {
    /// Something was committed in the shard's database.
    pub fn ring(&self) {
        self.rung.store(true, Ordering::Release);
        self.notify.notify_one();
    }

    /// Something else happened that the shard waits for.
    pub fn wake(&self) {
        self.notify.notify_one();
    }

    /// Whether the bell has rung since this was last asked.
    pub fn was_rung(&self) -> bool {
        self.rung.swap(false, Ordering::AcqRel)
    }

    /// Whether it has, without forgetting it.
    pub fn is_rung(&self) -> bool {
        self.rung.load(Ordering::Acquire)
    }

    /// Returns when it was woken, at once if that was before.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }
}
