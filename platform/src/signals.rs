//! Ends single processes, as an operator or a test wants it; the supervisor starts them again.

use anyhow::{Context, bail};
use nix::sys::signal::Signal;

use crate::console::Progress;
use crate::layout::Layout;
use crate::ready::Prober;
use crate::run::{self, Record};
use crate::spec::Stop;
use crate::{console, daemon};

/// Ends a process cleanly, and returns when its successor is ready.
pub(crate) async fn restart(layout: &Layout, name: &str) -> anyhow::Result<()> {
    let progress = Progress::begin();
    let old = running(layout, name)?;
    if daemon::find(layout)?.is_none() {
        bail!("no supervisor would start it again: `make run` first");
    }
    old.process.signal(match old.spec.stop {
        Stop::Terminate => Signal::SIGTERM,
        Stop::Interrupt => Signal::SIGINT,
    });
    let successor = || {
        Ok(run::find(layout, name)?.is_some_and(|new| new.process != old.process && new.alive()))
    };
    daemon::until("its successor", successor).await?;
    Prober::new()?.wait(layout, &[old.spec], &progress).await
}

/// Sends SIGTERM, or SIGKILL when it must be `now`.
pub(crate) fn kill(layout: &Layout, name: &str, now: bool) -> anyhow::Result<()> {
    let record = running(layout, name)?;
    let signal = if now {
        Signal::SIGKILL
    } else {
        Signal::SIGTERM
    };
    record.process.signal(signal);
    console::say(format_args!(
        "{signal} sent to {name} (pid {})",
        record.process.pid
    ));
    Ok(())
}

fn running(layout: &Layout, name: &str) -> anyhow::Result<Record> {
    let names = || -> anyhow::Result<String> {
        Ok(run::all(layout)?
            .into_iter()
            .map(|record| record.spec.name)
            .collect::<Vec<_>>()
            .join(", "))
    };
    let record = run::find(layout, name)?.filter(Record::alive);
    match record {
        Some(record) => Ok(record),
        None => Err(anyhow::anyhow!("running are: {}", names()?))
            .with_context(|| format!("`{name}` does not run")),
    }
}
