//! The address of a database, password included, that never shows the password.

use std::{fmt, str::FromStr};

use sea_orm::sqlx::postgres::PgConnectOptions;

use super::Invalid;

/// `postgres://user:password@host:port/database`. Shown without the password; checked when it is used, because the
/// command line would print what it refuses.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The whole URL, with the password.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// # Errors
    /// It is not the URL of a Postgres database.
    pub fn options(&self) -> Result<PgConnectOptions, Invalid> {
        let invalid = |reason: String| Invalid {
            variable: "DATABASE_URL",
            reason,
        };
        if !(self.0.starts_with("postgres://") || self.0.starts_with("postgresql://")) {
            return Err(invalid("does not start with postgres://".to_owned()));
        }
        // The parser's own message repeats no part of the URL that could be secret, but nobody promises so.
        PgConnectOptions::from_str(&self.0).map_err(|_| {
            invalid("is not of the form postgres://user:password@host:port/database".to_owned())
        })
    }
}

impl From<String> for DatabaseUrl {
    fn from(url: String) -> Self {
        Self(url)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.options() {
            Ok(options) => write!(
                f,
                "postgres://{}@{}:{}/{}",
                options.get_username(),
                options.get_host(),
                options.get_port(),
                options.get_database().unwrap_or_default()
            ),
            Err(_) => f.write_str("(no Postgres URL)"),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
