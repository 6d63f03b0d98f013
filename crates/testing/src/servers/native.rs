//! Private native servers, which end with the process.

use native::{Ephemeral, Kafka, Postgres};

use super::Servers;

/// Kept until the process ends; their guards notice that.
static RUNNING: std::sync::Mutex<Option<(Ephemeral<Postgres>, Ephemeral<Kafka>)>> =
    std::sync::Mutex::new(None);

pub(super) async fn start() -> Servers {
    tokio::task::spawn_blocking(|| {
        let installation =
            native::install(&native::folder()).expect("the servers can be installed");
        let postgres = Ephemeral::postgres(&installation).expect("Postgres starts");
        let kafka = Ephemeral::kafka(&installation).expect("Kafka starts");
        let servers = Servers {
            database_url: postgres.server.url(),
            kafka_brokers: kafka.server.brokers(),
        };
        *RUNNING.lock().expect("nobody panics while holding it") = Some((postgres, kafka));
        servers
    })
    .await
    .expect("the servers start")
}
