//! What a database error means to a client: come back in a moment, or a failure whose reason stays in the log.

use std::time::Duration;

use sea_orm::{DbErr, RuntimeErr, sqlx};

use super::Problem;

const RETRY_AFTER: Duration = Duration::from_secs(1);
/// SQLSTATE classes after which the same request may succeed: connection, rollback (serialization, deadlock),
/// resources, operator intervention (restart), system.
const TRANSIENT_CLASSES: [&str; 5] = ["08", "40", "53", "57", "58"];
/// idle_in_transaction_session_timeout: this process was stopped for a while.
const IDLE_IN_TRANSACTION: &str = "25P03";

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        if !is_transient(&error) {
            return Self::internal(&error);
        }
        tracing::warn!(%error, "the database cannot serve a request");
        Self::unavailable("the database cannot be reached at the moment", RETRY_AFTER)
    }
}

fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => is_transient_sqlx(error),
        _ => false,
    }
}

fn is_transient_sqlx(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            code == IDLE_IN_TRANSACTION
                || TRANSIENT_CLASSES
                    .iter()
                    .any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn a_database_that_is_away_is_worth_another_try_and_a_broken_query_is_not() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let away = DbErr::Conn(RuntimeErr::SqlxError(std::sync::Arc::new(sqlx::Error::Io(
            refused,
        ))));
        assert_eq!(
            Problem::from(away).status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        let broken = Problem::from(DbErr::Custom("column secret is missing".to_owned()));
        assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!broken.detail().contains("secret"));
    }
}
