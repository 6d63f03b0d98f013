//! Keeps one process alive: starts it, sees it die, starts it again.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use native::Process;
use nix::sys::signal::Signal;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::layout::Layout;
use crate::run::{self, Record};
use crate::spec::{Spec, Stop};

/// How long a process may take to end by itself before it is killed.
const PATIENCE: Duration = Duration::from_secs(30);
/// A process that lived this long was healthy: its next death is a first one again.
const HEALTHY: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How often an adopted process is looked at: only a parent is told of a death.
const LOOK: Duration = Duration::from_millis(100);
/// A log this large (bytes) is put aside when its process starts.
const LARGE_LOG: u64 = 64 << 20;

/// The task that keeps one process alive.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) spec: Spec,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Keeper {
    /// Keeps `spec` alive from now on, first in the shape of `adopted`, if there is one.
    pub(crate) fn start(layout: &Layout, spec: Spec, adopted: Option<Record>) -> Self {
        let stop = CancellationToken::new();
        let task = tokio::spawn(keep(layout.clone(), spec.clone(), adopted, stop.clone()));
        Self { spec, stop, task }
    }

    /// Ends the process and waits until it has gone.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(process = self.spec.name, %error, "keeper failed");
        }
    }
}

async fn keep(layout: Layout, spec: Spec, mut adopted: Option<Record>, stop: CancellationToken) {
    let mut restarts = adopted.as_ref().map_or(0, |record| record.restarts);
    let mut pause = None;
    loop {
        let began = Instant::now();
        let running = match adopted.take() {
            Some(record) => Ok(Running {
                process: record.process,
                child: None,
            }),
            None => start(&layout, &spec, restarts),
        };
        match running {
            Ok(running) => {
                if live(running, &spec, &stop).await {
                    break;
                }
            }
            Err(error) => tracing::error!(process = spec.name, "cannot start: {error:#}"),
        }
        restarts += 1;
        let rest = next_pause(pause, began.elapsed());
        pause = Some(rest);
        tokio::select! {
            () = stop.cancelled() => break,
            () = sleep(rest) => {}
        }
    }
    if let Err(error) = run::forget(&layout, &spec.name) {
        tracing::error!(process = spec.name, "{error:#}");
    }
}

/// At once after a first death, then ever later, until a process lives long enough.
fn next_pause(previous: Option<Duration>, lived: Duration) -> Duration {
    match previous {
        Some(previous) if lived < HEALTHY => (previous * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
        _ => Duration::ZERO,
    }
}

/// Waits until the process dies or must stop; tells whether it was told to stop.
async fn live(mut running: Running, spec: &Spec, stop: &CancellationToken) -> bool {
    tokio::select! {
        how = running.ended() => {
            tracing::warn!(process = spec.name, pid = running.process.pid, "died ({how})");
            false
        }
        () = stop.cancelled() => {
            running.stop(spec.stop).await;
            tracing::info!(process = spec.name, "stopped");
            true
        }
    }
}

/// A process that lives, or did a moment ago.
struct Running {
    process: Process,
    /// None when another supervisor was its parent.
    child: Option<Child>,
}

impl Running {
    /// Waits for the end and tells how it came.
    async fn ended(&mut self) -> String {
        if let Some(child) = &mut self.child {
            return child
                .wait()
                .await
                .map_or_else(|error| error.to_string(), |status| status.to_string());
        }
        while self.process.alive() {
            sleep(LOOK).await;
        }
        "adopted, so nobody knows how".to_owned()
    }

    async fn stop(&mut self, how: Stop) {
        self.process.signal(match how {
            Stop::Terminate => Signal::SIGTERM,
            Stop::Interrupt => Signal::SIGINT,
        });
        if timeout(PATIENCE, self.ended()).await.is_err() {
            self.process.signal(Signal::SIGKILL);
            self.ended().await;
        }
    }
}

fn start(layout: &Layout, spec: &Spec, restarts: u32) -> anyhow::Result<Running> {
    let log = log(&layout.log(&spec.name))?;
    let mut command = Command::new(&spec.program);
    command
        .args(&spec.args)
        .env_clear()
        .envs(&spec.environment)
        .current_dir(&spec.folder);
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0);
    if let Some((uid, gid)) = spec.account {
        command.uid(uid).gid(gid);
    }
    let child = command
        .spawn()
        .with_context(|| format!("{}", spec.program.display()))?;
    let process = child
        .id()
        .and_then(|pid| Process::of(pid.cast_signed()))
        .context("it died at once")?;
    Record {
        spec: spec.clone(),
        process: process.clone(),
        restarts,
    }
    .write(layout)?;
    tracing::info!(process = spec.name, pid = process.pid, restarts, "started");
    Ok(Running {
        process,
        child: Some(child),
    })
}

fn log(path: &Path) -> anyhow::Result<File> {
    if fs::metadata(path).is_ok_and(|found| found.len() > LARGE_LOG) {
        fs::rename(path, path.with_extension("log.1"))?;
    }
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_one_early_death_to_the_next_and_end_with_a_long_life() {
        let early = Duration::from_secs(1);
        assert_eq!(next_pause(None, early), Duration::ZERO);
        assert_eq!(next_pause(Some(Duration::ZERO), early), FIRST_PAUSE);
        assert_eq!(next_pause(Some(FIRST_PAUSE), early), FIRST_PAUSE * 2);
        assert_eq!(next_pause(Some(LONGEST_PAUSE), early), LONGEST_PAUSE);
        assert_eq!(next_pause(Some(LONGEST_PAUSE), HEALTHY), Duration::ZERO);
    }
}
