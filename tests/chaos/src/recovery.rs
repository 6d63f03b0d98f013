//! How soon orders move on after each kind of kill, measured from outside: what a client sees who places orders and
//! reads the view.
//!
//! An order counts only if it was asked for *after* the blow, so that it needs what was struck; which of its steps needs
//! that is the kind's [`kind::Goal`]. Where an equal of the victim goes on beside it, the first order that moves on may
//! never have needed the victim: there, the *slowest* of twelve that were asked for right after the blow counts.

pub(crate) mod kind;
mod probes;
mod trial;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep_until};
use visitor::client::{Client, DELIVERY, KITCHEN, Request};
use visitor::platform::Platform;

use crate::world::World;
use kind::Kind;
use probes::Probes;
use trial::Bench;

/// A process that lived shorter is started again with a delay, by its supervisor.
const HEALTHY: Duration = Duration::from_millis(10_500);

/// An order that needs no longer than this is not held up; on a machine that is slower than that, one that needs no
/// longer than twice what is usual.
pub(crate) const CALM: Duration = Duration::from_secs(1);

/// One blow, in seconds since it. `None`: not seen within the trial's patience.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Times {
    /// The victim's successor is ready; a server answers. `None` for a victim that stays away.
    pub(crate) up: Option<f64>,
    /// The first order has moved on.
    pub(crate) first: Option<f64>,
    /// The last of the orders that were asked for at once, right after the blow, has moved on.
    pub(crate) all: Option<f64>,
}

/// What all blows showed.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recovery {
    /// Seconds that an order needs until it is PREPARING when nobody is struck: the median, and the slowest.
    pub(crate) usual: f64,
    pub(crate) usual_at_most: f64,
    pub(crate) kinds: Vec<Measured>,
}

/// A kind of blow, and what was measured.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Measured {
    pub(crate) kind: Kind,
    pub(crate) trials: Vec<Times>,
}

/// Strikes `rounds` times by each kind, and measures. `told` hears what comes next.
pub(crate) async fn measure(
    platform: &Platform,
    client: &Client,
    world: &World,
    settings: Settings<'_>,
    mut told: impl FnMut(&str),
) -> anyhow::Result<Recovery> {
    let probes = Probes::begin(client, world, settings.every);
    let (usual, slowest) = probes.usual(CALM).await;
    told(&format!(
        "an order needs {usual:.2?} until it is PREPARING, {slowest:.2?} at most"
    ));
    let bench = Bench {
        platform,
        client,
        world,
        probes: &probes,
        calm: CALM.max(slowest * 2),
    };
    let mut measured: Vec<Measured> = kind::all(platform)
        .into_iter()
        .filter(|kind| kind.title.contains(settings.only))
        .map(|kind| Measured {
            kind,
            trials: Vec::new(),
        })
        .collect();
    let mut healthy: BTreeMap<String, Instant> = BTreeMap::new();
    for round in 1..=settings.rounds {
        for one in &mut measured {
            let victim = trial::victim(platform, client, &one.kind).await?;
            if let Some(moment) = healthy.get(&victim) {
                sleep_until(*moment).await;
            }
            told(&format!(
                "round {round} of {}: {}",
                settings.rounds, one.kind.title
            ));
            let times = trial::strike(bench, &one.kind, &victim).await?;
            one.trials.push(times);
            healthy.insert(victim, Instant::now() + HEALTHY);
            work_off(client).await;
        }
    }
    probes.end().await;
    Ok(Recovery {
        usual: usual.as_secs_f64(),
        usual_at_most: slowest.as_secs_f64(),
        kinds: measured,
    })
}

/// How to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings<'a> {
    /// How often each kind is measured.
    pub(crate) rounds: u32,
    /// Only kinds whose title has this in it.
    pub(crate) only: &'a str,
    /// From one probing order to the next.
    pub(crate) every: Duration,
}

/// Cook and courier do all that is due right now.
pub(crate) async fn work_off(client: &Client) -> bool {
    let mut changed = false;
    for (service, path) in [
        (KITCHEN, "/kitchen/ready"),
        (DELIVERY, "/delivery/pickedup"),
        (DELIVERY, "/delivery/complete"),
    ] {
        let answer = client.send(0, &Request::post(service, path, "")).await;
        changed |= answer.is_none_or(|answer| answer.status != 200 || !answer.body.contains("[]"));
    }
    changed
}
