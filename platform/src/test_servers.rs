//! Runs a command beside an empty Postgres and an empty Kafka, which end with it.

use std::process::ExitCode;
use std::thread;

use anyhow::Context;
use native::Ephemeral;
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::pid::Process;

/// Exit code of a command that a signal ended and that says no more.
const KILLED: u8 = 130;

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
        anyhow::bail!("starting Postgres failed")
    };
    let (postgres, kafka) = (postgres?, kafka?);
    let [program, args @ ..] = command else {
        anyhow::bail!("no command was given")
    };
    let mut child = Command::new(program)
        .args(args)
        .env("TEST_DATABASE_URL", postgres.server.url())
        .env("TEST_KAFKA_BROKERS", kafka.server.brokers())
        .spawn()
        .with_context(|| format!("cannot start `{program}`"))?;
    let process = child.id().and_then(|pid| Process::of(pid.cast_signed()));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    loop {
        tokio::select! {
            status = child.wait() => {
                let code = status?.code().and_then(|code| u8::try_from(code).ok());
                return Ok(ExitCode::from(code.unwrap_or(KILLED)));
            }
            _ = terminate.recv() => process.iter().for_each(|process| process.signal(Signal::SIGTERM)),
            // The terminal sends Ctrl-C to the command as well: only wait for it.
            _ = interrupt.recv() => {}
        }
    }
}
