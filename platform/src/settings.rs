//! What the operator can set; the environment is read here and nowhere else.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::layout::Layout;

/// Settings of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// The folder of data, logs and passwords
    #[arg(long, env = "PLATFORM_DIR", default_value = ".platform", global = true)]
    pub(crate) dir: PathBuf,
    /// Added to every port, so that a second platform can run beside the first
    #[arg(long, env = "PORT_OFFSET", default_value_t = 0, global = true, value_parser = clap::value_parser!(u16).range(..=40_000))]
    pub(crate) port_offset: u16,
    /// An administrator's URL of a Postgres to use instead of a private one
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true)]
    pub(crate) database_url: Option<String>,
    /// Brokers of a Kafka to use instead of a private one
    #[arg(long, env = "KAFKA_BROKERS", global = true)]
    pub(crate) kafka_brokers: Option<String>,
    /// Put before every topic and consumer group
    #[arg(long, env = "TOPIC_PREFIX", default_value = "", global = true)]
    pub(crate) topic_prefix: String,
    /// Partitions of a topic when it is made; never changed afterwards
    #[arg(long, env = "TOPIC_PARTITIONS", default_value_t = 6, global = true)]
    pub(crate) topic_partitions: i32,
    #[arg(skip = env::vars().collect::<BTreeMap<_, _>>())]
    environment: BTreeMap<String, String>,
}

/// Settings of services that are handed to all of them, when the operator gives them.
const PASSED_TO_ALL: [&str; 6] = [
    "LOG",
    "LOG_FORMAT",
    "WORKER_THREADS",
    "DATABASE_CONNECTIONS",
    "IDEMPOTENCY_DAYS",
    "RUST_BACKTRACE",
];
/// More instances than this would run into the next service's ports.
const MOST_INSTANCES: u16 = 9;

impl Settings {
    /// The platform's folder.
    pub(crate) fn layout(&self) -> anyhow::Result<Layout> {
        Layout::at(&self.dir)
    }

    /// The same platform on other ports.
    pub(crate) fn moved_by(&self, port_offset: u16) -> Self {
        Self {
            port_offset,
            ..self.clone()
        }
    }

    /// The same platform somewhere else, with servers of its own.
    pub(crate) fn alone(&self, dir: PathBuf, port_offset: u16) -> Self {
        Self {
            dir,
            database_url: None,
            kafka_brokers: None,
            ..self.moved_by(port_offset)
        }
    }

    /// How often a service runs: `INSTANCES_ORDER_SERVICE=2`.
    pub(crate) fn instances(&self, service: &str) -> anyhow::Result<u16> {
        let name = format!("INSTANCES_{}", upper(service));
        let Some(text) = self.environment.get(&name) else {
            return Ok(1);
        };
        let number = text
            .parse()
            .ok()
            .filter(|number| (1..=MOST_INSTANCES).contains(number));
        number.with_context(|| {
            format!("{name} must be a number from 1 to {MOST_INSTANCES}, not `{text}`")
        })
    }

    /// What the operator sets for a service: `LOG=debug` for all, `ORDER_SERVICE_LOG=debug` for one.
    pub(crate) fn given_to(&self, service: &str) -> impl Iterator<Item = (String, String)> {
        let prefix = format!("{}_", upper(service));
        let all = PASSED_TO_ALL
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), self.environment.get(*name)?.clone())));
        let own = self.environment.iter().filter_map(move |(name, value)| {
            Some((name.strip_prefix(&prefix)?.to_owned(), value.clone()))
        });
        all.chain(own)
    }

    /// The password of a role, when the operator chose it: `ORDERS_PASSWORD`.
    pub(crate) fn password(&self, role: &str) -> Option<&str> {
        self.environment
            .get(&format!("{}_PASSWORD", upper(role)))
            .map(String::as_str)
    }
}

fn upper(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}
