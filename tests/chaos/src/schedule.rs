//! Which fault befalls whom and when: a value that a seed decides, so that a run can be had again.

use std::time::Duration;

use serde::Serialize;

/// What is done to a process.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Deed {
    /// SIGKILL.
    Kill,
    /// The signal that ends it cleanly; its supervisor starts it again.
    Restart,
    /// SIGSTOP, and after so long SIGCONT.
    Pause(Duration),
}

impl Deed {
    /// Its name in tables.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Restart => "restart",
            Self::Pause(_) => "pause",
        }
    }

    /// How long the process is held.
    pub(crate) const fn span(self) -> Duration {
        match self {
            Self::Pause(span) => span,
            Self::Kill | Self::Restart => Duration::ZERO,
        }
    }
}

/// One fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    /// Since the begin of the run.
    pub(crate) at: Duration,
    pub(crate) victim: String,
    pub(crate) deed: Deed,
}

/// Before the first fault orders are under way.
const QUIET_BEGIN: Duration = Duration::from_secs(2);
/// Of so many faults one comes together with its predecessor.
const TOGETHER: u32 = 4;

/// Faults for so long, none of which lasts longer. Victims are hit in rounds, each round in another order, and each
/// victim by each deed in turn: chance decides when and how, not whether.
pub(crate) fn schedule(seed: u64, victims: &[String], length: Duration) -> Vec<Fault> {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut order: Vec<usize> = (0..victims.len()).collect();
    let mut due: Vec<Vec<Deed>> = vec![Vec::new(); victims.len()];
    let mut faults = Vec::new();
    let mut at = QUIET_BEGIN;
    while !victims.is_empty() {
        dice.shuffle(&mut order);
        for &index in &order {
            let deed = next_deed(&mut dice, &mut due[index]);
            let fault = Fault {
                at,
                victim: victims[index].clone(),
                deed,
            };
            at += gap(&mut dice);
            if fault.at >= length {
                return faults;
            }
            if fault.at + deed.span() <= length {
                faults.push(fault);
            }
        }
    }
    faults
}

fn next_deed(dice: &mut fastrand::Rng, due: &mut Vec<Deed>) -> Deed {
    if due.is_empty() {
        let pause = Duration::from_millis(dice.u64(200..=12_000));
        due.extend([Deed::Kill, Deed::Restart, Deed::Pause(pause)]);
        dice.shuffle(due);
    }
    due.pop().unwrap_or(Deed::Kill)
}

fn gap(dice: &mut fastrand::Rng) -> Duration {
    let milliseconds = if dice.u32(..TOGETHER) == 0 {
        0..=300
    } else {
        1_500..=6_000
    };
    Duration::from_millis(dice.u64(milliseconds))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LENGTH: Duration = Duration::from_secs(300);

    fn victims() -> Vec<String> {
        ["postgres", "kafka", "relay", "relay-1", "kitchen"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn the_same_seed_is_the_same_schedule_and_another_seed_another() {
        assert_eq!(
            schedule(7, &victims(), LENGTH),
            schedule(7, &victims(), LENGTH)
        );
        assert_ne!(
            schedule(7, &victims(), LENGTH),
            schedule(8, &victims(), LENGTH)
        );
    }

    #[test]
    fn a_shorter_run_is_the_beginning_of_a_longer_one() {
        let short = schedule(7, &victims(), LENGTH / 2);
        let long = schedule(7, &victims(), LENGTH);
        assert!(short.iter().all(|fault| long.contains(fault)));
    }

    #[test]
    fn every_victim_is_hit_in_every_round_and_by_every_deed_in_three() {
        for seed in 0..50 {
            let faults = schedule(seed, &victims(), LENGTH);
            let three_rounds = &faults[..victims().len() * 3];
            let hit: BTreeSet<_> = three_rounds
                .iter()
                .map(|fault| (&fault.victim, fault.deed.word()))
                .collect();
            assert_eq!(hit.len(), victims().len() * 3, "seed {seed}");
        }
    }

    #[test]
    fn nothing_lasts_longer_than_the_run_and_no_pause_longer_than_twelve_seconds() {
        for seed in 0..50 {
            for fault in schedule(seed, &victims(), LENGTH) {
                assert!(fault.at + fault.deed.span() <= LENGTH);
                assert!(fault.deed.span() <= Duration::from_secs(12));
            }
        }
    }

    #[test]
    fn some_faults_come_two_at_a_time() {
        let faults = schedule(7, &victims(), LENGTH);
        let together = faults
            .windows(2)
            .filter(|pair| pair[1].at - pair[0].at <= Duration::from_millis(300));
        assert!(together.count() > 5);
    }

    #[test]
    fn without_victims_there_are_no_faults() {
        assert_eq!(schedule(7, &[], LENGTH), []);
    }
}
