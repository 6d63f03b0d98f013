//! delivery-service: brings what is cooked to those who ordered it.
//!
//! - [`domain`]: the way of one order to its customer, pure.
//! - [`messages`]: what the kitchen tells, on `order-reply`.
//! - [`http`]: what couriers see and do.
//! - [`store`], [`migration`]: the table `deliveries`.
//!
//! Couriers will be this service's own, too. There are none yet, because no path tells which of
//! them took an order: whoever calls `POST /delivery/pickedup` is the courier.

pub mod domain;
pub mod http;
pub mod messages;
pub mod migration;
pub mod store;

use contracts::Topic;
use messaging::{Consumer, Doorbell, Store};
use service::{Context, Settings, aging, database};

use messages::Dispatch;

/// The service's name: in logs, as a consumer group, and as a source of messages.
pub const NAME: &str = "delivery-service";
/// The port of its HTTP server, unless `HTTP_ADDR` says otherwise.
pub const PORT: u16 = 8086;

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
    let horizon = aging::begin(&context, settings, &store, store::FINISHED).await?;

    let topics = [Topic::OrderReply.as_str()];
    let consumer =
        Consumer::new(settings.consumer(NAME, &topics), store.clone(), Dispatch).behind(horizon);
    context.health.database(store.db().clone());
    context.health.kafka(consumer.status());
    context.spawn("consumer", consumer.run(context.shutdown.clone()));
    context.serve(http::router(store)).await
}
