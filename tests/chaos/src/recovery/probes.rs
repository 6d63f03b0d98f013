//! A stream of orders that shows, to some milliseconds, since when orders move on.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::from_str;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use visitor::client::{Client, ORDERS, Request, VIEW};

use crate::intention::Basket;
use crate::ledger::Placed;
use crate::reading::Sight;
use crate::world::World;

/// More orders under way than this, and no new ones come: else a standstill would end in a flood.
const MOST_UNDER_WAY: usize = 40;
/// None of so many orders lies in a given half of the partitions: once in four thousand blows.
const VOLLEY: usize = 12;
const RETRY: Duration = Duration::from_millis(20);
/// So many of the youngest tell what is usual.
const USUAL: usize = 20;
const SETTLES: Duration = Duration::from_secs(60);
/// An order shows this version when it is PREPARING.
const PREPARING: i64 = 7;

/// One order of the stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Probe {
    /// When it was first asked for.
    pub(super) asked: Instant,
    /// When the view showed the version that was of interest when it was asked for.
    pub(super) moved: Option<Instant>,
    /// When the view showed it PREPARING.
    pub(super) through: Option<Instant>,
}

impl Probe {
    /// How long it needed.
    pub(super) fn took(&self) -> Option<Duration> {
        Some(self.through? - self.asked)
    }
}

/// The stream.
#[derive(Debug)]
pub(super) struct Probes {
    shared: Shared,
    stream: JoinHandle<()>,
}

/// Orders that were asked for at once. Dropped, they are not followed any further.
#[derive(Debug)]
pub(super) struct Volley {
    list: Arc<Mutex<Vec<Probe>>>,
    numbers: Vec<usize>,
    _under_way: JoinSet<()>,
}

#[derive(Debug, Clone)]
struct Shared {
    client: Client,
    run: Arc<str>,
    body: Arc<str>,
    /// The version that is of interest.
    goal: Arc<AtomicI64>,
    list: Arc<Mutex<Vec<Probe>>>,
}

impl Probes {
    /// Orders come from now on.
    pub(super) fn begin(client: &Client, world: &World, every: Duration) -> Self {
        let shared = Shared {
            client: client.clone(),
            run: world.name.as_str().into(),
            body: world.order(Basket::Good, 1).into(),
            goal: Arc::new(AtomicI64::new(PREPARING)),
            list: Arc::default(),
        };
        let stream = tokio::spawn(shared.clone().stream(every));
        Self { shared, stream }
    }

    /// How long orders need when nobody is struck: the median, and the slowest. A machine that is busy with other things is
    /// given a minute to come to rest, until none needs longer than `calm`.
    pub(super) async fn usual(&self, calm: Duration) -> (Duration, Duration) {
        let begin = Instant::now();
        loop {
            sleep(RETRY).await;
            let list = self.since(begin);
            let ended = list.iter().rev().filter_map(Probe::took).take(USUAL);
            let mut took: Vec<Duration> = ended.collect();
            took.sort();
            if let (USUAL, Some(&middle), Some(&slowest)) =
                (took.len(), took.get(USUAL / 2), took.last())
                && (slowest <= calm || begin.elapsed() > SETTLES)
            {
                return (middle, slowest);
            }
        }
    }

    /// Which version is of interest, for orders that are asked for from now on.
    pub(super) fn aim(&self, version: i64) {
        self.shared.goal.store(version, Ordering::Relaxed);
    }

    /// Those that were asked for since.
    pub(super) fn since(&self, moment: Instant) -> Vec<Probe> {
        let list = self
            .shared
            .list
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let first = list.partition_point(|probe| probe.asked < moment);
        list[first..].to_vec()
    }

    /// Many orders at once, now: over all partitions, so that some need whoever was struck.
    pub(super) fn volley(&self) -> Volley {
        let numbers: Vec<usize> = (0..VOLLEY).map(|_| self.shared.enlist()).collect();
        let mut under_way = JoinSet::new();
        for &number in &numbers {
            under_way.spawn(self.shared.clone().order(number));
        }
        Volley {
            list: Arc::clone(&self.shared.list),
            numbers,
            _under_way: under_way,
        }
    }

    /// How many there were so far.
    pub(super) fn count(&self) -> usize {
        self.shared
            .list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// No more orders.
    pub(super) async fn end(self) {
        self.stream.abort();
        let _ = self.stream.await;
    }
}

impl Shared {
    async fn stream(self, every: Duration) {
        let mut under_way = JoinSet::new();
        let mut clock = interval(every);
        clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            clock.tick().await;
            while under_way.try_join_next().is_some() {}
            if under_way.len() < MOST_UNDER_WAY {
                under_way.spawn(self.clone().order(self.enlist()));
            }
        }
    }

    /// An order that is asked for now; its number.
    fn enlist(&self) -> usize {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.push(Probe {
            asked: Instant::now(),
            moved: None,
            through: None,
        });
        list.len() - 1
    }

    /// Places an order and follows it until it is PREPARING.
    async fn order(self, number: usize) {
        let goal = self.goal.load(Ordering::Relaxed);
        let key = format!("{}-probe-{number}", self.run);
        let Some(id) = place(&self.client, &self.body, &key).await else {
            return;
        };
        shown(&self.client, &id, goal).await;
        self.note(number, |probe| probe.moved = Some(Instant::now()));
        shown(&self.client, &id, PREPARING.max(goal)).await;
        self.note(number, |probe| probe.through = Some(Instant::now()));
    }

    fn note(&self, number: usize, change: impl FnOnce(&mut Probe)) {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.get_mut(number).map(change);
    }
}

impl Volley {
    /// When the last of them had moved on, if all have.
    pub(super) fn moved(&self) -> Option<Instant> {
        let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        let moved = self.numbers.iter().map(|&number| list.get(number)?.moved);
        moved.collect::<Option<Vec<_>>>()?.into_iter().max()
    }
}

/// Places an order, again and again until it is taken; its id.
pub(super) async fn place(client: &Client, body: &str, key: &str) -> Option<String> {
    let request = Request::keyed(ORDERS, "/orders", body, key);
    let mut turn = 0;
    loop {
        match client.send(turn, &request).await {
            Some(answer) if answer.status == 201 => {
                return Some(from_str::<Placed>(&answer.body).ok()?.order_id.to_string());
            }
            _ => sleep(RETRY).await,
        }
        turn += 1;
    }
}

/// Returns when the view shows at least this version.
pub(super) async fn shown(client: &Client, id: &str, version: i64) {
    let path = format!("/orders/{id}?atLeast={version}");
    let request = Request::get(VIEW, &path);
    loop {
        let answer = client
            .send(0, &request)
            .await
            .filter(|answer| answer.status == 200);
        let sight = answer.and_then(|answer| from_str::<Sight>(&answer.body).ok());
        if sight.is_some_and(|sight| sight.version >= version) {
            return;
        }
        sleep(RETRY).await;
    }
}
