//! Brings everything up, from nothing or from whatever runs already.

use crate::console::Progress;
use crate::layout::Layout;
use crate::ready::Prober;
use crate::settings::Settings;
use crate::spec::Spec;
use crate::{daemon, demo, files, greeting, ports, processes, provision, servers};

/// The command: brings all up and says what there is to try.
pub(crate) async fn run(settings: &Settings, layout: &Layout) -> anyhow::Result<()> {
    let all = bring(settings, layout).await?;
    greeting::say_hello(settings, &all);
    Ok(())
}

/// Servers, then databases and topics, then services, then demo data. What runs and did not
/// change is left alone.
pub(crate) async fn bring(settings: &Settings, layout: &Layout) -> anyhow::Result<Vec<Spec>> {
    let progress = Progress::begin();
    layout.create()?;
    let _lock = files::lock(&layout.operator_lock(), "another `up`, `down` or `clean`")?;
    let secrets = provision::secrets(settings, layout)?;
    let servers = servers::prepare(settings, layout, &secrets, &progress)?;
    let services = processes::services(settings, layout, &servers.addresses, &secrets)?;
    let all = [servers.specs.clone(), services].concat();
    ports::require(layout, &all)?;

    let prober = Prober::new()?;
    daemon::apply(layout, &servers_first(layout, &servers.specs, &all)?).await?;
    prober.wait(layout, &servers.specs, &progress).await?;
    provision::run(settings, &servers.addresses, &secrets).await?;
    progress.say("databases, roles and topics are there");

    daemon::apply(layout, &all).await?;
    prober
        .wait(layout, &all[servers.specs.len()..], &progress)
        .await?;
    demo::load(&servers.addresses, &secrets).await?;
    progress.say("demo data is there");
    Ok(all)
}

/// The servers, and those services that run already as they should: they need not stop for this.
fn servers_first(layout: &Layout, servers: &[Spec], all: &[Spec]) -> anyhow::Result<Vec<Spec>> {
    let before = daemon::desired(layout)?;
    Ok(all
        .iter()
        .filter(|spec| servers.contains(spec) || before.contains(spec))
        .cloned()
        .collect())
}
