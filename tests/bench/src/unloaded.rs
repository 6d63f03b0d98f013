//! One order at a time on a platform that does nothing else: how long until the view shows it PREPARING.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use contracts::OrderState;
use fastrand::Rng;
use serde::Serialize;
use tokio::time::sleep;
use visitor::client::PAYMENTS;
use visitor::console::Progress;
use visitor::platform::Platform;

use crate::bench::Bench;
use crate::costs::usage::Usage;
use crate::load::{Act, Answer, Connections, Seen, id};
use crate::metrics::{self, Histogram};
use crate::quantiles::{Latencies, Quantiles};

/// How many orders open connections and fill caches before that.
const WARM_UP: u64 = 20;
/// How long one order may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// When somebody asks again whose turn it is not yet.
const AGAIN: Duration = Duration::from_millis(10);
/// Between two orders.
const PAUSE: Duration = Duration::from_millis(20);

/// What one order takes alone, in milliseconds.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Unloaded {
    /// From sending `POST /orders` to the 201.
    pub(crate) post: Quantiles,
    /// From sending `POST /orders` until the view's answer shows it PREPARING.
    pub(crate) preparing: Quantiles,
    /// The gateway's answer to an authorisation.
    pub(crate) gateway: Gateway,
    /// How many orders were measured.
    pub(crate) orders: u64,
    /// Percent of all processors that others had.
    pub(crate) others: f64,
}

/// How long the gateway took, in milliseconds, as payment-service measured it.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Gateway {
    pub(crate) median: f64,
    pub(crate) mean: f64,
}

impl Gateway {
    /// What is subtracted from a median, and what it is: the median. It is known from wide buckets, and where it seems to be above
    /// the mean that counts.
    pub(crate) fn own(self) -> (f64, &'static str) {
        match self.median <= self.mean {
            true => (self.median, "median"),
            false => (self.mean, "mean"),
        }
    }
}

/// How one order went.
struct Timed {
    taken: Duration,
    preparing: Duration,
    version: i64,
}

/// Which version an order has when the view first shows it PREPARING.
///
/// # Errors
/// An order does not get there.
pub(crate) async fn version(bench: &Bench) -> anyhow::Result<i64> {
    let connections = Connections::new();
    let timed = one(bench, &connections, &mut Rng::with_seed(1), 1).await?;
    Ok(timed.version)
}

/// Times orders.
///
/// # Errors
/// An order does not get there, or payment-service does not tell of its calls.
pub(crate) async fn measure(bench: &Bench) -> anyhow::Result<Unloaded> {
    let connections = Connections::new();
    let mut dice = Rng::with_seed(bench.next_seed());
    for _ in 0..WARM_UP {
        one(bench, &connections, &mut dice, bench.preparing).await?;
    }
    let used = Usage::look(&bench.site.platform);
    let before = calls(&bench.site.platform).await?;
    let (mut post, mut preparing) = (Latencies::new(), Latencies::new());
    let mut progress = Progress::begin(Duration::from_secs(bench.plan.unloaded / 5));
    for number in 0..bench.plan.unloaded {
        let timed = one(bench, &connections, &mut dice, bench.preparing).await?;
        post.add(timed.taken);
        preparing.add(timed.preparing);
        progress.tell(&format!("unloaded: {number} orders, one at a time"));
        sleep(PAUSE).await;
    }
    let after = calls(&bench.site.platform).await?;
    let made = after.since(&before);
    ensure!(made.count > 0.0, "payment-service has called nobody");
    Ok(Unloaded {
        post: post.quantiles(),
        preparing: preparing.quantiles(),
        gateway: Gateway {
            median: made.median() * 1e3,
            mean: made.mean() * 1e3,
        },
        orders: bench.plan.unloaded,
        others: Usage::look(&bench.site.platform).others(&used),
    })
}

/// One order, from its first request until it is delivered.
async fn one(
    bench: &Bench,
    connections: &Connections,
    dice: &mut Rng,
    expected: i64,
) -> anyhow::Result<Timed> {
    let body = bench.world.order(dice);
    let key = format!("{}-unloaded-{}", bench.world.name, bench.next_seed());
    let begin = Instant::now();
    let answer = connections
        .post(&bench.http.orders, body, Some(&key))
        .await
        .context("order-service does not answer")?;
    let taken = begin.elapsed();
    ensure!(answer.status == 201, "POST /orders: {}", answer.status);
    let id = id(&answer.body).context("no order's id in the answer to POST /orders")?;
    let mut version = expected;
    let seen = loop {
        ensure!(
            begin.elapsed() < PATIENCE,
            "order {id} does not become PREPARING"
        );
        let answer = connections.order(&bench.http.view, &id, version).await;
        let Some(Answer { status: 200, body }) = answer else {
            continue;
        };
        let seen: Seen = serde_json::from_slice(&body)?;
        if seen.state == OrderState::Preparing {
            break seen;
        }
        version = version.max(seen.version + 1);
    };
    let preparing = begin.elapsed();
    for act in Act::ALL {
        while !done(bench, connections, act, &id).await {
            ensure!(begin.elapsed() < PATIENCE, "order {id} is not delivered");
            sleep(AGAIN).await;
        }
    }
    Ok(Timed {
        taken,
        preparing,
        version: seen.version,
    })
}

async fn done(bench: &Bench, connections: &Connections, act: Act, id: &str) -> bool {
    let body = format!(r#"{{"orderId":"{id}"}}"#);
    let answer = connections.post(act.door(&bench.http), body, None).await;
    answer.is_some_and(|answer| answer.status == 200)
}

/// Authorisations by the gateway so far, as all instances of payment-service tell of them.
async fn calls(platform: &Platform) -> anyhow::Result<Histogram> {
    let mut calls = Histogram::default();
    for instance in platform.instances(PAYMENTS) {
        let told = metrics::of(platform, instance).await;
        let told = told.with_context(|| format!("{} does not tell its metrics", instance.name))?;
        let authorises = |labels: &str| labels.contains(r#"call="authorise""#);
        let own = Histogram::told(&told, "gateway_call_duration_seconds", authorises);
        calls = calls.and(own);
    }
    Ok(calls)
}
