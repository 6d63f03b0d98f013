//! Does to the processes what the schedule says, and notes what was done.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use visitor::platform::{Platform, Stop};

use crate::pause::Pause;
use crate::schedule::{Deed, Fault};

/// How long a victim that is dead just now is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A fault that was due.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Done {
    /// Seconds since the begin of the run.
    pub(crate) at: f64,
    pub(crate) victim: String,
    pub(crate) deed: &'static str,
    /// How long the victim stood still.
    pub(crate) seconds: f64,
    /// Whether it lived to be hit.
    pub(crate) hit: bool,
}

/// What was done so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Deeds(Arc<Mutex<Vec<Done>>>);

impl Deeds {
    /// All of it, so far.
    pub(crate) fn all(&self) -> Vec<Done> {
        self.list().clone()
    }

    /// How often a deed was done; `None`: to anybody.
    pub(crate) fn count(&self, deed: &str, victim: Option<&str>) -> usize {
        let wanted = |done: &&Done| {
            done.hit && done.deed == deed && victim.is_none_or(|name| name == done.victim)
        };
        self.list().iter().filter(wanted).count()
    }

    /// The last one, in words.
    pub(crate) fn last(&self) -> String {
        let list = self.list();
        list.last()
            .map_or_else(String::new, |done| format!("{} {}", done.deed, done.victim))
    }

    fn list(&self) -> MutexGuard<'_, Vec<Done>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commits all faults at their times after `begin`, and returns when the last one is over. Dropped before, it lets
/// everything go on that stands still.
pub(crate) async fn rage(platform: &Platform, faults: Vec<Fault>, begin: Instant, deeds: &Deeds) {
    let mut under_way = JoinSet::new();
    for fault in faults {
        sleep_until(begin + fault.at).await;
        let (platform, deeds) = (platform.clone(), deeds.clone());
        under_way.spawn(async move {
            let at = begin.elapsed().as_secs_f64();
            let hit = commit(&platform, &fault, || {
                deeds.list().push(Done {
                    at,
                    victim: fault.victim.clone(),
                    deed: fault.deed.word(),
                    seconds: fault.deed.span().as_secs_f64(),
                    hit: true,
                });
            });
            if !hit.await {
                deeds.list().push(Done {
                    at,
                    victim: fault.victim,
                    deed: fault.deed.word(),
                    seconds: 0.0,
                    hit: false,
                });
            }
        });
    }
    under_way.join_all().await;
}

/// Tells whether the victim could be hit; calls `struck` when it was.
async fn commit(platform: &Platform, fault: &Fault, struck: impl FnOnce()) -> bool {
    let Some(process) = platform.living(&fault.victim, PATIENCE).await else {
        return false;
    };
    let Ok(member) = platform.member(&fault.victim) else {
        return false;
    };
    match fault.deed {
        Deed::Kill => process.signal(Signal::SIGKILL),
        Deed::Restart => process.signal(match member.stop {
            Stop::Terminate => Signal::SIGTERM,
            Stop::Interrupt => Signal::SIGINT,
        }),
        Deed::Pause(span) => {
            let Ok(pause) = Pause::of(&process) else {
                return false;
            };
            struck();
            sleep(span).await;
            drop(pause);
            return true;
        }
    }
    struck();
    true
}
