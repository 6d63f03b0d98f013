//! What all parts of a run share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use order_service::domain::Order;
use saga::Definition;

use crate::load::Http;
use crate::plan::Plan;
use crate::site::Site;
use crate::world::World;

/// A run, as it goes.
pub(crate) struct Bench {
    pub(crate) site: Site,
    pub(crate) http: Http,
    pub(crate) world: Arc<World>,
    pub(crate) plan: Plan,
    /// The saga that the orders go through.
    pub(crate) definition: Definition<Order>,
    /// The version with which the view shows an order PREPARING.
    pub(crate) preparing: i64,
    pub(crate) seed: AtomicU64,
}

impl Bench {
    /// A seed for the next load: of no other one in this run, so that no key is used twice.
    pub(crate) fn next_seed(&self) -> u64 {
        self.seed.fetch_add(1, Ordering::Relaxed)
    }
}
