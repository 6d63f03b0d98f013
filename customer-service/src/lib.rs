//! customer-service: knows who may order.
//!
//! - [`domain`]: customers, and the verdicts on the customers of orders, pure.
//! - [`messages`]: what order-service asks, on `order-customer`.
//! - [`http`]: registering, suspending and resuming customers.
//! - [`store`], [`migration`]: the tables `customers` and `verifications`.

pub mod domain;
pub mod http;
pub mod messages;
pub mod migration;
pub mod store;

use contracts::Topic;
use messaging::{Consumer, Doorbell, Store};
use service::{Context, Settings, aging, database, idempotency};

use messages::Verifying;

/// The service's name: in logs, as a consumer group, and as a source of messages.
pub const NAME: &str = "customer-service";
/// The port of its HTTP server, unless `HTTP_ADDR` says otherwise.
pub const PORT: u16 = 8081;

/// What the process is told from outside.
#[derive(Debug, Clone, clap::Parser)]
pub struct Config {
    /// What every service is told.
    #[command(flatten)]
    pub service: Settings,
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
    idempotency::forget(&context, settings, &store);
    let horizon = aging::begin(&context, settings, &store, store::FINISHED).await?;

    let topics = [Topic::OrderCustomer.as_str()];
    let consumer =
        Consumer::new(settings.consumer(NAME, &topics), store.clone(), Verifying).behind(horizon);
    context.health.database(store.db().clone());
    context.health.kafka(consumer.status());
    context.spawn("consumer", consumer.run(context.shutdown.clone()));
    context.serve(http::router(store)).await
}
