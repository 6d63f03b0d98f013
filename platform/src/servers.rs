//! Postgres and Kafka: private ones, or those that the operator names.

use anyhow::Context;
use native::{Installation, Kafka, Postgres, Server};

use crate::console::Progress;
use crate::layout::Layout;
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::spec::{Probe, Spec};

const POSTGRES_PORT: u16 = 15432;
const KAFKA_PORT: u16 = 19092;
const CONTROLLER_PORT: u16 = 19093;
/// Whose password the private Postgres is made with.
pub(crate) const SUPERUSER: &str = "postgres";

/// Where the servers are.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    /// An administrator's URL.
    pub(crate) database_url: String,
    pub(crate) brokers: String,
}

/// The servers of this platform.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) addresses: Addresses,
    /// The private ones among them, prepared and not started.
    pub(crate) specs: Vec<Spec>,
}

/// The ports that private servers use.
pub(crate) fn ports(settings: &Settings) -> [u16; 3] {
    [POSTGRES_PORT, KAFKA_PORT, CONTROLLER_PORT].map(|port| port + settings.port_offset)
}

/// The addresses of servers that the operator runs, when both are given.
pub(crate) fn external(settings: &Settings) -> Option<Servers> {
    let addresses = Addresses {
        database_url: settings.database_url.clone()?,
        brokers: settings.kafka_brokers.clone()?,
    };
    Some(Servers {
        addresses,
        specs: Vec::new(),
    })
}

/// Installs and prepares what is private; takes the rest from the settings.
pub(crate) fn prepare(
    settings: &Settings,
    layout: &Layout,
    secrets: &Secrets,
    progress: &Progress,
) -> anyhow::Result<Servers> {
    if let Some(servers) = external(settings) {
        return Ok(servers);
    }
    let folder = native::folder();
    if !folder.exists() {
        progress.say("fetching Postgres 18 and Kafka 4.3 with Maven (70 MB, once)");
    }
    let installation = native::install(&folder).context("cannot install the servers")?;
    let mut specs = Vec::new();
    let database_url = match &settings.database_url {
        Some(url) => url.clone(),
        None => postgres(settings, layout, secrets, &installation, &mut specs)?,
    };
    let brokers = match &settings.kafka_brokers {
        Some(brokers) => brokers.clone(),
        None => kafka(settings, layout, &installation, &mut specs)?,
    };
    Ok(Servers {
        addresses: Addresses {
            database_url,
            brokers,
        },
        specs,
    })
}

fn postgres(
    settings: &Settings,
    layout: &Layout,
    secrets: &Secrets,
    installation: &Installation,
    specs: &mut Vec<Spec>,
) -> anyhow::Result<String> {
    let [port, ..] = ports(settings);
    let data = layout.postgres()?.join("data");
    let server = Postgres::new(installation, &data, port, secrets.password(SUPERUSER)?);
    server.prepare().context("cannot prepare Postgres")?;
    specs.push(Spec::server(
        server.name(),
        port,
        Probe::Postgres,
        server.launch()?,
    ));
    Ok(server.url())
}

fn kafka(
    settings: &Settings,
    layout: &Layout,
    installation: &Installation,
    specs: &mut Vec<Spec>,
) -> anyhow::Result<String> {
    let [_, port, controller] = ports(settings);
    let server = Kafka::new(installation, &layout.kafka(), port, controller);
    server.prepare().context("cannot prepare Kafka")?;
    specs.push(Spec::server(
        server.name(),
        port,
        Probe::Kafka,
        server.launch()?,
    ));
    Ok(server.brokers())
}
