//! Creates what the services expect to find: roles, databases, topics. Running it again is harmless.

use anyhow::Context;

use crate::layout::Layout;
use crate::secrets::Secrets;
use crate::servers::{self, Addresses, SUPERUSER};
use crate::settings::Settings;
use crate::{databases, processes, topics};

/// The command: on servers that the operator runs.
pub(crate) async fn external(settings: &Settings, layout: &Layout) -> anyhow::Result<()> {
    let servers =
        servers::external(settings).context("provision needs DATABASE_URL and KAFKA_BROKERS")?;
    let secrets = external_secrets(settings, layout)?;
    run(settings, &servers.addresses, &secrets).await
}

/// The passwords of the roles on servers that the operator runs.
pub(crate) fn external_secrets(settings: &Settings, layout: &Layout) -> anyhow::Result<Secrets> {
    layout.create()?;
    Secrets::open(settings, layout, processes::roles())
}

/// The passwords of all roles, the private server's superuser among them.
pub(crate) fn secrets(settings: &Settings, layout: &Layout) -> anyhow::Result<Secrets> {
    Secrets::open(settings, layout, processes::roles().chain([SUPERUSER]))
}

/// On any servers that answer.
pub(crate) async fn run(
    settings: &Settings,
    addresses: &Addresses,
    secrets: &Secrets,
) -> anyhow::Result<()> {
    databases::create(&addresses.database_url, secrets)
        .await
        .context("cannot create the databases")?;
    topics::create(settings, &addresses.brokers)
        .await
        .context("cannot create the topics")
}
