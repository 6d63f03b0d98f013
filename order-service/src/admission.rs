//! Lets new orders in ever more slowly the more are under way, and turns the rest away.
//!
//! To take an order costs a twentieth of carrying it through, so without this an overload piles up behind the door: every order
//! takes ever longer, until commands count as unanswered and are sent again, which makes it worse. Whoever is turned away knows
//! it at once, and comes back.
//!
//! The door is not open or closed: who lets in everybody below a limit and nobody above it hears of what he let in seconds later, and lets
//! in wave after wave. How many are let in a second is in proportion to the room that is left, as queues of routers drop in proportion
//! to their length (random early detection: Floyd and Jacobson, 1993), so it settles where as much comes in as is carried through.

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

/// Between two looks.
const EVERY: Duration = Duration::from_millis(250);
/// A look that takes longer is left to itself, as its connection may have fallen silent: the next one takes another.
const PATIENCE: Duration = Duration::from_secs(4);
/// In so long as much is let in as there is room. What is let in goes on to be work for some seconds, since people come to act upon
/// it: in half of this, waves did not die down.
const FILL: Duration = Duration::from_secs(2);
/// After so many looks without anybody who was turned away it counts as over, five seconds: nobody wants to read of every one.
const CALM: u32 = 20;
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

/// What is let in.
#[derive(Debug)]
struct Door {
    /// So many a second: a token bucket, which holds what comes between two looks.
    rate: f64,
    /// So many at once, as of then.
    tokens: f64,
    at: Instant,
    /// So many in all before the next look, however long that takes: the room that there was at the last one.
    left: f64,
    /// So many looks were begun, and what is known is of this one.
    looks: u64,
    known: u64,
    /// So many were let in, and are not written down yet, or are just about to be.
    entering: u32,
    /// So many were ever let in.
    admitted: u64,
    /// So many were turned away since the last look.
    refused: u32,
    /// So many looks ago somebody was, at most [`CALM`].
    calm: u32,
}

/// A look that was begun.
#[derive(Debug, Clone, Copy)]
struct Look {
    number: u64,
    /// So many were entering then, and had ever been let in. Who is written down during the look may be counted twice, and not never.
    entering: u32,
    admitted: u64,
}

/// The place of one who was let in, until it is given back.
#[derive(Debug)]
pub struct Place(Admission);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.door().entering -= 1;
    }
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
            rate: f64::INFINITY,
            tokens: f64::INFINITY,
            at: Instant::now(),
            left: f64::INFINITY,
            looks: 0,
            known: 0,
            entering: 0,
            admitted: 0,
            refused: 0,
            calm: CALM,
        }
    }
}

impl Door {
    /// Whether one more is let in at `now`.
    fn admit(&mut self, now: Instant) -> bool {
        self.fill(now);
        let admitted = self.tokens.min(self.left) >= 1.0;
        if admitted {
            self.tokens -= 1.0;
            self.left -= 1.0;
            self.entering += 1;
            self.admitted += 1;
        }
        admitted
    }

    const fn begin_look(&mut self) -> Look {
        self.looks += 1;
        Look {
            number: self.looks,
            entering: self.entering,
            admitted: self.admitted,
        }
    }

    /// Whether more is known than a look can tell that took longer than one after it. That nothing flows, which opens the door for everybody, is
    /// believed of the youngest only.
    const fn has_overtaken(&self, look: Look, flows: bool) -> bool {
        look.number < self.known || (!flows && look.number < self.looks)
    }

    /// Under way there are so many; nothing: whoever comes is let in.
    fn look(&mut self, look: Look, now: Instant, limit: u32, count: Option<u32>) -> Option<Change> {
        self.known = look.number;
        self.fill(now);
        let meanwhile = u32::try_from(self.admitted - look.admitted).unwrap_or(u32::MAX);
        self.left = count.map_or(f64::INFINITY, |count| {
            let taken = count
                .saturating_add(look.entering)
                .saturating_add(meanwhile);
            f64::from(limit.saturating_sub(taken))
        });
        let rate = self.left / FILL.as_secs_f64();
        if self.rate == 0.0 && rate > 0.0 {
            // Where the limit is small a whole token takes long.
            self.tokens = 1.0;
        }
        self.rate = rate;
        self.fill(now);
        let was_calm = self.calm == CALM;
        self.calm = match std::mem::take(&mut self.refused) {
            // At the limit nobody would be let in: that nobody came is no sign of calm.
            0 if self.rate > 0.0 => CALM.min(self.calm + 1),
            0 => self.calm,
            _ => 0,
        };
        match (was_calm, self.calm) {
            (true, 0) => Some(Change::TurnsAway),
            (false, CALM) => Some(Change::TakesAll),
            _ => None,
        }
    }

