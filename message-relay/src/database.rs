//! The one connection of a shard to its database.

use std::time::Duration;

use sea_orm::sqlx::{self, ConnectOptions, PgConnection, postgres::PgConnectOptions};

/// What the connection is asked must be answered in this time.
const PATIENCE: Duration = Duration::from_secs(10);

/// The session's settings. Every statement of the relay walks an index; the planner must not think otherwise where an
/// outbox was never analysed, or was full when it was. A plan that is made once serves all values.
const SESSION: [(&str, &str); 6] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
    ("statement_timeout", "8s"),
    ("idle_in_transaction_session_timeout", "8s"),
];

/// Why a shard cannot go on with its database for the moment.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database is away, or refuses.
    #[error("the database cannot be used")]
    Database(#[from] sqlx::Error),
    /// It does not answer.
    #[error("the database did not answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// The outbox is not as this relay needs it. The text says how.
    #[error("{0}")]
    Unfit(String),
}

/// Opens a connection.
///
/// # Errors
/// The database is away, or refuses.
pub async fn connect(options: &PgConnectOptions, application: &str) -> Result<PgConnection, Error> {
    let options = options
        .clone()
        .application_name(application)
        .options(SESSION)
        .disable_statement_logging();
    within(options.connect()).await
}

/// Awaits an answer, but not for ever. After an error the connection must be dropped: a statement may still be running on
/// it. (To go on using a connection after a statement was cancelled is what poisons a pool, sqlx #4385.)
pub(crate) async fn within<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, Error> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Silent),
    }
}
