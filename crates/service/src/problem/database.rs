//! What a database error means to a client: come back in a moment, or a failure whose reason stays in the log.

use std::time::Duration;

use messaging::{Verdict, judge, was_begun};
use sea_orm::DbErr;

use super::Problem;

const RETRY_AFTER: Duration = Duration::from_secs(1);
const UNDONE: &str = "the database cannot do this at the moment, and nothing was done";
const OPEN: &str =
    "the database broke off or is silent, and this may still be done: look before you ask again";

impl From<DbErr> for Problem {
    fn from(error: DbErr) -> Self {
        match judge(&error) {
            Verdict::Wrong => Self::internal(&error),
            verdict @ (Verdict::Away | Verdict::Conflict) => {
                tracing::warn!(%error, "the database cannot serve a request");
                let undone = verdict == Verdict::Conflict || !was_begun(&error);
                Self::unavailable(if undone { UNDONE } else { OPEN }, RETRY_AFTER)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use sea_orm::{RuntimeErr, sqlx};

    use super::*;

    #[test]
    fn a_client_is_told_whether_it_may_have_been_done() {
        let none = DbErr::ConnectionAcquire(sea_orm::error::ConnAcquireErr::Timeout);
        assert_eq!(Problem::from(none).detail(), UNDONE);
        let silent = sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
        let silent = DbErr::Exec(RuntimeErr::SqlxError(std::sync::Arc::new(silent)));
        assert_eq!(Problem::from(silent).detail(), OPEN);
    }

    #[test]
    fn a_database_that_is_away_is_worth_another_try_and_a_broken_query_is_not() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let away = sqlx::Error::Io(refused);
        let away = DbErr::Conn(RuntimeErr::SqlxError(std::sync::Arc::new(away)));
        assert_eq!(
            Problem::from(away).status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
        let broken = Problem::from(DbErr::Custom("column secret is missing".to_owned()));
        assert_eq!(broken.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!broken.detail().contains("secret"));
    }
}
