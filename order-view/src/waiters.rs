//! Readers that wait for a version of an order.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::OrderId;
use tokio::sync::Notify;

/// Who waits for which order. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Waiters {
    orders: Arc<Mutex<HashMap<OrderId, Arc<Notify>>>>,
}

/// One reader's place; given up when it is dropped.
#[derive(Debug)]
pub struct Place {
    waiters: Waiters,
    order: OrderId,
    change: Arc<Notify>,
}

impl Waiters {
    /// A place in front of `order`. Take it before looking, so that no change falls in between.
    #[must_use]
    pub fn wait_for(&self, order: OrderId) -> Place {
        let change = self.lock().entry(order).or_default().clone();
        Place {
            waiters: self.clone(),
            order,
            change,
        }
    }

    /// These orders have changed, and that is committed.
    pub fn wake(&self, orders: &[OrderId]) {
        let waiting = self.lock();
        if waiting.is_empty() {
            return;
        }
        for order in orders {
            if let Some(change) = waiting.get(order) {
                change.notify_waiters();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OrderId, Arc<Notify>>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The next change of the order. Ask for it before looking: changes count from then on.
    pub fn change(&self) -> tokio::sync::futures::Notified<'_> {
        self.change.notified()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut waiting = self.waiters.lock();
        // One of the two is the map's own.
        if Arc::strong_count(&self.change) == 2 {
            waiting.remove(&self.order);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(tail: u128) -> OrderId {
        OrderId::from(uuid::Uuid::from_u128(tail))
    }

    #[tokio::test]
    async fn a_change_between_asking_and_waiting_is_not_lost() {
        let waiters = Waiters::default();
        let place = waiters.wait_for(order(1));
        let change = place.change();
        waiters.wake(&[order(2), order(1)]);
        change.await;
    }

    #[test]
    fn nobody_is_remembered_who_has_left() {
        let waiters = Waiters::default();
        let (first, second) = (waiters.wait_for(order(1)), waiters.wait_for(order(1)));
        drop(first);
        assert_eq!(waiters.lock().len(), 1);
        drop(second);
        assert!(waiters.lock().is_empty());
    }
}
