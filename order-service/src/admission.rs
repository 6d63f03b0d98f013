//! Lets new orders in ever more slowly the more are under way, and turns the rest away.
//!
//! To take an order costs a twentieth of carrying it through, so without this an overload piles up behind the door: every order
//! takes ever longer, until commands count as unanswered and are sent again, which makes it worse. Whoever is turned away knows
//! it at once, and comes back.
//!
//! The door is not open or closed: who lets in everybody below a limit and nobody above it hears of what he let in seconds later, and lets
//! in wave after wave. How many are let in a second is in proportion to the room that is left, as queues of routers drop in proportion
//! to their length (random early detection: Floyd and Jacobson, 1993), so it settles where as much comes in as is carried through.

mod door;

use std::{
    convert::Infallible,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use messaging::{Store, consumer};
use saga_postgres::under_way;
use service::Problem;
use tokio_util::sync::CancellationToken;

use door::{Change, Door, EVERY};

/// A look that takes longer is left to itself, as its connection may have fallen silent: the next one takes another.
const PATIENCE: Duration = Duration::from_secs(4);
/// An order whose command is not answered for longer is not counted: who does not answer it is away, or has parked it, and shall not hold up
/// everybody else. It should be longer than what is under way in an overload (three fifths of the limit) takes, or more is let in to a queue
/// before one participant than that participant bears; and it is less than the patience with a first answer.
const MOVING: Duration = Duration::from_secs(5);
/// When to come back, in seconds: some of what is under way is done by then. Not the same for all, or they would come back at once.
const RETRY_AFTER: RangeInclusive<u64> = 1..=3;

/// How much is taken on.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Limit {
    /// While so many orders await a participant's answer no new one is taken (503), and before that each instance takes half of what is
    /// missing to it in a second, and an eighth of it at once. Orders that wait for a cook or a courier do not count, nor those whose participant has been
    /// silent for five seconds, and while Kafka is away every order is taken.
    #[arg(long, env = "ORDERS_UNDER_WAY", default_value_t = Self::default().orders_under_way,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub orders_under_way: u32,
}

impl Default for Limit {
    /// Five seconds of what a small machine gets through: with two missing to it as much is let in as is carried through, and the three
    /// under way are less than any participant's patience.
    fn default() -> Self {
        Self {
            orders_under_way: 1_000,
        }
    }
}

/// The door: whether new orders are taken. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    door: Arc<Mutex<Door>>,
}

/// The place of one who was let in, until it is given back.
#[derive(Debug)]
pub struct Place(Admission);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.door().entering -= 1;
    }
}

impl Admission {
    /// The place of a new order, to be kept until it is written down; none, if it is to be turned away with a [`refusal`](Self::refusal).
    #[must_use]
    pub fn admit(&self) -> Option<Place> {
        self.door()
            .admit(Instant::now())
            .then(|| Place(self.clone()))
    }

    /// The answer to who is turned away: 503, too many are under way.
    #[must_use]
    pub fn refusal(&self) -> Problem {
        self.door().refused += 1;
        metrics::counter!("orders_turned_away_total").increment(1);
        let detail = "too many orders are under way: this one was not taken; come again, with the same Idempotency-Key";
        let after = Duration::from_secs(ambient::any_of(RETRY_AFTER));
        Problem::unavailable(detail, after)
    }

    /// Looks once at `now`, and says how many are let in from then on. `flows`: whether there is anybody to carry orders
    /// through; where there is not, what is taken now is what flows later.
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
        let limit = limit.orders_under_way;
        let look = self.door().begin_look();
        let count = under_way(store.db(), limit, now - MOVING).await?;
        let change = {
            let mut door = self.door();
            if door.has_overtaken(look, flows) {
                return Ok(());
            }
            door.look(look, Instant::now(), limit, flows.then_some(count))
        };
        metrics::gauge!("orders_under_way").set(count);
        match change {
            Some(Change::TurnsAway) => tracing::warn!(limit, count, "new orders are turned away"),
            Some(Change::TakesAll) => {
                tracing::info!(limit, count, "new orders are all taken again");
            }
            None => {}
        }
        Ok(())
    }

    fn door(&self) -> MutexGuard<'_, Door> {
        self.door.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks again and again until `shutdown`. A database that is away is waited for; meanwhile as many are let in a second as before, and no
    /// more than there was room for at the last look.
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
            let look = tokio::spawn({
                let (admission, store, flows) = (self.clone(), store.clone(), kafka.is_up());
                async move { admission.look(&store, limit, flows, ambient::now()).await }
            });
            match tokio::time::timeout(PATIENCE, look).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(error))) => {
                    tracing::debug!(%error, "how many orders are under way is not known");
                }
                Ok(Err(_)) | Err(_) => {
                    tracing::warn!("nobody answers how many orders are under way");
                }
            }
            let pause = tokio::time::sleep(EVERY);
            if shutdown.run_until_cancelled(pause).await.is_none() {
                return Ok(());
            }
        }
    }
}
