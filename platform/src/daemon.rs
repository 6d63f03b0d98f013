//! The operator's side of the supervisor: is there one, start one, tell it what must run.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use native::Process;
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep};

use crate::layout::Layout;
use crate::spec::Spec;
use crate::supervisor::{Desired, Supervisor};
use crate::{files, run, spec};

/// Longer than the 30 s that a process may take to stop, twice: services, then servers.
const PATIENCE: Duration = Duration::from_secs(90);
const LOOK: Duration = Duration::from_millis(20);

/// The supervisor that lives, if one does.
pub(crate) fn find(layout: &Layout) -> anyhow::Result<Option<Supervisor>> {
    let found: Option<Supervisor> = files::read(&layout.supervisor())?;
    Ok(found.filter(|supervisor| supervisor.process.alive()))
}

/// What was last asked to run.
pub(crate) fn desired(layout: &Layout) -> anyhow::Result<Vec<Spec>> {
    Ok(files::read::<Desired>(&layout.desired())?
        .unwrap_or_default()
        .processes)
}

/// Has exactly these processes running, and returns when each was started. (Whether they are ready, and
/// do not end at once, is another question.)
pub(crate) async fn apply(layout: &Layout, processes: &[Spec]) -> anyhow::Result<()> {
    files::write(
        &layout.desired(),
        &Desired {
            processes: processes.to_vec(),
        },
    )?;
    let supervisor = ensure(layout).await?;
    supervisor.signal(Signal::SIGHUP);
    until("the supervisor to follow (see `logs supervisor`)", || {
        let running = run::all(layout)?;
        let right = |spec: &Spec| running.iter().any(|record| record.spec == *spec);
        Ok(running.len() == processes.len() && processes.iter().all(right))
    })
    .await
}

/// Stops the supervisor and with it everything, also what a killed supervisor left behind.
pub(crate) async fn stop(layout: &Layout) -> anyhow::Result<()> {
    if find(layout)?.is_none() && !run::all(layout)?.is_empty() {
        ensure(layout).await?;
    }
    if let Some(supervisor) = find(layout)? {
        supervisor.process.signal(Signal::SIGTERM);
        until("the processes to end", || Ok(!supervisor.process.alive())).await?;
    }
    Ok(())
}

/// A living supervisor of this build. One of another build is killed, not stopped: its successor
/// adopts what runs.
async fn ensure(layout: &Layout) -> anyhow::Result<Process> {
    let program = std::env::current_exe().context("cannot find this very program")?;
    if let Some(supervisor) = find(layout)? {
        if supervisor.fingerprint == spec::fingerprint(&program)? {
            return Ok(supervisor.process);
        }
        supervisor.process.signal(Signal::SIGKILL);
        until("the old supervisor to end", || {
            Ok(!supervisor.process.alive())
        })
        .await?;
    }
    files::remove(&layout.supervisor())?;
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(layout.log("supervisor"))?;
    let mut child = Command::new(program)
        .arg("supervise")
        .env("PLATFORM_DIR", layout.root())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start the supervisor")?;
    until("the supervisor to start", || {
        if let Some(status) = child.try_wait()? {
            bail!(
                "the supervisor ended ({status}): see {}",
                layout.log("supervisor").display()
            );
        }
        Ok(find(layout)?.is_some())
    })
    .await?;
    find(layout)?
        .map(|supervisor| supervisor.process)
        .context("the supervisor died")
}

/// Asks again and again, within a bound.
pub(crate) async fn until(
    what: &str,
    mut done: impl FnMut() -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !done()? {
        if Instant::now() > deadline {
            bail!("waited {} s for {what}", PATIENCE.as_secs());
        }
        sleep(LOOK).await;
    }
    Ok(())
}
