//! The platform before anybody has asked it for anything.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tokio::time::sleep;

use crate::costs::processes::{self, is_service};
use crate::costs::usage::Usage;
use crate::plan::{Plan, seconds};
use crate::site::Site;

/// What is used while nothing happens.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Idle {
    /// How long that was, in seconds.
    pub(crate) seconds: f64,
    /// Percent of a core by process.
    pub(crate) cpu: BTreeMap<String, f64>,
    /// Percent of all processors that others had.
    pub(crate) others: f64,
    /// MiB by process.
    pub(crate) memory: BTreeMap<String, f64>,
}

impl Idle {
    /// Percent of a core that the platform takes: services, relay and supervisor.
    pub(crate) fn platform(&self) -> f64 {
        let own = |name: &str| is_service(name) || name == processes::SUPERVISOR;
        let own = self.cpu.iter().filter(|(name, _)| own(name));
        own.map(|(_, cpu)| cpu).sum()
    }
}

/// What starting has left to do is done after so long.
const SETTLED: Duration = Duration::from_secs(5);

/// Looks twice, and does nothing in between.
pub(crate) async fn measure(site: &Site, plan: &Plan) -> Idle {
    sleep(SETTLED).await;
    let before = Usage::look(&site.platform);
    sleep(seconds(plan.idle)).await;
    let after = Usage::look(&site.platform);
    let seconds = after.seconds(&before);
    let cpu = after.cpu(&before).into_iter();
    Idle {
        seconds,
        cpu: cpu
            .map(|(name, cpu)| (name, cpu / seconds * 100.0))
            .collect(),
        others: after.others(&before),
        memory: after
            .processes
            .iter()
            .map(|(name, process)| (name.clone(), process.memory))
            .collect(),
    }
}
