//! gateway-simulator: what a card network would own, so that payment-service has somebody to call.
#![doc = include_str!("../README.md")]

pub mod domain;
pub mod http;
pub mod migration;
pub mod store;

use std::time::Duration;

use service::{Context, Settings, database};

use http::Delays;
use store::Store;

/// The service's name in logs and in Postgres.
pub const NAME: &str = "gateway-simulator";
/// The port of its HTTP server, unless `HTTP_ADDR` says otherwise.
pub const PORT: u16 = 8090;

/// What the process is told from outside.
#[derive(Debug, Clone, clap::Parser)]
pub struct Config {
    /// What every service is told.
    #[command(flatten)]
    pub service: Settings,

    /// How long every answer about money takes, in milliseconds.
    #[arg(long, env = "GATEWAY_LATENCY_MS", default_value_t = 0)]
    pub latency_ms: u64,

    /// How much later the first answer about a card that answers late comes, in milliseconds.
    #[arg(long, env = "GATEWAY_LATE_MS", default_value_t = 3_000)]
    pub late_ms: u64,
}

impl AsRef<Settings> for Config {
    fn as_ref(&self) -> &Settings {
        &self.service
    }
}

/// Runs the simulator until `context` is shut down.
///
/// # Errors
/// The database refuses it, a migration fails, or the HTTP address is taken.
pub async fn run(config: Config, context: Context) -> anyhow::Result<()> {
    let db = database::connect(&config.service).await?;
    database::migrate(&db, migration::all()).await?;
    context.health.database(db.clone());
    let delays = Delays {
        latency: Duration::from_millis(config.latency_ms),
        late: Duration::from_millis(config.late_ms),
    };
    context.serve(http::router(Store::new(db), delays)).await
}
