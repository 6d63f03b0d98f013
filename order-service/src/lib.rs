//! order-service: takes orders, and leads each of them through its saga.
//!
//! - [`saga`]: an order's life from the check of its customer to its delivery, and the way back. Start here.
//! - [`domain`]: the order and what it says, pure.
//! - [`messages`]: what the participants answer, on `order-reply`.
//! - [`http`]: what customers do and see.
//! - [`admission`]: when new orders are turned away.
//! - [`store`], [`migration`]: the table `orders`.

pub mod admission;
pub mod domain;
pub mod http;
pub mod messages;
pub mod migration;
mod patience;
pub mod saga;
pub mod store;

use std::convert::Infallible;

use contracts::Topic;
use futures_util::FutureExt;
use messaging::{Consumer, Doorbell, Store, retention};
use saga_postgres::Silence;
use service::{Context, Settings, aging, database, idempotency};

pub use admission::{Admission, Limit};
pub use patience::Patience;

/// The service's name: in logs, as a consumer group, and as a source of messages.
pub const NAME: &str = "order-service";
/// The port of its HTTP server, unless `HTTP_ADDR` says otherwise.
pub const PORT: u16 = 8080;

/// What the process is told from outside.
#[derive(Debug, Clone, clap::Parser)]
pub struct Config {
    /// What every service is told.
    #[command(flatten)]
    pub service: Settings,

    /// How patient orders are with those who do not answer.
    #[command(flatten)]
    pub patience: Patience,

    /// How many whole days besides today the history of a saga is kept, from the day on which it began; that of one that has not
    /// ended stays until it has.
    #[arg(long, env = "SAGA_HISTORY_DAYS", default_value_t = 90,
          value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub saga_history_days: u32,

    /// How much is taken on.
    #[command(flatten)]
    pub limit: Limit,
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
    let orchestrator = messages::orchestrator(config.patience.policy())?;
    let db = database::connect(settings).await?;
    database::migrate(&db, migration::all()).await?;
    let doorbell = Doorbell::ring_at(NAME, &settings.relay_doorbells)?;
    let store = Store::new(db, doorbell).await?;
    idempotency::forget(&context, settings, &store);
    let horizon = aging::begin(&context, settings, &store, store::FINISHED).await?;

    let topics = [Topic::OrderReply.as_str()];
    let settings = settings.consumer(NAME, &topics);
    let consumer = Consumer::new(settings, store.clone(), orchestrator.clone()).behind(horizon);
    context.health.database(store.db().clone());
    context.health.kafka(consumer.status());
    let admission = Admission::default();
    let watch = admission.clone().watch(
        store.clone(),
        config.limit,
        consumer.status(),
        context.shutdown.clone(),
    );
    let history = saga_postgres::history(config.saga_history_days);
    let history = retention::maintain(store.clone(), history, context.shutdown.clone());
    let silence = Silence::new(orchestrator.clone(), store.clone());
    context.spawn("consumer", consumer.run(context.shutdown.clone()));
    context.spawn("admission", watch);
    context.spawn("history", history.map(Ok::<_, Infallible>));
    context.spawn("silence", silence.run(context.shutdown.clone()));
    context
        .serve(http::router(store, orchestrator, admission))
        .await
}
