//! One order and the people around it: who orders, who cooks, who delivers. Each does his own part, for this order alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use contracts::OrderState;
use fastrand::Rng;
use serde::Deserialize;
use tokio::time::{sleep, sleep_until};

use super::Offer;
use super::http::{Answer, Connections, Door, Http};
use super::pacer::Arrival;
use super::tally::Tally;
use crate::world::World;

/// How long a courier takes for each of his ways.
pub(crate) const COURIER: Duration = Duration::from_secs(1);

/// How people go about an order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Habits {
    /// How long cooking takes, from the 201 on.
    pub(crate) cooking: Duration,
    /// How long a courier takes for each of his ways.
    pub(crate) courier: Duration,
    /// When somebody asks again whose turn it is not yet.
    pub(crate) again: Duration,
    /// How often he asks at most.
    pub(crate) tries: u32,
    /// The version with which the view shows an order PREPARING, and that every so many orders ask for it.
    pub(crate) watch: Option<(i64, u64)>,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            cooking: Duration::from_secs(2),
            courier: COURIER,
            again: Duration::from_millis(250),
            tries: 240,
            watch: None,
        }
    }
}

/// What somebody does to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Ready,
    PickUp,
    Deliver,
}

/// What a run of load is made of.
pub(super) struct People {
    pub(super) http: Http,
    /// The generator is one thread: its connections are its own.
    pub(super) connections: Connections,
    pub(super) world: Arc<World>,
    pub(super) offer: Offer,
    pub(super) tally: Arc<Tally>,
}

/// How an order is shown by the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Seen {
    pub(crate) version: i64,
    pub(crate) state: OrderState,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Placed<'a> {
    order_id: &'a str,
}

impl Act {
    pub(crate) const ALL: [Self; 3] = [Self::Ready, Self::PickUp, Self::Deliver];

    /// Where it is asked for.
    pub(crate) fn door(self, http: &Http) -> &Door {
        match self {
            Self::Ready => &http.ready,
            Self::PickUp => &http.picked_up,
            Self::Deliver => &http.complete,
        }
    }
}

/// The order's whole life, as far as people make it.
pub(super) async fn live(people: Arc<People>, arrival: Arrival) {
    let Offer { seed, habits, .. } = people.offer;
    let mut dice = Rng::with_seed(seed ^ arrival.number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let body = people.world.order(&mut dice);
    let key = format!("{}-{seed}-{}", people.world.name, arrival.number);
    people.tally.arrives(arrival.due.elapsed());
    let answer = place(&people, body, &key).await;
    let Some(id) = people.tally.placed(arrival.due.elapsed(), answer.as_ref()) else {
        return;
    };
    let placed = Instant::now();
    let watched = habits
        .watch
        .filter(|(_, every)| arrival.number.is_multiple_of(*every));
    let watching = async {
        if let Some((version, _)) = watched {
            let seen = watch(&people, &id, version).await;
            people.tally.watched(seen.then(|| arrival.due.elapsed()));
        }
    };
    let acting = async {
        match act(&people, &id, placed + habits.cooking).await {
            true => people.tally.finishes(),
            false => people.tally.gives_up(),
        }
    };
    tokio::join!(watching, acting);
}

/// What is done for it, from the cook to the customer's door; says whether all of it was.
async fn act(people: &People, id: &str, cooked: Instant) -> bool {
    let mut due = cooked;
    for act in Act::ALL {
        sleep_until(due.into()).await;
        if !insist(people, act, id, due).await {
            return false;
        }
        due = Instant::now() + people.offer.habits.courier;
    }
    true
}

/// Places the order. 409 says that the same request is under way: its connection broke, and whoever was at it has not ended.
async fn place(people: &People, body: String, key: &str) -> Option<Answer> {
    let (habits, door) = (&people.offer.habits, &people.http.orders);
    let mut answer = people.connections.post(door, body.clone(), Some(key)).await;
    for _ in 0..habits.tries {
        if answer.as_ref().is_none_or(|answer| answer.status != 409) {
            break;
        }
        sleep(habits.again).await;
        answer = people.connections.post(door, body.clone(), Some(key)).await;
    }
    answer
}

/// Asks until it is done; says whether it is.
async fn insist(people: &People, act: Act, id: &str, due: Instant) -> bool {
    let (habits, door) = (&people.offer.habits, act.door(&people.http));
    for _ in 0..habits.tries {
        let body = format!(r#"{{"orderId":"{id}"}}"#);
        let answer = people.connections.post(door, body, None).await;
        match answer.map(|answer| answer.status) {
            Some(200) => {
                people.tally.acted(due.elapsed());
                return true;
            }
            status => people.tally.asks_again(status),
        }
        sleep(habits.again).await;
    }
    false
}

/// Whether the view shows the order PREPARING, or further, within its patience and ours.
async fn watch(people: &People, id: &str, version: i64) -> bool {
    let view = &people.http.view;
    for _ in 0..5 {
        match people.connections.order(view, id, version).await {
            Some(Answer { status: 200, body }) => {
                return serde_json::from_slice::<Seen>(&body)
                    .is_ok_and(|seen| seen.version >= version);
            }
            // Not there in time: ask again.
            _ => sleep(Duration::from_millis(100)).await,
        }
    }
    false
}

/// The id in the answer to `POST /orders`.
pub(crate) fn id(body: &[u8]) -> Option<String> {
    let placed: Placed<'_> = serde_json::from_slice(body).ok()?;
    Some(placed.order_id.to_owned())
}
