//! One blow, and what is seen after it.

use std::time::Duration;

use anyhow::{Context, bail};
use native::Process;
use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};
use visitor::client::{Client, DELIVERY, KITCHEN, ORDERS, RELAY, Request};
use visitor::platform::Platform;

use super::Times;
use super::kind::{Blow, Goal, Kind, Victim};
use super::probes::{Probe, Probes, Volley, place, shown};
use crate::intention::Basket;
use crate::pause::Pause;
use crate::world::World;

/// After this nobody waits any longer: it counts as never.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many orders in a row that needed no longer than usual are calm.
const CALM_ORDERS: usize = 5;
const LOOK: Duration = Duration::from_millis(5);
/// Versions of an order: it is READY, it is PICKEDUP.
const READY: i64 = 10;
const PICKEDUP: i64 = 12;

/// What a trial is made with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bench<'a> {
    pub(super) platform: &'a Platform,
    pub(super) client: &'a Client,
    pub(super) world: &'a World,
    pub(super) probes: &'a Probes,
    /// How long an order may need that is not held up.
    pub(super) calm: Duration,
}

/// Strikes the process of this name, and measures until everything flows again; then everybody is let go on, and it
/// returns when all is calm.
pub(super) async fn strike(bench: Bench<'_>, kind: &Kind, name: &str) -> anyhow::Result<Times> {
    let Bench {
        platform,
        client,
        probes,
        ..
    } = bench;
    let mut held = Vec::new();
    if kind.alone {
        for equal in platform.instances(platform.member(name)?.service()) {
            if equal.name != name {
                held.push(Pause::of(&alive(platform, &equal.name)?)?);
            }
        }
    }
    if let Goal::Version(version) = kind.goal {
        probes.aim(version);
    }
    calm(bench, held.is_empty()).await?;
    let shelved = match kind.goal {
        Goal::PickedUp => Some(shelve(bench).await?),
        Goal::Version(_) => None,
    };
    let victim = alive(platform, name)?;

    let struck = Instant::now();
    match kind.blow {
        Blow::Kill => victim.signal(Signal::SIGKILL),
        Blow::KillForGood => {
            held.push(Pause::of_one(&platform.supervisor()?)?);
            victim.signal(Signal::SIGKILL);
        }
        Blow::Stop => held.push(Pause::of(&victim)?),
    }
    let volley = probes.volley();
    let up = async {
        if kind.blow != Blow::Kill {
            return None;
        }
        back(platform, name, &victim, struck).await
    };
    let moved = async {
        match &shelved {
            Some(order) => (picked_up(client, order, struck).await, None),
            None => tokio::join!(first(probes, struck), all(&volley, struck)),
        }
    };
    let (up, (first, all)) = tokio::join!(up, moved);
    drop(held);
    calm(bench, true).await?;
    Ok(Times { up, first, all })
}

/// Who is struck.
pub(super) async fn victim(
    platform: &Platform,
    client: &Client,
    kind: &Kind,
) -> anyhow::Result<String> {
    let Victim::RelayAtWork = kind.victim else {
        let Victim::Named(name) = &kind.victim else {
            bail!("nobody is struck")
        };
        return Ok(name.clone());
    };
    platform.all_ready(PATIENCE).await?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        for (turn, relay) in platform.instances(RELAY).into_iter().enumerate() {
            let answer = client.send(turn, &Request::get(RELAY, "/sources")).await;
            let sources: Value = answer
                .and_then(|answer| serde_json::from_str(&answer.body).ok())
                .unwrap_or_default();
            if at_work(&sources) {
                return Ok(relay.name.clone());
            }
        }
        sleep(LOOK * 20).await;
    }
    bail!("no relay publishes what order-service says")
}

/// Whether this relay's own word is that it publishes the outbox of order-service.
fn at_work(sources: &Value) -> bool {
    sources
        .as_array()
        .into_iter()
        .flatten()
        .any(|shard| shard["source"] == ORDERS && shard["role"] == "OWNER")
}

