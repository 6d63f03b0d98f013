//! The table of what runs, and how each process is told about the others.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::known::{self, Known};
use crate::layout::Layout;
use crate::secrets::Secrets;
use crate::servers::Addresses;
use crate::settings::Settings;
use crate::spec::{self, Probe, Spec, Stop};

/// A service: the name of its program, the port of its first instance, its database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) port: u16,
    /// Also the name of the role that owns it. None for the relay, which visits those of others.
    pub(crate) database: Option<&'static str>,
}

/// Everything that is started after the servers.
pub(crate) const SERVICES: [Service; 9] = [
    Service {
        name: "gateway-simulator",
        port: 8090,
        database: Some("gateway"),
    },
    Service {
        name: "order-service",
        port: 8080,
        database: Some("orders"),
    },
    Service {
        name: "customer-service",
        port: 8081,
        database: Some("customers"),
    },
    Service {
        name: "restaurant-service",
        port: 8082,
        database: Some("restaurants"),
    },
    Service {
        name: "message-relay",
        port: 8083,
        database: None,
    },
    Service {
        name: "payment-service",
        port: 8084,
        database: Some("payments"),
    },
    Service {
        name: "kitchen-service",
        port: 8085,
        database: Some("kitchens"),
    },
    Service {
        name: "delivery-service",
        port: 8086,
        database: Some("deliveries"),
    },
    Service {
        name: "order-view",
        port: 8087,
        database: Some("views"),
    },
];
/// The role that reads all outboxes.
pub(crate) const RELAY: &str = "relay";
/// Has no outbox: it stands for a company of its own.
pub(crate) const GATEWAY: &str = "gateway-simulator";
/// From one instance's port to the next one's: 8080, 8180, 8280, …
const STRIDE: u16 = 100;

/// Every role, in no order that matters.
pub(crate) fn roles() -> impl Iterator<Item = &'static str> {
    SERVICES
        .iter()
        .filter_map(|service| service.database)
        .chain([RELAY])
}

/// The databases whose outbox the relay empties, with the service that writes it.
pub(crate) fn sources() -> impl Iterator<Item = (&'static str, &'static str)> {
    SERVICES
        .iter()
        .filter(|service| service.name != GATEWAY)
        .filter_map(|service| Some((service.name, service.database?)))
}

/// The port of an instance; slots count from 0.
pub(crate) fn port(settings: &Settings, service: &Service, slot: u16) -> u16 {
    service.port + slot * STRIDE + settings.port_offset
}

/// All instances of all services, ready to be started.
pub(crate) fn services(
    settings: &Settings,
    layout: &Layout,
    addresses: &Addresses,
    secrets: &Secrets,
) -> anyhow::Result<Vec<Spec>> {
    let programs = std::env::current_exe()?
        .parent()
        .context("this program lies nowhere")?
        .to_owned();
    let known = known::settings(&programs)?;
    settings.check(&known)?;
    let mut specs = Vec::new();
    for service in &SERVICES {
        let program = programs.join(service.name);
        let fingerprint = spec::fingerprint(&program)?;
        for slot in 0..settings.instances(service.name)? {
            specs.push(Spec {
                name: if slot == 0 {
                    service.name.to_owned()
                } else {
                    format!("{}-{slot}", service.name)
                },
                program: program.clone(),
                args: Vec::new(),
                environment: environment(settings, &known, addresses, secrets, service, slot)?,
                folder: layout.root().to_owned(),
                account: None,
                stop: Stop::Terminate,
                port: port(settings, service, slot),
                probe: Probe::Http,
                fingerprint,
            });
        }
    }
    Ok(specs)
}

