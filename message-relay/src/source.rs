//! The databases whose outboxes are relayed.

use std::{fmt, str::FromStr, sync::Arc};

use sea_orm::sqlx::postgres::PgConnectOptions;

/// A database with an outbox. Shown without its password.
#[derive(Clone)]
pub struct Source {
    /// The service that owns the database: `ce_source` of its messages is this, after a slash.
    pub name: Arc<str>,
    /// How to reach it.
    pub database: PgConnectOptions,
}

/// A part of `SOURCES` that cannot be used. Repeats no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// No name, or none of its parts is a URL.
    #[error("SOURCES must be name=postgres://… , several separated by commas")]
    Form,
    /// The URL cannot be used.
    #[error(
        "SOURCES: the URL of {0} is not of the form postgres://user:password@host:port/database"
    )]
    Url(String),
}

impl FromStr for Source {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (name, url) = text.trim().split_once('=').ok_or(Invalid::Form)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(plain) {
            return Err(Invalid::Form);
        }
        let invalid = || Invalid::Url(name.to_owned());
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(invalid());
        }
        Ok(Self {
            name: name.into(),
            database: url.parse().map_err(|_| invalid())?,
        })
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let database = &self.database;
        write!(
            f,
            "{}=postgres://{}@{}:{}/{}",
            self.name,
            database.get_username(),
            database.get_host(),
            database.get_port(),
            database.get_database().unwrap_or_default()
        )
    }
}

/// The setting `SOURCES`, passwords included. Shown without them; checked when it is used, because the command line would
/// print what it refuses.
#[derive(Clone)]
pub struct Sources(String);

impl Sources {
    /// The sources that it names.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn parse(&self) -> Result<Vec<Source>, Invalid> {
        let parts = self.0.split(',').filter(|part| !part.trim().is_empty());
        let sources: Vec<Source> = parts.map(str::parse).collect::<Result<_, _>>()?;
        if sources.is_empty() {
            return Err(Invalid::Form);
        }
        Ok(sources)
    }
}

impl From<String> for Sources {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parse() {
            Ok(sources) => sources.fmt(f),
            Err(invalid) => invalid.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_sources_are_separated_by_commas() {
        let text = "orders=postgres://relay:hunter2@127.0.0.1:15432/orders, views=postgresql://relay@h/views";
        let sources = Sources::from(text.to_owned()).parse().unwrap();
        assert_eq!(&*sources[0].name, "orders");
        assert_eq!(
            format!("{:?}", sources[0]),
            "orders=postgres://relay@127.0.0.1:15432/orders"
        );
        assert_eq!(&*sources[1].name, "views");
    }

    #[test]
    fn no_error_shows_a_password() {
        for text in [
            "",
            "orders",
            "=postgres://a:hunter2@h/b",
            "orders=hunter2",
            "o=postgres://a:hunter2@h:x/b",
        ] {
            let sources = Sources::from(text.to_owned());
            let error = sources.parse().unwrap_err();
            assert!(
                !format!("{error} {error:?} {sources:?}").contains("hunter2"),
                "{error}"
            );
        }
    }
}
