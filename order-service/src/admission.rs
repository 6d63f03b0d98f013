//! Turns new orders away while more are under way than can be carried through in time.
//!
//! To take an order costs a twentieth of carrying it through, so without this an overload piles up behind the door: every order
//! takes ever longer, until commands count as unanswered and are sent again, which makes it worse. Whoever is turned away knows
//! it at once, and comes back.

use std::{
    convert::Infallible,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use messaging::{Store, consumer};
use saga_postgres::under_way;
use service::Problem;
use tokio_util::sync::CancellationToken;

/// Between two looks. Orders that come in between may exceed the limit.
const EVERY: Duration = Duration::from_millis(250);
/// An order whose command is not answered for longer is not counted: who does not answer it is away, or has parked it, and holds up
/// nobody else. Longer than the limit takes to get through, or a queue before one participant would never close the door; and less than
/// a participant's patience.
const MOVING: Duration = Duration::from_secs(5);
/// When to come back, in seconds: some of what is under way is done by then. Not the same for all, or they would come back at once.
const RETRY_AFTER: RangeInclusive<u64> = 1..=3;

/// How much is taken on.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Limit {
    /// New orders are turned away (503) while so many orders await a participant's answer. Orders that wait for a cook or a courier
    /// do not count, nor those whose participant has been silent for five seconds, and while Kafka is away every order is taken.
    #[arg(long, env = "ORDERS_UNDER_WAY", default_value_t = Self::default().orders_under_way,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub orders_under_way: u32,
}

impl Default for Limit {
    /// Some seconds of what a small machine gets through: less than any participant's patience, and so little that people
    /// seldom come before their order does.
    fn default() -> Self {
        Self {
            orders_under_way: 800,
        }
    }
}

impl Limit {
    /// From how many orders on the door is closed. Once it is, a tenth of them has to be done before it opens: with one bound for
    /// both it would flap.
    const fn bound(self, closed: bool) -> u32 {
        if closed {
            (self.orders_under_way * 9).div_ceil(10)
        } else {
            self.orders_under_way
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
        let after = Duration::from_secs(ambient::any_of(RETRY_AFTER));
        Err(Problem::unavailable(detail, after))
    }

    /// Looks once at `now`, and opens or closes the door. `flows`: whether there is anybody to carry orders through; where there is not,
    /// what is taken now is what flows later.
    ///
    /// # Errors
    /// The database's.
    pub async fn look(
        &self,
        store: &Store,
        limit: Limit,
        flows: bool,
        now: DateTime<Utc>,
    ) -> Result<(), sea_orm::DbErr> {
        let count = under_way(store.db(), limit.orders_under_way, now - MOVING).await?;
        metrics::gauge!("orders_under_way").set(count);
        let was_closed = self.closed.load(Ordering::Relaxed);
        let closed = flows && count >= limit.bound(was_closed);
        self.closed.store(closed, Ordering::Relaxed);
        let limit = limit.orders_under_way;
        match (was_closed, closed) {
            (false, true) => tracing::warn!(limit, "new orders are turned away"),
            (true, false) => tracing::info!(limit, "new orders are taken again"),
            _ => {}
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
            if let Err(error) = self
                .look(&store, limit, kafka.is_up(), ambient::now())
                .await
            {
                tracing::debug!(%error, "how many orders are under way is not known");
            }
            let pause = tokio::time::sleep(EVERY);
            if shutdown.run_until_cancelled(pause).await.is_none() {
                return Ok(());
            }
        }
    }
}
