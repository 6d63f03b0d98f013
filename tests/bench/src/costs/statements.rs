//! SQL statements, as `pg_stat_statements` counts them: those that came from outside, not those within functions.

use std::collections::BTreeMap;

use sea_orm::sqlx::{self, PgPool};

/// What a statement is, and who sends it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Statement {
    pub(crate) database: String,
    pub(crate) role: String,
    pub(crate) sql: String,
}

/// What it has cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Spent {
    pub(crate) calls: i64,
    /// Bytes of WAL.
    pub(crate) wal: i64,
}

/// The statements of the services' roles; those of whoever looks (the superuser) are left out.
const LOOK: &str = "\
SELECT datname::text, rolname::text, regexp_replace(query, '\\s+', ' ', 'g'), sum(calls)::bigint, sum(wal_bytes)::bigint
FROM pg_stat_statements
JOIN pg_database ON pg_database.oid = dbid
JOIN pg_roles ON pg_roles.oid = userid
WHERE toplevel AND NOT rolsuper
GROUP BY 1, 2, 3";

impl Statement {
    /// Whether it only begins or ends a transaction.
    pub(crate) fn is_utility(&self) -> bool {
        let mut words = self.sql.split([' ', ';']).map(str::to_uppercase);
        let (first, second) = (words.next(), words.next());
        match first.as_deref() {
            Some("BEGIN" | "START" | "COMMIT" | "END") => true,
            // To go back to a savepoint is another matter.
            Some("ROLLBACK") => second.as_deref() != Some("TO"),
            _ => false,
        }
    }

    /// Who has sent it: the relay, or the service whose database it is.
    pub(crate) fn sender(&self) -> String {
        match self.role == "relay" {
            true => "message-relay".to_owned(),
            false => self.database.clone(),
        }
    }
}

/// Everything so far.
///
/// # Errors
/// The database's.
pub(crate) async fn look(server: &PgPool) -> sqlx::Result<BTreeMap<Statement, Spent>> {
    let rows: Vec<(String, String, String, i64, i64)> =
        sqlx::query_as(LOOK).fetch_all(server).await?;
    let found = rows.into_iter().map(|(database, role, sql, calls, wal)| {
        let statement = Statement {
            database,
            role,
            sql,
        };
        (statement, Spent { calls, wal })
    });
    Ok(found.collect())
}

/// What was sent between two looks.
pub(crate) fn between(
    before: &BTreeMap<Statement, Spent>,
    after: &BTreeMap<Statement, Spent>,
) -> Vec<(Statement, Spent)> {
    let sent = after.iter().map(|(statement, spent)| {
        let earlier = before.get(statement).copied().unwrap_or_default();
        let spent = Spent {
            calls: spent.calls - earlier.calls,
            wal: spent.wal - earlier.wal,
        };
        (statement.clone(), spent)
    });
    sent.filter(|(_, spent)| spent.calls > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(role: &str, sql: &str) -> Statement {
        Statement {
            database: "orders".to_owned(),
            role: role.to_owned(),
            sql: sql.to_owned(),
        }
    }

    #[test]
    fn to_begin_and_to_end_is_no_statement_and_a_savepoint_is_one() {
        for sql in [
            "BEGIN",
            "COMMIT",
            "ROLLBACK",
            "begin isolation level serializable",
        ] {
            assert!(statement("orders", sql).is_utility(), "{sql}");
        }
        for sql in [
            "SELECT 1",
            "SAVEPOINT a",
            "ROLLBACK TO a",
            "INSERT INTO commits VALUES ($1)",
        ] {
            assert!(!statement("orders", sql).is_utility(), "{sql}");
        }
    }

    #[test]
    fn the_relay_visits_the_databases_of_others() {
        assert_eq!(statement("relay", "SELECT 1").sender(), "message-relay");
        assert_eq!(statement("orders", "SELECT 1").sender(), "orders");
    }

    #[test]
    fn only_what_was_sent_in_between_counts() {
        let spent = |calls, wal| Spent { calls, wal };
        let (old, new) = (
            statement("orders", "SELECT 1"),
            statement("orders", "SELECT 2"),
        );
        let quiet = statement("orders", "SELECT 3");
        let before = BTreeMap::from([(old.clone(), spent(5, 50)), (quiet.clone(), spent(1, 1))]);
        let after = BTreeMap::from([
            (old.clone(), spent(7, 80)),
            (new.clone(), spent(1, 10)),
            (quiet, spent(1, 1)),
        ]);
        let sent = between(&before, &after);
        assert_eq!(sent, [(old, spent(2, 30)), (new, spent(1, 10))]);
    }
}
