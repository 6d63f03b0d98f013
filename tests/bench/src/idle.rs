//! The platform before anybody has asked it for anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::sleep;

use crate::costs::processes::{self, is_service};
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
    let (before, begin) = (processes::look(&site.platform), Instant::now());
    sleep(seconds(plan.idle)).await;
    let (after, seconds) = (
        processes::look(&site.platform),
        begin.elapsed().as_secs_f64(),
    );
    let cpu = after.iter().map(|(name, process)| {
        let earlier = before.get(name).map_or(0.0, |it| it.cpu);
        (name.clone(), (process.cpu - earlier) / seconds * 100.0)
    });
    Idle {
        seconds,
        cpu: cpu.collect(),
        memory: after
            .iter()
            .map(|(name, process)| (name.clone(), process.memory))
            .collect(),
    }
}
