//! What the operator can set; the environment is read here and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use crate::known::Known;
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

/// Settings of services that are different for each process: they can be given to one service only.
const EACH_ITS_OWN: [&str; 4] = ["HTTP_ADDR", "INSTANCE", "RELAY_DOORBELLS", "SOURCES"];
/// Settings of services that are settings of this program, too, which tells the services what follows.
const TOLD: [&str; 3] = ["DATABASE_URL", "KAFKA_BROKERS", "TOPIC_PREFIX"];
/// No settings of ours, and every process understands them.
const UNDERSTOOD: [&str; 2] = ["RUST_BACKTRACE", "MALLOC_ARENA_MAX"];
/// How many instances of a service run: the service's name follows.
const INSTANCES: &str = "INSTANCES_";
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
        let name = format!("{INSTANCES}{}", upper(service));
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

    /// What the operator sets for a service whose settings have these names: `LOG=debug` for all that have it,
    /// `ORDER_SERVICE_LOG=debug` for one.
    pub(crate) fn given_to(
        &self,
        service: &str,
        names: &BTreeSet<String>,
    ) -> impl Iterator<Item = (String, String)> {
        let prefix = format!("{}_", upper(service));
        let shared = names
            .iter()
            .map(String::as_str)
            .filter(|name| !EACH_ITS_OWN.contains(name) && !TOLD.contains(name));
        let all = shared
            .chain(UNDERSTOOD)
            .filter_map(|name| Some((name.to_owned(), self.environment.get(name)?.clone())));
        let own = self.environment.iter().filter_map(move |(name, value)| {
            Some((name.strip_prefix(&prefix)?.to_owned(), value.clone()))
        });
        all.chain(own)
    }

    /// Refuses what was meant for services and would have no effect.
    pub(crate) fn check(&self, known: &Known) -> anyhow::Result<()> {
        let wrong: Vec<String> = self
            .environment
            .keys()
            .filter_map(|name| wrong(name, known))
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        bail!("these settings would have no effect:\n{}", wrong.join("\n"))
    }

    /// The password of a role, when the operator chose it: `ORDERS_PASSWORD`.
    pub(crate) fn password(&self, role: &str) -> Option<&str> {
        self.environment
            .get(&format!("{}_PASSWORD", upper(role)))
            .map(String::as_str)
    }
}

/// What is wrong with a variable, if it looks like one for services, and is none.
fn wrong(name: &str, known: &Known) -> Option<String> {
    if let Some(service) = name.strip_prefix(INSTANCES) {
        let services: Vec<String> = known.keys().map(|service| upper(service)).collect();
        let right = || format!("{name}: there are {INSTANCES}{}", services.join(", …"));
        return (!services.iter().any(|it| it == service)).then(right);
    }
    if EACH_ITS_OWN.contains(&name) {
        return Some(format!(
            "{name} is different for each process: it can be set for one service, as in ORDER_SERVICE_{name}"
        ));
    }
    known.iter().find_map(|(service, names)| {
        let prefix = format!("{}_", upper(service));
        let setting = name.strip_prefix(&prefix)?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let right = || format!("{name}: {service} has {prefix}{}", names.join(", …"));
        (!UNDERSTOOD.contains(&setting) && !names.contains(&setting)).then(right)
    })
}

fn upper(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

#[cfg(test)]
impl Settings {
    /// Settings of which the operator has set nothing but that.
    pub(crate) fn of(environment: &[(&str, &str)]) -> Self {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self {
            dir: PathBuf::new(),
            port_offset: 0,
            database_url: None,
            kafka_brokers: None,
            topic_prefix: String::new(),
            topic_partitions: 6,
            environment: environment.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        BTreeMap::from([
            (
                "order-service",
                names(&["DATABASE_URL", "HTTP_ADDR", "LOG", "SAGA_DEADLINE_MS"]),
            ),
            ("order-view", names(&["LOG", "READ_WAIT_MS"])),
        ])
    }

    fn given(settings: &Settings, service: &str) -> Vec<String> {
        let known = known();
        let given = settings.given_to(service, &known[service]);
        given
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    }

    #[test]
    fn a_setting_is_given_to_every_service_that_has_it() {
        let settings = Settings::of(&[
            ("LOG", "debug"),
            ("SAGA_DEADLINE_MS", "500"),
            ("DATABASE_URL", "postgres://elsewhere"),
            ("HOME", "/root"),
        ]);
        assert_eq!(
            given(&settings, "order-service"),
            ["LOG=debug", "SAGA_DEADLINE_MS=500"]
        );
        assert_eq!(given(&settings, "order-view"), ["LOG=debug"]);
        assert!(settings.check(&known()).is_ok());
    }

    #[test]
    fn the_name_of_a_service_gives_it_to_that_one_only_and_has_the_last_word() {
        let settings = Settings::of(&[
            ("LOG", "debug"),
            ("ORDER_SERVICE_LOG", "warn"),
            ("ORDER_SERVICE_RUST_BACKTRACE", "1"),
            ("ORDER_SERVICE_MALLOC_ARENA_MAX", "4"),
            ("INSTANCES_ORDER_SERVICE", "2"),
        ]);
        let given_to = given(&settings, "order-service");
        assert_eq!(
            given_to,
            [
                "LOG=debug",
                "LOG=warn",
                "MALLOC_ARENA_MAX=4",
                "RUST_BACKTRACE=1"
            ]
        );
        assert_eq!(given(&settings, "order-view"), ["LOG=debug"]);
        assert!(settings.check(&known()).is_ok());
    }

    #[test]
    fn what_would_have_no_effect_is_refused_with_what_there_is() {
        for (name, hint) in [
            ("ORDER_SERVICE_SAGA_DEADLIN_MS", "SAGA_DEADLINE_MS"),
            ("ORDER_VIEW_SAGA_DEADLINE_MS", "READ_WAIT_MS"),
            ("INSTANCES_FOO", "INSTANCES_ORDER_SERVICE, …ORDER_VIEW"),
            ("HTTP_ADDR", "ORDER_SERVICE_HTTP_ADDR"),
        ] {
            let refused = Settings::of(&[(name, "1")]).check(&known()).unwrap_err();
            let told = refused.to_string();
            assert!(told.contains(name) && told.contains(hint), "{told}");
        }
    }
}
