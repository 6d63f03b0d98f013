//! Open-loop load: orders arrive when they arrive, whether or not those before them were answered.
//!
//! A latency counts from the moment in which the request was due, not from that in which it was sent: a generator that is
//! late does not hide it (coordinated omission). The generator has a thread with a runtime of its own, and one thread that
//! does nothing but wait for the next arrival, since the runtime's timers only know whole milliseconds.

mod http;
mod order;
mod pacer;
mod tally;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

pub(crate) use http::{Answer, Connections, Http};
pub(crate) use order::{Act, Habits, Seen, id};
pub(crate) use pacer::moments;
pub(crate) use tally::{Offered, Tally};

use crate::world::World;

/// What is offered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Offer {
    /// Orders per second.
    pub(crate) rate: f64,
    /// For how long.
    pub(crate) length: Duration,
    /// Decides gaps and orders.
    pub(crate) seed: u64,
    /// How people go about it.
    pub(crate) habits: Habits,
}

/// Load that is under way.
pub(crate) struct Load {
    pub(crate) tally: Arc<Tally>,
    lost: Arc<http::Lost>,
    done: oneshot::Receiver<anyhow::Result<()>>,
}

impl Load {
    /// Begins.
    ///
    /// # Errors
    /// No thread can be started.
    pub(crate) fn begin(offer: Offer, http: Http, world: Arc<World>) -> anyhow::Result<Self> {
        let tally = Arc::new(Tally::default());
        let (told, done) = oneshot::channel();
        let (generator, arrivals) = mpsc::unbounded_channel();
        let connections = Connections::new();
        let lost = connections.lost();
        let people = order::People {
            http,
            connections,
            world,
            offer,
            tally: Arc::clone(&tally),
        };
        thread::Builder::new()
            .name("generator".to_owned())
            .spawn(move || {
                // Nobody hears it only where the run was broken off.
                let _ = told.send(generate(people, arrivals));
            })
            .context("no thread for the generator")?;
        pacer::start(offer, generator)?;
        Ok(Self { tally, lost, done })
    }

    /// Waits until every order has gone its way, or was given up.
    ///
    /// # Errors
    /// The generator failed.
    pub(crate) async fn finish(self) -> anyhow::Result<Offered> {
        self.done
            .await
            .map_err(|_| anyhow!("the generator is gone"))??;
        Ok(Offered {
            unreached: self.lost.unreached(),
            broken: self.lost.broken(),
            ..self.tally.offered()
        })
    }
}

/// The generator's thread.
fn generate(
    people: order::People,
    mut arrivals: mpsc::UnboundedReceiver<pacer::Arrival>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("no runtime for the generator")?;
    let people = Arc::new(people);
    runtime.block_on(async {
        let orders = TaskTracker::new();
        while let Some(arrival) = arrivals.recv().await {
            orders.spawn(order::live(Arc::clone(&people), arrival));
        }
        orders.close();
        orders.wait().await;
    });
    Ok(())
}