fn alive(platform: &Platform, name: &str) -> anyhow::Result<Process> {
    platform
        .process(name)
        .with_context(|| format!("{name} does not live"))
}

/// Waits until everybody is ready and orders need no longer than they do on quiet days.
async fn calm(bench: Bench<'_>, everybody: bool) -> anyhow::Result<()> {
    let Bench {
        platform,
        probes,
        calm,
        ..
    } = bench;
    if everybody {
        platform.all_ready(PATIENCE).await?;
        platform.all_at_work(PATIENCE).await?;
    }
    let (begin, deadline) = (Instant::now(), Instant::now() + PATIENCE);
    loop {
        let through = probes.since(begin);
        let quick = |probe: &&Probe| probe.took().is_some_and(|took| took <= calm);
        // The youngest are still under way.
        let done = through
            .iter()
            .rev()
            .skip_while(|probe| probe.through.is_none());
        if done.take_while(quick).count() >= CALM_ORDERS {
            return Ok(());
        }
        if Instant::now() > deadline {
            let took = through.iter().map(Probe::took);
            let took: Vec<String> = took
                .map(|took| took.map_or("-".to_owned(), |took| format!("{took:.1?}")))
                .collect();
            bail!(
                "orders need more than {calm:.1?}, for {PATIENCE:?}, although nobody is struck: {}",
                took.join(" ")
            );
        }
        sleep(LOOK * 10).await;
    }
}

/// When the victim's successor is ready, in seconds since the blow.
async fn back(platform: &Platform, name: &str, victim: &Process, struck: Instant) -> Option<f64> {
    let ready = platform.back(name, victim);
    timeout(PATIENCE, ready).await.ok()?.ok()?;
    Some(struck.elapsed().as_secs_f64())
}

/// When the first order that was asked for since has moved on.
async fn first(probes: &Probes, struck: Instant) -> Option<f64> {
    while struck.elapsed() < PATIENCE {
        let moved = probes
            .since(struck)
            .iter()
            .filter_map(|probe| probe.moved)
            .min();
        if let Some(moved) = moved {
            return Some((moved - struck).as_secs_f64());
        }
        sleep(LOOK).await;
    }
    None
}

/// When the last of the volley has moved on.
async fn all(volley: &Volley, struck: Instant) -> Option<f64> {
    while struck.elapsed() < PATIENCE {
        if let Some(moved) = volley.moved() {
            return Some((moved - struck).as_secs_f64());
        }
        sleep(LOOK).await;
    }
    None
}

/// An order that waits for a courier.
async fn shelve(bench: Bench<'_>) -> anyhow::Result<String> {
    let Bench {
        client,
        world,
        probes,
        ..
    } = bench;
    let waiting = async {
        let body = world.order(Basket::Good, 2);
        let key = format!("{}-shelf-{}", world.name, probes.count());
        let id = place(client, &body, &key)
            .await
            .context("an order that cannot be read")?;
        shown(client, &id, 7).await;
        act(client, KITCHEN, "/kitchen/ready", &id).await;
        shown(client, &id, READY).await;
        anyhow::Ok(id)
    };
    timeout(PATIENCE, waiting)
        .await
        .context("an order did not become READY")?
}

/// When the courier who asks from now on has the order, and the view shows that.
async fn picked_up(client: &Client, order: &str, struck: Instant) -> Option<f64> {
    let moved = async {
        act(client, DELIVERY, "/delivery/pickedup", order).await;
        shown(client, order, PICKEDUP).await;
    };
    timeout(PATIENCE, moved).await.ok()?;
    Some(struck.elapsed().as_secs_f64())
}

async fn act(client: &Client, service: &str, path: &str, order: &str) {
    let body = format!(r#"{{"orderId":"{order}"}}"#);
    let request = Request::post(service, path, &body);
    let mut turn = 0;
    while client
        .send(turn, &request)
        .await
        .is_none_or(|answer| answer.status != 200)
    {
        sleep(LOOK * 2).await;
        turn += 1;
    }
}
