//! A database with an outbox that is nobody's but this program's, on the platform's servers.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::Context;
use messaging::{Doorbell, Store};
use sea_orm::sqlx::{self, PgPool};
use sea_orm::{ConnectOptions, Database};
use sea_orm_migration::SchemaManager;

use crate::calibrate::kafka;
use crate::site::Site;

/// What the outbox's messages are said to come from.
pub(super) const SOURCE: &str = "bench";
/// Where they go.
pub(super) const TOPIC: &str = "order-reply";
/// Where what a producer can do alone is measured.
pub(super) const CEILING: &str = "ceiling";
/// Where the consumer's messages are, and its answers.
pub(super) const QUESTIONS: &str = "questions";
/// What the environment of every process of the platform has.
pub(super) const AS_DEPLOYED: [(&str, &str); 1] = [("MALLOC_ARENA_MAX", "1")];
/// So many transactions at once.
const CONNECTIONS: u32 = 16;

/// The database, and where what is measured listens.
pub(super) struct Rig {
    pub(super) url: String,
    pub(super) brokers: String,
    pub(super) store: Store,
    /// Rings where the relay listens, when something was committed.
    pub(super) doorbell: Doorbell,
    /// `host:port` for the relay.
    pub(super) address: String,
    server: PgPool,
    name: String,
}

impl Rig {
    /// Makes it anew.
    ///
    /// # Errors
    /// A server does not answer.
    pub(super) async fn make(site: &Site, name: &str) -> anyhow::Result<Self> {
        let server = site.server.clone();
        run(
            &server,
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        )
        .await?;
        run(&server, format!("CREATE DATABASE {name}")).await?;
        let url = site.platform.database(name)?;
        let mut options = ConnectOptions::new(&url);
        // As the services: no question to Postgres before each use.
        options
            .max_connections(CONNECTIONS)
            .test_before_acquire(false)
            .sqlx_logging(false);
        let db = Database::connect(options).await?;
        let manager = SchemaManager::new(&db);
        for migration in messaging::migrations(1) {
            migration.up(&manager).await?;
        }
        let brokers = site.topics.brokers().to_owned();
        kafka::create(&brokers, &[TOPIC, CEILING, QUESTIONS]).await?;
        let address = free().context("no free port")?;
        let doorbell = Doorbell::ring_at(SOURCE, std::slice::from_ref(&address))?;
        Ok(Self {
            url,
            brokers,
            store: Store::new(db, doorbell.clone()).await?,
            doorbell,
            address,
            server,
            name: name.to_owned(),
        })
    }

    /// Its connections.
    pub(super) fn pool(&self) -> &PgPool {
        self.store.db().get_postgres_connection_pool()
    }

    /// Drops it.
    ///
    /// # Errors
    /// The server does not answer.
    pub(super) async fn drop(self) -> anyhow::Result<()> {
        self.pool().close().await;
        run(
            &self.server,
            format!("DROP DATABASE {} WITH (FORCE)", self.name),
        )
        .await
    }
}

/// DDL takes no parameters; the names are ours.
pub(super) async fn run(pool: &PgPool, sql: String) -> anyhow::Result<()> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(pool)
        .await?;
    Ok(())
}

fn free() -> std::io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.to_string())
}
