//! Turns new orders away while more are under way than can be carried through in time.
//!
//! To take an order costs a twentieth of carrying it through, so without this an overload piles up behind the door: every order
//! takes ever longer, until commands count as unanswered and are sent again, which makes it worse. Whoever is turned away knows
//! it at once, and comes back.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use messaging::{Store, consumer};
use saga_postgres::under_way;
use service::Problem;
use tokio_util::sync::CancellationToken;

/// Between two looks. Orders that come in between may exceed the limit.
const EVERY: Duration = Duration::from_millis(250);
/// An order whose command is not answered for longer is not counted: who does not answer it is away, or has parked it, and holds up
/// nobody else. Where all are queueing, they queue for less: the limit is some three seconds' work, of a dozen steps each.
const MOVING: Duration = Duration::from_secs(3);
/// When to come back: some of what is under way is done by then.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How much is taken on.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Limit {
    /// New orders are turned away (503) while so many orders await a participant's answer. Orders that wait for a cook or a courier
    /// do not count, nor those whose participant has been silent for three seconds, and while Kafka is away every order is taken.
    #[arg(long, env = "ORDERS_UNDER_WAY", default_value_t = Self::default().orders_under_way,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub orders_under_way: u32,
}

impl Default for Limit {
    /// Some seconds of what a small machine gets through: less than any participant's patience, and so little that people
    /// seldom come before their order does.
    fn default() -> Self {
        Self {
            orders_under_way: 500,
        }
    }
}

/// The door: whether new orders are taken. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    closed: Arc<AtomicBool>,
}

impl Admission {
    /// Whether a new order is taken.
    ///
    /// # Errors
    /// 503: too many are under way.
    pub fn admit(&self) -> Result<(), Problem> {
        if !self.closed.load(Ordering::Relaxed) {
            return Ok(());
        }
        metrics::counter!("orders_turned_away_total").increment(1);
        let detail = "too many orders are under way: this one was not taken; come again, with the same Idempotency-Key";
        Err(Problem::unavailable(detail, RETRY_AFTER))
    }

    /// Looks once, and opens or closes the door. `flows`: whether there is anybody to carry orders through; where there is not,
    /// what is taken now is what flows later.
    ///
    /// # Errors
    /// The database's.
    pub async fn look(
        &self,
        store: &Store,
        limit: Limit,
        flows: bool,
    ) -> Result<(), sea_orm::DbErr> {
        let count = under_way(store.db(), limit.orders_under_way, MOVING).await?;
        metrics::gauge!("orders_under_way").set(count);
        let closed = flows && count >= limit.orders_under_way;
        if self.closed.swap(closed, Ordering::Relaxed) != closed {
            tracing::warn!(closed, limit = limit.orders_under_way, "orders under way");
        }
        Ok(())
    }

    /// Looks again and again until `shutdown`. A database that is away is waited for.
    ///
    /// # Errors
    /// Never.
    pub async fn watch(
        self,
        store: Store,
        limit: Limit,
        kafka: Arc<consumer::Status>,
        shutdown: CancellationToken,
    ) -> Result<(), Infallible> {
        loop {
            if let Err(error) = self.look(&store, limit, kafka.is_up()).await {
                tracing::debug!(%error, "how many orders are under way is not known");
            }
            let pause = tokio::time::sleep(EVERY);
            if shutdown.run_until_cancelled(pause).await.is_none() {
                return Ok(());
            }
        }
    }
}
