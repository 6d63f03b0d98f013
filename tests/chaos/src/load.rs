//! Load: a new order every so often, whether or not the ones before it move on. Open loop: what stands still is seen.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use contracts::{Machine, OrderId};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout_at};
use visitor::client::{Answer, Client, Request, VIEW};
use visitor::violation::Violation;

use crate::intention::intention;
use crate::ledger::Account;
use crate::pulse::Pulse;
use crate::reading::{Reading, Sight};
use crate::story::Story;
use crate::world::World;

/// More orders under way than this, and no new ones come: a client with patience, and a program with bounded memory.
const MOST_UNDER_WAY: usize = 500;
/// How often a reader reads.
const READ: Duration = Duration::from_millis(100);

/// All orders of a run.
#[derive(Debug)]
pub(crate) struct Load {
    pub(crate) client: Client,
    pub(crate) world: World,
    pub(crate) seed: u64,
    pub(crate) pulse: Arc<Pulse>,
    pub(crate) stories: Mutex<Vec<Story>>,
}

/// How many orders there are, and how many of them have ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) orders: usize,
    pub(crate) ended: usize,
}

impl Load {
    /// Places orders at this rate (per second) until `end`, and returns the stories that go on.
    pub(crate) async fn place(&self, rate: f64, end: Instant) -> JoinSet<()> {
        let mut under_way = JoinSet::new();
        let mut clock = interval(Duration::from_secs_f64(1.0 / rate));
        clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for number in 0.. {
            if timeout_at(end, clock.tick()).await.is_err() {
                break;
            }
            while under_way.try_join_next().is_some() {}
            if under_way.len() < MOST_UNDER_WAY {
                under_way.spawn(self.begin(number).live());
            }
        }
        under_way
    }

    fn begin(&self, number: u64) -> Story {
        let intention = intention(self.seed, number);
        let body = self.world.order(intention.basket, intention.quantity);
        let key = format!("{}-{number}", self.world.name);
        let account = Account::new(intention, key, body);
        let story = Story {
            client: self.client.clone(),
            pulse: Arc::clone(&self.pulse),
            account: Arc::new(Mutex::new(account)),
        };
        let mut stories = self.stories.lock().unwrap_or_else(PoisonError::into_inner);
        stories.push(story.clone());
        story
    }

    /// All stories so far.
    pub(crate) fn stories(&self) -> Vec<Story> {
        self.stories
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The orders that their clients were told of.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        let stories = self.stories();
        let placed = stories.iter().filter_map(|story| {
            let account = story.account();
            account.placed.as_ref().map(|(id, _)| id.to_string())
        });
        placed.collect()
    }

    pub(crate) fn count(&self) -> Count {
        let stories = self.stories();
        let ended = |story: &&Story| {
            story
                .account()
                .reading
                .state()
                .is_some_and(Machine::is_final)
        };
        Count {
            orders: stories.len(),
            ended: stories.iter().filter(ended).count(),
        }
    }

    /// Reads orders over and over, as one reader who compares everything with what he has seen before; now and then he
    /// wants at least the version that he has seen. Returns at `end` what was wrong.
    pub(crate) async fn read(&self, number: u64, end: Instant) -> Vec<Violation> {
        let mut dice = fastrand::Rng::with_seed(self.seed ^ number);
        let mut readings: Vec<Reading> = Vec::new();
        let mut violations = Vec::new();
        while Instant::now() < end {
            sleep(READ).await;
            let stories = self.stories();
            readings.resize(stories.len(), Reading::default());
            // Mostly young ones: those move.
            let back = dice.usize(..=stories.len().min(100))
                + if dice.u32(..10) == 0 {
                    dice.usize(..=stories.len())
                } else {
                    0
                };
            let index = stories.len().saturating_sub(back);
            let Some(id) = stories
                .get(index)
                .and_then(|story| Some(story.account().placed.as_ref()?.0))
            else {
                continue;
            };
            if let Err(what) = self.look(id, &mut readings[index], dice.bool()).await {
                violations.push(Violation::of(id, format!("reader {number}: {what}")));
            }
        }
        violations
    }

    async fn look(&self, id: OrderId, reading: &mut Reading, fresh: bool) -> Result<(), String> {
        let floor = reading.version();
        let at_least = if fresh { floor } else { 0 };
        let path = match at_least {
            0 => format!("/orders/{id}"),
            _ => format!("/orders/{id}?atLeast={at_least}"),
        };
        match self.client.send(0, &Request::get(VIEW, &path)).await {
            Some(Answer { status: 200, body }) => {
                let sight: Sight =
                    serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
                reading.see(sight, floor, at_least)
            }
            Some(Answer { status: 404, .. }) => Reading::miss(floor),
            // The version that it has shown already cannot be one that has not arrived.
            Some(Answer { status: 503, body }) if body.contains("is at version") => Err(format!(
                "asked for version {at_least}, which was seen before: {body}"
            )),
            _ => Ok(()),
        }
    }
}
