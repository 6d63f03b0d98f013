//! What every process is told from outside, by environment variable or by flag.

mod database_url;

use std::net::{Ipv4Addr, SocketAddr};

pub use database_url::DatabaseUrl;
use tracing_subscriber::filter::Targets;

/// The settings that all processes share. `Debug` shows no secret.
#[derive(Debug, Clone, clap::Args)]
pub struct Settings {
    /// Name of this service, in logs and in Postgres.
    #[arg(
        id = "service_name",
        long = "service-name",
        env = "SERVICE_NAME",
        hide = true
    )]
    pub name: String,

    /// Address to serve HTTP on.
    #[arg(long, env = "HTTP_ADDR")]
    pub http_addr: SocketAddr,

    /// The database of this service: postgres://user:password@host:port/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<DatabaseUrl>,

    /// How many connections to the database this process may hold.
    #[arg(long, env = "DATABASE_CONNECTIONS", default_value_t = 8,
          value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub database_connections: u32,

    /// Where to meet Kafka: host:port, several separated by commas.
    #[arg(long, env = "KAFKA_BROKERS", default_value = "127.0.0.1:19092")]
    pub kafka_brokers: String,

    /// Put before the name of every topic and consumer group, so that several systems can share a Kafka.
    #[arg(long, env = "TOPIC_PREFIX", default_value = "")]
    pub topic_prefix: String,

    /// The slot of this process among its equals: the same after every restart, different from all others.
    #[arg(long, env = "INSTANCE", default_value_t = 0)]
    pub instance: u16,

    /// Where the relays listen for the news that something was committed: host:port (UDP), separated by commas.
    #[arg(long, env = "RELAY_DOORBELLS", default_value = "127.0.0.1:8083", value_delimiter = ',',
          value_parser = host_and_port)]
    pub relay_doorbells: Vec<String>,

    /// How many whole days a request that named itself with an Idempotency-Key is remembered, besides today.
    #[arg(long, env = "IDEMPOTENCY_DAYS", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=365))]
    pub idempotency_days: u32,

    /// How many days the rows of an order are kept after it was taken, once it has ended; without it, for ever. An order that is
    /// under way for longer begins nothing new any more.
    #[arg(long, env = "FINISHED_ORDERS_DAYS",
          value_parser = clap::value_parser!(u32).range(7..=36_500))]
    pub finished_orders_days: Option<u32>,

    /// What to log: a level, or `target=level` directives separated by commas.
    #[arg(long, env = "LOG", default_value = "info")]
    pub log: String,

    /// How to write the log.
    #[arg(long, env = "LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Threads that run tasks. With 1 everything runs on the main thread, which needs the least memory.
    #[arg(long, env = "WORKER_THREADS", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=256))]
    pub worker_threads: u16,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} {reason}")]
pub struct Invalid {
    /// The environment variable that gave it.
    pub variable: &'static str,
    /// What is wrong with it, as the rest of a sentence that begins with the variable. Holds no secret.
    pub reason: String,
}

impl Settings {
    /// The defaults, on a port that the system chooses: what a test starts a service with.
    #[must_use]
    pub fn local(name: impl Into<String>, database_url: Option<&str>) -> Self {
        Self {
            name: name.into(),
            http_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            database_url: database_url.map(|url| DatabaseUrl::from(url.to_owned())),
            database_connections: 8,
            kafka_brokers: "127.0.0.1:19092".to_owned(),
            topic_prefix: String::new(),
            instance: 0,
            relay_doorbells: Vec::new(),
            idempotency_days: 1,
            finished_orders_days: None,
            log: "info".to_owned(),
            log_format: LogFormat::Text,
            worker_threads: 1,
        }
    }

    /// The name of this process among all: the service and its slot.
    #[must_use]
    pub fn instance_id(&self) -> String {
        format!("{}-{}", self.name, self.instance)
    }

    /// How `consumer`, which is also the name of its group, meets Kafka to read `topics` (named without prefix).
    #[must_use]
    pub fn consumer(&self, consumer: &str, topics: &[&str]) -> messaging::consumer::Settings {
        let slot = self.instance.to_string();
        messaging::consumer::Settings::new(
            consumer,
            &slot,
            &self.kafka_brokers,
            &self.topic_prefix,
            topics,
        )
    }

    /// What the command line cannot check without showing a secret, or by a type alone.
    ///
    /// # Errors
    /// The first setting that cannot be used.
    pub fn validate(&self) -> Result<(), Invalid> {
        let filter: Result<Targets, _> = self.log.parse();
        filter.map_err(|error| Invalid {
            variable: "LOG",
            reason: format!("is no log filter: {error}"),
        })?;
        match &self.database_url {
            Some(url) => url.options().map(drop),
            None => Ok(()),
        }
    }

    /// The database's URL, for a process that has one.
    ///
    /// # Errors
    /// It was not given.
    pub fn database_url(&self) -> Result<&DatabaseUrl, Invalid> {
        self.database_url.as_ref().ok_or_else(|| Invalid {
            variable: "DATABASE_URL",
            reason: "is not set: give postgres://user:password@host:port/database".to_owned(),
        })
    }
}

fn host_and_port(text: &str) -> Result<String, &'static str> {
    let (host, port) = text.rsplit_once(':').ok_or("expected host:port")?;
    if host.is_empty() || port.parse::<u16>().is_err() {
        return Err("expected host:port");
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, clap::Parser)]
    struct Config {
        #[command(flatten)]
        service: Settings,
    }

    fn parse(arguments: &[&str]) -> Result<Settings, clap::Error> {
        let given = [
            "test",
            "--service-name",
            "test",
            "--http-addr",
            "127.0.0.1:0",
        ];
        Config::try_parse_from(given.iter().chain(arguments)).map(|config| config.service)
    }

    #[test]
    fn an_invalid_setting_is_named() {
        let error = parse(&["--worker-threads", "0"]).unwrap_err().to_string();
        assert!(error.contains("WORKER_THREADS"), "{error}");
        let error = parse(&["--relay-doorbells", "relay"])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("RELAY_DOORBELLS") && error.contains("host:port"),
            "{error}"
        );
        let error = parse(&["--log", "a=b=c"]).unwrap().validate().unwrap_err();
        assert_eq!(error.variable, "LOG");
    }

    #[test]
    fn several_relays_are_separated_by_commas() {
        let settings = parse(&["--relay-doorbells", "a:1,b:2"]).unwrap();
        assert_eq!(settings.relay_doorbells, ["a:1", "b:2"]);
    }

    #[test]
    fn no_error_and_no_debug_output_shows_the_password() {
        for url in [
            "postgres://user:hunter2@host:1/db",
            "postgres://user:hunter2@host:port/db",
            "hunter2",
        ] {
            let settings = parse(&["--database-url", url]).unwrap();
            let shown = format!("{settings:?} {:?}", settings.validate());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_consumer_keeps_its_instance_id_over_restarts_and_its_group_has_the_prefix() {
        let settings = parse(&["--instance", "2", "--topic-prefix", "blue."]).unwrap();
        let consumer = settings.consumer("kitchen-service", &["order-kitchen"]);
        assert_eq!(consumer.instance_id, "kitchen-service-2");
        assert_eq!(consumer.group, "blue.kitchen-service");
        assert_eq!(consumer.topics, ["order-kitchen"]);
    }

    #[test]
    fn a_missing_database_is_named() {
        let error = parse(&[]).unwrap().database_url().unwrap_err().to_string();
        assert!(error.starts_with("DATABASE_URL is not set"), "{error}");
    }
}
