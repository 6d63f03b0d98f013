//! Lets new orders in ever more slowly the more are under way, and turns the rest away.
//!
//! To take an order costs a twentieth of carrying it through, so without this an overload piles up behind the door: every order
//! takes ever longer, until commands count as unanswered and are sent again, which makes it worse. Whoever is turned away knows
//! it at once, and comes back.
//!
//! The door is not open or closed: who lets in everybody below a limit and nobody above it hears of what he let in seconds later, and lets
//! in wave after wave. What is let in is in proportion to the room that is left, as queues of routers drop in proportion to
//! their length (random early detection: Floyd and Jacobson, 1993), so it settles where as much comes in as is carried through.

use std::{
    convert::Infallible,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use messaging::{Store, consumer};
use saga_postgres::under_way;
use service::Problem;
use tokio_util::sync::CancellationToken;

/// Between two looks.
const EVERY: Duration = Duration::from_millis(250);
/// From one look to the next this part of the room may be filled: so it takes two seconds to fill it. What is let in now goes on to
/// be work for some seconds, since people come to act upon it: half as long sufficed for waves that did not die down.
const PART: u32 = 8;
/// After so many looks without anybody who was turned away it counts as over, five seconds: nobody wants to read of every one.
const CALM: u32 = 20;
/// An order whose command is not answered for longer is not counted: who does not answer it is away, or has parked it, and shall not hold up
/// everybody else. It should be longer than the limit takes to get through, or a queue before one participant lets in more than that
/// participant bears; and it is less than the patience with a first answer.
const MOVING: Duration = Duration::from_secs(5);
/// When to come back, in seconds: some of what is under way is done by then. Not the same for all, or they would come back at once.
const RETRY_AFTER: RangeInclusive<u64> = 1..=3;

/// How much is taken on.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct Limit {
    /// While so many orders await a participant's answer no new one is taken (503), and before that no more a second than half of
    /// what is missing to it. Orders that wait for a cook or a courier do not count, nor those whose participant has been silent for
    /// five seconds, and while Kafka is away every order is taken.
    #[arg(long, env = "ORDERS_UNDER_WAY", default_value_t = Self::default().orders_under_way,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub orders_under_way: u32,
}

impl Default for Limit {
    /// Six seconds of what a small machine gets through: with two missing to it as much is let in as is carried through, and the four
    /// under way are less than any participant's patience.
    fn default() -> Self {
        Self {
            orders_under_way: 1_200,
        }
    }
}

/// The door: whether new orders are taken. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Admission {
    door: Arc<Mutex<Door>>,
}

/// What is let in until the next look.
#[derive(Debug)]
struct Door {
    /// So many more.
    room: u32,
    /// So many were turned away since the last look.
    refused: u32,
    /// So many looks ago somebody was, at most [`CALM`].
    calm: u32,
}

/// What operators are told.
#[derive(Debug, PartialEq, Eq)]
enum Change {
    TurnsAway,
    TakesAll,
}

impl Default for Door {
    /// Everybody is let in until it is known how many are under way.
    fn default() -> Self {
        Self {
            room: u32::MAX,
            refused: 0,
            calm: CALM,
        }
    }
}

impl Door {
    /// Whether one more is let in.
    const fn admit(&mut self) -> bool {
        let admitted = self.room > 0;
        if admitted {
            self.room -= 1;
        } else {
            self.refused += 1;
        }
        admitted
    }

    /// There is room for so many more orders in all.
    fn look(&mut self, room: u32) -> Option<Change> {
        self.room = room.div_ceil(PART);
        let was_calm = self.calm == CALM;
        self.calm = match std::mem::take(&mut self.refused) {
            0 => CALM.min(self.calm + 1),
            _ => 0,
        };
        match (was_calm, self.calm) {
            (true, 0) => Some(Change::TurnsAway),
            (false, CALM) => Some(Change::TakesAll),
            _ => None,
        }
    }
}

impl Admission {
    /// Whether a new order is taken.
    ///
    /// # Errors
    /// 503: too many are under way.
    pub fn admit(&self) -> Result<(), Problem> {
        if self.door().admit() {
            return Ok(());
        }
        metrics::counter!("orders_turned_away_total").increment(1);
        let detail = "too many orders are under way: this one was not taken; come again, with the same Idempotency-Key";
        let after = Duration::from_secs(ambient::any_of(RETRY_AFTER));
        Err(Problem::unavailable(detail, after))
    }

    /// Looks once at `now`, and says how many are let in until the next look. `flows`: whether there is anybody to carry orders
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
        let count = under_way(store.db(), limit, now - MOVING).await?;
        metrics::gauge!("orders_under_way").set(count);
        let room = if flows {
            limit.saturating_sub(count)
        } else {
            u32::MAX
        };
        match self.door().look(room) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_less_room_there_is_the_fewer_are_let_in() {
        let mut door = Door::default();
        let admitted = [800, 400, 3, 0].map(|room| {
            door.look(room);
            (0..1_000).filter(|_| door.admit()).count()
        });
        assert_eq!(admitted, [100, 50, 1, 0]);
    }

    /// Twice as many come as are carried through, and each comes back for its second half after three seconds, as orders do that wait
    /// for a cook.
    #[test]
    fn an_overload_is_borne_evenly() {
        const LIMIT: u32 = 1_200;
        const BORNE: u32 = 100;
        let (mut door, mut under_way, mut back) = (Door::default(), 0_u32, [0_u32; 12]);
        let mut counts = Vec::new();
        for look in 0..400 {
            door.look(LIMIT.saturating_sub(under_way));
            let came = (0..100).filter(|_| door.admit()).count() as u32;
            let again = std::mem::replace(&mut back[look % 12], 0);
            under_way += came + again;
            let done = BORNE.min(under_way);
            under_way -= done;
            back[look % 12] = came;
            counts.push(under_way);
        }
        let settled = &counts[200..];
        let (least, most) = (settled.iter().min().unwrap(), settled.iter().max().unwrap());
        assert!(
            most - least < 50 && (700..LIMIT).contains(most),
            "{least} to {most}"
        );
    }

    #[test]
    fn operators_are_told_when_it_begins_and_when_it_is_over_and_not_of_everyone() {
        let mut door = Door::default();
        let mut told = Vec::new();
        for room in [8, 0, 0, 8, 0].into_iter().chain([8; 30]) {
            told.extend(door.look(room));
            door.admit();
        }
        assert_eq!(told, [Change::TurnsAway, Change::TakesAll]);
    }
}
