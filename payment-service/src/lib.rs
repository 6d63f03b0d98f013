//! payment-service: turns cards into tokens, and holds, takes and lets go what an order costs, once.
//!
//! - [`domain`]: cards and the payment of one order, pure.
//! - [`messages`]: what order-service asks, on `order-payment`.
//! - [`worker`]: calls the gateway, outside of every transaction, and commits its answers.
//! - [`gateway`]: the gateway as a trait, and over HTTP.
//! - [`http`]: `POST /payment-methods`, `GET /payments`, refunds.
//! - [`store`], [`migration`]: the tables `payment_methods` and `payments`.
//!
//! No card number and no CVC is ever stored, logged or sent anywhere but to the gateway: see [`domain::Secret`].

pub mod domain;
pub mod gateway;
pub mod http;
pub mod messages;
pub mod migration;
pub mod store;
pub mod worker;

use std::{sync::Arc, time::Duration};

use contracts::Topic;
use messaging::{Consumer, Doorbell, Store};
use reqwest::Url;
use service::{Context, Settings, aging, database, idempotency};

use gateway::{Client, Gateway};
use http::Api;
use messages::Paying;
use worker::{Status, Worker};

/// The service's name: in logs, as a consumer group, and as a source of messages.
pub const NAME: &str = "payment-service";
/// The port of its HTTP server, unless `HTTP_ADDR` says otherwise.
pub const PORT: u16 = 8084;

/// What the process is told from outside.
#[derive(Debug, Clone, clap::Parser)]
pub struct Config {
    /// What every service is told.
    #[command(flatten)]
    pub service: Settings,

    /// Where the payment gateway is.
    #[arg(long, env = "GATEWAY_URL", default_value = "http://127.0.0.1:8090")]
    pub gateway_url: Url,

    /// How long a call to the gateway may take, in milliseconds. A call whose instance is gone is made by another one
    /// after twice this time.
    #[arg(long, env = "GATEWAY_TIMEOUT_MS", default_value_t = 3_000,
          value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub gateway_timeout_ms: u64,

    /// How many calls to the gateway are made at once.
    #[arg(long, env = "GATEWAY_CALLS", default_value_t = 64,
          value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub gateway_calls: u16,
}

impl AsRef<Settings> for Config {
    fn as_ref(&self) -> &Settings {
        &self.service
    }
}

impl Config {
    fn patience(&self) -> Duration {
        Duration::from_millis(self.gateway_timeout_ms)
    }

    fn worker(&self) -> worker::Settings {
        worker::Settings {
            instance: self.service.instance_id(),
            patience: self.patience(),
            calls: self.gateway_calls.into(),
        }
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
    let gateway: Arc<dyn Gateway> = Arc::new(Client::new(&config.gateway_url, config.patience())?);

    let worker = Worker::new(store.clone(), gateway.clone(), config.worker());
    let paying = Paying::new(config.worker().claim(), worker.handoff());
    let topics = [Topic::OrderPayment.as_str()];
    let consumer = Consumer::new(
        settings.consumer(NAME, &topics),
        store.clone(),
        paying.clone(),
    )
    .behind(horizon);
    let status = Status::default();
    let told = status.clone();
    context.health.database(store.db().clone());
    context.health.kafka(consumer.status());
    context
        .health
        .inform("gateway", move || serde_json::json!({ "up": told.is_up() }));
    worker.adopt().await?;
    context.spawn("worker", worker.run(status, context.shutdown.clone()));
    context.spawn("consumer", consumer.run(context.shutdown.clone()));
    let lease = config.worker().claim().lasts;
    let api = Api {
        store,
        gateway,
        paying,
        lease,
    };
    context.serve(http::router(api)).await
}
