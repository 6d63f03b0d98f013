//! The servers that the tests of this process use: those it is told of, or containers, or native ones.

mod containers;
mod native;

use std::env;

use tokio::sync::OnceCell;

/// Where Postgres and Kafka are.
#[derive(Debug)]
pub struct Servers {
    /// An administrator's URL: it may create databases.
    pub database_url: String,
    /// `host:port`
    pub kafka_brokers: String,
}

static SERVERS: OnceCell<Servers> = OnceCell::const_new();

impl Servers {
    /// The servers of this process, started when they are first asked for, and gone when it ends.
    ///
    /// # Panics
    /// There are none, and none can be started.
    pub async fn get() -> &'static Self {
        SERVERS.get_or_init(Self::find).await
    }

    async fn find() -> Self {
        if let Some(servers) = Self::named() {
            return servers;
        }
        if containers::available() {
            return containers::start().await;
        }
        native::start().await
    }

    fn named() -> Option<Self> {
        Some(Self {
            database_url: env::var("TEST_DATABASE_URL").ok()?,
            kafka_brokers: env::var("TEST_KAFKA_BROKERS").ok()?,
        })
    }
}
