//! Loads the demo data: customers, restaurants, payment methods, with ids that never change.

use anyhow::Context;
use sea_orm::ConnectionTrait;

use crate::layout::Layout;
use crate::secrets::Secrets;
use crate::servers::{self, Addresses};
use crate::settings::Settings;
use crate::{databases, provision};

/// What goes into which database. Every statement leaves alone what is there.
const SEEDS: [(&str, &str); 4] = [
    ("customers", include_str!("../demo/customers.sql")),
    ("gateway", include_str!("../demo/gateway.sql")),
    ("restaurants", include_str!("../demo/restaurants.sql")),
    ("payments", include_str!("../demo/payments.sql")),
];

/// The command: on servers that the operator runs.
pub(crate) async fn external(settings: &Settings, layout: &Layout) -> anyhow::Result<()> {
    let servers =
        servers::external(settings).context("demo needs DATABASE_URL and KAFKA_BROKERS")?;
    load(
        &servers.addresses,
        &provision::external_secrets(settings, layout)?,
    )
    .await
}

/// Loads what is not there. The services have made their tables by now.
pub(crate) async fn load(addresses: &Addresses, secrets: &Secrets) -> anyhow::Result<()> {
    for (database, seed) in SEEDS {
        let url = secrets.url(&addresses.database_url, database, database)?;
        let db = databases::connect(&url).await?;
        db.execute_unprepared(seed)
            .await
            .with_context(|| format!("cannot load demo data into {database}"))?;
        db.close().await?;
    }
    Ok(())
}