    fn fill(&mut self, now: Instant) {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        // One whole token fits in, or a small rate would let in nobody; at no rate at all none does.
        let most = match self.rate {
            0.0 => 0.0,
            rate => (rate * EVERY.as_secs_f64()).max(1.0),
        };
        self.tokens = if self.rate.is_finite() && self.tokens.is_finite() {
            (self.tokens + self.rate * since).min(most)
        } else {
            most
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn look(door: &mut Door, now: Instant, limit: u32, count: Option<u32>) -> Option<Change> {
        let look = door.begin_look();
        door.look(look, now, limit, count)
    }

    /// A moment, in milliseconds after the beginning.
    fn at(begin: Instant, milliseconds: u64) -> Instant {
        begin + Duration::from_millis(milliseconds)
    }

    #[test]
    fn the_less_room_there_is_the_fewer_are_let_in_a_second() {
        let begin = Instant::now();
        let admitted = [0, 400, 796, 800].map(|count| {
            let mut door = Door::default();
            look(&mut door, begin, 800, Some(count));
            (0..2_000).filter(|&ms| door.admit(at(begin, ms))).count()
        });
        assert_eq!(admitted, [800, 400, 4, 0]);
        let mut door = Door::default();
        look(&mut door, begin, 800, Some(400));
        let second = (0..1_000).filter(|&ms| door.admit(at(begin, ms)));
        let second = second.count();
        assert_eq!(
            second, 249,
            "with what a quarter of a second holds at first"
        );
    }

    #[test]
    fn a_look_that_takes_long_lets_in_no_fewer() {
        let begin = Instant::now();
        let mut door = Door::default();
        look(&mut door, begin, 800, Some(0));
        let late = (3_000..4_000).filter(|&ms| door.admit(at(begin, ms)));
        assert_eq!(late.count(), 499);
    }

    #[test]
    fn until_the_next_look_no_more_are_let_in_than_there_was_room_for() {
        let begin = Instant::now();
        let mut door = Door::default();
        look(&mut door, begin, 800, Some(300));
        let admitted = (0..60_000).filter(|&ms| door.admit(at(begin, ms)));
        assert_eq!(admitted.count(), 500);
    }

    #[test]
    fn a_look_is_overtaken_by_one_that_was_begun_later_and_is_known_and_not_by_one_that_is_still_out()
     {
        let begin = Instant::now();
        let mut door = Door::default();
        let [slow, quick, out] = [(); 3].map(|()| door.begin_look());
        door.look(quick, begin, 800, Some(800));
        assert!(door.has_overtaken(slow, true));
        assert!(!door.has_overtaken(out, true));
        assert!(!door.has_overtaken(out, false));
        door.begin_look();
        assert!(door.has_overtaken(out, false));
    }

    #[test]
    fn who_comes_in_during_a_look_takes_room_at_it() {
        let begin = Instant::now();
        let mut door = Door::default();
        let before = door.begin_look();
        assert!((0..800).all(|_| door.admit(begin)));
        door.entering = 0;
        door.look(before, begin, 800, Some(0));
        assert!(!door.admit(at(begin, 1_000)));
    }

    #[test]
    fn who_is_written_down_during_a_look_takes_room_at_it() {
        let begin = Instant::now();
        let mut door = Door::default();
        assert!((0..800).all(|_| door.admit(begin)));
        let before = door.begin_look();
        door.entering = 0;
        door.look(before, begin, 800, Some(0));
        assert!(!door.admit(at(begin, 1_000)));
    }

    #[test]
    fn who_is_not_written_down_yet_takes_room_too() {
        let begin = Instant::now();
        let mut door = Door::default();
        for _ in 0..800 {
            assert!(door.admit(begin));
        }
        look(&mut door, begin, 800, Some(0));
        assert!(!door.admit(at(begin, 1_000)));
    }

    #[test]
    fn where_nothing_flows_everybody_is_let_in_and_from_then_on_by_the_room() {
        let begin = Instant::now();
        let mut door = Door::default();
        look(&mut door, begin, 800, None);
        assert!((0..5_000).all(|_| door.admit(begin)));
        door.entering = 0;
        look(&mut door, begin, 800, Some(400));
        assert_eq!((0..5_000).filter(|_| door.admit(begin)).count(), 50);
    }

    /// By how many orders what is under way swings at last, when twice as much comes as is carried through: an order is half of its work when
    /// it comes, and the other half three seconds later, when a cook is done with it.
    fn swing(look: impl Fn(&mut Door, Instant, u32)) -> u32 {
        const BORNE: u32 = 100;
        let (begin, mut door) = (Instant::now(), Door::default());
        let (mut under_way, mut back, mut counts) = (0_u32, [0_u32; 12], Vec::new());
        for quarter in 0..400_u64 {
            let now = at(begin, quarter * 250);
            look(&mut door, now, under_way);
            let mut came = 0;
            for order in 0..100 {
                if door.admit(now + Duration::from_micros(2_500 * order)) {
                    (door.entering, came) = (0, came + 1);
                }
            }
            let again = &mut back[usize::try_from(quarter % 12).unwrap()];
            under_way = (under_way + came + std::mem::replace(again, came)).saturating_sub(BORNE);
            counts.push(under_way);
        }
        let settled = &counts[200..];
        settled.iter().max().unwrap() - settled.iter().min().unwrap()
    }

    #[test]
    fn an_overload_is_borne_evenly() {
        let evenly = swing(|door, now, count| {
            look(door, now, 1_000, Some(count));
        });
        // A door that is open or closed.
        let in_waves = swing(|door, now, count| {
            look(
                door,
                now,
                1_000_000,
                Some(if count < 600 { 0 } else { 1_000_000 }),
            );
        });
        assert!(evenly * 5 < in_waves, "{evenly}, {in_waves}");
    }

    #[test]
    fn operators_are_told_when_it_begins_and_when_it_is_over_and_not_of_everyone() {
        let begin = Instant::now();
        let mut door = Door::default();
        let mut told = Vec::new();
        for (quarter, count) in (0..).zip([0, 8, 8, 0, 8].into_iter().chain([8; 30]).chain([0; 30]))
        {
            let now = at(begin, quarter * 250);
            told.extend(look(&mut door, now, 8, Some(count)));
            if quarter < 5 && !door.admit(now) {
                door.refused += 1;
            }
            door.entering = 0;
        }
        // At the limit it is not over, although nobody comes.
        assert_eq!(told, [Change::TurnsAway, Change::TakesAll]);
    }
}
