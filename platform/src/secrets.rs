//! Passwords: made on this machine, kept in a file of mode 600, never in the repository.

use std::collections::BTreeMap;

use anyhow::Context;
use url::Url;

use crate::files;
use crate::layout::Layout;
use crate::settings::Settings;

/// The password of each role.
#[derive(Debug)]
pub(crate) struct Secrets {
    passwords: BTreeMap<String, String>,
}

impl Secrets {
    /// Reads the passwords of `roles`, and makes those that are missing. What the operator gives
    /// in the environment counts and is not written down.
    pub(crate) fn open<'a>(
        settings: &Settings,
        layout: &Layout,
        roles: impl IntoIterator<Item = &'a str>,
    ) -> anyhow::Result<Self> {
        let path = layout.secrets();
        let mut passwords: BTreeMap<String, String> = files::read(&path)?.unwrap_or_default();
        let known = passwords.len();
        let mut given = BTreeMap::new();
        for role in roles {
            if let Some(password) = settings.password(role) {
                given.insert(role.to_owned(), password.to_owned());
            } else if !passwords.contains_key(role) {
                passwords.insert(role.to_owned(), native::token()?);
            }
        }
        if passwords.len() > known {
            files::write(&path, &passwords)?;
        }
        passwords.extend(given);
        Ok(Self { passwords })
    }

    /// The password of a role that was named at opening.
    pub(crate) fn password(&self, role: &str) -> anyhow::Result<&str> {
        self.passwords
            .get(role)
            .map(String::as_str)
            .with_context(|| format!("no password of role {role}"))
    }

    /// The URL of `database` on the server of `admin`, as `role`.
    pub(crate) fn url(&self, admin: &str, role: &str, database: &str) -> anyhow::Result<String> {
        let mut url = Url::parse(admin).context("DATABASE_URL is no URL")?;
        let fit = url
            .set_username(role)
            .and_then(|()| url.set_password(self.passwords.get(role).map(String::as_str)));
        if fit.is_err() {
            anyhow::bail!(
                "DATABASE_URL must look like postgres://user:password@host:port/postgres"
            );
        }
        url.set_path(database);
        Ok(url.into())
    }
}