/// What one instance is told; passwords only to whom they belong. The operator has the last word.
fn environment(
    settings: &Settings,
    known: &Known,
    addresses: &Addresses,
    secrets: &Secrets,
    service: &Service,
    slot: u16,
) -> anyhow::Result<BTreeMap<String, String>> {
    let own = match service.database {
        Some(database) => (
            "DATABASE_URL",
            secrets.url(&addresses.database_url, database, database)?,
        ),
        None => ("SOURCES", source_list(addresses, secrets)?),
    };
    let told = [
        // One arena of malloc for all threads (docs/adr/0014): glibc reads it, no service has to know it. As with all of
        // these, what the operator sets comes after it.
        ("MALLOC_ARENA_MAX", "1".to_owned()),
        ("HTTP_ADDR", address(settings, service, slot)),
        ("INSTANCE", slot.to_string()),
        ("KAFKA_BROKERS", addresses.brokers.clone()),
        ("TOPIC_PREFIX", settings.topic_prefix.clone()),
        (
            "RELAY_DOORBELLS",
            addresses_of(settings, "message-relay")?.join(","),
        ),
        (
            "GATEWAY_URL",
            format!("http://{}", addresses_of(settings, GATEWAY)?.swap_remove(0)),
        ),
        own,
    ];
    let told = told.map(|(name, value)| (name.to_owned(), value));
    Ok(told
        .into_iter()
        .chain(settings.given_to(service.name, &known[service.name]))
        .collect())
}

fn address(settings: &Settings, service: &Service, slot: u16) -> String {
    format!("127.0.0.1:{}", port(settings, service, slot))
}

fn addresses_of(settings: &Settings, name: &str) -> anyhow::Result<Vec<String>> {
    let mut addresses = Vec::new();
    for service in SERVICES.iter().filter(|service| service.name == name) {
        addresses
            .extend((0..settings.instances(name)?).map(|slot| address(settings, service, slot)));
    }
    Ok(addresses)
}

fn source_list(addresses: &Addresses, secrets: &Secrets) -> anyhow::Result<String> {
    let entry = |(service, database)| -> anyhow::Result<String> {
        Ok(format!(
            "{service}={}",
            secrets.url(&addresses.database_url, RELAY, database)?
        ))
    };
    Ok(sources()
        .map(entry)
        .collect::<anyhow::Result<Vec<_>>>()?
        .join(","))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn told(operator: &[(&str, &str)]) -> BTreeMap<String, String> {
        // Passwords that are given are not written to any file.
        let passwords: Vec<String> = roles()
            .map(|role| format!("{}_PASSWORD", role.to_uppercase()))
            .collect();
        let given = passwords.iter().map(|name| (name.as_str(), "secret"));
        let settings = Settings::of(&given.chain(operator.iter().copied()).collect::<Vec<_>>());
        let known =
            SERVICES.map(|service| (service.name, BTreeSet::from(["HTTP_ADDR".to_owned()])));
        let addresses = Addresses {
            database_url: "postgres://postgres@127.0.0.1:5432/postgres".to_owned(),
            brokers: "127.0.0.1:9092".to_owned(),
        };
        let layout = Layout::at(Path::new("nowhere")).unwrap();
        let secrets = Secrets::open(&settings, &layout, roles()).unwrap();
        let service = SERVICES.iter().find(|it| it.name == "order-service");
        let known = Known::from(known);
        environment(&settings, &known, &addresses, &secrets, service.unwrap(), 1).unwrap()
    }

    #[test]
    fn a_process_is_told_its_place_and_the_operator_has_the_last_word() {
        let own = told(&[]);
        let of = |told: &BTreeMap<String, String>, name: &str| {
            told.get(name).cloned().unwrap_or_default()
        };
        assert_eq!(of(&own, "INSTANCE"), "1");
        assert_eq!(of(&own, "HTTP_ADDR"), "127.0.0.1:8180");
        assert_eq!(of(&own, "MALLOC_ARENA_MAX"), "1");

        let all = told(&[("MALLOC_ARENA_MAX", "4")]);
        assert_eq!(of(&all, "MALLOC_ARENA_MAX"), "4");
        let one = told(&[("ORDER_SERVICE_HTTP_ADDR", "127.0.0.1:9000")]);
        assert_eq!(of(&one, "HTTP_ADDR"), "127.0.0.1:9000");
    }
}
