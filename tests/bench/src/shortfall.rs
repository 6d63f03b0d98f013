//! What a run lacks to count: what was offered has to complete, and nobody may have been turned away or let down.

use crate::run::Run;

/// To keep up is to complete as large a part of what was offered.
const KEPT: f64 = 0.95;

/// What is wrong with a run, in words. Nothing: it was borne.
pub(crate) fn shortfall(run: &Run) -> Option<String> {
    let mut wrong = Vec::new();
    if !keeps_pace(run) {
        let percent = run.kept_up() * 100.0;
        wrong.push(format!("{percent:.1} % of what was offered completed"));
    }
    let orders = [
        (run.offered.shed(), "turned away"),
        (run.offered.failed(), "failed"),
        (run.offered.given_up, "given up"),
    ];
    let lost = orders.into_iter().filter(|(count, _)| *count > 0);
    wrong.extend(lost.map(|(count, what)| format!("{count} {what}")));
    (!wrong.is_empty()).then(|| wrong.join(", "))
}

/// Whether as much completed as was offered.
pub(crate) fn keeps_pace(run: &Run) -> bool {
    run.kept_up() >= KEPT
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::load::Offered;

    fn run(lifecycles: u64, answers: &[(u16, u64)], given_up: u64) -> Run {
        Run {
            expected: 100,
            lifecycles,
            offered: Offered {
                answers: answers.iter().copied().collect::<BTreeMap<_, _>>(),
                given_up,
                ..Offered::default()
            },
            ..Run::default()
        }
    }

    #[test]
    fn what_completes_but_for_noise_lacks_nothing() {
        assert_eq!(shortfall(&run(95, &[(201, 100)], 0)), None);
    }

    #[test]
    fn whoever_falls_behind_or_lets_somebody_down_is_told_why() {
        let told = |run| shortfall(&run).unwrap_or_default();
        let behind = told(run(94, &[(201, 100)], 0));
        assert_eq!(behind, "94.0 % of what was offered completed");
        let down = told(run(97, &[(201, 97), (500, 1), (503, 2)], 3));
        assert_eq!(down, "2 turned away, 1 failed, 3 given up");
    }
}
