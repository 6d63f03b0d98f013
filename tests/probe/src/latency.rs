//! Times orders, one after another: from the first byte of `POST /orders` to the last byte of the
//! view's answer that shows the order in the wanted state.
//!
//! In one process and over kept connections, since starting curl takes longer than what is measured.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// How long one order may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to time.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The address of order-service
    #[arg(long)]
    orders: String,
    /// The address of order-view
    #[arg(long)]
    view: String,
    /// The body of `POST /orders`
    #[arg(long)]
    body: String,
    /// The state to wait for
    #[arg(long, default_value = "PREPARING")]
    state: String,
    /// How many orders to time
    #[arg(long, default_value_t = 100)]
    count: usize,
    /// How many orders to place before that, untimed: connections open, caches fill
    #[arg(long, default_value_t = 10)]
    warm_up: usize,
}

/// Places the orders and gives quantiles of their times, in milliseconds, with their ids.
///
/// # Errors
/// An order was not taken, or did not reach the state in time.
pub(crate) async fn measure(args: &Args) -> anyhow::Result<Value> {
    ensure!(args.count > 0, "nothing to time");
    let client = Client::builder().no_proxy().timeout(PATIENCE).build()?;
    // The version to wait for: every order has said as much when it reaches the state.
    let mut version = 1;
    for _ in 0..args.warm_up {
        version = order(&client, args, version).await?.version;
    }
    let mut orders = Vec::with_capacity(args.count);
    for _ in 0..args.count {
        let timed = order(&client, args, version).await?;
        version = timed.version;
        orders.push(timed);
    }
    orders.sort_by_key(|timed| timed.total);
    let at = |percent: usize| {
        let rank = (orders.len() * percent).div_ceil(100).max(1) - 1;
        milliseconds(orders.get(rank).map_or(Duration::ZERO, |timed| timed.total))
    };
    let taken: Duration = orders.iter().map(|timed| timed.taken).sum();
    Ok(json!({
        "orders": orders.len(), "state": args.state, "version": version,
        "min": at(0), "p50": at(50), "p90": at(90), "p99": at(99), "max": at(100),
        "meanUntilTaken": milliseconds(taken) / orders.len() as f64,
        "ids": orders.iter().map(|timed| timed.id.as_str()).collect::<Vec<_>>(),
    }))
}

/// One order that reached the state.
struct Timed {
    id: String,
    version: i64,
    /// Until the 201 was here.
    taken: Duration,
    /// Until the view showed the state.
    total: Duration,
}

async fn order(client: &Client, args: &Args, expected: i64) -> anyhow::Result<Timed> {
    let start = Instant::now();
    let answer = client
        .post(format!("{}/orders", args.orders))
        .header("Content-Type", "application/json")
        .body(args.body.clone())
        .send()
        .await?;
    let status = answer.status();
    let text = answer.text().await?;
    ensure!(
        status == StatusCode::CREATED,
        "POST /orders: {status} {text}"
    );
    let taken = start.elapsed();
    let placed: Value = serde_json::from_str(&text)?;
    let id = placed["orderId"].as_str().context("orderId")?.to_owned();
    let mut version = expected;
    while start.elapsed() < PATIENCE {
        let url = format!("{}/orders/{id}?atLeast={version}", args.view);
        let answer = client.get(url).send().await?;
        if answer.status() != StatusCode::OK {
            continue;
        }
        let order: Value = serde_json::from_str(&answer.text().await?)?;
        let shown = order["version"].as_i64().context("version")?;
        if order["state"] == args.state.as_str() {
            let total = start.elapsed();
            return Ok(Timed {
                id,
                version: shown,
                taken,
                total,
            });
        }
        version = version.max(shown + 1);
    }
    bail!(
        "order {id} did not become {} in the view in {PATIENCE:?}",
        args.state
    )
}

fn milliseconds(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e5).round() / 100.0
}
