//! Why a message cannot be handled, and which errors are nobody's fault.

use sea_orm::{DbErr, RuntimeErr, sqlx};

/// Why a message cannot be handled. Handling it again would fail again: it is parked with this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Fault {
    reason: String,
}

impl Fault {
    /// A fault with a reason that tells an operator what is wrong with the message.
    pub fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// What a database error means for the work that met it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The database is not there, or cannot take work: wait and do the same again, for as long as it takes.
    Away,
    /// Somebody else was at the same rows: do the same again, at once.
    Conflict,
    /// The work itself is wrong.
    Wrong,
}

/// Classes of SQLSTATE that say that the server cannot serve: connection, authorization, catalog, resources, operator,
/// system. None of them is about the work.
const AWAY_CLASSES: [&str; 6] = ["08", "28", "3D", "53", "57", "58"];
/// A statement that ran into its time-out: class 57, but the work's own doing.
const QUERY_CANCELED: &str = "57014";
/// serialization_failure, deadlock_detected, lock_not_available
const CONFLICTS: [&str; 3] = ["40001", "40P01", "55P03"];
/// read_only_sql_transaction: the old primary after a failover.
const READ_ONLY: &str = "25006";
/// idle_in_transaction_session_timeout: this process was stopped for a while; its connection is gone.
const IDLE_IN_TRANSACTION: &str = "25P03";
const UNIQUE_VIOLATION: &str = "23505";

/// Whether there was a transaction at all when `error` was met. Without a connection there was none: nothing was done, and what was to
/// be done is not to blame. Otherwise an error that is not the work's own leaves open whether it was committed.
#[must_use]
pub const fn was_begun(error: &DbErr) -> bool {
    !matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_))
}

/// Tells what `error` means for the work that met it.
#[must_use]
pub fn judge(error: &DbErr) -> Verdict {
    match error {
        error if !was_begun(error) => Verdict::Away,
        DbErr::Exec(inner) | DbErr::Query(inner) => match inner {
            RuntimeErr::SqlxError(error) => judge_sqlx(error),
            RuntimeErr::Internal(_) => Verdict::Wrong,
        },
        _ => Verdict::Wrong,
    }
}

fn judge_sqlx(error: &sqlx::Error) -> Verdict {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Verdict::Away,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            let inbox = error
                .constraint()
                .is_some_and(|name| name.starts_with("inbox"));
            judge_code(&code, inbox)
        }
        _ => Verdict::Wrong,
    }
}

/// `inbox`: whether the violated constraint is the inbox's own, so that another consumer handled the same message.
fn judge_code(code: &str, inbox: bool) -> Verdict {
    match code {
        QUERY_CANCELED => Verdict::Wrong,
        READ_ONLY | IDLE_IN_TRANSACTION => Verdict::Away,
        UNIQUE_VIOLATION if inbox => Verdict::Conflict,
        code if CONFLICTS.contains(&code) => Verdict::Conflict,
        code if AWAY_CLASSES.iter().any(|class| code.starts_with(class)) => Verdict::Away,
        _ => Verdict::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_shuts_down_is_waited_for() {
        assert_eq!(judge_code("57P01", false), Verdict::Away);
        assert_eq!(judge_code("08006", false), Verdict::Away);
        assert_eq!(judge_code("53300", false), Verdict::Away);
        assert_eq!(judge_code("28P01", false), Verdict::Away);
    }

    #[test]
    fn a_statement_that_takes_too_long_is_not_waited_for() {
        assert_eq!(judge_code(QUERY_CANCELED, false), Verdict::Wrong);
    }

    #[test]
    fn a_message_that_another_consumer_handles_at_the_same_time_is_a_conflict() {
        assert_eq!(judge_code(UNIQUE_VIOLATION, true), Verdict::Conflict);
        assert_eq!(judge_code(UNIQUE_VIOLATION, false), Verdict::Wrong);
        assert_eq!(judge_code("40P01", false), Verdict::Conflict);
    }
}
