//! The platform under test, as it is looked at from behind: its databases as their superuser, and its topics.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sea_orm::sqlx::{self, PgPool};
use visitor::platform::Platform;

use crate::topics::Topics;

/// The gateway stands for a company of its own: what it costs is told apart.
pub(crate) const GATEWAY: &str = "gateway";
/// How many connections the server may have to one database from here.
const CONNECTIONS: u32 = 2;

/// A platform, looked at from behind.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) platform: Platform,
    pub(crate) topics: Topics,
    /// The database `postgres`, where all of the server can be seen.
    pub(crate) server: PgPool,
    /// Those of the services and of the gateway, by name.
    databases: Arc<BTreeMap<String, PgPool>>,
}

impl Site {
    /// The site of a platform with a Postgres of its own.
    ///
    /// # Errors
    /// A database cannot be reached.
    pub(crate) async fn open(platform: Platform) -> anyhow::Result<Self> {
        let mut databases = BTreeMap::new();
        for member in &platform.members {
            let url = member.environment.get("DATABASE_URL");
            let name = url.and_then(|url| url.rsplit('/').next());
            if let Some(name) = name {
                let pool = pool(&platform.database(name)?, CONNECTIONS);
                databases.insert(name.to_owned(), pool?);
            }
        }
        let server = pool(&platform.database("postgres")?, CONNECTIONS)?;
        sqlx::query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            .execute(&server)
            .await
            .context("pg_stat_statements is missing")?;
        Ok(Self {
            topics: Topics::of(&platform)?,
            platform,
            server,
            databases: Arc::new(databases),
        })
    }

    /// A database by its name.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn database(&self, name: &str) -> anyhow::Result<&PgPool> {
        let found = self.databases.get(name);
        found.with_context(|| format!("no database is called {name}"))
    }

    /// The databases that have an outbox.
    pub(crate) fn outboxes(&self) -> impl Iterator<Item = (&str, &PgPool)> {
        self.databases
            .iter()
            .map(|(name, pool)| (name.as_str(), pool))
            .filter(|(name, _)| *name != GATEWAY)
    }

    /// How many orders are COMPLETE in their database.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn complete(&self) -> anyhow::Result<i64> {
        let count = "SELECT count(*) FROM orders WHERE state = 'COMPLETE'";
        let orders = self.database("orders")?;
        Ok(sqlx::query_scalar(count).fetch_one(orders).await?)
    }

    /// Writes out what is dirty, so that what was done before costs nothing in what is measured next: Postgres' pages, and Kafka's
    /// records, which only the kernel writes out, half a minute later.
    ///
    /// # Errors
    /// The database's.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        sqlx::query("CHECKPOINT").execute(&self.server).await?;
        Ok(tokio::task::spawn_blocking(nix::unistd::sync).await?)
    }
}

/// A pool that connects when it is needed.
///
/// # Errors
/// The URL is none.
pub(crate) fn pool(url: &str, connections: u32) -> anyhow::Result<PgPool> {
    let options: PgConnectOptions = url.parse()?;
    let pool = PgPoolOptions::new().max_connections(connections);
    Ok(pool.connect_lazy_with(options.application_name("bench")))
}
