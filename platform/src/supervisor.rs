//! The daemon: makes true what `desired.json` says, and keeps it true.
//!
//! SIGHUP reads the file again, SIGTERM stops everything. Killed by SIGKILL it leaves its processes
//! running; the next one finds their records and adopts them, so none ever runs twice.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use native::Process;
use nix::unistd::setsid;
use serde::{Deserialize, Serialize};
use tokio::signal::unix::{SignalKind, signal};

use crate::keeper::Keeper;
use crate::layout::Layout;
use crate::spec::{self, Probe, Spec};
use crate::{files, run};

/// What `desired.json` holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Desired {
    pub(crate) processes: Vec<Spec>,
}

/// Who supervises, and as which build.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Supervisor {
    pub(crate) process: Process,
    pub(crate) fingerprint: u64,
}

/// Supervises until SIGTERM.
pub(crate) async fn run(layout: &Layout) -> anyhow::Result<()> {
    // A session of its own: closing the terminal must not end it. It fails only if it has one.
    let _ = setsid();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_target(false)
        .init();
    let _lock = files::lock(&layout.supervisor_lock(), "another supervisor")?;
    let mut reload = signal(SignalKind::hangup())?;
    let mut stop = signal(SignalKind::terminate())?;
    let mut kept = adopt(layout)?;
    announce(layout)?;
    loop {
        match files::read::<Desired>(&layout.desired()) {
            Ok(desired) => reconcile(layout, &mut kept, desired.unwrap_or_default()).await,
            Err(error) => tracing::error!("{error:#}"),
        }
        tokio::select! {
            _ = reload.recv() => {}
            _ = stop.recv() => break,
        }
    }
    tracing::info!("stopping everything");
    stop_in_order(kept.into_values().collect()).await;
    files::remove(&layout.supervisor())
}

/// Takes over what an earlier supervisor left running.
fn adopt(layout: &Layout) -> anyhow::Result<BTreeMap<String, Keeper>> {
    let mut kept = BTreeMap::new();
    for record in run::all(layout)? {
        if record.alive() {
            tracing::info!(
                process = record.spec.name,
                pid = record.process.pid,
                "adopted"
            );
            kept.insert(
                record.spec.name.clone(),
                Keeper::start(layout, record.spec.clone(), Some(record)),
            );
        } else {
            run::forget(layout, &record.spec.name)?;
        }
    }
    Ok(kept)
}

/// From here on signals are understood, so `up` may send them.
fn announce(layout: &Layout) -> anyhow::Result<()> {
    let Some(process) = Process::own() else {
        anyhow::bail!("cannot find this very process")
    };
    let fingerprint = spec::fingerprint(&std::env::current_exe()?)?;
    files::write(
        &layout.supervisor(),
        &Supervisor {
            process,
            fingerprint,
        },
    )
}

/// Stops what must not run any more or must run differently, then starts what is missing.
async fn reconcile(layout: &Layout, kept: &mut BTreeMap<String, Keeper>, desired: Desired) {
    let wanted = |keeper: &Keeper| desired.processes.contains(&keeper.spec);
    let unwanted: Vec<Keeper> = kept
        .extract_if(.., |_, keeper| !wanted(keeper))
        .map(|(_, keeper)| keeper)
        .collect();
    stop_in_order(unwanted).await;
    for spec in desired.processes {
        let name = spec.name.clone();
        kept.entry(name)
            .or_insert_with(|| Keeper::start(layout, spec, None));
    }
}

/// Services first, the servers that they need last.
async fn stop_in_order(mut keepers: Vec<Keeper>) {
    for probe in [Probe::Http, Probe::Kafka, Probe::Postgres] {
        let now: Vec<Keeper> = keepers
            .extract_if(.., |keeper| keeper.spec.probe == probe)
            .collect();
        join_all(now.into_iter().map(Keeper::stop)).await;
    }
}
