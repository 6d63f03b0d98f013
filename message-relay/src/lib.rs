//! Publishes the outboxes of all services to Kafka, in commit order per key.
#![doc = include_str!("../README.md")]

pub mod cursor;
pub mod database;
pub mod doorbell;
pub mod flight;
mod flights;
mod http;
pub mod inquest;
pub mod lease;
mod owner;
mod pace;
pub mod producer;
pub mod ranges;
pub mod reader;
pub mod record;
mod relay;
mod retention;
mod shard;
pub mod source;
pub mod status;
pub mod wake;

use anyhow::Context as _;
use serde_json::json;

pub use relay::Relay;

use crate::{
    doorbell::{Bells, Doorbell},
    producer::Producer,
    source::Sources,
    status::{Board, Role},
};

/// What the relay is told from outside.
#[derive(Debug, Clone, clap::Parser)]
pub struct Config {
    /// What every process is told.
    #[command(flatten)]
    pub service: service::Settings,

    /// The outboxes to publish: name=postgres://…, separated by commas. The name is that of the service.
    #[arg(long, env = "SOURCES", hide_env_values = true)]
    pub sources: Sources,
}

impl AsRef<service::Settings> for Config {
    fn as_ref(&self) -> &service::Settings {
        &self.service
    }
}

/// Runs the relay until shutdown.
///
/// # Errors
/// A setting cannot be used, or the address is taken.
pub async fn run(config: Config, context: service::Context) -> anyhow::Result<()> {
    let sources = config.sources.parse()?;
    let settings = &config.service;
    let (producer, replacing) = Producer::start(
        producer::Settings::new(&settings.kafka_brokers),
        context.shutdown.clone(),
    )
    .context("Kafka's client cannot be set up")?;
    let relay = Relay {
        name: format!("relay-{}", settings.instance).into(),
        topic_prefix: settings.topic_prefix.as_str().into(),
        producer,
        board: Board::default(),
        bells: Bells::default(),
        shutdown: context.shutdown.clone(),
    };
    let address = settings.http_addr;
    let doorbell = Doorbell::bind(address).await.with_context(|| {
        format!("HTTP_ADDR {address} cannot be bound for UDP: is another relay there?")
    })?;
    inform(&relay, &context.health);
    let listening = doorbell.listen(relay.bells.clone(), context.shutdown.clone());
    context.spawn("doorbell", async move {
        listening.await;
        anyhow::Ok(())
    });
    context.spawn("producer", replacing);
    let router = http::router(relay.board.clone());
    context.spawn("relay", relay.serve(sources));
    context.serve(router).await
}

/// Tells at `/health/ready` how Kafka and the sources are. Neither decides: what is away is waited for, and the other
/// sources are served meanwhile.
fn inform(relay: &Relay, health: &service::health::Health) {
    let (kafka, board) = (relay.producer.status(), relay.board.clone());
    health.inform("kafka", move || {
        json!({ "up": kafka.is_up(), "failures": kafka.failures(), "lastFailure": kafka.last_failure() })
    });
    health.inform("shards", move || {
        let shards = board.shards();
        let count = |role| shards.iter().filter(|shard| shard.role == role).count();
        json!({ "owned": count(Role::Owner), "standby": count(Role::Standby), "away": count(Role::Away) })
    });
}

/// An error with all its causes, for a line of the log.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
