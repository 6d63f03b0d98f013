//! Opens the pool, and waits for a Postgres that is not there yet.

use std::time::Duration;

use anyhow::Context as _;
use sea_orm::{
    DatabaseConnection, SqlxPostgresConnector,
    sqlx::{
        self, ConnectOptions, Connection,
        postgres::{PgConnectOptions, PgPoolOptions},
    },
};

use crate::Settings;

/// How long work waits for a free connection before it is refused.
const ACQUIRE: Duration = Duration::from_secs(5);
/// A statement that runs longer is given up by Postgres. Migrations and rebuilds set their own.
const STATEMENT: &str = "30s";
/// Who waits longer for a lock gives up and tries again: before the statement counts as one that takes too long.
const LOCK: &str = "10s";
/// A transaction whose process stands still holds its locks, and the horizon of the whole server, no longer than this.
const IDLE_IN_TRANSACTION: &str = "10s";
/// A connection that was idle for longer is tested before it is used.
const STALE: Duration = Duration::from_secs(30);
/// Connections above what the load needs are given back after this.
const IDLE: Duration = Duration::from_secs(5 * 60);
/// Waiting for Postgres: from one to the other, doubling.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Opens the connection pool of a service, waiting for as long as Postgres is away.
///
/// # Errors
/// `DATABASE_URL` is missing or unusable, or Postgres refuses it: wrong password, no such database.
pub async fn connect(settings: &Settings) -> anyhow::Result<DatabaseConnection> {
    let url = settings.database_url()?;
    let options = url
        .options()?
        .application_name(&settings.instance_id())
        .options([
            ("statement_timeout", STATEMENT),
            ("lock_timeout", LOCK),
            ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
            // Each statement finds what it needs by an index, and a batch is an array: planning it anew for every array costs more
            // than running it. A plan that is made once must not scan a table that happened to be empty then.
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            // "Already exists, skipping" at every start is no news.
            ("client_min_messages", "warning"),
        ])
        .disable_statement_logging();
    wait_for(&options)
        .await
        .with_context(|| format!("DATABASE_URL {url} is refused"))?;
    let pool = pool(settings.database_connections).connect_lazy_with(options);
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(IDLE)
        // Not at every use: that costs a third of all reads.
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            Box::pin(async move {
                if meta.idle_for >= STALE {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}

/// Returns when a connection was made, or an error that waiting would not cure.
async fn wait_for(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let (mut pause, longest) = BACKOFF;
    loop {
        match options.connect().await {
            Ok(connection) => return connection.close().await,
            Err(error) if is_away(&error) => {
                tracing::warn!(%error, host = options.get_host(), port = options.get_port(), "waiting for Postgres");
            }
            Err(error) => return Err(error),
        }
        tokio::time::sleep(pause).await;
        pause = longest.min(pause * 2);
    }
}

/// Whether Postgres is unreachable, starting, stopping or full.
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error
            .code()
            .is_some_and(|code| code.starts_with("57P") || code.starts_with("53")),
        _ => false,
    }
}
