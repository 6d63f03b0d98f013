//! What the operator sees at the end: the addresses, and a first order to try.

use crate::console::say;
use crate::processes::{self, SERVICES};
use crate::settings::Settings;
use crate::spec::{Probe, Spec};

/// Names each port as `{8080}`: the service's port before any offset.
const FIRST_ORDER: &str = include_str!("../demo/first-order.txt");

/// Prints both.
pub(crate) fn say_hello(settings: &Settings, specs: &[Spec]) {
    say("");
    for spec in specs {
        let address = match spec.probe {
            Probe::Http => format!("http://127.0.0.1:{}", spec.port),
            Probe::Postgres | Probe::Kafka => format!("127.0.0.1:{}", spec.port),
        };
        say(format_args!("  {:<22} {address}", spec.name));
    }
    let mut text = FIRST_ORDER.to_owned();
    for service in &SERVICES {
        let real = processes::port(settings, service, 0);
        text = text.replace(&format!("{{{}}}", service.port), &real.to_string());
    }
    say(text);
}
