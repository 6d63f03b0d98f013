//! Runs the operator's own command to its end, and hands on signals and exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Context;
use native::Process;
use nix::sys::signal::Signal;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

/// Exit code of a command that a signal ended.
const KILLED: u8 = 130;

/// Runs `command` with `environment` added, and returns its exit code.
///
/// A SIGTERM is handed on and waited for, so that whoever called can still clean up. Ctrl-C is only
/// waited for: the terminal sends it to the command as well.
pub(crate) async fn run<N: Into<OsString>, V: Into<OsString>>(
    command: &[String],
    environment: impl IntoIterator<Item = (N, V)>,
) -> anyhow::Result<ExitCode> {
    let [program, args @ ..] = command else {
        anyhow::bail!("no command was given");
    };
    let environment = environment
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()));
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut child = Command::new(program)
        .args(args)
        .envs(environment)
        .spawn()
        .with_context(|| format!("cannot start `{program}`"))?;
    let process = child.id().and_then(|pid| Process::of(pid.cast_signed()));
    loop {
        tokio::select! {
            status = child.wait() => {
                let code = status?.code().and_then(|code| u8::try_from(code).ok());
                return Ok(ExitCode::from(code.unwrap_or(KILLED)));
            }
            _ = terminate.recv() => process.iter().for_each(|process| process.signal(Signal::SIGTERM)),
            _ = interrupt.recv() => {}
        }
    }
}
