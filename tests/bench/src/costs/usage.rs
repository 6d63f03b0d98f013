//! What was used between two moments: by each of ours, and by everybody else on the machine.

use std::collections::BTreeMap;
use std::time::Instant;

use visitor::platform::Platform;

use super::grown;
use super::processes::{self, Process};

/// What has been used so far, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Usage {
    at: Instant,
    /// CPU seconds of the whole machine.
    machine: f64,
    pub(crate) processes: BTreeMap<String, Process>,
}

impl Usage {
    /// Looks.
    pub(crate) fn look(platform: &Platform) -> Self {
        Self {
            at: Instant::now(),
            machine: processes::machine(),
            processes: processes::look(platform),
        }
    }

    /// Seconds since an earlier moment.
    pub(crate) fn seconds(&self, before: &Self) -> f64 {
        self.at.duration_since(before.at).as_secs_f64()
    }

    /// CPU seconds of each process since an earlier moment.
    pub(crate) fn cpu(&self, before: &Self) -> BTreeMap<String, f64> {
        let all = self.processes.iter().map(|(name, process)| {
            let earlier = before.processes.get(name).map_or(0.0, |it| it.cpu);
            (name.clone(), grown(earlier, process.cpu))
        });
        all.collect()
    }

    /// Percent of all processors that others had since an earlier moment: whoever is neither the platform nor this program.
    pub(crate) fn others(&self, before: &Self) -> f64 {
        let ours: f64 = self.cpu(before).values().sum();
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let theirs = self.machine - before.machine - ours;
        // What the kernel counts by ticks may be a little less than what it counts by process.
        theirs.max(0.0) / (self.seconds(before) * processors as f64) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_the_machine_has_done_and_none_of_ours_was_others() {
        let usage = |seconds, machine, cpu| Usage {
            at: Instant::now() + Duration::from_secs(seconds),
            machine,
            processes: BTreeMap::from([(
                "order-service".to_owned(),
                Process {
                    cpu,
                    ..Process::default()
                },
            )]),
        };
        let (before, after) = (usage(0, 100.0, 3.0), usage(10, 110.0, 9.0));
        let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
        let others = after.others(&before);
        assert!((others - 40.0 / processors).abs() < 0.1, "{others}");
        let less = usage(10, 105.0, 9.0).others(&before);
        assert!(less.abs() < 1e-9, "{less}");
    }
}
