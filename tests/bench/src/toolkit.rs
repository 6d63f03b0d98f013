//! The toolkit alone, on databases and topics of its own beside a platform that does nothing: the relay as the process that
//! it is, a batched consumer in a process of its own, and what is pure.

pub(crate) mod consumer;
mod outbox;
mod producer;
mod pure;
mod relay;
mod rig;

use std::path::Path;

use serde::Serialize;
use visitor::console::say;

use crate::bench::Bench;
use crate::costs::usage::Usage;

/// What the toolkit does alone.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Toolkit {
    /// The relay's process.
    pub(crate) relay: relay::Relay,
    /// Messages per second: an inbox row, a changed row of state and an answer in the outbox for each.
    pub(crate) consumer: f64,
    /// What it takes to say something.
    pub(crate) outbox: outbox::Outbox,
    /// What needs no server.
    pub(crate) pure: pure::Pure,
    /// Percent of all processors that others had.
    pub(crate) others: f64,
}

/// Measures all of it. `relay` is the relay's program.
///
/// # Errors
/// A server does not answer, or a process dies.
pub(crate) async fn measure(bench: &Bench, relay: &Path) -> anyhow::Result<Toolkit> {
    let (plan, before) = (&bench.plan, Usage::look(&bench.site.platform));
    say("toolkit: the pure parts");
    let pure = pure::measure(bench).await?;
    say(format_args!("toolkit: the relay drains {} rows", plan.rows));
    let rig = rig::Rig::make(&bench.site, "bench_relay").await?;
    let relay = relay::measure(&bench.site, &rig, relay, plan).await?;
    let outbox = outbox::measure(&rig).await?;
    rig.drop().await?;
    say(format_args!(
        "toolkit: a consumer handles {} messages",
        plan.messages
    ));
    let rig = rig::Rig::make(&bench.site, "bench_consumer").await?;
    let consumer = consumer::measure(&bench.site, &rig, plan.messages).await?;
    rig.drop().await?;
    Ok(Toolkit {
        relay,
        consumer,
        outbox,
        pure,
        others: Usage::look(&bench.site.platform).others(&before),
    })
}
