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
    /// How many the machine has, and for how many seconds they have done nothing.
    processors: usize,
    idled: f64,
    pub(crate) processes: BTreeMap<String, Process>,
}

impl Usage {
    /// Looks.
    pub(crate) fn look(platform: &Platform) -> Self {
        let (processors, idled) = processes::idled();
        Self {
            at: Instant::now(),
            processors,
            idled,
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
        let all = self.seconds(before) * self.processors as f64;
        let theirs = all - (self.idled - before.idled) - ours;
        theirs.max(0.0) / all.max(1e-9) * 100.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_the_machine_has_done_and_none_of_ours_was_others() {
        let begin = Instant::now();
        let usage = |seconds, idled, cpu| Usage {
            at: begin + Duration::from_secs(seconds),
            processors: 2,
            idled,
            processes: BTreeMap::from([(
                "order-service".to_owned(),
                Process {
                    cpu,
                    ..Process::default()
                },
            )]),
        };
        let before = usage(0, 100.0, 3.0);
        let others = usage(10, 110.0, 9.0).others(&before);
        assert!((others - 20.0).abs() < 1e-9, "{others}");
        let none = usage(10, 115.0, 9.0).others(&before);
        assert!(none.abs() < 1e-9, "{none}");
    }
}
