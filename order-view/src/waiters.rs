//! Readers that wait for a version of an order.
//!
//! What this instance folds wakes its readers at once. What another instance has written is found by looking, for all readers
//! together: however many wait, the database is asked one question at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use contracts::OrderId;
use sea_orm::DatabaseConnection;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::store;

/// How soon a version is seen that another instance of this service has written.
const PACE: Duration = Duration::from_millis(25);

/// Who waits for which order. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Waiters {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The highest version that was heard of, for orders that are waited for.
    orders: Mutex<HashMap<OrderId, watch::Sender<i64>>>,
    arrival: Notify,
}

/// One reader's place; given up when it is dropped.
#[derive(Debug)]
pub struct Place {
    waiters: Waiters,
    order: OrderId,
    version: watch::Receiver<i64>,
}

impl Waiters {
    /// A place in front of `order`. Take it before looking, so that no change falls in between.
    #[must_use]
    pub fn wait_for(&self, order: OrderId) -> Place {
        let mut orders = self.orders();
        let version = orders.entry(order).or_default().subscribe();
        drop(orders);
        self.shared.arrival.notify_one();
        Place {
            waiters: self.clone(),
            order,
            version,
        }
    }

    /// These orders have these versions, and that is committed.
    pub fn wake(&self, orders: impl IntoIterator<Item = (OrderId, i64)>) {
        let waiting = self.orders();
        if waiting.is_empty() {
            return;
        }
        for (order, version) in orders {
            if let Some(known) = waiting.get(&order) {
                known.send_if_modified(|known| {
                    let higher = version > *known;
                    *known = version.max(*known);
                    higher
                });
            }
        }
    }

    /// Looks for what other instances have written, as long as anybody waits, until `shutdown`.
    pub async fn watch(self, db: DatabaseConnection, shutdown: CancellationToken) {
        let watching = async {
            loop {
                if self.orders().is_empty() {
                    self.shared.arrival.notified().await;
                }
                tokio::time::sleep(PACE).await;
                let orders: Vec<OrderId> = self.orders().keys().copied().collect();
                if orders.is_empty() {
                    continue;
                }
                // In a task of its own: a query must not be dropped half-way.
                let look = tokio::spawn({
                    let db = db.clone();
                    async move { store::versions(&db, &orders).await }
                });
                match look.await {
                    Ok(Ok(versions)) => self.wake(versions),
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "waiting readers are not told of other instances");
                    }
                    Err(_) => {}
                }
            }
        };
        let _: Option<()> = shutdown.run_until_cancelled(watching).await;
    }

    fn orders(&self) -> MutexGuard<'_, HashMap<OrderId, watch::Sender<i64>>> {
        let orders = &self.shared.orders;
        orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Returns when the order has reached `version`, at once if it was heard to have since this place was taken.
    pub async fn reaches(&mut self, version: i64) {
        // It cannot be closed: a place keeps its order in the map.
        let _ = self.version.wait_for(|known| *known >= version).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.waiters.orders();
        let last = |known: &watch::Sender<i64>| known.receiver_count() == 1;
        if waiting.get(&self.order).is_some_and(last) {
            waiting.remove(&self.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn order(tail: u128) -> OrderId {
        OrderId::from(uuid::Uuid::from_u128(tail))
    }

    #[tokio::test]
    async fn a_change_between_taking_the_place_and_waiting_is_not_lost() {
        let waiters = Waiters::default();
        let mut place = waiters.wait_for(order(1));
        waiters.wake([(order(2), 9), (order(1), 3)]);
        place.reaches(3).await;
    }

    #[tokio::test]
    async fn a_reader_is_not_woken_before_his_version() {
        let waiters = Waiters::default();
        let (mut early, mut late) = (waiters.wait_for(order(1)), waiters.wait_for(order(1)));
        waiters.wake([(order(1), 2)]);
        assert!(early.reaches(2).now_or_never().is_some());
        assert!(late.reaches(3).now_or_never().is_none());
        waiters.wake([(order(1), 1), (order(1), 4)]);
        assert!(late.reaches(3).now_or_never().is_some());
    }

    #[test]
    fn nobody_is_remembered_who_has_left() {
        let waiters = Waiters::default();
        let (first, second) = (waiters.wait_for(order(1)), waiters.wait_for(order(1)));
        drop(first);
        assert_eq!(waiters.orders().len(), 1);
        drop(second);
        assert!(waiters.orders().is_empty());
    }
}
