//! order-view: the read side. Every order with its ticket, payment, kitchen and delivery, in one row.
//!
//! - [`domain`]: what has been told of an order, and how the next message changes that; pure.
//! - [`messages`]: all five topics.
//! - [`waiters`]: readers that wait for a version.
//! - [`http`]: the queries.
//! - [`rebuild`]: the view made anew from the topics, while it is being read.
//! - [`store`], [`migration`]: the tables `order_views` and `rebuilds`.

pub mod domain;
pub mod http;
pub mod messages;
pub mod migration;
pub mod rebuild;
pub mod store;
pub mod waiters;

use std::{convert::Infallible, time::Duration};

use contracts::Topic;
use futures_util::FutureExt;
use messaging::{Consumer, Doorbell, Store, consumer};
use service::{Context, Settings, aging, database};

use http::View;
use messages::Folding;
use rebuild::Rebuilder;
use waiters::Waiters;

/// The service's name: in logs, as a consumer group, and as a source of dead letters.
pub const NAME: &str = "order-view";
/// The port of its HTTP server, unless `HTTP_ADDR` says otherwise.
pub const PORT: u16 = 8087;
/// The most records of one poll: more than elsewhere. Here comes what all others say together, nobody waits for the view before he says
/// more, and the further it is behind the more has to go into a transaction for it to come after.
const BATCH: usize = 500;

/// What the process is told from outside.
#[derive(Debug, Clone, clap::Parser)]
pub struct Config {
    /// What every service is told.
    #[command(flatten)]
    pub service: Settings,

    /// How long a reader may wait for the version that it asked for, in milliseconds.
    #[arg(long, env = "READ_WAIT_MS", default_value_t = 2_000,
          value_parser = clap::value_parser!(u64).range(..=10_000))]
    pub read_wait_ms: u64,
}

impl AsRef<Settings> for Config {
    fn as_ref(&self) -> &Settings {
        &self.service
    }
}

/// Runs the service until `context` is shut down.
///
/// # Errors
/// The database refuses it, a migration fails, or the HTTP address is taken.
pub async fn run(config: Config, context: Context) -> anyhow::Result<()> {
    let settings = &config.service;
    let db = database::connect(settings).await?;
    database::migrate(&db, migration::all()).await?;
    let doorbell = Doorbell::ring_at(NAME, &settings.relay_doorbells)?;
    let store = Store::new(db, doorbell).await?;
    let horizon = aging::begin(&context, settings, &store, store::FINISHED).await?;

    let waiters = Waiters::default();
    let topics: Vec<&str> = Topic::ALL.iter().map(|topic| topic.as_str()).collect();
    let folding = Folding::new(waiters.clone());
    let settings = consumer::Settings {
        batch: BATCH,
        ..settings.consumer(NAME, &topics)
    };
    let rebuilder = Rebuilder::new(store.clone(), settings.clone());
    let consumer = Consumer::new(settings, store.clone(), folding).behind(horizon);
    context.health.database(store.db().clone());
    context.health.kafka(consumer.status());
    context.spawn("consumer", consumer.run(context.shutdown.clone()));
    context.spawn("rebuilder", rebuilder.run(context.shutdown.clone()));
    let watching = waiters
        .clone()
        .watch(store.db().clone(), context.shutdown.clone());
    context.spawn("waiters", watching.map(Ok::<_, Infallible>));
    let patience = Duration::from_millis(config.read_wait_ms);
    context
        .serve(http::router(View::new(
            store.db().clone(),
            waiters,
            patience,
        )))
        .await
}
