//! Runs a command beside an empty Postgres and an empty Kafka, which end with it.

use std::process::ExitCode;
use std::thread;

use anyhow::Context;
use native::Ephemeral;

use crate::command;

/// Starts both, tells the command where they are, and hands on its exit code. However this process
/// ends, the servers end too.
pub(crate) async fn run(command: &[String]) -> anyhow::Result<ExitCode> {
    let installation = native::install(&native::folder()).context("cannot install the servers")?;
    let (postgres, kafka) = thread::scope(|scope| {
        let postgres = scope.spawn(|| Ephemeral::postgres(&installation));
        let kafka = Ephemeral::kafka(&installation);
        (postgres.join(), kafka)
    });
    let Ok(postgres) = postgres else {
        anyhow::bail!("starting Postgres failed");
    };
    let (postgres, kafka) = (postgres?, kafka?);
    let places = [
        ("TEST_DATABASE_URL", postgres.server.url()),
        ("TEST_KAFKA_BROKERS", kafka.server.brokers()),
    ];
    command::run(command, places).await
}
